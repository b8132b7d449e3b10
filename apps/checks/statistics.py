"""Sufficient statistics as plain, stored data: the tables every published number is computed from.

They are small (their size depends on the groups and bins, not on the rows), hold no floats (decimal
strings instead, so that they can be digested) and are stored beside the result: who doubts a
number computes it again from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec


class RowsLost(ValueError):
    """Counts of the same rows differ. Of a file that means that it changed between two readings."""


class RowCount(msgspec.Struct, frozen=True):
    """rows in = rows counted + rows excluded, with the reason of each exclusion."""

    total: int
    counted: int
    excluded: dict[str, int] = {}

    def __post_init__(self) -> None:
        if self.total != self.counted + sum(self.excluded.values()):
            raise RowsLost(
                f"{self.total} rows in, {self.counted} counted, {self.excluded} excluded: rows are lost"
            )

    def plus(self, other: RowCount) -> RowCount:
        """The counts of both halves together."""
        reasons = sorted({*self.excluded, *other.excluded})
        return RowCount(
            self.total + other.total,
            self.counted + other.counted,
            {key: self.excluded.get(key, 0) + other.excluded.get(key, 0) for key in reasons},
        )


class Labels(msgspec.Struct, frozen=True):
    """The two outcomes. `positive` is the one the score is about, `favourable` the one people want."""

    favourable: str
    positive: str
    other: str | None = None  # the one that is not favourable; None if it never occurs


class Cell(msgspec.Struct, frozen=True, array_like=True):
    """How many rows have these group values (None = unknown), this outcome and this prediction."""

    values: tuple[str | None, ...]
    actual: bool
    predicted: bool
    count: int


class Contingency(msgspec.Struct, frozen=True):
    """Rows by group, outcome and prediction; True means favourable. Mergeable by addition."""

    features: tuple[str, ...]
    cells: tuple[Cell, ...]

    @classmethod
    def of(
        cls, features: tuple[str, ...], counts: dict[tuple[tuple[str | None, ...], bool, bool], int]
    ) -> Contingency:
        """From a mapping, in a fixed order: unknown groups last."""
        order = sorted(counts, key=lambda key: (_group_order(key[0]), key[1], key[2]))
        return cls(features, tuple(Cell(*key, counts[key]) for key in order))

    def plus(self, other: Contingency) -> Contingency:
        """The table of both halves together, exactly that of the whole."""
        if self.features != other.features:
            raise ValueError(f"tables of {self.features} and {other.features} do not add up")
        counts: dict[tuple[tuple[str | None, ...], bool, bool], int] = {}
        for cell in (*self.cells, *other.cells):
            key = (cell.values, cell.actual, cell.predicted)
            counts[key] = counts.get(key, 0) + cell.count
        return Contingency.of(self.features, counts)

    @property
    def total(self) -> int:
        return sum(cell.count for cell in self.cells)


class ScoreBin(msgspec.Struct, frozen=True, array_like=True):
    """Rows whose score lies in one tenth of 0..1: how many, how many positive, sum of scores."""

    count: int
    positives: int
    score_sum: str


class CurvePoint(msgspec.Struct, frozen=True, array_like=True):
    """How many positive and negative rows have a score of at least `threshold`, one of the scores that occur."""

    threshold: str
    tp: int
    fp: int


class ScoreStatistics(msgspec.Struct, frozen=True):
    """What the scores of the counted rows say, after one sort. None = not defined here.

    `twice_u` is twice the Mann-Whitney U (a whole number, ties count one half), as text because it
    outgrows what JSON numbers carry. Means and variances are per row; those of the area and of the average
    precision are of the number itself. `curve` has exact points of both curves, at most 202, by falling threshold.
    """

    rows: RowCount
    positives: int
    negatives: int
    twice_u: str
    auc_variance: str | None = None
    lowest: str | None = None
    highest: str | None = None
    log_loss_mean: str | None = None
    log_loss_variance: str | None = None
    brier_mean: str | None = None
    brier_variance: str | None = None
    bins: tuple[ScoreBin, ...] = ()
    average_precision: str | None = None
    average_precision_variance: str | None = None
    curve: tuple[CurvePoint, ...] = ()


class PairedCell(msgspec.Struct, frozen=True, array_like=True):
    """How many rows have this outcome and these two predictions; True means favourable."""

    actual: bool
    candidate: bool
    incumbent: bool
    count: int


class PairedScores(msgspec.Struct, frozen=True):
    """Two scores of the same rows: twice U of each, and DeLong's variance of the difference of their areas."""

    rows: RowCount
    positives: int
    negatives: int
    twice_u: str
    against_twice_u: str
    variance: str | None = None


class PairedStatistics(msgspec.Struct, frozen=True):
    """The rows by outcome and by the predictions of both; `against` and `against_score` are the incumbent's columns."""

    against: str
    against_score: str
    rows: RowCount
    cells: tuple[PairedCell, ...]
    scores: PairedScores | None = None


class PerformanceStatistics(msgspec.Struct, frozen=True, tag="performance"):
    """`table` counts by the decision: that of the prediction column, or score >= `threshold` where one was chosen."""

    rows: RowCount
    labels: Labels
    table: Contingency
    scores: ScoreStatistics | None = None
    threshold: str = ""
    paired: PairedStatistics | None = None


class Refused(msgspec.Struct, frozen=True):
    """A grouping or column that was asked for and could not be counted, and why."""

    features: tuple[str, ...]
    reason: str


