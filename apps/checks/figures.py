"""A result as a flat list of numbers, so that two of them can be put side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from apps.checks import hints
from apps.checks.files.report import FilesResult
from apps.checks.library.drift import DriftResult
from apps.checks.library.estimates import Estimate
from apps.checks.library.groups import FairnessResult
from apps.checks.library.performance import PerformanceResult

_EFFECTS = ("psi", "ks", "cramers_v", "missing_rate_increase", "new_category_share")


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


def figures(result: PerformanceResult | FairnessResult | DriftResult | FilesResult) -> list[Figure]:
    """Every number that a limit could be set for, in the order in which the result has them. A scan of files has none."""
    if isinstance(result, FilesResult):
        return []
    if isinstance(result, PerformanceResult):
        return [_figure("performance", key, "", each) for key, each in result.metrics.items()]
    if isinstance(result, FairnessResult):
        return [
            _figure("fairness", key, grouping.label, each)
            for grouping in result.groupings
            for key, each in grouping.gaps.items()
        ]
    return list(_drift(result))


def _drift(result: DriftResult) -> Iterator[Figure]:
    for column in result.columns:
        for key in _EFFECTS:
            number = getattr(column, key, None)
            if isinstance(number, Estimate):
                yield _figure("drift", key, column.name, number)


def _figure(kind: str, key: str, of: str, number: Estimate) -> Figure:
    hint = hints.find(kind, key)
    return Figure(kind, key, hint.title if hint else key.replace("_", " "), of, number)
