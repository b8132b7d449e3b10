"""Verbs on runs themselves; what is logged to a run is ingest.py's."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Forbidden, Invalid
from apps.experiments import access, events, ingest, limits, sql
from apps.experiments.ingest import RUN_NAME_TAG, Pair
from apps.experiments.models import Lifecycle, Run, RunStatus
from apps.experiments.names import random_name

_EXPERIMENT: Final = """
SELECT e.team_id, e.lifecycle_stage FROM experiments_experiment e WHERE e.id = %s FOR SHARE
"""

_CREATE: Final = """
WITH run AS (
    INSERT INTO experiments_run (run_id, experiment_id, name, status, start_time, user_label,
                                 created_by_id, lifecycle_stage)
    VALUES (%(run_id)s, %(experiment)s, %(name)s, 'RUNNING', %(start)s, %(label)s, %(user)s,
            'active')
    RETURNING id
)
INSERT INTO experiments_runtag (run_id, experiment_id, key, value)
SELECT run.id, %(experiment)s, t.key, t.value
  FROM run, unnest(%(keys)s::text[], %(values)s::text[]) AS t (key, value)
RETURNING run_id
"""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run as just created."""

    id: int
    run_id: str
    experiment_id: int
    name: str
    start_time: int
    user_label: str
    tags: dict[str, str]


def create_run(
    actor: Actor,
    *,
    experiment_id: int,
    start_time: int = 0,
    run_name: str = "",
    user_label: str = "",
    tags: Sequence[Pair] = (),
) -> NewRun:
    """Start a run. Its name is always also a tag; `user_label` is the client's claim and nothing more.

    Refuses: two different names, a deleted experiment, one the actor may not write to.
    """
    values = {
        limits.key(tag.key, path=f"tags[{position}].key"): limits.run_tag_value(tag.value or "")
        for position, tag in enumerate(tags)
    }
    name = _name(run_name, values.get(RUN_NAME_TAG, ""))
    values[RUN_NAME_TAG] = name
    if actor.user_id is None:
        raise Forbidden("A run is made by a person or a service.")
    run_id = uuid.uuid4().hex
    keys = sorted(values)
    with transaction.atomic():
        _open_experiment(actor, experiment_id)
        created = sql.row(
            _CREATE,
            {
                "run_id": run_id,
                "experiment": experiment_id,
                "name": name,
                "start": start_time,
                "label": limits.at_most(user_label, 500, "user_id"),
                "user": actor.user_id,
                "keys": keys,
                "values": [values[key] for key in keys],
            },
        )
    assert created is not None  # noqa: S101 - every run has at least the tag with its name
    return NewRun(created[0], run_id, experiment_id, name, start_time, user_label, values)


def _name(given: str, tag: str) -> str:
    if given and tag and given != tag:
        raise Invalid(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different "
            f"values (run_name='{given}', mlflow.runName='{tag}').",
            fields={"run_name": "differs from the tag mlflow.runName"},
        )
    return limits.run_tag_value(given or tag or random_name())


def _open_experiment(actor: Actor, experiment_id: int) -> None:
    """Hold the experiment against deletion while a run is added to it."""
    found = sql.row(_EXPERIMENT, (experiment_id,))
    if found is None:
        raise access.experiment_not_found(experiment_id)
    team_id, stage = found
    root = access.root(experiment_id, team_id)
    access.allow(actor, access.WRITE, root, access.experiment_not_found(experiment_id))
    if stage != Lifecycle.ACTIVE:
        raise Invalid(
            f"The experiment {experiment_id} must be in the 'active' state. "
            f"Current state is {stage}.",
            fields={"experiment_id": "deleted"},
        )


_UPDATE: Final = """
UPDATE experiments_run
   SET status = coalesce(%(status)s, status), end_time = coalesce(%(end)s, end_time),
       name = coalesce(%(name)s, name)
 WHERE id = %(id)s
"""


def update_run(
    actor: Actor,
    *,
    run_id: str,
    status: str | None = None,
    end_time: int | None = None,
    name: str = "",
) -> None:
    """End, resume or rename a run; what is not given stays.

    Refuses: a state that does not exist, a deleted or sealed run.
    """
    if status is not None and status not in RunStatus.values:
        raise limits.invalid_value("status", status, f"expected one of {', '.join(RunStatus)}")
    name = limits.run_tag_value(name)
    with transaction.atomic():
        run = access.writable_run(actor, run_id, exclusive=True)
        sql.run(_UPDATE, {"id": run.id, "status": status, "end": end_time, "name": name or None})
        if name:
            ingest.write_tags(run, {RUN_NAME_TAG: name})


def delete_run(actor: Actor, *, run_id: str) -> None:
    """Mark as deleted; again is no error. Refuses: a sealed run."""
    _move(actor, run_id, Lifecycle.DELETED)


def restore_run(actor: Actor, *, run_id: str) -> None:
    """Make active again; again is no error."""
    _move(actor, run_id, Lifecycle.ACTIVE)


def _move(actor: Actor, run_id: str, stage: Lifecycle) -> None:
    deleted = stage == Lifecycle.DELETED
    with verb(actor) as v:
        run = (
            Run.objects.select_for_update(no_key=True, of=("self",))
            .select_related("experiment")
            .filter(run_id=limits.run_id(run_id))
            .first()
        )
        if run is None:
            raise access.run_not_found(run_id)
        access.allow(actor, access.WRITE, run.experiment, access.run_not_found(run_id))
        if run.sealed_by is not None:
            raise access.sealed(f"Run {run_id}", run.sealed_by)
        if run.lifecycle_stage == stage:
            return
        run.lifecycle_stage, run.deleted_time = stage, clock.now_ms() if deleted else None
        run.save(update_fields=["lifecycle_stage", "deleted_time"])
        happened = events.RunDeleted if deleted else events.RunRestored
        v.record(happened(run=run_id, experiment=run.experiment_id, name=run.name))
