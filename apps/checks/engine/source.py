"""One data set, opened read-only for counting: Parquet or CSV, in one file or several, behind the same questions.

The files are hostile until shown otherwise. DuckDB runs locked: it may open these paths and its scratch
folder, nothing else, loads no extension, and spills to disk instead of growing. Columns are
addressed by position, so no column name ever enters an SQL text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import duckdb
import numpy as np

from apps.core.errors import Invalid

Format = Literal["parquet", "csv"]
Kind = Literal["number", "boolean", "text", "time", "empty", "other"]

LONG_TEXT = 200
_CSV_OPTIONS = "auto_detect=false, header=true, delim=',', quote='\"', escape='\"', nullstr='', compression='none'"


@dataclass(frozen=True, slots=True)
class Caps:
    """How much one reading may use. Beyond it the answer is an error, never a smaller sample."""

    max_bytes: int = 2 * 1024**3
    max_unpacked_bytes: int = 32 * 1024**3
    max_rows: int = 100_000_000
    max_columns: int = 2_000
    max_parts: int = 10_000
    max_groups: int = 1_000
    max_categories: int = 2_000
    memory: str = "1GB"
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it was found when the data set was attached."""

    name: str
    kind: Kind
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """An open data set. `number`, `text` and `label` give SQL expressions; `fetch` runs a query over them."""

    connection: duckdb.DuckDBPyConnection
    columns: Mapping[str, tuple[int, Column]]
    caps: Caps
    relation: str
    parameters: Mapping[str, list[str]] = field(default_factory=dict)
    weighed: bool = False  # a row of the relation stands for `weight` rows of the file

    def kind(self, name: str) -> Kind:
        """What the column holds; raises Invalid naming it if the file has no such column."""
        return self._find(name)[1].kind

    def raw(self, name: str) -> str:
        """The column as it lies in the file. Group by this first: the other forms cost a little per row."""
        return f"c{self._find(name)[0]}"

    def number(self, name: str) -> str:
        """The column as DOUBLE; NULL where it is missing, NaN stays NaN."""
        position, column = self._find(name)
        if column.kind not in {"number", "empty"}:
            raise Invalid(f"column {name!r} does not hold numbers", fields={name: "not a number"})
        return (
            "CAST(NULL AS DOUBLE)" if column.kind == "empty" else f"TRY_CAST(c{position} AS DOUBLE)"
        )

    def text(self, name: str, value: str = "") -> str:
        """The column (or `value`, one of its raw values under another name) as a category: NULL where
        missing, NaN or blank, whole numbers without a point.

        A text longer than LONG_TEXT keeps its beginning and its MD5, so that different ones stay different.
        """
        position, column = self._find(name)
        value = value or f"c{position}"
        if column.kind == "empty":
            return "CAST(NULL AS VARCHAR)"
        if column.kind == "number":
            return _whole(f"TRY_CAST({value} AS DOUBLE)")
        if column.kind in {"other", "time"}:
            raise Invalid(
                f"column {name!r} holds values that cannot be counted as categories",
                fields={name: f"holds {_PLAIN[column.kind]}"},
            )
        plain = f"replace(CAST({value} AS VARCHAR), chr(0), '\u2400')"
        short = (
            f"CASE WHEN length({plain}) > {LONG_TEXT} "
            f"THEN left({plain}, 120) || '\u2026' || md5({plain}) ELSE {plain} END"
        )
        return f"CASE WHEN trim({plain}) = '' THEN NULL ELSE {short} END"

    def count(self, where: str = "") -> str:
        """How many rows of the file (for which `where` holds), as an SQL aggregate."""
        test = f" FILTER ({where})" if where else ""
        return f"coalesce(sum(weight){test}, 0)" if self.weighed else f"count(*){test}"

    def fetch(self, query: str, *, most: int = 0, **values: str) -> list[tuple[Any, ...]]:
        """The rows of `query`, in which {data} stands for the file and $name for one of `values`;
        at most `most` rows if given. A query without {data} is about tables of the connection."""
        with readable():
            result = self._run(query, values)
            return result.fetchmany(most) if most else result.fetchall()

    def stream(self, query: str, **values: str) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of `query` in batches, so that they need not all be held. No other query until it has ended."""
        with readable():
            result = self._run(query, values)
            while batch := result.fetchmany(2_000):
                yield batch

    def arrays(self, query: str, **values: str) -> dict[str, Any]:
        """The result's columns as NumPy arrays, an entry for each row; the query must leave no NULL.

        A query of the file selects {each} last, which is how often the row counts.
        """
        with readable():
            found: dict[str, Any] = self._run(query, values).fetchnumpy()
        times = found.pop("weight", None)
        if times is None:
            return found
        return {name: np.repeat(array, times) for name, array in found.items()}

    def counted(self, names: Sequence[str], *, most: int = 0) -> list[tuple[Any, ...]]:
        """The rows grouped by these columns as categories, with their number; at most `most` groups.

        Grouped by the raw values first, so that the categories are formed once per value and not per row.
        """
        raw = ", ".join(f"{self.raw(name)} AS r{index}" for index, name in enumerate(names))
        named = ", ".join(f"{self.text(name, f'r{i}')} AS g{i}" for i, name in enumerate(names))
        inner = f"SELECT {raw + ', ' if raw else ''}{self.count()} AS n FROM {{data}} GROUP BY ALL"
        outer = f"SELECT {named + ', ' if named else ''}sum(n) FROM ({inner}) GROUP BY ALL"
        return [(*row[:-1], int(row[-1])) for row in self.fetch(outer, most=most)]

    def held(self, names: Sequence[str]) -> Source:
        """The same file with these columns read once: a CSV is not parsed again for every question.

        They lie in a table of the connection that spills to the scratch folder. Parquet needs no such copy.
        A name the file does not have is answered later, by the question that asks for it.
        """
        if self.weighed or self.relation.startswith("read_parquet"):
            return self
        known = [name for name in dict.fromkeys(names) if name in self.columns]
        wanted = ", ".join(f"c{self.columns[name][0]}" for name in known) or "1 AS row"
        self.fetch(f"CREATE TEMP TABLE held AS SELECT {wanted} FROM {{data}}")
        return replace(self, relation="held", parameters={})

    def gathered(
        self, names: Sequence[str], *, binned: tuple[str, Sequence[str]] | None = None
    ) -> Source:
        """What the questions about these columns together are put to: here the file itself. See `warehouse`.

        `binned` is one of them of which only the bin matters, with the inner edges as decimal strings.
        """
        del names, binned
        return self

    def score_cells(self, names: Sequence[str], score: str, unit: int) -> str:
        """A table in SQL: the rows by the raw values r0, r1, ... of these columns, by `state` (score, missing, outside) and
        tenth (`bin`) of the score; their number n, and the sums of the scores and of their squares in 1/unit.

        TRY_CAST: DuckDB may cast before it looks at the condition, and then breaks off at a NaN.
        """
        keys = ", ".join(f"{self.raw(name)} AS r{place}" for place, name in enumerate(names))
        number = self.number(score)
        inside = f"{number} >= 0 AND {number} <= 1"
        return f"""(
            SELECT {keys},
                CASE WHEN {number} IS NULL OR isnan({number}) THEN 'missing'
                     WHEN {number} < 0 OR {number} > 1 THEN 'outside' ELSE 'score' END AS state,
                CASE WHEN {inside} THEN least(TRY_CAST(floor({number} * 10) AS INTEGER), 9) ELSE 0 END AS bin,
                count(*) AS n,
                sum(CASE WHEN {inside} THEN TRY_CAST(round({number} * {unit}) AS BIGINT) ELSE 0 END) AS total,
                sum(CASE WHEN {inside}
                         THEN TRY_CAST(round({number} * {number} * {unit}) AS BIGINT) ELSE 0 END) AS squares
            FROM {{data}} GROUP BY ALL)"""

    def numbered(self) -> Source:
        """The same data with a column `place`, which no two rows share: the number of the file, then that of the row in it.

        Of a CSV only what is `held` can be numbered: a line of the text has no number of its own.
        """
        place = "rowid"
        if self.relation.startswith("read_parquet"):
            place = "CAST((file_index << 32) + file_row_number AS BIGINT)"
        return replace(self, relation=f"(SELECT {place} AS place, * FROM {self.relation})")

    def rows(self) -> int:
        """How many rows the file has."""
        return int(self.fetch(f"SELECT {self.count()} FROM {{data}}")[0][0])

    def _run(self, query: str, values: Mapping[str, str]) -> duckdb.DuckDBPyConnection:
        path: Mapping[str, list[str]] = self.parameters if "{data}" in query else {}
        return self.connection.execute(
            query.format(data=self.relation, each=", weight" if self.weighed else ""),
            {**path, **values},
        )

    def _find(self, name: str) -> tuple[int, Column]:
        try:
            return self.columns[name]
        except KeyError:
            raise Invalid(f"there is no column {name!r}", fields={name: "no such column"}) from None


_PLAIN = {"time": "dates or times", "other": "nested or binary values"}


def _whole(value: str) -> str:
    """A DOUBLE as text: 1 for 1.0, the shortest form otherwise, NULL for NaN."""
    return (
        f"CASE WHEN {value} IS NULL OR isnan({value}) THEN NULL "
        f"WHEN isfinite({value}) AND {value} = floor({value}) AND abs({value}) < 1e15 "
        f"THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"
    )


@contextmanager
def opened(
    path: Path,
    format: Format,
    columns: Sequence[Column],
    *,
    caps: Caps,
    scratch: Path,
    more: Sequence[Path] = (),
) -> Iterator[Source]:
    """The file, and the parts after it (`more`), ready to be counted as one. `columns` is what `inspect` found, in order.

    Does not verify a file's digest: whoever opens a stored file checks that first.
    """
    paths = [path, *more]
    connection = locked(paths, caps, scratch)
    try:
        relation, parameters = _relation(paths, format, columns)
        by_name = {column.name: (index, column) for index, column in enumerate(columns)}
        yield Source(connection, by_name, caps, relation, parameters)
    finally:
        connection.close()


@contextmanager
def raw(
    path: Path,
    format: Format,
    names: Sequence[str],
    caps: Caps,
    scratch: Path,
    more: Sequence[Path] = (),
) -> Iterator[Source]:
    """The file while its columns' kinds are still unknown (see `inspect`)."""
    unknown = [Column(name, "other") for name in names]
    with opened(path, format, unknown, caps=caps, scratch=scratch, more=more) as source:
        yield source


