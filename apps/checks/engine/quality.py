"""Counting what a file holds. A block of columns at a time, so that memory does not grow with the width.

Each column is read three times at most: for its counts, for its different values, for equal rows. A CSV is parsed once and
held in the scratch folder. Texts are never kept: of their values only lengths leave this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from apps.checks.engine import equalrows, warehousequality
from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.engine.equalrows import Rows, repeats
from apps.checks.engine.source import Column, Source
from apps.checks.engine.warehouse import Remote
from apps.checks.library.equalrows import Repeats
from apps.checks.library.quality import (
    DISTINCT_CAP,
    Changed,
    ColumnCounts,
    Distinct,
    OutOfRange,
    Params,
    QualityStatistics,
    Range,
    Schema,
    Times,
)
from apps.checks.numbers import listed
from apps.core.canonical import decimal
from apps.core.errors import Invalid

BLOCK = 25
Step: TypeAlias = Callable[[], None]
_PROBE = 4 * DISTINCT_CAP  # so many rows show most columns of many values for what they are


def count(
    data: DataSet, reference: DataSet | None, workshop: Workshop, params: Params
) -> QualityStatistics:
    """All that is counted of one data set.

    Raises Invalid for a range or a time column that names no column, or one of another kind.
    """
    with workshop.open(data) as opened:
        names = [column.name for column in data.columns]
        source = opened.held(names)
        step = workshop.steps(_steps(len(names)), "blocks of columns")
        counts = tuple(_columns(source, data, step))
        distinct = tuple(_distinct(source, data, counts, step))
        ranges = tuple(
            _out_of_range(source, name, each) for name, each in sorted(params.ranges.items())
        )
        times, why = _times(source, data, params.time_column)
        repeated = _repeats(source, names, step)
    schema = compared(reference.columns, data.columns) if reference else None
    return QualityStatistics(counts, distinct, repeated, ranges, times, why, schema)


def compared(before: Sequence[Column], now: Sequence[Column]) -> Schema:
    """The columns of a data set against those of the reference. An empty column is of no kind, so it is not changed."""
    old, new = ({each.name: each.kind for each in columns} for columns in (before, now))
    return Schema(
        missing=tuple(name for name in old if name not in new),
        added=tuple(name for name in new if name not in old),
        changed=tuple(
            Changed(name, kind, new[name])
            for name, kind in old.items()
            if name in new and new[name] != kind and "empty" not in {kind, new[name]}
        ),
    )


def _steps(columns: int) -> int:
    """Each block is counted, then searched for different values; the rows are compared in blocks of their own."""
    return 2 * -(-columns // BLOCK) + -(-columns // equalrows.BLOCK)


def _blocks(columns: Sequence[Column]) -> Iterator[Sequence[Column]]:
    for start in range(0, len(columns), BLOCK):
        yield columns[start : start + BLOCK]


def _columns(source: Source, data: DataSet, step: Step) -> Iterator[ColumnCounts]:
    exact_numbers = data.format == "parquet"  # a CSV's are texts
    for block in _blocks(data.columns):
        if isinstance(source, Remote):
            rows, each = warehousequality.ends_and_counts(source, block)
            yield from (_counts(c, rows, one) for c, one in zip(block, each, strict=True))
            step()
            continue
        asked = [_asked(source, column, n, exact_numbers) for n, column in enumerate(block)]
        values = ", ".join(
            f"{each.value} AS v{n}, {each.usable} AS u{n}" for n, each in enumerate(asked)
        )
        counts = ", ".join(expression for each in asked for expression in each.counts)
        rows, *found = source.fetch(
            f"SELECT count(*), {counts} FROM (SELECT {values} FROM {{data}}) AS asked"
        )[0]
        for n, column in enumerate(block):
            yield _counts(column, rows, found[n * _WIDTH : (n + 1) * _WIDTH])
        step()


_WIDTH = 6  # values, values that are no value after all, usable ones, ones with a fraction, lowest, highest


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a column: the column itself, its usable values (else NULL), and the counts over both.

    CASE and no FILTER: twenty times as fast for the ends of many columns.
    """

    value: str
    usable: str
    counts: tuple[str, str, str, str, str, str]


def _asked(source: Source, column: Column, n: int, exact_numbers: bool) -> _Asked:
    """NaN is no number and a blank text no text; infinities are numbers and not usable as ends."""
    raw, v, u = source.raw(column.name), f"v{n}", f"u{n}"
    if column.kind == "number":
        x = source.number(column.name)
        usable = f"CASE WHEN isfinite({x}) THEN {raw if exact_numbers else x} END"
        void = f"count(CASE WHEN isnan({v}) THEN 1 END)"
        fractional = f"count(CASE WHEN {v} <> trunc({v}) THEN 1 END)"
        return _Asked(
            x, usable, (f"count({v})", void, f"count({u})", fractional, f"min({u})", f"max({u})")
        )
    if column.kind == "text":
        usable = f"CASE WHEN {_filled(raw)} THEN length(CAST({raw} AS VARCHAR)) END"
        return _Asked(
            raw, usable, (f"count({v})", "0", f"count({u})", "0", f"min({u})", f"max({u})")
        )
    if column.kind == "time":
        ends = (f"CAST(min({v}) AS VARCHAR)", f"CAST(max({v}) AS VARCHAR)")
        return _Asked(raw, "0", (f"count({v})", "0", f"count({v})", "0", *ends))
    present = "0" if column.kind == "empty" else f"count({v})"
    return _Asked(raw, "0", (present, "0", present, "0", "NULL", "NULL"))


def _filled(raw: str) -> str:
    return f"trim(CAST({raw} AS VARCHAR)) <> ''"


