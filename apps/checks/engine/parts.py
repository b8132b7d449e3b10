"""A comparison taken apart: the current data by stretches of time, and both sets by the values of a column.

The bins are those of the whole comparison, so every part is compared with the same reference: one group-by a column,
whatever the number of rows or of parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apps.checks.engine.source import Source
from apps.checks.numbers import grouped
from apps.checks.statistics import (
    CategoricalColumn,
    Column,
    NumericColumn,
    PartCount,
    PartedColumn,
    Parts,
)
from apps.core.errors import Invalid

MOST_PARTS = 60
MOST_CELLS = 500_000
TOO_MANY_CELLS = f"more than {grouped(MOST_CELLS)} counts"
_UNITS = {
    "day": "strftime({t}, '%Y-%m-%d')",
    "week": "strftime(date_trunc('week', {t}), '%Y-%m-%d')",
    "month": "strftime({t}, '%Y-%m')",
    "quarter": "strftime({t}, '%Y') || '-Q' || quarter({t})",
    "year": "strftime({t}, '%Y')",
}
WINDOWS = (*_UNITS, "value")


def window(source: Source, name: str, unit: str) -> str:
    """The stretch of time of a row, as an SQL expression: NULL where there is none.

    A column of dates is taken by `unit`; numbers and text (a year, a batch) by their value. Raises Invalid for `value` of a
    column of dates, and for a unit of a column that holds none.
    """
    if source.kind(name) == "time":
        if unit == "value":
            raise Invalid(
                f"{name!r} holds dates: name a unit of time.", fields={"window": "a unit"}
            )
        return _UNITS[unit or "month"].format(t=f"TRY_CAST({source.raw(name)} AS TIMESTAMP)")
    if unit in _UNITS:
        raise Invalid(
            f"{name!r} does not hold dates, so it has no {unit}s; its values are the windows.",
            fields={"window": "value"},
        )
    return source.text(name)


def by_part(
    name: str,
    columns: Sequence[tuple[Column, str]],
    current: tuple[Source, str],
    reference: tuple[Source, str] | None,
    tick: Callable[[], None],
) -> Parts:
    """Each column's bins by the value of an expression: of the current data, and of the reference too where it is given.

    `columns` come with their names in the current data. Too many parts are refused with the reason in the answer.
    """
    sides = [current] if reference is None else [current, reference]
    rows: dict[str | None, list[int]] = {}
    for place, (source, expression) in enumerate(sides):
        by = source.gathered([name])
        found = by.fetch(
            f"SELECT {expression} AS part, {by.count()} FROM {{data}} GROUP BY ALL",
            most=MOST_PARTS + 2,
        )
        for part, count in found:
            rows.setdefault(part, [0, 0])[place] += int(count)
    if len(rows) > MOST_PARTS + 1:
        reason = f"more than {MOST_PARTS} different values: take longer stretches or fewer groups"
        return Parts(name, (), (), reason)
    usable = [(c, n) for c, n in columns if isinstance(c, NumericColumn | CategoricalColumn)]
    cells = sum(_width(column) for column, _ in usable) * len(rows)
    if cells > MOST_CELLS:
        return Parts(name, (), (), TOO_MANY_CELLS)
    order = sorted(rows, key=lambda part: (part is None, part or ""))
    found_columns = []
    for column, current_name in usable:
        counted = [_counts(column, current_name, name, *current)]
        if reference is not None:
            counted.append(_counts(column, column.name, name, *reference))
        found_columns.append(
            PartedColumn(
                column.name,
                tuple(_row(column, counted[0].get(part, {})) for part in order),
                tuple(_row(column, counted[1].get(part, {})) for part in order)
                if reference is not None
                else (),
            )
        )
        tick()
    parts = tuple(PartCount(part, rows[part][0], rows[part][1]) for part in order)
    return Parts(name, parts, tuple(found_columns))


def _width(column: NumericColumn | CategoricalColumn) -> int:
    if isinstance(column, NumericColumn):
        return len(column.reference_bins)
    return len(column.categories)


def _row(column: NumericColumn | CategoricalColumn, counts: dict[object, int]) -> tuple[int, ...]:
    """The counts in the order of the column's bins or categories."""
    if isinstance(column, NumericColumn):
        return tuple(counts.get(place, 0) for place in range(len(column.reference_bins)))
    return tuple(counts.get(category.value, 0) for category in column.categories)


def _counts(
    column: NumericColumn | CategoricalColumn, name: str, by: str, source: Source, expression: str
) -> dict[str | None, dict[object, int]]:
    binned = (name, column.edges) if isinstance(column, NumericColumn) and name != by else None
    source = source.gathered([name, by], binned=binned)
    if isinstance(column, NumericColumn):
        bin_ = _bin(source.number(name), column.edges)
        where = f"WHERE isfinite({source.number(name)})"
    else:
        bin_, where = source.text(name), ""
    rows = source.fetch(
        f"SELECT {expression} AS part, {bin_} AS bin, {source.count()} FROM {{data}} {where} GROUP BY ALL"
    )
    found: dict[str | None, dict[object, int]] = {}
    for part, place, count in rows:
        counts = found.setdefault(part, {})
        counts[place] = counts.get(place, 0) + int(count)
    return found


def _bin(number: str, edges: Sequence[str]) -> str:
    """Which of (low, high] a number lies in; the edges are decimal strings of our own making."""
    cases = " ".join(
        f"WHEN {number} <= CAST('{float(edge)!r}' AS DOUBLE) THEN {place}"
        for place, edge in enumerate(edges)
    )
    return f"CASE {cases} ELSE {len(edges)} END" if cases else "0"
