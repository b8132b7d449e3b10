"""What was counted of a data set against a policy's limits. Pure. A limit that could not be looked at is INSUFFICIENT."""

from __future__ import annotations

from collections.abc import Iterator

from apps.checks.library.estimates import Estimate
from apps.checks.library.exactly import Question, number
from apps.checks.library.judging import Assessment, Row, conclude
from apps.checks.library.quality import ColumnQuality, QualityResult
from apps.checks.limits import Bound, QualityLimits
from apps.checks.numbers import grouped, listed, plural

TITLES = {
    "missing_rate": "Missing rate",
    "duplicate_share": "Share of repeated rows",
    "constant_columns": "Columns with a single value",
    "empty_columns": "Columns without any value",
    "out_of_range_share": "Share out of range",
    "infinite_share": "Share of infinite values",
    "freshness_days": "Age of the newest row in days",
    "schema_changes": "Columns missing or of another kind",
}
MOST_ROWS = 30  # columns beyond a limit that are told one by one


def assess(result: QualityResult, limits: QualityLimits) -> Assessment:
    """A row for each limit, and for each column beyond one."""
    return conclude(list(_rows(result, limits)), passed(result))


def passed(result: QualityResult) -> str:
    """What was looked at, when nothing was beyond a limit."""
    rows, columns = plural(result.rows, "row"), plural(len(result.columns), "column")
    return f"{rows} and {columns} are within the limits; {repeated(result)}."


def repeated(result: QualityResult) -> str:
    """`12 rows repeat an earlier one`."""
    count = result.duplicate_share.numerator or 0
    if not count:
        return "no row repeats another one"
    return f"{plural(count, 'row')} {'repeats' if count == 1 else 'repeat'} an earlier one"


def _rows(result: QualityResult, limits: QualityLimits) -> Iterator[Row]:
    yield from _missing(result, limits)
    n = result.rows
    if limits.duplicate_share:
        asked = Question("duplicate_share", TITLES["duplicate_share"], n)
        yield asked.judged(result.duplicate_share, limits.duplicate_share)
    if limits.constant_columns:
        names = [each.name for each in result.columns if each.constant]
        yield _columns(
            "constant_columns", result.constant_columns, names, limits.constant_columns, n
        )
    if limits.empty_columns:
        names = [each.name for each in result.columns if each.empty]
        yield _columns("empty_columns", result.empty_columns, names, limits.empty_columns, n)
    if limits.out_of_range_share:
        yield from _ranges(result, limits.out_of_range_share)
    if limits.infinite_share:
        yield from _infinite(result, limits.infinite_share)
    if limits.freshness_days:
        yield _fresh(result, limits.freshness_days)
    if limits.schema_changes:
        yield _schema(result, limits.schema_changes)


def _columns(key: str, found: Estimate, names: list[str], bound: Bound, n: int) -> Row:
    told = f"{listed(names)}." if names else ""
    return Question(key, TITLES[key], n).judged(found, bound, told)


def _missing(result: QualityResult, limits: QualityLimits) -> Iterator[Row]:
    """The common limit on all columns or those it names; then those of single columns."""
    known = {each.name: each for each in result.columns}
    if limits.missing_rate:
        names = list(limits.columns or known)
        yield from _unknown([name for name in names if name not in known], limits.missing_rate)
        judged = [known[name] for name in names if name in known]
        yield from _worst_first("missing_rate", judged, limits.missing_rate)
    for name, most in limits.missing_by_column.items():
        bound = Bound(max=most)
        if name in known:
            yield _missing_row(known[name], bound)
        else:
            yield from _unknown([name], bound)


def _unknown(names: list[str], bound: Bound) -> Iterator[Row]:
    for name in names:
        asked = Question("missing_rate", TITLES["missing_rate"], 0, name)
        yield asked.unknown(f"There is no column {name}.", bound.sentence)


