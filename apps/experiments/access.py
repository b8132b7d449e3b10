"""Getting hold of an experiment, run or logged model: found, allowed and open for writing, in one query.

A stranger learns nothing (`NotFound`), who may read but not write is told so (`Forbidden`), what a
review has sealed answers `Blocked` with the review's address. The row stays locked until the
transaction ends: shared by those who write below it, alone by whoever changes the row itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings

from apps.accounts import policy
from apps.core.actor import Actor
from apps.core.errors import Blocked, DomainError, Forbidden, Invalid, NotFound
from apps.experiments import limits, sql
from apps.experiments.models import Experiment, Lifecycle, LoggedModel, Run

READ = "experiment.read"
WRITE = "experiment.write"
MANAGE = "experiment.manage"


@dataclass(frozen=True, slots=True)
class WritableRun:
    """A run that this transaction may write to."""

    id: int
    run_id: str
    experiment_id: int


@dataclass(frozen=True, slots=True)
class WritableModel:
    """A logged model that this transaction may write to."""

    id: int
    model_id: str
    experiment_id: int


def run_not_found(run_id: str) -> NotFound:
    return NotFound(f"Run with id={run_id} not found")


def experiment_not_found(experiment_id: object) -> NotFound:
    return NotFound(f"No Experiment with id={experiment_id} exists")


def model_not_found(model_id: str) -> NotFound:
    return NotFound(f"Logged model with ID '{model_id}' not found.")


def root(experiment_id: int, team_id: int | None) -> Experiment:
    """The experiment as far as rights are concerned, without reading it."""
    return Experiment(id=experiment_id, team_id=team_id)


def allow(actor: Actor, verb: str, experiment: Experiment, unseen: DomainError) -> None:
    """Pass, or raise `Forbidden` for one who may read and `unseen` for a stranger."""
    if policy.can(actor, verb, experiment):
        return
    if verb != READ and policy.can(actor, READ, experiment):
        policy.require(actor, verb, experiment)
    raise unseen


def sealed(what: str, review: int) -> Blocked:
    """The refusal of every write to what a review has sealed."""
    url = f"{settings.BASE_URL}/reviews/{review}/"
    return Blocked(
        f"{what} is sealed: it is evidence in review {review}, so nothing can be written to it.",
        reasons=[f"Review {review} has sealed it."],
        hint="Withdraw the review, or log to a new run. See",
        url=url,
    )


_RUN = """
SELECT r.id, r.experiment_id, e.team_id, r.created_by_id, r.lifecycle_stage, r.sealed_by,
       EXISTS (SELECT FROM experiments_runauthor a WHERE a.run_id = r.id AND a.user_id = %s)
  FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id
 WHERE r.run_id = %s
"""
_RUN_SHARED = _RUN + " FOR SHARE OF r"
_RUN_ALONE = _RUN + " FOR NO KEY UPDATE OF r"


def writable_run(actor: Actor, run_id: str, *, exclusive: bool = False) -> WritableRun:
    """The run, locked, if the actor may write to it now; the actor becomes one of its authors.

    `exclusive` when the run's own row will change: two holders of the shared lock that both want to
    change it would wait for each other.
    """
    statement = _RUN_ALONE if exclusive else _RUN_SHARED
    found = sql.row(statement, (actor.user_id, limits.run_id(run_id)))
    if found is None:
        raise run_not_found(run_id)
    pk, experiment_id, team_id, creator, stage, review, is_author = found
    allow(actor, WRITE, root(experiment_id, team_id), run_not_found(run_id))
    if stage != Lifecycle.ACTIVE:
        raise Invalid(
            f"The run {run_id} must be in the 'active' state. Current state is {stage}.",
            fields={"run_id": "deleted"},
        )
    if review is not None:
        raise sealed(f"Run {run_id}", review)
    if not is_author and actor.user_id != creator:
        _note_author(actor, "runauthor", "run_id", pk)
    return WritableRun(pk, run_id, experiment_id)


_MODEL = """
SELECT m.id, m.experiment_id, e.team_id, m.created_by_id, m.deleted_at, m.sealed_by,
       EXISTS (SELECT FROM experiments_loggedmodelauthor a
                WHERE a.model_id = m.id AND a.user_id = %s)
  FROM experiments_loggedmodel m JOIN experiments_experiment e ON e.id = m.experiment_id
 WHERE m.model_id = %s
