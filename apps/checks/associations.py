"""How features and sensitive attributes occur together: the sufficient statistics of a proxy check. Stored; see `statistics`."""

from __future__ import annotations

import msgspec

from apps.checks.statistics import RowCount, RowsLost


class Association(msgspec.Struct, frozen=True):
    """One feature (or the score) against one sensitive attribute.

    `counts` has a line for each of `categories` (None = missing) and a column for each of `groups`. Of numbers the
    categories are bins between `edges`, (low, high], the outer ones open, and `twice_u` has for each group twice the
    Mann-Whitney U of its numbers against everybody else's (ties one half), as text because it outgrows JSON numbers;
    `numbers` is how many finite numbers the group has.
    """

    feature: str
    role: str  # feature, score
    attribute: str
    rows: RowCount
    groups: tuple[str, ...]
    categories: tuple[str | None, ...]
    counts: tuple[tuple[int, ...], ...]
    edges: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    twice_u: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        counted = sum(map(sum, self.counts))
        if counted != self.rows.counted:
            raise RowsLost(
                f"{self.feature} and {self.attribute}: {counted} rows, {self.rows.counted} expected"
            )


class Unmeasured(msgspec.Struct, frozen=True):
    """A pair that was to be measured and could not be, and why. Without a feature: the attribute against all of them."""

    feature: str
    role: str
    attribute: str
    reason: str


class ProxyStatistics(msgspec.Struct, frozen=True, tag="proxy"):
    rows: int
    associations: tuple[Association, ...]
    unmeasured: tuple[Unmeasured, ...] = ()
