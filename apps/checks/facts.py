"""Data and measurements of many versions at once, as of a moment: for the simulation of policies.

Every function that asks the database asks once, however many versions there are. Results are read by their digest, and
only those that are not known yet.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from django.db.models import TextField
from django.db.models.functions import Cast

from apps.checks import kinds, selectors
from apps.checks.kinds import Result
from apps.checks.mapping import Role
from apps.checks.models import EvaluationDataset, Measurement, MeasurementStatus
from apps.checks.selectors import CheckResult
from apps.checks.verdicts import Verdict
from apps.core.errors import NotFound

# Verdicts of a manifest that stand for the lack of a result.
WITHOUT_RESULT = frozenset({Verdict.NOT_RUN.value, Verdict.ERROR.value})


@dataclass(frozen=True, slots=True)
class DataFact:
    """One data set as it was attached."""

    uuid: str
    role: str
    name: str
    digest: str
    rows: int
    created_at: dt.datetime
    format: str
    mapping: Any
    favourable: str


@dataclass(frozen=True, slots=True)
class MeasuredFact:
    """One finished measurement without its numbers; recalled or not is a matter of when it is asked."""

    pk: int
    uuid: str
    kind: str
    inputs: Sequence[Mapping[str, Any]]
    result_digest: str
    finished_at: dt.datetime | None
    recalled_at: dt.datetime | None


def title(kind: str) -> str:
    """As people call it."""
    return kinds.title(kind)


def unmeasured(kind: str) -> CheckResult:
    """The check of a version that had no result of it."""
    return selectors.never_run(kind)


def datasets(versions: Collection[int]) -> Mapping[int, list[DataFact]]:
    """Every data set of these versions, oldest first."""
    found: dict[int, list[DataFact]] = defaultdict(list)
    rows = EvaluationDataset.objects.filter(version_id__in=versions).order_by("pk")
    for version, key, *rest in rows.values_list(
        "version_id", "uuid", "role", "name", "digest", "rows", "created_at", "format", "mapping", "favourable",
    ):  # fmt: skip
        found[version].append(DataFact(str(key), *rest))
    return found


def newest_of_each_role(rows: Iterable[DataFact], at: dt.datetime) -> list[DataFact]:
    """The data in force at a moment, in the order of their roles."""
    newest = {row.role: row for row in rows if row.created_at <= at}
    return [newest[role] for role in sorted(newest)]


def measurements(versions: Collection[int]) -> Mapping[int, list[MeasuredFact]]:
    """Every measurement of these versions that ever ended with a result, oldest first."""
    found: dict[int, list[MeasuredFact]] = defaultdict(list)
    ended = [MeasurementStatus.DONE, MeasurementStatus.RECALLED]
    rows = Measurement.objects.filter(version_id__in=versions, status__in=ended).order_by("pk")
    for version, pk, key, *rest in rows.values_list(
        "version_id", "pk", "uuid", "kind", "inputs", "result_digest", "finished_at", "recalled_at"
    ):
        found[version].append(MeasuredFact(pk, str(key), *rest))
    return found


def as_of(
    rows: Iterable[MeasuredFact], kind: str, data: Sequence[DataFact], at: dt.datetime
) -> MeasuredFact | None:
    """The newest result of this kind on exactly these data that stood at the moment; None if there was none."""
    finished = [
        row
        for row in rows
        if row.kind == kind
        and row.finished_at is not None
        and row.finished_at <= at
        and not (row.recalled_at is not None and row.recalled_at <= at)
    ]
    if not finished:
        return None
    # What `inputs_of` asks of a row, the facts have too.
    in_force = cast("Mapping[Role, EvaluationDataset]", {Role(row.role): row for row in data})
    try:
        inputs = selectors.describe_inputs(selectors.inputs_of(kind, in_force))
    except NotFound:
        return None
    return next((row for row in reversed(finished) if row.inputs == inputs), None)


def load(results: MutableMapping[str, Result], facts: Iterable[MeasuredFact]) -> None:
    """Read the results of these into `results`, by digest; those that are there already are not read again."""
    missing = {fact.result_digest: fact.pk for fact in facts if fact.result_digest not in results}
    if not missing:
        return
    rows = Measurement.objects.filter(pk__in=missing.values())
    for kind, digest, text in rows.annotate(text=Cast("result", TextField())).values_list(
        "kind", "result_digest", "text"
    ):
        results[digest] = _decoder(kind).decode(text)


@functools.cache
def _decoder(kind: str) -> msgspec.json.Decoder[Result]:
    return msgspec.json.Decoder(kinds.get(kind).result)
