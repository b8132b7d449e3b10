"""Reads of uploaded results. Callers have fetched the version through a door that knows who may see it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform

from apps.accounts.selectors import accountable_for_all
from apps.checks.uploaded import reading
from apps.checks.uploaded.models import UploadedRecall, UploadedResult
from apps.checks.uploaded.reading import Reading, State
from apps.core import clock
from apps.core.errors import NotFound
from apps.registry.models import ModelVersion


@dataclass(frozen=True, slots=True)
class Standing:
    """A result that stands, and how many of the same name were uploaded before it, `wrong_before` of them not passing."""

    row: UploadedResult
    before: int
    wrong_before: int


def uploaded(version: ModelVersion) -> QuerySet[UploadedResult]:
    """Every result ever uploaded to a version, newest first, with who did it and whether it was recalled."""
    return (
        UploadedResult.objects.filter(version=version)
        .select_related("uploaded_by", "recall__recalled_by", "blob")
        .order_by("-id")
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list: the row without what was read, the cases it counted, and how it stands."""

    row: UploadedResult
    counts: Mapping[str, int]
    state: State


def listed(
    version: ModelVersion, limit: int = 50, *, name: str = "", before: int | None = None
) -> list[Listed]:
    """The newest uploaded results (of one name, or from before a row, if given), newest first: two queries."""
    rows = uploaded(version).annotate(counted=KeyTransform("counts", "reading")).defer("reading")
    rows = rows.filter(name=name) if name else rows
    rows = rows.filter(pk__lt=before) if before is not None else rows
    newest = set(
        UploadedResult.objects.filter(version=version, recall__isnull=True)
        .order_by("name", "-id")
        .distinct("name")
        .values_list("pk", flat=True)
    )
    return [Listed(row, row.counted, _state(row, newest)) for row in rows[:limit]]


def state_of(version: ModelVersion, row: UploadedResult) -> State:
    """Whether it stands, was replaced by a newer one of its name, or was recalled."""
    rows = UploadedResult.objects.filter(version=version, name=row.name, recall__isnull=True)
    return _state(row, set(rows.order_by("-id").values_list("pk", flat=True)[:1]))


def _state(row: UploadedResult, newest: Collection[int]) -> State:
    if recall_of(row) is not None:
        return State.RECALLED
    return State.STANDS if row.pk in newest else State.REPLACED


def get_uploaded(version: ModelVersion, key: uuid.UUID | str) -> UploadedResult:
    """One uploaded result of this version; NotFound."""
    try:
        row = uploaded(version).filter(uuid=uuid.UUID(str(key))).first()
    except ValueError:
        row = None
    if row is None:
        raise NotFound("This version has no such uploaded result.")
    return row


def standing_rows(version: ModelVersion) -> list[UploadedResult]:
    """The newest result of each name that was not recalled, with what was read from it: one query."""
    rows = uploaded(version).filter(recall__isnull=True).order_by("name", "-id").distinct("name")
    return list(rows)


def standing(version: ModelVersion) -> list[Standing]:
    """The same without what was read, each with how many were uploaded before it: one query."""
    rows = uploaded(version).defer("reading")
    by_name: dict[str, list[UploadedResult]] = defaultdict(list)
    for row in rows:
        by_name[row.name].append(row)
    found = [_standing(rows) for _, rows in sorted(by_name.items())]
    return [each for each in found if each is not None]


def _standing(rows: list[UploadedResult]) -> Standing | None:
    """`rows` are those of one name, newest first."""
    at = next((place for place, row in enumerate(rows) if recall_of(row) is None), None)
    if at is None:
        return None
    before = rows[at + 1 :]
    return Standing(rows[at], len(before), sum(row.outcome != "passed" for row in before))


def recall_of(row: UploadedResult) -> UploadedRecall | None:
    """Who declared it wrong, and why; None while it counts."""
    return getattr(row, "recall", None)


def recalled(keys: Collection[str]) -> list[UploadedResult]:
    """Those of the named results that were recalled."""
    rows = UploadedResult.objects.filter(uuid__in=keys, recall__isnull=False)
    return list(rows.select_related("recall").defer("reading"))


def named(version: ModelVersion, keys: Collection[str]) -> dict[str, UploadedResult]:
    """Those of the named results that are of this version, by their uuid, in one query."""
    return {str(row.uuid): row for row in uploaded(version).filter(uuid__in=keys)}


def uploaders(version: ModelVersion) -> set[int]:
    """Who uploaded what stands; a service counts as those who answer for it too."""
    users = {each.row.uploaded_by_id for each in standing(version)}
    return set().union(*accountable_for_all(users).values()) if users else set()


def reading_of(row: UploadedResult) -> Reading:
    """What was read from it."""
    return reading.from_data(row.reading)


def since(row: UploadedResult) -> dt.datetime:
    """From when its age counts: when it ran, if the file says so, and never later than it was uploaded. A claim can make a
    result older and not younger."""
    return min(row.uploaded_at, row.ran_at or row.uploaded_at)


def facts(rows: Iterable[UploadedResult], at: dt.datetime | None = None) -> dict[str, Any]:
    """What a policy's condition may speak of, by name. The reading's digests are not compared here."""
    now = at or clock.now()
    return {
        row.name: {
            "outcome": str(row.outcome),
            "tool": row.tool,
            "age_days": (now - since(row)).days,
        }
        for row in rows
    }


def of_versions(versions: Collection[int]) -> Mapping[int, list[UploadedResult]]:
    """Every uploaded result of these versions, oldest first, in one query."""
    found: dict[int, list[UploadedResult]] = defaultdict(list)
    rows = UploadedResult.objects.filter(version_id__in=versions).select_related("recall")
    for row in rows.defer("reading").order_by("pk"):
        found[row.version_id].append(row)
    return found


def as_of(rows: Iterable[UploadedResult], at: dt.datetime) -> list[UploadedResult]:
    """The newest of each name that stood at a moment; `rows` are oldest first."""
    newest: dict[str, UploadedResult] = {}
    for row in rows:
        recall = recall_of(row)
        if row.uploaded_at <= at and (recall is None or recall.recalled_at > at):
            newest[row.name] = row
    return list(newest.values())
