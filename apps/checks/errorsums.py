"""Sufficient statistics of the errors of a regression by group, as stored (see `statistics`)."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import msgspec

from apps.checks.statistics import Refused, RowCount

# |e|, e, e^2, e^4 of the error; prediction and outcome, and their squares
SUMS: Final = ("abs", "e", "e2", "e4", "p", "p2", "y", "y2")


class GroupSums(msgspec.Struct, frozen=True, array_like=True):
    """The rows of one group (None = unknown) and the exact sums over them as fractions, in the order of SUMS.

    e is prediction minus outcome, one double, and so are e^2 and e^4; the squares of predictions and outcomes are exact.
    """

    values: tuple[str | None, ...]
    n: int
    sums: tuple[str, ...]

    def sum_of(self, name: str) -> Fraction:
        """One of SUMS."""
        return Fraction(self.sums[SUMS.index(name)])


class ErrorTable(msgspec.Struct, frozen=True):
    """The groups of some columns. Mergeable by addition, to the last digit: no sum depends on what the others are."""

    features: tuple[str, ...]
    groups: tuple[GroupSums, ...]

    @classmethod
    def of(cls, features: tuple[str, ...], groups: Iterable[GroupSums]) -> ErrorTable:
        """Groups of the same values added up, in a fixed order: unknown ones last."""
        found: dict[tuple[str | None, ...], GroupSums] = {}
        for group in groups:
            before = found.get(group.values)
            found[group.values] = group if before is None else _added(before, group)
        order = sorted(found, key=lambda values: [(value is None, value or "") for value in values])
        return cls(features, tuple(found[values] for values in order))

    def plus(self, other: ErrorTable) -> ErrorTable:
        """The table of both halves together, exactly that of the whole. Raises ValueError for other columns."""
        if self.features != other.features:
            raise ValueError(f"tables of {self.features} and {other.features} do not add up")
        return ErrorTable.of(self.features, (*self.groups, *other.groups))

    @property
    def total(self) -> int:
        return sum(group.n for group in self.groups)


def _added(first: GroupSums, second: GroupSums) -> GroupSums:
    sums = tuple(
        str(Fraction(a) + Fraction(b)) for a, b in zip(first.sums, second.sums, strict=True)
    )
    return GroupSums(first.values, first.n + second.n, sums)


class RegressionGapsStatistics(msgspec.Struct, frozen=True, tag="regression_gaps"):
    """A table for every grouping; what had too many groups says so."""

    rows: RowCount
    tables: tuple[ErrorTable, ...]
    refused: tuple[Refused, ...] = ()

    def plus(self, other: RegressionGapsStatistics) -> RegressionGapsStatistics:
        """Both halves together. Raises ValueError where they were not counted by the same columns."""
        tables = tuple(a.plus(b) for a, b in zip(self.tables, other.tables, strict=True))
        return RegressionGapsStatistics(self.rows.plus(other.rows), tables, self.refused)
