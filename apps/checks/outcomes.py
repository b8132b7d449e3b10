"""Sufficient statistics of classifiers with many labels and of regressions, as stored (see `statistics`)."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from apps.checks.statistics import RowCount


class LabelCell(msgspec.Struct, frozen=True, array_like=True):
    """How many rows have this outcome and this prediction."""

    actual: str
    predicted: str
    count: int


class MulticlassStatistics(msgspec.Struct, frozen=True, tag="multiclass"):
    """Rows by outcome and prediction, over all labels that occur in either column. Mergeable by addition."""

    rows: RowCount
    cells: tuple[LabelCell, ...]

    @classmethod
    def of(cls, rows: RowCount, counts: dict[tuple[str, str], int]) -> MulticlassStatistics:
        """From a mapping of (outcome, prediction), in a fixed order."""
        return cls(rows, tuple(LabelCell(*key, counts[key]) for key in sorted(counts)))

    def plus(self, other: MulticlassStatistics) -> MulticlassStatistics:
        """The counts of both halves together, exactly those of the whole."""
        counts: dict[tuple[str, str], int] = {}
        for cell in (*self.cells, *other.cells):
            key = (cell.actual, cell.predicted)
            counts[key] = counts.get(key, 0) + cell.count
        return MulticlassStatistics.of(self.rows.plus(other.rows), counts)


class OrderStatistic(msgspec.Struct, frozen=True, array_like=True):
    """The value at a place of the sorted rows, the smallest at 1."""

    rank: int
    value: str


class RegressionStatistics(msgspec.Struct, frozen=True, tag="regression"):
    """Sums over the counted rows, each the exact sum of one double per row, as fractions ("5/2").

    e is prediction minus outcome, d is outcome minus `pivot` (a double near the mean of the outcomes). Sums with the same
    pivot merge by addition; the places in the sorted rows do not, and are of the whole only.
    """

    rows: RowCount
    pivot: str = "0.0"
    sums: dict[str, str] = {}
    absolute: tuple[OrderStatistic, ...] = ()
    signed: tuple[OrderStatistic, ...] = ()
    lowest: str | None = None  # of the outcomes
    highest: str | None = None

    def sum_of(self, name: str) -> Fraction:
        """One of SUMS."""
        return Fraction(self.sums[name])


# |e|, e, e^2, e^4, d, d^2, d^4, e^2 d^2, e^2 d
SUMS = ("abs", "e", "e2", "e4", "d", "d2", "d3", "d4", "e2d2", "e2d")
