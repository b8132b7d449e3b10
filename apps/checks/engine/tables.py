"""A JSON table as `mlflow.log_table` writes it, made into Parquet row by row: no table is held in memory.

What is read: `{"columns": [...], "data": [[...], ...]}`, pandas' orient "split" (an `index` is read over). JSON has no types
of columns, so they are told by content, of all rows:

  numbers            whole numbers as INT64, else DOUBLE; a column that mixes both must hold no whole number beyond 2^53
  true, false        BOOLEAN
  texts              TIMESTAMP where every one is a time as pandas writes it (2026-01-31T09:30:00.000, with or without Z)
  null only          an empty text column

Anything else is an error that names column and row: mixed types, lists and objects, rows of another length, NaN and
Infinity (no JSON; pandas writes null). Two passes: the first tells the types, the second writes.
"""

from __future__ import annotations

import codecs
import datetime as dt
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from apps.checks.engine.inspect import refused
from apps.checks.engine.source import Caps
from apps.checks.numbers import grouped
from apps.core.errors import Invalid

_PIECE = 1 << 20
_LONGEST_ROW = 8 << 20
_ROWS_AT_ONCE = 20_000
_EXACT = 2**53  # beyond it a DOUBLE does not hold every whole number
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z?")
_SPACE = re.compile(r"[ \t\r\n]*")

Told = Literal["whole", "wide", "real", "boolean", "time", "text"]
_TYPES: dict[frozenset[Told], pa.DataType] = {
    frozenset(): pa.string(),
    frozenset({"whole"}): pa.int64(),
    frozenset({"whole", "real"}): pa.float64(),
    frozenset({"real"}): pa.float64(),
    frozenset({"boolean"}): pa.bool_(),
    frozenset({"time"}): pa.timestamp("us"),
    frozenset({"text"}): pa.string(),
    frozenset({"text", "time"}): pa.string(),
    frozenset({"wide"}): pa.int64(),
    frozenset({"wide", "whole"}): pa.int64(),
}
_WORDS = {"whole": "numbers", "wide": "numbers", "real": "numbers", "boolean": "true and false"}


def to_parquet(path: Path, made: Path, caps: Caps) -> int:
    """Write the table at `path` as Parquet to `made`; the number of rows. Raises Invalid (field "file")."""
    names = _columns(path, caps)
    schema = pa.schema(
        [pa.field(*each) for each in zip(names, _types(path, names, caps), strict=True)]
    )
    rows = 0
    with pq.ParquetWriter(made, schema) as writer:
        for batch in _batches(_rows(path, caps)):
            writer.write_batch(_record_batch(batch, schema))
            rows += len(batch)
    return rows


def _columns(path: Path, caps: Caps) -> list[str]:
    with _Reader(path) as reader:
        for key in reader.members():
            if key == "columns":
                names = reader.value()
                break
            if key == "data":
                for _ in reader.items():
                    pass
            else:
                reader.skip()
        else:
            raise refused("a JSON table without columns")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise refused("a JSON table whose columns are not a list of names")
    if not names:
        raise refused("no columns found")
    if len(names) > caps.max_columns:
        most = grouped(caps.max_columns)
        raise refused(f"{grouped(len(names))} columns; at most {most} are taken")
    return names


def _types(path: Path, names: Sequence[str], caps: Caps) -> list[pa.DataType]:
    """Pass 1."""
    told: list[set[Told]] = [set() for _ in names]
    for number, row in enumerate(_rows(path, caps), start=1):
        if not isinstance(row, list) or len(row) != len(names):
            found = f"{len(row)} values" if isinstance(row, list) else "no list"
            raise refused(f"row {grouped(number)}: {found}, there are {len(names)} columns")
        for name, seen, value in zip(names, told, row, strict=True):
            if value is None:
                continue
            seen.add(_told(value, name, number))
            if frozenset(seen) not in _TYPES:
                raise refused(_mixed(name, seen, number))
    return [_TYPES[frozenset(seen)] for seen in told]


