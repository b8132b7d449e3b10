"""Before and now, bin by bin, of the columns that moved most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from apps.checks.library.columns import Bin, ColumnDrift
from apps.checks.numbers import grouped, shown
from apps.core.canonical import decimal
from apps.core.parts import Bar, Chart, Column, Part, Table, cells

MOST_COLUMNS: Final = 3
MOST_BINS: Final = 15


def parts(columns: Sequence[ColumnDrift]) -> Iterator[Part]:
    """A picture with its table for each of the columns that moved most; a column without rows on one side has none."""
    moved = [column for column in columns if _beyond(column) > 0 and all(_totals(column))]
    for column in sorted(moved, key=lambda c: (-_beyond(c), c.name))[:MOST_COLUMNS]:
        bins = _largest(column)
        yield _chart(column, bins)
        yield _table(column, bins)


def _beyond(column: ColumnDrift) -> float:
    """How far the PSI exceeds what chance gives."""
    psi = float(column.psi.value) if column.psi and column.psi.value else 0.0
    return psi - float(column.noise_floor or 0)


def _totals(column: ColumnDrift) -> tuple[int, int]:
    return (sum(each.reference for each in column.bins), sum(each.current for each in column.bins))


def _largest(column: ColumnDrift) -> list[Bin]:
    """Bins in their order; of many categories those that hold most rows."""
    if column.kind == "categorical":
        held = sorted(column.bins, key=lambda each: -(each.reference + each.current))
        return held[:MOST_BINS]
    return list(column.bins)


def _name(each: Bin) -> str:
    return "missing" if each.name is None else each.name


def _chart(column: ColumnDrift, bins: Sequence[Bin]) -> Chart:
    before, now = _totals(column)
    bars = tuple(
        Bar(_name(each), decimal(count / total), series=series)
        for each in bins
        for series, count, total in (
            ("reference", each.reference, before),
            ("current", each.current, now),
        )
    )
    return Chart(f"{column.name}: before and now", "share of the rows", bars)


def _table(column: ColumnDrift, bins: Sequence[Bin]) -> Table:
    before, now = _totals(column)
    head = (
        Column(column.name),
        Column("Reference, rows", numeric=True),
        Column("share", numeric=True),
        Column("Current, rows", numeric=True),
        Column("share", numeric=True),
    )
    rows = tuple(
        cells(
            _name(each),
            grouped(each.reference),
            shown(each.reference / before),
            grouped(each.current),
            shown(each.current / now),
        )
        for each in bins
    )
    left = len(column.bins) - len(bins)
    note = f"The {len(bins)} largest categories; the download has the other {grouped(left)}." if left else ""  # fmt: skip
    return Table(f"{column.name}: rows before and now", head, rows, note=note)
