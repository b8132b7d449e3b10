"""Who was selected, as count tables: the sufficient statistics of a bias audit. Stored; see `statistics`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from apps.checks.statistics import Refused, RowCount

Values = tuple[str | None, ...]


class SelectionCell(msgspec.Struct, frozen=True, array_like=True):
    """A category (None = unknown): how many of it were assessed, and how many of these were selected."""

    values: Values
    selected: int
    total: int


class Selections(msgspec.Struct, frozen=True):
    """Selected of assessed by the values of `features`, unknown last. Mergeable by addition."""

    features: tuple[str, ...]
    cells: tuple[SelectionCell, ...]

    @classmethod
    def of(cls, features: tuple[str, ...], counts: Mapping[Values, tuple[int, int]]) -> Selections:
        """From (selected, total) by category, in a fixed order."""
        order = sorted(counts, key=lambda values: tuple((v is None, v or "") for v in values))
        return cls(features, tuple(SelectionCell(values, *counts[values]) for values in order))

    def plus(self, other: Selections) -> Selections:
        """The table of both halves together, exactly that of the whole."""
        if self.features != other.features:
            raise ValueError(f"tables of {self.features} and {other.features} do not add up")
        counts: dict[Values, tuple[int, int]] = {}
        for cell in (*self.cells, *other.cells):
            selected, total = counts.get(cell.values, (0, 0))
            counts[cell.values] = (selected + cell.selected, total + cell.total)
        return Selections.of(self.features, counts)

    @property
    def total(self) -> int:
        return sum(cell.total for cell in self.cells)


class Scored(msgspec.Struct, frozen=True):
    """The same with *selected* meaning a score strictly above the median.

    `median` is that of `median_rows` rows. `threshold` is the largest double that is not above it: the mean of two
    middle scores need not be a double, and a score is above the one exactly if it is above the other. Two halves
    have other medians, so these tables do not add up.
    """

    rows: RowCount
    median: str
    threshold: str
    median_rows: int
    tables: tuple[Selections, ...]


class BiasAuditStatistics(msgspec.Struct, frozen=True, tag="bias_audit"):
    """`unknown` counts the assessed rows without a value in some sensitive column."""

    rows: RowCount
    favourable: str
    unknown: int
    tables: tuple[Selections, ...]
    refused: tuple[Refused, ...] = ()
    scored: Scored | None = None