def _told(value: Any, name: str, number: int) -> Told:
    """What a value is; Invalid for one that no column of a table can hold."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise refused(f"column {name!r}, row {grouped(number)}: a whole number beyond 64 bits")
        return "whole" if abs(value) <= _EXACT else "wide"
    if isinstance(value, float):
        return "real"
    if isinstance(value, str):
        return "time" if _is_time(value) else "text"
    raise refused(f"column {name!r}, row {grouped(number)}: a list or object, not a single value")


def _is_time(value: str) -> bool:
    if not _TIME.fullmatch(value):
        return False
    try:
        _time(value)
    except ValueError:
        return False
    return True


def _time(value: str) -> dt.datetime:
    return dt.datetime.fromisoformat(value.removesuffix("Z"))


def _mixed(name: str, seen: set[Told], number: int) -> str:
    if seen <= {"whole", "wide", "real"}:
        return f"column {name!r}, row {grouped(number)}: fractions beside whole numbers beyond 2^53, which would lose digits"
    kinds = sorted({_WORDS.get(each, "texts") for each in seen})
    return f"column {name!r}, row {grouped(number)}: {' mixed with '.join(kinds)}"


def _rows(path: Path, caps: Caps) -> Iterator[Any]:
    """The members of `data`, one at a time; Invalid for more than may be read, or none at all."""
    count = 0
    with _Reader(path) as reader:
        found = False
        for key in reader.members():
            if key != "data":
                reader.skip()
                continue
            if found:
                raise refused("a JSON table with `data` twice")
            found = True
            for row in reader.items():
                count += 1
                if count > caps.max_rows:
                    raise refused(f"more than {grouped(caps.max_rows)} rows")
                yield row
    if not count:
        raise refused("a JSON table without rows")


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        yield batch


def _record_batch(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = []
    for field, values in zip(schema, zip(*rows, strict=True), strict=True):
        if pa.types.is_timestamp(field.type):
            values = tuple(None if value is None else _time(value) for value in values)
        columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _no_constant(name: str) -> NoReturn:
    raise refused(f"{name} stands in it, which is no JSON")


class _Reader:
    """The JSON text from left to right: the members of the outer object, the items of a list, one value at a time.

    Each value is parsed by the standard library as soon as it is whole; what was read is dropped. Raises Invalid with the
    place (in characters) where the text is not such JSON, and for a single value larger than a row may be.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder(parse_constant=_no_constant)
        self._text = ""
        self._at = 0
        self._before = 0
        self._over = False

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def members(self) -> Iterator[str]:
        """The keys of the outer object; after each the caller takes its value."""
        self._take("{")
        seen: set[str] = set()
        while not self._taken("}"):
            if seen:
                self._take(",")
            key = self.value()
            if not isinstance(key, str) or key in seen:
                raise self._wrong()
            seen.add(key)
            self._take(":")
            yield key
        if self._next():
            raise self._wrong()

    def items(self) -> Iterator[Any]:
        """The values of a list."""
        self._take("[")
        first = True
        while not self._taken("]"):
            if not first:
                self._take(",")
            first = False
            yield self.value()

    def skip(self) -> None:
        """Read over one value, item by item if it is a list."""
        if self._next() == "[":
            for _ in self.items():
                pass
        else:
            self.value()

    def value(self) -> Any:
        """One value, which must be followed by something: so a number is never cut."""
        self._next()
        asked = _PIECE
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._over:
                    cut = error.msg.startswith("Unterminated") or error.pos >= len(self._text)
                    raise self._wrong(cut=cut) from error
            except RecursionError as error:
                raise refused("lists or objects nested too deeply") from error
            else:
                if end < len(self._text) or self._over:
                    self._at = end
                    return found
            if len(self._text) - self._at > _LONGEST_ROW:
                raise self._wrong()
            self._more(asked)
            asked *= 2

    def _next(self) -> str:
        """The next character that is no space, "" at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._over:
                return ""
            self._more(_PIECE)

    def _taken(self, mark: str) -> bool:
        found = self._next() == mark
        self._at += found
        return found

    def _take(self, mark: str) -> None:
        if not self._taken(mark):
            raise self._wrong()

    def _more(self, size: int) -> None:
        piece = self._file.read(size)
        self._over = not piece
        try:
            text = self._utf8.decode(piece, final=self._over)
        except UnicodeDecodeError as error:
            raise refused("not UTF-8 text") from error
        self._before += self._at
        self._text, self._at = self._text[self._at :] + text, 0

    def _wrong(self, *, cut: bool = False) -> Invalid:
        where = grouped(self._before + self._at + 1)
        if cut or (self._over and not self._text[self._at :].strip()):
            return refused(f"a JSON table that ends too early (character {where}; truncated?)")
        return refused(f"not a JSON table as mlflow.log_table writes it (character {where})")
