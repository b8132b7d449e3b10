"""Personal data: what recognisers found in columns and texts, as counts. Pure. No value is ever part of a result.

Not measured: whether the data are personal. That nothing was recognised says what was looked for and not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from apps.checks.library.estimates import Estimate
from apps.checks.library.exactly import Question, number
from apps.checks.library.judging import Assessment, Row, conclude
from apps.checks.library.recognisers import FIRM, TITLES
from apps.checks.limits import PiiLimits
from apps.checks.numbers import grouped, listed, plural
from apps.checks.verdicts import Verdict

# Check digits let one number in ten pass by chance: where half of a column passes, chance explains it no more.
_BEYOND_CHANCE = 2


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`countries` whose identity and local telephone numbers are looked for, as `pt`; `most_values`: how many different
    values of a column are read, chosen by `seed` where there are more."""

    countries: tuple[str, ...] = ()
    most_values: int = 200_000
    seed: int = 0


class KindCount(msgspec.Struct, frozen=True, array_like=True):
    """In how many rows of a column a kind of personal data was recognised."""

    kind: str
    rows: int


class ColumnScan(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column that was read. `present` rows have a value, `possible` of its different values could hold something (the
    rest have no digits and no @), `read` of these were read, `cut` rows have a value that is too long to be read to its end."""

    name: str
    rows: int
    present: int
    possible: int
    read: int
    found: tuple[KindCount, ...] = ()
    cut: int = 0

    @property
    def sampled(self) -> bool:
        return self.read < self.possible


class Named(msgspec.Struct, frozen=True, array_like=True):
    """A column whose name speaks of personal data, and of which."""

    column: str
    kind: str


class PiiStatistics(msgspec.Struct, frozen=True, tag="pii"):
    columns: tuple[ColumnScan, ...]
    named: tuple[Named, ...]
    by_name_only: tuple[str, ...]  # columns whose values are no text: truth values and times


class PiiResult(msgspec.Struct, frozen=True, omit_defaults=True, tag="pii"):
    rows: int
    looked_for: tuple[str, ...]
    countries: tuple[str, ...]
    columns: tuple[ColumnScan, ...]
    named: tuple[Named, ...]
    by_name_only: tuple[str, ...]
    found_rows: Estimate
    seed: int | None = None  # of the choice, where not all values were read


def merged(one: Sequence[ColumnScan], other: Sequence[ColumnScan]) -> tuple[ColumnScan, ...]:
    """The rows counted in two parts of one file as those of the whole; `possible` and `read` are upper bounds, since a value
    may lie in both. Raises ValueError for other columns, and where a part was sampled."""
    if [each.name for each in one] != [each.name for each in other]:
        raise ValueError("parts of one file have the same columns")
    if any(each.sampled for each in (*one, *other)):
        raise ValueError("samples of parts are no sample of the whole")
    return tuple(map(_merged, one, other))


def _merged(one: ColumnScan, other: ColumnScan) -> ColumnScan:
    found = {each.kind: each.rows for each in one.found}
    for each in other.found:
        found[each.kind] = found.get(each.kind, 0) + each.rows
    return ColumnScan(
        one.name,
        one.rows + other.rows,
        one.present + other.present,
        one.possible + other.possible,
        one.read + other.read,
        tuple(KindCount(kind, found[kind]) for kind in TITLES if kind in found),
        one.cut + other.cut,
    )


def measure(statistics: PiiStatistics, params: Params) -> PiiResult:
    """The same statistics and parameters give the same result."""
    columns = statistics.columns
    sampled = any(each.sampled for each in columns)
    return PiiResult(
        rows=columns[0].rows if columns else 0,
        looked_for=tuple(kind for kind in TITLES if kind != "identity" or params.countries),
        countries=params.countries,
        columns=columns,
        named=statistics.named,
        by_name_only=statistics.by_name_only,
        found_rows=number(sum(each.rows for column in columns for each in column.found)),
        seed=params.seed if sampled else None,
    )


def assess(result: PiiResult, limits: PiiLimits) -> Assessment:
    """A row for each kind in each column beyond the limit, for names, for what was not read; none where a column is allowed."""
    return conclude(list(_rows(result, limits)), sentence(result))


def looked_for(result: PiiResult) -> str:
    """`e-mail addresses, telephone numbers and identity numbers (pt)`."""
    words = [TITLES[kind] for kind in result.looked_for]
    if result.countries:
        words[-1] += f" ({', '.join(result.countries)})"
    return listed(words, len(words))


def sentence(result: PiiResult) -> str:
    """What was found, or what was looked for and not found; never that there is nothing."""
    hits = [(column.name, each) for column in result.columns for each in column.found]
    read = plural(len(result.columns), "column")
    if hits:
        columns = list(dict.fromkeys(name for name, _ in hits))
        kinds = [TITLES[kind] for kind in TITLES if any(each.kind == kind for _, each in hits)]
        return f"{listed(kinds)} were recognised in {listed(columns)}, of {read} read.".capitalize()
    names = f" {plural(len(result.named), 'name')} of columns {'speaks' if len(result.named) == 1 else 'speak'} of personal data." if result.named else ""  # fmt: skip
    return f"Looked for {looked_for(result)} in {read}: none was recognised. Names of people and postal addresses cannot be.{names}"


def _rows(result: PiiResult, limits: PiiLimits) -> Iterator[Row]:
    looked_through = any(each.present for each in result.columns)
    if not looked_through:
        asked = Question("found", "Personal data", 0)
        yield asked.unknown("No column holds texts or numbers, so nothing was read.")
    judged = [each for each in result.columns if each.name not in limits.allow_columns]
    beyond = [row for column in judged for row in _found(column, limits)]
    yield from beyond
    if looked_through and not beyond:
        yield Row("found", "Personal data", Verdict.PASS, sentence(result), limit=limits.found.sentence, n=result.rows)  # fmt: skip
    yield from _unread(judged)
    names = [each for each in result.named if each.column not in limits.allow_columns]
    for name in names:
        told = f"The name of {name.column} speaks of personal data ({name.kind}); nobody has said that it may."
        yield Row("named", "Names of columns", Verdict.INCONCLUSIVE, told, of=name.column)


def _found(column: ColumnScan, limits: PiiLimits) -> Iterator[Row]:
    for each in column.found:
        asked = Question("found", f"Rows with {TITLES[each.kind]} in", column.rows, column.name)
        row = asked.judged(number(each.rows), limits.found)
        if row.verdict is Verdict.FAIL and not _certain(each, column):
            told = f" One number in ten passes by chance, and only {grouped(each.rows)} of {grouped(column.present)} do."
            row = msgspec.structs.replace(
                row, verdict=Verdict.INCONCLUSIVE, sentence=row.sentence + told
            )
        if row.verdict is not Verdict.PASS:
            yield row


def _certain(each: KindCount, column: ColumnScan) -> bool:
    return each.kind in FIRM or each.rows * _BEYOND_CHANCE >= column.present


def _unread(columns: Sequence[ColumnScan]) -> Iterator[Row]:
    for column in columns:
        if column.sampled:
            told = f"{column.name}: {grouped(column.read)} of {grouped(column.possible)} different values were read."
            yield Row("sampled", "Values not read", Verdict.INCONCLUSIVE, told, of=column.name)
        if column.cut:
            told = f"{column.name}: {plural(column.cut, 'row')} hold a text that is too long to be read to its end."
            yield Row("cut", "Texts too long", Verdict.INSUFFICIENT, told, of=column.name)