def _relation(
    paths: Sequence[Path], format: Format, columns: Sequence[Column]
) -> tuple[str, dict[str, list[str]]]:
    """SQL naming the columns c0, c1, ... whatever they are called (names may differ in case only)."""
    aliases = ", ".join(f"c{index}" for index in range(len(columns)))
    if format == "parquet":
        reader = "read_parquet($path, hive_partitioning=false)"
    else:
        types = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(columns)))
        reader = f"read_csv($path, {_CSV_OPTIONS}, columns={{{types}}})"
    return f"{reader} AS data({aliases})", {"path": [str(path) for path in paths]}


def locked(paths: Sequence[Path], caps: Caps, scratch: Path) -> duckdb.DuckDBPyConnection:
    """A connection that may open these paths and its scratch folder, nothing else."""
    connection = duckdb.connect(
        config={
            "threads": caps.threads,
            "memory_limit": caps.memory,
            "temp_directory": str(scratch),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # A column is read once or twice: kept pieces of the file would only fill the memory.
            "enable_external_file_cache": False,
        }
    )
    if paths:
        quoted = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
        connection.execute(f"SET allowed_paths = [{quoted}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


@contextmanager
def readable() -> Iterator[None]:
    """Turns DuckDB's complaints about the file into Invalid, without its paths and without the data."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise Invalid("the file needs more memory than one check may use") from error
    except duckdb.Error as error:
        raise Invalid(f"the file cannot be read: {_cause(str(error))}") from error


_LINE = re.compile(r"CSV Error on Line: (\d+)")
_WIDTH = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_CAUSES = (
    ("unterminated quote", "a quotation mark is not closed, or text follows a closing one"),
    ("unicode", "not UTF-8 text"),
    ("line size", "longer than a line may be"),
    ("Parquet", "damaged or truncated Parquet"),
    ("parquet", "damaged or truncated Parquet"),
    ("TProtocol", "damaged or truncated Parquet"),
    ("ecompress", "damaged or truncated Parquet"),
    ("don't know what type", "damaged or truncated Parquet"),
)


def _cause(message: str) -> str:
    line = _LINE.search(message)
    where = f"line {line[1]}: " if line else ""
    width = _WIDTH.search(message)
    if width:
        return f"{where}{width[2]} values, the header names {width[1]} columns"
    for word, cause in _CAUSES:
        if word in message:
            return where + cause
    return f"{where}{message.splitlines()[0][:160]}" if not line else f"{where}not well-formed CSV"