"""
_MODEL_SHARED = _MODEL + " FOR SHARE OF m"
_MODEL_ALONE = _MODEL + " FOR NO KEY UPDATE OF m"


def writable_model(
    actor: Actor, model_id: str, *, exclusive: bool = False, aside: bool = False
) -> WritableModel:
    """The logged model, locked, if the actor may write to it now; see `writable_run`.

    `aside` for what is no part of the model (no evidence): the seal does not mind it, and whoever
    writes it becomes no author.
    """
    found = sql.row(_MODEL_ALONE if exclusive else _MODEL_SHARED, (actor.user_id, model_id))
    if found is None or found[4] is not None:
        raise model_not_found(model_id)
    pk, experiment_id, team_id, creator, _deleted, review, is_author = found
    allow(actor, WRITE, root(experiment_id, team_id), model_not_found(model_id))
    if aside:
        return WritableModel(pk, model_id, experiment_id)
    if review is not None:
        raise sealed(f"Logged model {model_id}", review)
    if not is_author and actor.user_id != creator:
        _note_author(actor, "loggedmodelauthor", "model_id", pk)
    return WritableModel(pk, model_id, experiment_id)


def check_writable(actor: Actor, found: Run | LoggedModel) -> None:
    """What `writable_run` and `writable_model` refuse, asked of a row as it was read: nothing is held.

    For refusing early what would be refused later anyway, such as a large upload.
    """
    if isinstance(found, Run):
        unseen, what = run_not_found(found.run_id), f"Run {found.run_id}"
        deleted = found.lifecycle_stage != Lifecycle.ACTIVE
    else:
        unseen, what = model_not_found(found.model_id), f"Logged model {found.model_id}"
        deleted = found.deleted_at is not None
    allow(actor, WRITE, found.experiment, unseen)
    if deleted:
        raise Invalid(
            f"{what} is deleted: nothing can be written to it.", fields={"path": "deleted"}
        )
    if found.sealed_by is not None:
        raise sealed(what, found.sealed_by)


def _note_author(actor: Actor, table: str, column: str, pk: int) -> None:
    if actor.user_id is None:
        raise Forbidden("Only a person or a service writes to a run.")
    sql.run(
        f"INSERT INTO experiments_{table} ({column}, user_id) VALUES (%s, %s) "  # noqa: S608 - ours
        "ON CONFLICT DO NOTHING",
        (pk, actor.user_id),
    )


def models_to_measure(actor: Actor, run: WritableRun, model_ids: Collection[str]) -> dict[str, int]:
    """Logged models that get metrics from this run, by id. A sealed one may: that is not evidence.

    Refuses a model that does not exist, is deleted or belongs to an experiment the actor cannot write.
    """
    found = sql.rows(
        """
        SELECT m.model_id, m.id, m.experiment_id, e.team_id
          FROM experiments_loggedmodel m JOIN experiments_experiment e ON e.id = m.experiment_id
         WHERE m.model_id = ANY(%s::text[]) AND m.deleted_at IS NULL
        """,
        (sorted(model_ids),),
    )
    known = {model_id: pk for model_id, pk, _, _ in found}
    for model_id in sorted(model_ids):
        if model_id not in known:
            raise model_not_found(model_id)
    for model_id, _, experiment_id, team_id in found:
        if experiment_id != run.experiment_id:
            allow(actor, WRITE, root(experiment_id, team_id), model_not_found(model_id))
    return known


def visible_experiments(actor: Actor, experiment_ids: Iterable[int]) -> list[int]:
    """Those of the experiments that the actor may read; unknown ones are left out silently."""
    wanted = sorted(set(experiment_ids))
    rows = Experiment.objects.filter(policy.visible_experiments(actor), pk__in=wanted)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def experiment(
    actor: Actor, experiment_id: int, verb: str = READ, *, lock: bool = False
) -> Experiment:
    """The experiment, if the actor may do the verb with it; `lock` until the transaction ends."""
    rows = Experiment.objects.select_for_update(no_key=True) if lock else Experiment.objects
    found = rows.filter(pk=experiment_id).first()
    if found is None:
        raise experiment_not_found(experiment_id)
    allow(actor, verb, found, experiment_not_found(experiment_id))
    return found


def active(found: Experiment) -> Experiment:
    """Refuse a deleted experiment with the protocol's sentence."""
    if found.lifecycle_stage != Lifecycle.ACTIVE:
        raise Invalid(
            f"The experiment {found.pk} must be in the 'active' state. "
            f"Current state is {found.lifecycle_stage}.",
            fields={"experiment_id": "deleted"},
        )
    return found
