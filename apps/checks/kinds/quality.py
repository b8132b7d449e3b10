"""Data quality of the evaluation data: what its columns and rows hold, counted on all of them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation

import msgspec

from apps.checks import figures, hints
from apps.checks.engine import quality as engine
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Input, Kind, Task
from apps.checks.kinds.numbers import HOME
from apps.checks.library import quality
from apps.checks.library.estimates import Estimate
from apps.checks.library.judgingquality import assess, repeated
from apps.checks.library.quality import (
    ColumnQuality,
    Params,
    QualityResult,
    QualityStatistics,
    Range,
)
from apps.checks.limits import QualityLimits
from apps.checks.mapping import Role
from apps.checks.numbers import MISSING, grouped, listed, plural, shown
from apps.core import clock
from apps.core.errors import Invalid
from apps.core.parts import Bar, Cell, Chart, Column, Fact, Facts, Part, Table, Text

_MOST_SHOWN = 100
_MOST_RANGES = 2_000


def run(task: Task, params: Params) -> tuple[QualityStatistics, QualityResult]:
    """Count, then measure. Raises Invalid for a day that was not today when the check was asked for."""
    _require_today(task, params)
    reference = task.data[1] if len(task.data) > 1 else None
    counted = engine.count(task.data[0], reference, task.workshop, params)
    return counted, quality.measure(counted, params)


def _require_today(task: Task, params: Params) -> None:
    """Data do not get younger by asking as of another day. One day either way, for the zones of the world."""
    if task.asked_on is None:
        return
    days = (dt.date.fromisoformat(params.as_of) - task.asked_on).days
    if abs(days) > 1:
        reason = f"it was asked for on {task.asked_on}, so age cannot be counted to {params.as_of}"
        raise Invalid(f"as_of: {reason}.", fields={"as_of": reason})


def checked(params: Params) -> Params:
    """The parameters with today where no day is given. Raises Invalid for a range or a day that is none."""
    if len(params.ranges) > _MOST_RANGES:
        reason = f"at most {_MOST_RANGES} can be given"
        raise Invalid(f"ranges: {reason}.", fields={"ranges": reason})
    for name, given in params.ranges.items():
        _check_range(name, given)
    today = clock.now().astimezone(dt.UTC).date()
    return msgspec.structs.replace(params, as_of=_day(params.as_of) or today.isoformat())


def _check_range(name: str, given: Range) -> None:
    ends = [_end(f"ranges.{name}", text) for text in (given.min, given.max) if text]
    if not ends:
        reason = "give min, max or both, as text"
        raise Invalid(f"ranges: {name}: {reason}.", fields={f"ranges.{name}": reason})
    if len(ends) == 2 and ends[0] > ends[1]:
        reason = "min is larger than max"
        raise Invalid(f"ranges: {name}: {reason}.", fields={f"ranges.{name}": reason})


def _end(field: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise Invalid(
            f"{field}: {text!r} is no number.", fields={field: "expected a number as text"}
        )
    return number


def _day(text: str) -> str:
    try:
        return dt.date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        reason = "expected a day such as 2026-03-31"
        raise Invalid(f"as_of: {reason}.", fields={"as_of": reason}) from None


def parts(result: QualityResult) -> tuple[Part, ...]:
    """The sentence, what holds for the whole, and the columns, those with something to say first."""
    shown_first = sorted(result.columns, key=_says_something)
    return (
        Text(_sentence(result)),
        _whole(result),
        _chart(result),
        _table(shown_first, len(result.columns)),
    )


def _chart(result: QualityResult) -> Chart:
    """Only the columns that lack something: a row of zeros says nothing."""
    lacking = [each for each in result.columns if each.missing_rate.numerator]
    lacking.sort(key=lambda each: (-each.missing_rate.exact, each.name))
    bars = tuple(Bar(each.name, each.missing_rate.value or "") for each in lacking)
    why = "no column lacks values." if result.rows else "there is no row."
    return Chart("Missing values by column", "share of the rows", bars, empty=why)


def _sentence(result: QualityResult) -> str:
    lacking = [each for each in result.columns if each.missing_rate.numerator]
    gaps = "nothing is missing"
    if lacking:
        worst = max(lacking, key=lambda each: each.missing_rate.exact)
        gaps = f"{plural(len(lacking), 'column')} {'lacks' if len(lacking) == 1 else 'lack'} values, most of all {worst.name} ({shown(worst.missing_rate.value)} of its rows)"
    size = f"{plural(result.rows, 'row')} in {plural(len(result.columns), 'column')}"
    return f"{size}: {gaps}; {repeated(result)}."


def _whole(result: QualityResult) -> Facts:
    fresh = result.freshness
    facts = [
        ("Rows", grouped(result.rows)),
        ("Columns", grouped(len(result.columns))),
        ("Repeated rows", _of(result.duplicate_share)),
        ("Sets of equal rows", f"{grouped(result.duplicate_sets)}, the largest of {plural(result.largest_set, 'row')}" if result.duplicate_sets else "0"),
        ("Columns with a single value", _named([each.name for each in result.columns if each.constant])),
        ("Columns without any value", _named([each.name for each in result.columns if each.empty])),
        ("Newest row", _newest(result)),
    ]  # fmt: skip
    if fresh.unreadable:
        facts.append((f"Values of {fresh.column} that are no time", grouped(fresh.unreadable)))
    return Facts(tuple(Fact(label, Cell(value)) for label, value in [*facts, *_schema(result)]))


def _schema(result: QualityResult) -> list[tuple[str, str]]:
    if result.schema is None:
        return [("Columns against the reference", "no reference data were attached")]
    changed = [f"{each.name} ({each.before}, now {each.now})" for each in result.schema.changed]
    return [
        ("Columns of the reference that are missing", _named(list(result.schema.missing))),
        ("Columns that hold another kind of values", _named(changed)),
        ("Columns that the reference does not have", _named(list(result.schema.added))),
    ]


def _named(names: list[str]) -> str:
    return f"{grouped(len(names))}: {listed(names)}" if names else "0"


def _of(share: Estimate) -> str:
    return f"{grouped(share.numerator or 0)} ({shown(share.value)})"


def _newest(result: QualityResult) -> str:
    fresh = result.freshness
    if fresh.age_days is None:
        return f"not known: {fresh.column} {fresh.reason}" if fresh.column else f"not known: {fresh.reason}"  # fmt: skip
    side = "before" if fresh.age_days >= 0 else "after"
    return f"{fresh.newest} in {fresh.column}, {plural(abs(fresh.age_days), 'day')} {side} {fresh.as_of}"


def _says_something(column: ColumnQuality) -> bool:
    outside = column.out_of_range is not None and bool(column.out_of_range.numerator)
    lacks = bool(column.missing_rate.numerator)
    return not (lacks or column.constant or column.infinite or outside)


def _table(columns: list[ColumnQuality], total: int) -> Table:
    shown_columns = columns[:_MOST_SHOWN]
    left = f" Shown are {_MOST_SHOWN} of {grouped(total)} columns; all are in the file." if total > _MOST_SHOWN else ""  # fmt: skip
    # What no column has takes no room.
    infinite = any(each.infinite for each in shown_columns)
    ranged = any(each.range is not None for each in shown_columns)
    head = [
        Column("Column", code=True),
        Column("Holds"),
        Column("Missing", numeric=True),
        Column("Different values", numeric=True),
        Column("Lowest", numeric=True),
        Column("Highest", numeric=True),
    ]
    head += [Column("Infinite", numeric=True)] if infinite else []
    head += [Column("Out of range")] if ranged else []
    return Table(
        "Columns",
        tuple(head),
        tuple(_row(each, infinite=infinite, ranged=ranged) for each in shown_columns),
        "Missing counts blank texts too. Of texts, lowest and highest are lengths." + left,
    )


_HOLDS = {"empty": "nothing", "other": "nested or binary values", "time": "times"}


def _row(column: ColumnQuality, *, infinite: bool, ranged: bool) -> tuple[Cell, ...]:
    holds = _HOLDS.get(column.kind, column.kind)
    if column.whole_numbers:
        holds = "whole numbers"
    different = f"more than {grouped(column.more_than)}" if column.more_than else grouped(column.distinct or 0)  # fmt: skip
    cells = [
        Cell(column.name),
        Cell(f"{holds}, a single value" if column.constant else holds, tone="warn" if column.constant else ""),
        Cell(_missing(column), tone="warn" if column.missing_rate.numerator else ""),
        Cell(different),
        Cell(_short(column.low)),
        Cell(_short(column.high)),
    ]  # fmt: skip
    cells += [Cell(grouped(column.infinite))] if infinite else []
    cells += [Cell(_outside(column))] if ranged else []
    return tuple(cells)


def _missing(column: ColumnQuality) -> str:
    gone = column.missing + column.blank
    return f"{grouped(gone)} ({shown(column.missing_rate.value)})" if gone else "0"


def _short(value: str | None) -> str:
    """Six digits of a number are enough for people; the file has all."""
    if not value:
        return MISSING
    try:
        return f"{float(value):.6g}"
    except ValueError:
        return value


def _outside(column: ColumnQuality) -> str:
    if column.out_of_range is None or column.range is None:
        return MISSING
    ends = [f"{word} {text}" for word, text in (("from", column.range.min), ("to", column.range.max)) if text]  # fmt: skip
    if column.out_of_range.value is None:
        return f"no values ({' '.join(ends)})"
    return f"{_of(column.out_of_range)} ({' '.join(ends)})"


KIND = Kind(
    key="quality",
    title="Data quality",
    params=Params,
    result=QualityResult,
    limits=QualityLimits,
    run=run,
    assess=assess,
    inputs=(
        Input("evaluation", (Role.EVALUATION,)),
        Input("reference", (Role.REFERENCE,), optional=True),
    ),
    checked=checked,
    parts=parts,
    figures=figures.of_quality,
    hints=hints.QUALITY,
    choices=choosing.QUALITY,
    home=HOME,
    sources=(
        "engine/equalrows.py",
        "engine/quality.py",
        "engine/engines.py",
        "engine/source.py",
        "engine/warehouse.py",
        "engine/warehousequality.py",
        "library/equalrows.py",
        "library/exactly.py",
        "library/quality.py",
    ),
    libraries=("duckdb", "msgspec", "numpy", "pyarrow"),
    on_engine=True,
)
