"""A result as a flat list of numbers, so that two of them can be put side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apps.checks.hints import DRIFT, FAIRNESS, LEAKAGE, PERFORMANCE, PII, QUALITY, Hint
from apps.checks.library.drift import DriftResult
from apps.checks.library.estimates import Estimate
from apps.checks.library.exactly import number
from apps.checks.library.groups import FairnessResult
from apps.checks.library.leakage import LeakageResult
from apps.checks.library.performance import PerformanceResult
from apps.checks.library.pii import PiiResult
from apps.checks.library.quality import QualityResult

_EFFECTS = (
    "psi", "js_distance", "ks", "wasserstein_scaled", "cramers_v", "total_variation", "missing_rate_increase", "new_category_share",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a check. `of` names the features or the column it is about, "" for the whole."""

    kind: str
    key: str
    title: str
    of: str
    number: Estimate

    @property
    def place(self) -> tuple[str, str, str]:
        """What makes it the same number in another result."""
        return (self.kind, self.key, self.of)


def of_performance(result: PerformanceResult) -> list[Figure]:
    """Its metrics."""
    return [figure(PERFORMANCE, key, "", each) for key, each in result.metrics.items()]


def of_fairness(result: FairnessResult) -> list[Figure]:
    """The gaps of each grouping."""
    return [
        figure(FAIRNESS, key, grouping.label, each)
        for grouping in result.groupings
        for key, each in grouping.gaps.items()
    ]


def of_drift(result: DriftResult) -> list[Figure]:
    """The effects on each column."""
    return list(_drift(result))


def _drift(result: DriftResult) -> Iterator[Figure]:
    for column in result.columns:
        for key in _EFFECTS:
            number = getattr(column, key, None)
            if isinstance(number, Estimate):
                yield figure(DRIFT, key, column.name, number)


def of_quality(result: QualityResult) -> list[Figure]:
    """What holds for the whole, then the missing rates and shares out of range of columns."""
    whole = {
        "duplicate_share": result.duplicate_share,
        "constant_columns": result.constant_columns,
        "empty_columns": result.empty_columns,
    }
    if result.freshness.age_days is not None:
        whole["freshness_days"] = number(result.freshness.age_days)
    if result.schema is not None:
        changes = len(result.schema.missing) + len(result.schema.changed)
        whole["schema_changes"] = number(changes)
    found = [figure(QUALITY, key, "", each) for key, each in whole.items()]
    for column in result.columns:
        found.append(figure(QUALITY, "missing_rate", column.name, column.missing_rate))
        if column.infinite:
            found.append(figure(QUALITY, "infinite_share", column.name, column.infinite_share))
        if column.out_of_range is not None:
            found.append(figure(QUALITY, "out_of_range_share", column.name, column.out_of_range))
    return found


def of_leakage(result: LeakageResult) -> list[Figure]:
    """The share of rows seen before, and how many features tell all."""
    return [
        figure(LEAKAGE, "shared_share", "", result.shared_share),
        figure(LEAKAGE, "perfect_features", "", number(len(result.perfect))),
    ]


def of_pii(result: PiiResult) -> list[Figure]:
    """In how many rows something was recognised, all columns and kinds together."""
    return [figure(PII, "found", "", result.found_rows)]


def figure(hints: tuple[Hint, ...], key: str, of: str, number: Estimate) -> Figure:
    """A number under the name that its hint gives it."""
    hint = next((each for each in hints if each.key == key), None)
    title = hint.title if hint else key.replace("_", " ")
    return Figure(hints[0].kind, key, title, of, number)
