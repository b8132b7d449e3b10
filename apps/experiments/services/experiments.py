"""Verbs on experiments."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from apps.accounts import policy
from apps.accounts.models import Team
from apps.accounts.services import grant_creator_role
from apps.accounts.verbs import OWNER
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, Forbidden, NotFound
from apps.experiments import access, events, limits, sql
from apps.experiments.ingest import Pair
from apps.experiments.models import (
    DEFAULT_EXPERIMENT,
    Experiment,
    ExperimentTag,
    Lifecycle,
    Run,
)


def create_experiment(
    actor: Actor, *, name: str, tags: Iterable[Pair] = (), team: Team | None = None
) -> Experiment:
    """Make an experiment that only its creator and her team can see; she becomes its owner.

    Who names no team and may create in exactly one gives it to that team.

    Refuses: a name that is taken, deleted experiments included. Who may not see the holder of the
    name is told to ask, and not by an error that a client takes for "go on and use it".
    """
    limits.experiment_name(name)
    values = _tag_values(tags)
    team = team or policy.default_team(actor, "experiment.create")
    policy.require(actor, "experiment.create", team)
    now = clock.now_ms()
    with verb(actor) as v:
        try:
            with transaction.atomic():
                made = Experiment.objects.create(
                    name=name,
                    team=team,
                    created_by_id=actor.user_id,
                    created_at=now,
                    updated_at=now,
                )
        except IntegrityError:
            raise _taken(actor, name) from None
        _write_tags(made, values)
        if actor.user_id is not None:
            grant_creator_role(actor, OWNER, made)
        v.record(
            events.ExperimentCreated(experiment=made.pk, name=name, team=team.pk if team else None)
        )
    return made


def rename_experiment(actor: Actor, experiment_id: int, *, name: str) -> Experiment:
    """Refuses: a deleted experiment, a name that is taken."""
    limits.experiment_name(name, path="new_name")
    with verb(actor) as v:
        found = access.experiment(actor, experiment_id, access.WRITE, lock=True)
        if found.lifecycle_stage != Lifecycle.ACTIVE:
            raise Conflict("Cannot rename a non-active experiment.")
        old, found.name, found.updated_at = found.name, name, clock.now_ms()
        if old == name:
            return found
        try:
            with transaction.atomic():
                found.save(update_fields=["name", "updated_at"])
        except IntegrityError:
            raise _taken(actor, name) from None
        v.record(events.ExperimentRenamed(experiment=found.pk, name=name, old=old))
    return found


def delete_experiment(actor: Actor, experiment_id: int) -> None:
    """Mark the experiment and all its runs as deleted; nothing is removed.

    Refuses: an experiment with a sealed run (evidence stays), the one that clients use by default.
    """
    with verb(actor) as v:
        found = access.experiment(actor, experiment_id, access.WRITE, lock=True)
        if found.pk == DEFAULT_EXPERIMENT:
            raise Conflict("The default experiment stays: clients that name none log there.")
        if found.lifecycle_stage != Lifecycle.ACTIVE:
            raise access.experiment_not_found(experiment_id)
        runs = _move(found, Lifecycle.DELETED)
        # Asked after the update, which waited for every seal under way.
        evidence = Run.objects.filter(experiment=found, sealed_by__isnull=False).first()
        if evidence is not None and evidence.sealed_by is not None:
            raise access.sealed(f"Run {evidence.run_id} of this experiment", evidence.sealed_by)
        v.record(events.ExperimentDeleted(experiment=found.pk, name=found.name, runs=runs))


def restore_experiment(actor: Actor, experiment_id: int) -> None:
    """Make the experiment and all its runs active again, those deleted before it included."""
    with verb(actor) as v:
        found = access.experiment(actor, experiment_id, access.WRITE, lock=True)
        if found.lifecycle_stage != Lifecycle.DELETED:
            raise access.experiment_not_found(experiment_id)
        runs = _move(found, Lifecycle.ACTIVE)
        v.record(events.ExperimentRestored(experiment=found.pk, name=found.name, runs=runs))


def set_experiment_tag(actor: Actor, experiment_id: int, *, key: str, value: str) -> None:
    """One tag, overwriting. Refuses: a deleted experiment."""
    values = _tag_values([Pair(key, value)])
    with transaction.atomic():
        found = access.active(access.experiment(actor, experiment_id, access.WRITE, lock=True))
        _write_tags(found, values)
        _touch(found)


def delete_experiment_tag(actor: Actor, experiment_id: int, *, key: str) -> None:
    """Refuses: a deleted experiment, a tag that is not there."""
    with transaction.atomic():
        found = access.active(access.experiment(actor, experiment_id, access.WRITE, lock=True))
        gone, _ = ExperimentTag.objects.filter(experiment=found, key=key).delete()
        if not gone:
            raise NotFound(f"No tag with name: {key} in experiment with id {experiment_id}")
        _touch(found)


def _taken(actor: Actor, name: str) -> AlreadyExists | Forbidden:
    holder = Experiment.objects.get(name=name)
    if policy.can(actor, access.READ, holder):
        return AlreadyExists(f"Experiment(name={name}) already exists.")
    return Forbidden(
        f"An experiment named {name!r} exists, and you may not see it.",
        hint="Ask its owner or an administrator for access, or choose another name.",
    )


def _tag_values(tags: Iterable[Pair]) -> dict[str, str]:
    return {
        limits.key(tag.key): limits.at_most(
            tag.value or "", limits.EXPERIMENT_TAG_VALUE_LENGTH, "value"
        )
        for tag in tags
    }


def _write_tags(found: Experiment, values: dict[str, str]) -> None:
    if not values:
        return
    ExperimentTag.objects.bulk_create(
        [ExperimentTag(experiment=found, key=key, value=values[key]) for key in sorted(values)],
        update_conflicts=True,
        update_fields=["value"],
        unique_fields=["experiment", "key"],
    )


def _touch(found: Experiment) -> None:
    Experiment.objects.filter(pk=found.pk).update(updated_at=clock.now_ms())


def _move(found: Experiment, stage: Lifecycle) -> int:
    """The experiment and every run of it to the stage; how many runs changed."""
    now = clock.now_ms()
    found.lifecycle_stage, found.updated_at = stage, now
    found.save(update_fields=["lifecycle_stage", "updated_at"])
    return sql.run(
        """
        UPDATE experiments_run SET lifecycle_stage = %(stage)s, deleted_time = %(at)s
         WHERE experiment_id = %(id)s AND lifecycle_stage <> %(stage)s
        """,
        {
            "id": found.pk,
            "stage": str(stage),
            "at": now if stage == Lifecycle.DELETED else None,
        },
    )
