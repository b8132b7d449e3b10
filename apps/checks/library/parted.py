"""Drift taken apart: over the windows of time, and within groups. Pure.

Each part of the current data is held against the same bins: a window against the whole reference, a group against the same
group of the reference. PSI with the noise floor of the part's own size, so that a small part is not taken for a moving one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from apps.checks.library.columns import Bin, jensen_shannon, noise_floor, population_stability
from apps.checks.library.estimates import Estimate
from apps.checks.statistics import (
    CategoricalColumn,
    Column,
    NumericColumn,
    PartCount,
    PartedColumn,
    Parts,
)


class PartDrift(msgspec.Struct, frozen=True):
    """One column in one part: distances, and what PSI to expect of samples this size where nothing moved."""

    column: str
    psi: Estimate
    js_distance: Estimate
    noise_floor: str | None


class Part(msgspec.Struct, frozen=True):
    """One window or group (None = no value), the column that moved most first."""

    part: str | None
    current: int
    reference: int
    columns: tuple[PartDrift, ...]

    @property
    def label(self) -> str:
        return "unknown" if self.part is None else self.part

    @property
    def worst(self) -> PartDrift | None:
        """The column whose PSI exceeds what chance gives by most."""
        return self.columns[0] if self.columns else None


class Parted(msgspec.Struct, frozen=True):
    """The comparison by the values of a column."""

    by: str
    parts: tuple[Part, ...]
    refused: str = ""


def parted(found: Parts, columns: Sequence[Column], epsilon: float) -> Parted:
    """Every part with every column."""
    by_name = {column.name: column for column in columns}
    return Parted(
        found.by,
        tuple(
            _part(place, part, found.columns, by_name, epsilon)
            for place, part in enumerate(found.parts)
        ),
        found.refused,
    )


def _part(
    place: int,
    part: PartCount,
    columns: Sequence[PartedColumn],
    by_name: dict[str, Column],
    epsilon: float,
) -> Part:
    rows = [_column(place, column, by_name[column.name], epsilon) for column in columns]
    rows.sort(key=lambda row: (-_beyond_chance(row), row.column))
    return Part(part.part, part.current, part.reference, tuple(rows))


def _beyond_chance(row: PartDrift) -> float:
    return float(row.psi.value or 0) - float(row.noise_floor or 0)


def _column(place: int, column: PartedColumn, whole: Column, epsilon: float) -> PartDrift:
    reference = column.reference[place] if column.reference else tuple(_reference(whole))
    bins = [
        Bin(None, one, other) for one, other in zip(reference, column.current[place], strict=True)
    ]
    n, m = sum(reference), sum(column.current[place])
    return PartDrift(
        column.name,
        population_stability(bins, n, m, epsilon),
        jensen_shannon(bins, n, m),
        noise_floor(bins, n, m),
    )


def _reference(column: Column) -> Iterator[int]:
    if isinstance(column, NumericColumn):
        yield from column.reference_bins
    elif isinstance(column, CategoricalColumn):
        yield from (category.reference for category in column.categories)


def too_small(row: PartDrift, limit: float) -> bool:
    """Whether a PSI below a third of the limit is to be expected by chance alone at this size."""
    return row.noise_floor is not None and float(row.noise_floor) * 3 > limit
