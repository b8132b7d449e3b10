"""The quality of a data set: what its columns and rows hold, counted exactly. Pure.

Steps of `measure`: 1 rates of what was counted, column by column, 2 repeated rows, 3 values outside of declared ranges,
4 how old the newest row is, 5 how the columns differ from those of the reference data.

Not measured: whether the values are true, and whether the rows are those of the people whom the model will meet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from fractions import Fraction

import msgspec

from apps.checks.library.equalrows import Repeats
from apps.checks.library.estimates import Estimate
from apps.checks.library.exactly import number, share

DISTINCT_CAP = 10_000


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The values that a column of numbers may have, both ends included; "" is no end."""

    min: str = ""
    max: str = ""


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ranges` by column; `time_column` where freshness is read from (empty: the declared one, else the only column of times);
    `as_of` the day to which age is counted (empty: the day on which the check is asked for)."""

    ranges: dict[str, Range] = {}
    time_column: str = ""
    as_of: str = ""


class ColumnCounts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What adds up over parts of a file. `missing` is NULL or NaN, `blank` a text of blanks only; both are never more
    than `rows`. `low` and `high` are the finite ends of numbers, the first and last time, the shortest and
    longest text, as text."""

    name: str
    kind: str
    rows: int
    missing: int
    blank: int = 0
    infinite: int = 0
    fractional: int = 0
    low: str | None = None
    high: str | None = None

    @property
    def absent(self) -> int:
        """Rows without a value."""
        return self.missing + self.blank


class Distinct(msgspec.Struct, frozen=True, array_like=True):
    """How many different values a column has; `capped` says that there are more than this."""

    name: str
    count: int
    capped: bool = False


class OutOfRange(msgspec.Struct, frozen=True):
    """How many of a column's values lie below and above what was declared."""

    name: str
    range: Range
    values: int
    below: int
    above: int


class Times(msgspec.Struct, frozen=True):
    """First and last moment of the time column; `unreadable` values are no time."""

    name: str
    oldest: str | None
    newest: str | None
    unreadable: int


class Changed(msgspec.Struct, frozen=True, array_like=True):
    """A column that holds something else than in the reference."""

    name: str
    before: str
    now: str


class Schema(msgspec.Struct, frozen=True):
    """The columns against those of the reference data, by name."""

    missing: tuple[str, ...]
    added: tuple[str, ...]
    changed: tuple[Changed, ...]


class QualityStatistics(msgspec.Struct, frozen=True, tag="quality"):
    """All that was counted. Only `columns` can be merged; what is different or equal shows in the whole alone."""

    columns: tuple[ColumnCounts, ...]
    distinct: tuple[Distinct, ...]
    repeats: Repeats
    ranges: tuple[OutOfRange, ...] = ()
    times: Times | None = None
    no_times: str = ""  # why there are none
    schema: Schema | None = None


class ColumnQuality(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column. `missing_rate` counts blank ones too. `distinct` is exact, or `more_than` where it is capped."""

    name: str
    kind: str
    missing: int
    blank: int
    missing_rate: Estimate
    distinct: int | None = None
    more_than: int | None = None
    constant: bool = False
    whole_numbers: bool | None = None
    infinite: int = 0
    low: str | None = None
    high: str | None = None
    out_of_range: Estimate | None = None
    range: Range | None = None

    @property
    def empty(self) -> bool:
        return self.missing_rate.numerator == self.missing_rate.denominator

    @property
    def infinite_share(self) -> Estimate:
        """Of all rows."""
        return share(self.infinite, self.missing_rate.denominator or 0)


class Freshness(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest moment of a column and its age in whole days on the day `as_of`; a reason where there is none."""

    column: str
    as_of: str
    oldest: str | None = None
    newest: str | None = None
    age_days: int | None = None
    unreadable: int = 0
    reason: str = ""


class QualityResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="quality"):
    rows: int
    columns: tuple[ColumnQuality, ...]
    duplicate_share: Estimate
    duplicate_sets: int
    largest_set: int
    constant_columns: Estimate
    empty_columns: Estimate
    freshness: Freshness
    schema: Schema | None = None


def merged(one: Sequence[ColumnCounts], other: Sequence[ColumnCounts]) -> tuple[ColumnCounts, ...]:
    """The counts of two parts of one file as those of the whole. Raises ValueError for other columns."""
    if [each.name for each in one] != [each.name for each in other]:
        raise ValueError("parts of one file have the same columns")
    return tuple(map(_merged, one, other))


def _merged(one: ColumnCounts, other: ColumnCounts) -> ColumnCounts:
    kind = other.kind if one.kind == "empty" else one.kind
    if other.kind not in {kind, "empty"}:
        raise ValueError(f"{one.name!r}: {one.kind} and {other.kind}")
    return ColumnCounts(
        one.name,
        kind,
        one.rows + other.rows,
        one.missing + other.missing,
        one.blank + other.blank,
        one.infinite + other.infinite,
        one.fractional + other.fractional,
        _end(kind, one.low, other.low, smallest=True),
        _end(kind, one.high, other.high, smallest=False),
    )


def _end(kind: str, one: str | None, other: str | None, *, smallest: bool) -> str | None:
    ends = [each for each in (one, other) if each is not None]
    choose = min if smallest else max
    return choose(ends, key=str if kind == "time" else Fraction, default=None)


def measure(statistics: QualityStatistics, params: Params) -> QualityResult:
    """The same statistics and parameters give the same result."""
    repeats = statistics.repeats
    ranges = {each.name: each for each in statistics.ranges}
    columns = tuple(
        _column(counts, distinct, ranges.get(counts.name))
        for counts, distinct in zip(statistics.columns, statistics.distinct, strict=True)
    )
    return QualityResult(
        rows=repeats.rows,
        columns=columns,
        duplicate_share=share(repeats.repeated, repeats.rows),
        duplicate_sets=repeats.sets,
        largest_set=repeats.largest,
        constant_columns=number(sum(each.constant for each in columns)),
        empty_columns=number(sum(each.empty for each in columns)),
        freshness=_freshness(statistics, params),
        schema=statistics.schema,
    )


def _column(counts: ColumnCounts, distinct: Distinct, outside: OutOfRange | None) -> ColumnQuality:
    has_numbers = counts.kind == "number" and counts.low is not None
    return ColumnQuality(
        name=counts.name,
        kind=counts.kind,
        missing=counts.missing,
        blank=counts.blank,
        missing_rate=share(counts.absent, counts.rows),
        distinct=None if distinct.capped else distinct.count,
        more_than=distinct.count if distinct.capped else None,
        constant=distinct.count == 1 and not distinct.capped,
        whole_numbers=not counts.fractional if has_numbers else None,
        infinite=counts.infinite,
        low=counts.low,
        high=counts.high,
        out_of_range=share(outside.below + outside.above, outside.values) if outside else None,
        range=outside.range if outside else None,
    )


def _freshness(statistics: QualityStatistics, params: Params) -> Freshness:
    times = statistics.times
    if times is None:
        return Freshness("", params.as_of, reason=statistics.no_times)
    known = {"oldest": times.oldest, "newest": times.newest, "unreadable": times.unreadable}
    if times.newest is None:
        return Freshness(times.name, params.as_of, **known, reason="holds no time at all")  # type: ignore[arg-type]
    day = _day(times.newest)
    if day is None:
        return Freshness(times.name, params.as_of, **known, reason="its newest moment is no day of the calendar")  # type: ignore[arg-type]  # fmt: skip
    age = (dt.date.fromisoformat(params.as_of) - day).days
    return Freshness(times.name, params.as_of, **known, age_days=age)  # type: ignore[arg-type]


def _day(moment: str) -> dt.date | None:
    """The day of `2026-03-02 14:05:31`; None for the year 20000 and for infinity."""
    try:
        return dt.date.fromisoformat(moment[:10])
    except ValueError:
        return None
