"""A data set that is counted on an engine elsewhere, by Ibis expressions: Spark, or another that Ibis speaks to.

The engine groups; the worker names. 1 An expression groups the rows by the raw values of the columns of a question and counts
them. 2 The groups, each with its number of rows, come back as one small table. 3 The SQL by which the worker
counts its own files runs over this table, each of whose rows weighs as many rows as it stands for. So labels, missing values and
long texts are told apart by one code, and every statistic is that of the local engine, to the last digit.

What needs the single values in order (areas under curves, distances of distributions, medians) is exact too, as long as the
columns have at most MOST_VALUES different combinations, and the rows fit the memory of the worker as they would
locally. Beyond that it is refused with the names of the columns. Nothing is estimated.

Not done here: attaching a file (the worker reads it once), CSV, and whatever reads texts or compares rows of two files.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from apps.checks.engine import engines
from apps.checks.engine.engines import Engine
from apps.checks.engine.source import Caps, Column, Source, locked
from apps.checks.numbers import grouped, listed
from apps.core.errors import Invalid

MOST_VALUES: Final = 5_000_000
_FEW: Final = 10_000
_READ_AS: Final = {
    "number": "is_numeric",
    "boolean": "is_boolean",
    "text": "is_string",
    "time": "is_temporal",
}


@dataclass(frozen=True, slots=True)
class Remote(Source):
    """The questions of a Source, put to an engine. A question that has not been taught to it is refused."""

    engine: Engine | None = None
    table: Any = None
    tick: Callable[[], None] = lambda: None
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def held(self, names: Sequence[str]) -> Source:
        """The data stay where they are."""
        del names
        return self

    def rows(self) -> int:
        """How many rows the file has, by the engine."""
        return int(self.ask(self.table.agg(n=self.table.count()))["n"][0].as_py())

    def gathered(
        self, names: Sequence[str], *, binned: tuple[str, Sequence[str]] | None = None
    ) -> Source:
        """The rows by these columns' raw values, moments by day, as a table here whose rows have weights.

        Of the one that is `binned` a value stands for all of its bin. Raises Invalid, naming the columns, where they have more than MOST_VALUES combinations.
        """
        keys = {self.raw(name): self.value(name) for name in names}
        if binned is not None:
            name, edges = binned
            keys[self.raw(name)] = _in_bins(keys[self.raw(name)], edges)
        weighed, whole = self._gather(keys, MOST_VALUES)
        if not whole:
            raise self._too_many(names, MOST_VALUES)
        return weighed

    def counted(self, names: Sequence[str], *, most: int = 0) -> list[tuple[Any, ...]]:
        """As `Source.counted`. Raises Invalid where blank and overlong values hide how many categories there are."""
        cap = max(10 * most, _FEW) if most else MOST_VALUES
        keys = {self.raw(name): self.value(name) for name in names}
        weighed, whole = self._gather(keys, cap)
        rows = Source.counted(weighed, names, most=most)
        if not whole and not (most and len(rows) == most):
            raise self._too_many(names, cap)
        return rows

    def score_cells(self, names: Sequence[str], score: str, unit: int) -> str:
        """As `Source.score_cells`: the sums are added up on the engine.

        Each is added up as two whole numbers, the upper one and the lower 20 bits, so that no engine's 64 bits run over:
        there is room for 2^43 rows.
        """
        self.number(score)  # raises Invalid for a column of something else
        x = self.value(score).cast("float64")
        there = x.notnull() & ~x.isnan()
        inside = either(there & (x >= 0) & (x <= 1))
        state = _cases(_cases("outside", (inside, "score")), (~either(there), "missing"))
        x = inside.ifelse(x, 0.0)  # `floor` of what fits no whole number breaks off
        tenth = (x * 10).floor().cast("int64")
        bin_ = _cases(0, (inside, _cases(tenth, (tenth > 9, 9))))
        keys = {f"r{place}": self.value(name) for place, name in enumerate(names)}
        total, squares = (_cases(0, (inside, _nearest(each * unit))) for each in (x, x * x))
        rows = self.table.select(**keys, state=state, bin=bin_, a=total, b=squares)
        low = 1 << 20
        by_cell = rows.group_by([*keys, "state", "bin"]).agg(
            n=rows.count(),
            ah=(rows.a // low).cast("int64").sum(),
            al=(rows.a % low).cast("int64").sum(),
            bh=(rows.b // low).cast("int64").sum(),
            bl=(rows.b % low).cast("int64").sum(),
        )
        found = self.ask(by_cell.limit(MOST_VALUES + 1))
        if found.num_rows > MOST_VALUES:
            raise self._too_many([*names, score], MOST_VALUES)
        kept = ", ".join(keys)
        name = self.register(found)
        sums = (f"CAST({each}h AS HUGEINT) * {low} + {each}l" for each in "ab")
        total_sql, squares_sql = sums
        return f"(SELECT {kept}, state, bin, n, {total_sql} AS total, {squares_sql} AS squares FROM {name})"

    def fetch(self, query: str, *, most: int = 0, **values: str) -> list[tuple[Any, ...]]:
        """Of tables here only. Raises Invalid for a query of the file, which no engine elsewhere can be asked."""
        self._refuse(query)
        return Source.fetch(self, query, most=most, **values)

    def stream(self, query: str, **values: str) -> Iterator[list[tuple[Any, ...]]]:
        """As `fetch`."""
        self._refuse(query)
        return Source.stream(self, query, **values)

    def arrays(self, query: str, **values: str) -> dict[str, Any]:
        """As `fetch`."""
        self._refuse(query)
        return Source.arrays(self, query, **values)

    def _gather(self, keys: Mapping[str, Any], cap: int) -> tuple[Source, bool]:
        """A table here of at most so many combinations, and whether it is all of them."""
        if keys:
            chosen = self.table.select(**keys)
            expression = chosen.group_by(list(keys)).agg(weight=chosen.count()).limit(cap + 1)
        else:
            expression = self.table.agg(weight=self.table.count())
        found = self.ask(expression)
        name = self.register(found)
        weighed = Source(self.connection, self.columns, self.caps, name, weighed=True)
        return weighed, found.num_rows <= cap

    def value(self, name: str, *, days: bool = True) -> Any:
        """The column as it lies in the file; a moment as its day unless told otherwise. Raises Invalid where the engine reads something else."""
        import ibis

        position, column = self._find(name)
        if column.kind == "empty":
            return ibis.null("string")
        value = self.table[f"c{position}"]
        test = _READ_AS.get(column.kind)
        if test is None or not getattr(value.type(), test)():
            scheme = self.engine.scheme if self.engine else ""
            reason = f"{scheme} reads column {name!r} as {value.type()}, which is not counted there"
            raise Invalid(reason, fields={name: reason})
        return value.truncate("D") if column.kind == "time" and days else value

    def ask(self, expression: Any) -> pa.Table:
        """The answer of the engine."""
        if self.engine is None:
            raise RuntimeError("a Remote without an engine")
        found = self.engine.ask(expression, self.tick)
        self.tick()
        return found

    def register(self, found: pa.Table) -> str:
        """The answer as a table here; its name in SQL."""
        name = f"gathered{next(self.numbers)}"
        self.connection.register(name, found)
        return name

    def _refuse(self, query: str) -> None:
        if "{data}" in query:
            scheme = self.engine.scheme if self.engine else ""
            raise Invalid(
                f"this is not counted on {scheme}; a worker with CHECKS_ENGINE=local counts it"
            )

    def _too_many(self, names: Sequence[str], cap: int) -> Invalid:
        scheme = self.engine.scheme if self.engine else ""
        reason = (
            f"more than {grouped(cap)} different combinations of values of {listed(list(names))}: "
            f"what needs them one by one (a rank, a median, a distance, too many groups) is not computed on {scheme}, "
            "nor estimated"
        )
        return Invalid(reason, fields=dict.fromkeys(names, "too many different values"))


@contextmanager
def opened(
    path: Path,
    format: str,
    columns: Sequence[Column],
    *,
    caps: Caps,
    scratch: Path,
    more: Sequence[Path] = (),
    address: str,
    tick: Callable[[], None],
) -> Iterator[Source]:
    """The file and the parts after it, ready to be counted on the engine at an address, which must be able to read them under the
    same paths.

    Raises Invalid for a CSV, and for a file of which the engine sees other columns.
    """
    if format != "parquet":
        reason = "a CSV is not counted on an engine elsewhere; attach the data as Parquet"
        raise Invalid(reason, fields={"file": reason})
    engine = engines.connect(address)
    table = engine.table([str(each) for each in (path, *more)], tick)
    if len(table.columns) != len(columns):
        raise Invalid(
            f"{engine.scheme} sees {len(table.columns)} columns in the file, and {len(columns)} were attached"
        )
    by_position = table.select(
        **{f"c{place}": table[name] for place, name in enumerate(table.columns)}
    )
    connection = locked((), caps, scratch)
    try:
        yield Remote(
            connection,
            {column.name: (place, column) for place, column in enumerate(columns)},
            caps,
            "",
            engine=engine,
            table=by_position,
            tick=tick,
        )
    finally:
        connection.close()


def either(condition: Any) -> Any:
    """A condition that holds or does not: where it is NULL, it does not."""
    return condition.fill_null(False)  # noqa: FBT003 - positional only


def finite(x: Any) -> Any:
    """Whether a double is neither NULL nor NaN nor infinite. By comparison: Ibis' `isinf` was not true of
    infinities on Spark."""
    return either((x.abs() <= double(repr(sys.float_info.max))) & ~x.isnan())


def double(text: str) -> Any:
    """A number that the engine reads from its text: a literal would be a decimal there, and be rounded twice."""
    import ibis

    return ibis.literal(text).cast("float64")


def _in_bins(value: Any, edges: Sequence[str]) -> Any:
    """A number of the same (low, high]: its upper edge, beyond the last edge the next double. NULL for what is not finite."""
    x = value.cast("float64")
    last = float(edges[-1]) if edges else 0.0
    above = math.nextafter(last, math.inf) if edges else 0.0
    representatives = [
        (x <= double(repr(float(edge))), double(repr(float(edge)))) for edge in edges
    ]
    within = _cases(double(repr(above)), *representatives) if representatives else double("0.0")
    return finite(x).ifelse(within, None)


def _cases(otherwise: Any, *branches: tuple[Any, Any]) -> Any:
    import ibis

    return ibis.cases(*branches, else_=otherwise)


def _nearest(x: Any) -> Any:
    """The whole number next to a double that is not negative, halves upwards: engines do not agree on `round`."""
    low = x.floor()
    return low.cast("int64") + _cases(0, (x - low >= 0.5, 1))
