"""Sealing: from submission on, nobody writes to what a review looks at.

The seal is an UPDATE of the row that every writer holds a share lock on, so it comes wholly before
or wholly after each write. Called by the registry inside the transaction of a submission; rights are
the submission's.
"""

from __future__ import annotations

from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Blocked
from apps.experiments import events, selectors
from apps.experiments.models import LoggedModel, ModelStatus, Run, RunStatus

_OPEN = {RunStatus.RUNNING, RunStatus.SCHEDULED}


def seal_run(actor: Actor, run: Run, review_id: int) -> Run:
    """Close the run for every write, with one digest over what it holds.

    A run that is sealed stays as it is: the first review named is the one that holds it.
    Refuses: a run that has not ended.
    """
    with verb(actor) as v:
        run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if run.sealed_by is not None:
            return run
        if run.status in _OPEN:
            raise Blocked(
                f"Run {run.run_id} is still {run.status}: end the run before submitting its model.",
                reasons=[f"The run {run.name} has not ended."],
                hint="mlflow.end_run() ends it.",
            )
        run.sealed_by, run.sealed_at = review_id, clock.now()
        run.save(update_fields=["sealed_by", "sealed_at"])
        v.record(
            events.RunSealed(
                run=run.run_id,
                experiment=run.experiment_id,
                name=run.name,
                review=review_id,
                digest=selectors.run_digest(run),
            )
        )
    return run


def unseal_run(actor: Actor, run: Run) -> Run:
    """Open the run again; an open one stays as it is."""
    with verb(actor) as v:
        run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        review, run.sealed_by, run.sealed_at = run.sealed_by, None, None
        if review is None:
            return run
        run.save(update_fields=["sealed_by", "sealed_at"])
        v.record(
            events.RunUnsealed(
                run=run.run_id, experiment=run.experiment_id, name=run.name, review=review
            )
        )
    return run


def seal_logged_model(actor: Actor, model: LoggedModel, review_id: int) -> LoggedModel:
    """Close the logged model for every write to its files, parameters and tags; see `seal_run`.

    Metrics that other runs log about it are still taken: they are not evidence.
    Refuses: a model whose upload has not been finished.
    """
    with verb(actor) as v:
        model = LoggedModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        if model.sealed_by is not None:
            return model
        if model.status == ModelStatus.PENDING:
            raise Blocked(
                f"Logged model {model.model_id} is still being uploaded.",
                reasons=[f"The upload of {model.name} was not finished."],
                hint="Log the model again.",
            )
        model.sealed_by, model.sealed_at = review_id, clock.now()
        model.save(update_fields=["sealed_by", "sealed_at"])
        v.record(
            events.LoggedModelSealed(
                logged_model=model.model_id,
                experiment=model.experiment_id,
                name=model.name,
                review=review_id,
                digest=selectors.logged_model_digest(model),
            )
        )
    return model


def unseal_logged_model(actor: Actor, model: LoggedModel) -> LoggedModel:
    """Open the logged model again; an open one stays as it is."""
    with verb(actor) as v:
        model = LoggedModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        review, model.sealed_by, model.sealed_at = model.sealed_by, None, None
        if review is None:
            return model
        model.save(update_fields=["sealed_by", "sealed_at"])
        v.record(
            events.LoggedModelUnsealed(
                logged_model=model.model_id,
                experiment=model.experiment_id,
                name=model.name,
                review=review,
            )
        )
    return model