def _counts(column: Column, rows: int, found: Sequence[Any]) -> ColumnCounts:
    there, void, usable, fractional, low, high = found
    number = column.kind == "number"
    return ColumnCounts(
        column.name,
        column.kind,
        rows,
        missing=rows - there + void,
        blank=0 if number else there - usable,
        infinite=there - void - usable if number else 0,
        fractional=fractional,
        low=_text(low),
        high=_text(high),
    )


def _text(value: int | float | Decimal | str | None) -> str | None:
    """As it is digested: whole numbers and decimals as they are, doubles by repr."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return decimal(
            value + 0.0
        )  # a zero without its sign: which of two is met first must not matter
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _distinct(
    source: Source, data: DataSet, counts: Sequence[ColumnCounts], step: Step
) -> Iterator[Distinct]:
    """Exact up to the cap. A look at the first rows spares most columns of many values the whole reading."""
    exact_numbers = data.format == "parquet"
    rows = counts[0].rows if counts else 0
    for block in _blocks(data.columns):
        if isinstance(source, Remote):
            for column in block:
                seen = warehousequality.different(source, column, DISTINCT_CAP)
                yield Distinct(column.name, min(seen, DISTINCT_CAP), seen > DISTINCT_CAP)
            step()
            continue
        values = [_value(source, column, exact_numbers) for column in block]
        named = ", ".join(f"{value} AS v{index}" for index, value in enumerate(values))
        asked = ", ".join(f"count(DISTINCT v{index})" for index in range(len(block)))
        probe = source.fetch(
            f"SELECT {asked} FROM (SELECT {named} FROM {{data}} LIMIT {_PROBE}) AS probe"
        )[0]
        for column, value, seen in zip(block, values, probe, strict=True):
            if seen <= DISTINCT_CAP and rows > _PROBE:
                seen = source.fetch(f"SELECT count(DISTINCT {value}) FROM {{data}}")[0][0]
            capped = seen > DISTINCT_CAP
            yield Distinct(column.name, DISTINCT_CAP if capped else int(seen), capped)
        step()


def _value(source: Source, column: Column, exact_numbers: bool) -> str:
    """The column with NULL for everything that is no value."""
    raw = source.raw(column.name)
    if column.kind == "number":
        x = source.number(column.name)
        return f"CASE WHEN NOT isnan({x}) THEN {raw if exact_numbers else x} END"
    if column.kind == "text":
        return f"CASE WHEN {_filled(raw)} THEN {raw} END"
    return "CAST(NULL AS VARCHAR)" if column.kind == "empty" else raw


def _out_of_range(source: Source, name: str, wanted: Range) -> OutOfRange:
    if source.kind(name) not in {"number", "empty"}:
        reason = f"column {name!r} does not hold numbers, so it has no range"
        raise Invalid(reason, fields={f"ranges.{name}": "does not hold numbers"})
    x = source.number(name)
    if isinstance(source, Remote):
        ends = (wanted.min or "-inf", wanted.max or "inf")
        return OutOfRange(name, wanted, *warehousequality.outside(source, name, *ends))
    values, below, above = source.fetch(
        f"SELECT count(*), count(*) FILTER ({x} < CAST($low AS DOUBLE)), count(*) FILTER ({x} > CAST($high AS DOUBLE)) "
        f"FROM {{data}} WHERE NOT isnan({x})",
        low=wanted.min or "-inf",
        high=wanted.max or "inf",
    )[0]
    return OutOfRange(name, wanted, values, below, above)


def _times(source: Source, data: DataSet, chosen: str) -> tuple[Times | None, str]:
    """First and last moment of the chosen column, else of the declared one, else of the only one of times; or why there
    are none. Raises Invalid for a chosen column that holds no times."""
    name = chosen or data.mapping.time
    if not name:
        of_times = [column.name for column in data.columns if column.kind == "time"]
        if len(of_times) != 1:
            many = f"{listed(of_times)} hold times, and none was named"
            return None, many if of_times else "no column holds times"
        name = of_times[0]
    kind = source.kind(name)
    if kind in {"time", "text", "empty"}:
        return _read_times(source, name, kind), ""
    reason = f"column {name!r} does not hold times"
    if chosen:
        raise Invalid(reason, fields={"time_column": reason})
    return None, reason


def _repeats(source: Source, names: Sequence[str], step: Step) -> Repeats:
    if isinstance(source, Remote):
        return warehousequality.repeats(source, names)
    return repeats(Rows(source, [source.raw(name) for name in names], step))


def _read_times(source: Source, name: str, kind: str) -> Times:
    if kind == "empty":
        return Times(name, None, None, 0)
    raw, rows = source.raw(name), "{data}"
    if isinstance(source, Remote) and kind == "time":
        rows = warehousequality.moments(source, name)
    else:
        source = source.gathered([name])
    # Moments with a zone are taken in UTC, without the tables of zones, which may differ between machines.
    moment = (
        f"make_timestamp(epoch_us({raw}))"
        if kind == "time"
        else f"TRY_CAST(trim(CAST({raw} AS VARCHAR)) AS TIMESTAMP)"
    )
    filled = _filled(raw)
    oldest, newest, unreadable = source.fetch(
        f"SELECT CAST(min(m) FILTER (isfinite(m)) AS VARCHAR), CAST(max(m) FILTER (isfinite(m)) AS VARCHAR), "
        f"{source.count('filled AND (m IS NULL OR NOT isfinite(m))')} "
        f"FROM (SELECT {moment} AS m, {filled} AS filled{{each}} FROM {rows}) AS moments"
    )[0]
    return Times(name, oldest, newest, unreadable)