class ScoreCell(msgspec.Struct, frozen=True, array_like=True):
    """Rows of a group whose score lies in one tenth of 0..1: how many, how many positive, and the sums of the scores and of
    their squares in units of 2^-40, as text. Whole numbers, so that the order of the rows does not matter."""

    values: tuple[str | None, ...]
    bin: int
    count: int
    positives: int
    total: str
    squares: str


class ScoresByGroup(msgspec.Struct, frozen=True):
    """The scores of each group, in a fixed order. Mergeable by addition."""

    features: tuple[str, ...]
    cells: tuple[ScoreCell, ...]

    @classmethod
    def of(cls, features: tuple[str, ...], cells: Iterable[ScoreCell]) -> ScoresByGroup:
        """From cells in any order, those of the same group and bin added up."""
        sums: dict[tuple[tuple[str | None, ...], int], tuple[int, int, int, int]] = {}
        for cell in cells:
            key = (cell.values, cell.bin)
            n, positives, total, squares = sums.get(key, (0, 0, 0, 0))
            sums[key] = (
                n + cell.count,
                positives + cell.positives,
                total + int(cell.total),
                squares + int(cell.squares),
            )
        order = sorted(sums, key=lambda key: (_group_order(key[0]), key[1]))
        return cls(
            features,
            tuple(
                ScoreCell(values, bin_, n, positives, str(total), str(squares))
                for values, bin_ in order
                for n, positives, total, squares in [sums[values, bin_]]
            ),
        )

    def plus(self, other: ScoresByGroup) -> ScoresByGroup:
        """The scores of both halves together, exactly those of the whole."""
        if self.features != other.features:
            raise ValueError(f"scores of {self.features} and {other.features} do not add up")
        return ScoresByGroup.of(self.features, (*self.cells, *other.cells))


class FairnessStatistics(msgspec.Struct, frozen=True, tag="fairness"):
    """`score_rows` counts the rows of `tables` that have a score; `scores_refused` says why scores were not counted."""

    rows: RowCount
    labels: Labels
    tables: tuple[Contingency, ...]
    refused: tuple[Refused, ...] = ()
    scores: tuple[ScoresByGroup, ...] = ()
    score_rows: RowCount | None = None
    scores_refused: str = ""

    def scores_of(self, features: tuple[str, ...]) -> ScoresByGroup | None:
        """The scores by these features, in this order."""
        return next((each for each in self.scores if each.features == features), None)


class Side(msgspec.Struct, frozen=True):
    """One column in one of the two data sets: rows = counted + missing + infinite."""

    rows: int
    counted: int
    missing: int
    infinite: int = 0

    def __post_init__(self) -> None:
        if self.rows != self.counted + self.missing + self.infinite:
            raise RowsLost(f"rows are lost: {self!r}")


class NumericColumn(msgspec.Struct, frozen=True, tag="numeric"):
    """`ks_steps` is the largest |i*m - j*n| over all values (i of n and j of m rows at or below it), `wasserstein` the area
    between the two distribution functions in units of the column, `reference_std` its standard deviation (ddof 0).

    `edges` are the inner edges of the bins, from the reference alone; bins are (low, high], the first
    and last are open. `constant` says that the reference has one value only.
    """

    name: str
    role: str
    reference: Side
    current: Side
    ks_steps: str
    edges: tuple[str, ...]
    reference_bins: tuple[int, ...]
    current_bins: tuple[int, ...]
    constant: bool = False
    wasserstein: str | None = None
    reference_std: str | None = None


class Category(msgspec.Struct, frozen=True, array_like=True):
    """How often a value (None = missing) occurs in the reference and in the current data."""

    value: str | None
    reference: int
    current: int


class CategoricalColumn(msgspec.Struct, frozen=True, tag="categorical"):
    """`because` says why a column of numbers is counted as categories; empty for text."""

    name: str
    role: str
    reference: Side
    current: Side
    categories: tuple[Category, ...]
    because: str = ""


class UnusableColumn(msgspec.Struct, frozen=True, tag="unusable"):
    """A column that was to be compared and could not be."""

    name: str
    role: str
    reason: str


Column = NumericColumn | CategoricalColumn | UnusableColumn


class PartCount(msgspec.Struct, frozen=True, array_like=True):
    """One stretch of time or group (None = no value): its rows in the current data, and in the reference where that is
    taken apart too."""

    part: str | None
    current: int
    reference: int


class PartedColumn(msgspec.Struct, frozen=True):
    """A column's counts by part, in the order of its bins or categories; `reference` is empty where only the current data
    are taken apart."""

    name: str
    current: tuple[tuple[int, ...], ...]
    reference: tuple[tuple[int, ...], ...] = ()


class Parts(msgspec.Struct, frozen=True):
    """The comparison by the values of a column; `refused` says why there is none."""

    by: str
    parts: tuple[PartCount, ...]
    columns: tuple[PartedColumn, ...]
    refused: str = ""


class DriftStatistics(msgspec.Struct, frozen=True, tag="drift"):
    reference_rows: int
    current_rows: int
    columns: tuple[Column, ...]
    unmeasured: tuple[str, ...] = ()  # columns both data sets have that were not compared
    windows: Parts | None = None
    slices: tuple[Parts, ...] = ()


Statistics = PerformanceStatistics | FairnessStatistics | DriftStatistics

T = TypeVar("T")


def to_data(value: msgspec.Struct) -> dict[str, Any]:
    """As plain data for a JSON column and for a digest."""
    data: dict[str, Any] = msgspec.to_builtins(value)
    return data


def from_data(data: Any, kind: type[T]) -> T:
    """The inverse; raises msgspec.ValidationError for anything else."""
    return msgspec.convert(data, kind)


def _group_order(values: tuple[str | None, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((value is None, value or "") for value in values)