def _missing_row(column: ColumnQuality, bound: Bound) -> Row:
    found = column.missing_rate
    asked = Question("missing_rate", TITLES["missing_rate"], found.denominator or 0, column.name)
    return asked.judged(found, bound)


def _worst_first(key: str, columns: list[ColumnQuality], bound: Bound) -> Iterator[Row]:
    """Every column beyond the limit, the worst first; where none is, the worst stands for all."""
    ordered = sorted(columns, key=lambda each: each.missing_rate.exact, reverse=True)
    rows = [_missing_row(each, bound) for each in ordered[: MOST_ROWS + 1]]
    beyond = [row for row in rows if not row.verdict.satisfies]
    yield from beyond[:MOST_ROWS] or rows[:1]
    more = sum(each.missing_rate.exact > bound.value for each in ordered) - MOST_ROWS
    if more > 0:
        asked = Question(key, TITLES[key], len(columns), f"of {plural(more, 'more column')}")
        yield asked.judged(ordered[MOST_ROWS].missing_rate, bound)


def _ranges(result: QualityResult, bound: Bound) -> Iterator[Row]:
    title = TITLES["out_of_range_share"]
    declared = [each for each in result.columns if each.out_of_range]
    if not declared:
        asked = Question("out_of_range_share", title, result.rows)
        yield asked.unknown("No range was declared, so none could be looked at.", bound.sentence)
    for column in declared:
        found = column.out_of_range
        if found is not None:
            asked = Question("out_of_range_share", title, found.denominator or 0, column.name)
            yield asked.judged(found, bound)


def _infinite(result: QualityResult, bound: Bound) -> Iterator[Row]:
    """Every column of numbers beyond the limit, the worst first; where none is, one row for all."""
    numbers = [each for each in result.columns if each.kind == "number"]
    worst = sorted(numbers, key=lambda each: each.infinite_share.exact, reverse=True)
    rows = [_infinite_row(each, bound) for each in worst[:MOST_ROWS]]
    beyond = [row for row in rows if not row.verdict.satisfies]
    if not rows:
        asked = Question("infinite_share", TITLES["infinite_share"], result.rows)
        rows = [asked.judged(number(0), bound, "No column holds numbers.")]
    yield from beyond or rows[:1]


def _infinite_row(column: ColumnQuality, bound: Bound) -> Row:
    found = column.infinite_share
    asked = Question(
        "infinite_share", TITLES["infinite_share"], found.denominator or 0, column.name
    )
    return asked.judged(found, bound)


def _fresh(result: QualityResult, bound: Bound) -> Row:
    fresh = result.freshness
    asked = Question("freshness_days", TITLES["freshness_days"], result.rows, fresh.column)
    if fresh.age_days is None:
        what = f"{fresh.column} {fresh.reason}" if fresh.column else fresh.reason
        return asked.unknown(f"The age of the data is not known: {what}.", bound.sentence)
    if fresh.age_days < 0:
        return asked.unknown(
            f"The newest row of {fresh.column} ({fresh.newest}) is later than {fresh.as_of}, so its age says nothing.",
            bound.sentence,
        )
    if fresh.unreadable:
        return asked.unknown(
            f"{grouped(fresh.unreadable)} values of {fresh.column} are no time, so the newest row is not known.",
            bound.sentence,
        )
    told = f"Newest {fresh.newest}, counted to {fresh.as_of}."
    return asked.judged(number(fresh.age_days), bound, told)


def _schema(result: QualityResult, bound: Bound) -> Row:
    asked = Question("schema_changes", TITLES["schema_changes"], len(result.columns))
    schema = result.schema
    if schema is None:
        return asked.unknown(
            "No reference data were attached, so the columns could not be compared.", bound.sentence
        )
    names = [*schema.missing, *(each.name for each in schema.changed)]
    told = f"{listed(names)}." if names else ""
    return asked.judged(number(len(names)), bound, told)
