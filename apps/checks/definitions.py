"""Reads about what models have measured regularly: what holds now, what is due, what came of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from apps.checks.models import (
    CheckDefinition,
    DefinitionRevision,
    DefinitionRun,
    EvaluationDataset,
    Measurement,
)
from apps.core.errors import NotFound
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel


@dataclass(frozen=True, slots=True)
class Due:
    """A definition whose time has come for a version; `slot` names the stretch of its schedule."""

    revision: DefinitionRevision
    version: ModelVersion
    slot: str


def _newest() -> QuerySet[DefinitionRevision]:
    """The revision of each definition that holds now."""
    newest = DefinitionRevision.objects.order_by("definition", "-number").distinct("definition")
    rows = DefinitionRevision.objects.filter(pk__in=newest.values("pk"))
    return rows.select_related("definition__model", "by").order_by("definition")


def of_model(model: RegisteredModel, *, retired: bool = True) -> list[DefinitionRevision]:
    """What each definition of a model says now, in the order in which they were made."""
    rows = _newest().filter(definition__model=model)
    return list(rows if retired else rows.filter(retired=False))


def get(model: RegisteredModel, definition_uuid: uuid.UUID) -> DefinitionRevision:
    """What one definition of this model says now; NotFound."""
    row = _newest().filter(definition__model=model, definition__uuid=definition_uuid).first()
    if row is None:
        raise NotFound("This model has no such definition.")
    return row


def revisions(definition: CheckDefinition) -> QuerySet[DefinitionRevision]:
    """Every wording it ever had, newest first."""
    return definition.revisions.select_related("by").order_by("-number")


def runs(definitions: Collection[int]) -> QuerySet[DefinitionRun]:
    """What came of these definitions, newest first."""
    rows = DefinitionRun.objects.filter(definition__in=definitions)
    return rows.select_related("version__model", "measurement", "revision").defer(
        "measurement__statistics", "measurement__result"
    ).order_by("-pk")  # fmt: skip


def last_runs(definitions: Collection[int]) -> dict[int, DefinitionRun]:
    """The last run of each definition."""
    rows = runs(definitions).order_by("definition", "-pk").distinct("definition")
    return {row.definition_id: row for row in rows}


def starters(measurements: Collection[Measurement]) -> dict[int, DefinitionRun]:
    """Of measurements that were made for a definition: the run, with its revision and who set it. One query."""
    rows = DefinitionRun.objects.filter(measurement__in=measurements, made=True)
    return {row.measurement_id or 0: row for row in rows.select_related("revision__by", "definition")}  # fmt: skip


def sample_version(model: RegisteredModel) -> ModelVersion | None:
    """The newest version with evaluation data: what a form knows columns of, and previews on."""
    with_data = EvaluationDataset.objects.filter(version__model=model, role="evaluation")
    rows = ModelVersion.objects.filter(pk__in=with_data.values("version"), deleted_at__isnull=True)
    return rows.select_related("model", "run").order_by("-number").first()


def slot_of(revision: DefinitionRevision, now: dt.datetime) -> str:
    """The stretch of the schedule that `now` is in; the first begins when the definition is made. A changed interval is another schedule."""
    days = revision.every_days or 1
    passed = (now - revision.definition.created_at) // dt.timedelta(days=days)
    return f"every {days} days, {passed}"


def due(now: dt.datetime) -> Iterator[Due]:
    """What the schedules want now: versions in a governed target, once per stretch. What was missed is not made up for."""
    scheduled = list(_newest().filter(retired=False, every_days__isnull=False))
    models = {revision.definition.model_id for revision in scheduled}
    rows = ModelVersion.objects.filter(model__in=models, deleted_at__isnull=True)
    held = registry.held_governed_of(rows.values_list("pk", flat=True))
    versions: dict[int, list[ModelVersion]] = {}
    for version in rows.filter(pk__in=held).select_related("model").order_by("pk"):
        versions.setdefault(version.model_id, []).append(version)
    done = _done(scheduled)
    for revision in scheduled:
        slot = slot_of(revision, now)
        for version in versions.get(revision.definition.model_id, []):
            if (revision.definition_id, version.pk, slot) not in done:
                yield Due(revision, version, slot)


def _done(scheduled: Sequence[DefinitionRevision]) -> set[tuple[int, int, str]]:
    rows = DefinitionRun.objects.filter(definition__in=[each.definition_id for each in scheduled])
    return set(rows.values_list("definition", "version", "slot"))
