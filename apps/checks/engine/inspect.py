"""What is in this file? Format by content, columns with their kinds, number of rows; or why not.

Steps: 1 size, 2 format by content, 3 header (CSV) or footer (Parquet), 4 names, 5 rows and kinds in one
pass. Not checked: that the values make sense; that is what the mapping's validation and the checks do.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from apps.checks.engine.source import Caps, Column, Format, Kind, Source, raw
from apps.checks.numbers import grouped, listed
from apps.core.errors import Invalid

_MAGIC = b"PAR1"
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"(\xb5/\xfd": "zstd",
}
_HEADER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Profile:
    """A readable file."""

    format: Format
    rows: int
    columns: tuple[Column, ...]


def inspect(path: Path, *, expected: str = "", caps: Caps, scratch: Path) -> Profile:
    """Read the whole file once. Raises Invalid (field "file") for anything that is not clean data."""
    size = path.stat().st_size
    if not size:
        raise _refused("the file is empty")
    if size > caps.max_bytes:
        raise _refused(f"{grouped(size)} bytes; at most {grouped(caps.max_bytes)} are taken")
    format = sniff(path, size)
    if expected and expected != format:
        raise _refused(f"said to be {expected}, but its content is {format}")
    names = _csv_names(path) if format == "csv" else _parquet_names(path, caps)
    _check_names(names, caps)
    try:
        with raw(path, format, names, caps, scratch) as source:
            kinds, missing, rows = _profile(source, format, names)
    except Invalid as error:
        raise _refused(error.message) from error
    columns = tuple(map(Column, names, kinds, missing))
    return Profile(format, rows, columns)


def sniff(path: Path, size: int) -> Format:
    """The format by content, never by name."""
    with path.open("rb") as file:
        head = file.read(8)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if head.startswith(_MAGIC):
        if tail != _MAGIC or size < 12:
            raise _refused("a Parquet file that ends too early (truncated?)")
        return "parquet"
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            raise _refused(f"compressed ({name}); unpack it, or use Parquet")
    _check_text(path)
    return "csv"


def _check_text(path: Path) -> None:
    """UTF-8 without NUL from the first to the last byte."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _refused(f"not UTF-8 text (byte {grouped(read + error.start)})") from error
            if b"\0" in chunk:
                raise _refused("neither Parquet nor text: it holds NUL bytes")
            read += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _refused("not UTF-8 text (it ends within a character)") from error


def _csv_names(path: Path) -> list[str]:
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    text = head.decode("utf-8-sig", errors="ignore")
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except csv.Error as error:
        raise _refused(f"the first line is no CSV header: {error}") from error
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise _refused("only one column found; values must be separated by commas")
    return [name.strip() for name in names]


def _parquet_names(path: Path, caps: Caps) -> list[str]:
    try:
        with pq.ParquetFile(path) as file:
            metadata, names = file.metadata, file.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _refused("a Parquet file whose footer cannot be read (truncated?)") from error
    if metadata.num_rows > caps.max_rows:
        raise _refused(
            f"{grouped(metadata.num_rows)} rows; at most {grouped(caps.max_rows)} are taken"
        )
    unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if unpacked > caps.max_unpacked_bytes:
        raise _refused(f"{grouped(unpacked)} bytes when unpacked: more than one check may read")
    return list(names)


def _check_names(names: list[str], caps: Caps) -> None:
    if not names or names == [""]:
        raise _refused("no columns found")
    if len(names) > caps.max_columns:
        raise _refused(
            f"{grouped(len(names))} columns; at most {grouped(caps.max_columns)} are taken"
        )
    if any(not name for name in names):
        raise _refused(f"column {names.index('') + 1} has no name")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise _refused(f"column names occur more than once: {listed(twice)}")
    odd = [name for name in names if len(name) > 200 or not name.isprintable()]
    if odd:
        raise _refused(
            f"a column name is longer than 200 characters or not printable: {odd[0][:60]!r}"
        )


def _profile(source: Source, format: Format, names: list[str]) -> tuple[list[Kind], list[int], int]:
    if format == "parquet":
        declared = [_declared(row[1]) for row in source.fetch("DESCRIBE SELECT * FROM {data}")]
        counts = source.fetch(_count_query([_missing(i, kind) for i, kind in enumerate(declared)]))[
            0
        ]
        return _emptied(declared, counts), list(counts[1:]), _rows(counts[0], source.caps)
    width = len(names)
    present = [f"count(c{i})" for i in range(width)]
    numeric = [f"count(CASE WHEN {_is_number(i)} THEN 1 END)" for i in range(width)]
    limited = f"(SELECT * FROM {{data}} LIMIT {source.caps.max_rows + 1})"
    found = source.fetch(f"SELECT count(*), {', '.join(present + numeric)} FROM {limited}")[0]
    rows = _rows(found[0], source.caps)
    kinds = [_by_content(found[1 + i], found[1 + width + i]) for i in range(width)]
    return kinds, [rows - found[1 + i] for i in range(width)], rows


def _rows(rows: int, caps: Caps) -> int:
    if rows > caps.max_rows:
        raise Invalid(f"more than {grouped(caps.max_rows)} rows")
    if not rows:
        raise Invalid("a header and no rows")
    return rows


def _count_query(expressions: list[str]) -> str:
    return f"SELECT count(*), {', '.join(expressions)} FROM {{data}}"


def _missing(index: int, kind: Kind) -> str:
    test = f"c{index} IS NULL"
    if kind == "number":
        test += f" OR isnan(CAST(c{index} AS DOUBLE))"
    if kind == "text":
        test += f" OR trim(CAST(c{index} AS VARCHAR)) = ''"
    return f"count(CASE WHEN {test} THEN 1 END)"


def _emptied(declared: list[Kind], counts: tuple[int, ...]) -> list[Kind]:
    """A column without any value is empty, whatever type the file declares for it."""
    return ["empty" if counts[1 + i] == counts[0] else kind for i, kind in enumerate(declared)]


def _is_number(index: int) -> str:
    """Reads as a number and is not a code with leading zeros such as 02139."""
    return f"TRY_CAST(c{index} AS DOUBLE) IS NOT NULL AND NOT regexp_matches(c{index}, '^\\s*[+-]?0[0-9]')"


def _by_content(present: int, numeric: int) -> Kind:
    if not present:
        return "empty"
    return "number" if numeric == present else "text"


_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


def _declared(type_name: str) -> Kind:
    """What a column type of DuckDB is to a check."""
    name = type_name.upper()
    if name.endswith("]") or name.startswith(("STRUCT", "MAP", "UNION", "BLOB", "BIT", "INTERVAL")):
        return "other"
    if name.removeprefix("U").startswith(_NUMBERS):
        return "number"
    if name == "BOOLEAN":
        return "boolean"
    if name.startswith(("DATE", "TIME")):
        return "time"
    return "text" if name.startswith(("VARCHAR", "ENUM", "UUID")) else "other"


def _refused(reason: str) -> Invalid:
    return Invalid(f"This file cannot be used: {reason}.", fields={"file": reason})
