"""What is in this file? Format by content, columns with their kinds, number of rows; or why not.

Steps: 1 size, 2 format by content, 3 header (CSV) or footer (Parquet), 4 names, 5 rows and kinds in one
pass. Several files at once: `folders`. Not checked: that the values make sense; that is what the mapping's validation and the checks do.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
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
_IS_TABLE = (
    "a JSON table; such a one is taken from the files of a run, where mlflow.log_table puts it"
)
_TABLE = re.compile(rb'\s*\{\s*"(?:columns|data|index)"\s*:')


@dataclass(frozen=True, slots=True)
class Profile:
    """A readable file."""

    format: Format
    rows: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself before its rows are read. A CSV says the names of its columns only."""

    format: Format
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...] = ()
    rows: int = 0
    unpacked: int = 0


def inspect(path: Path, *, expected: str = "", caps: Caps, scratch: Path) -> Profile:
    """Read the whole file once. Raises Invalid (field "file") for anything that is not clean data."""
    head = head_of(path, expected=expected, caps=caps)
    check_size(head.rows, head.unpacked, caps)
    try:
        with raw(path, head.format, head.names, caps, scratch) as source:
            return profile(source, head)
    except Invalid as error:
        raise refused(error.message) from error


def head_of(path: Path, *, expected: str = "", caps: Caps) -> Head:
    """Steps 1 to 4, without the rows. Raises Invalid (field "file")."""
    size = path.stat().st_size
    if not size:
        raise refused("the file is empty")
    if size > caps.max_bytes:
        raise refused(f"{grouped(size)} bytes; at most {grouped(caps.max_bytes)} are taken")
    format = sniff(path, size)
    if expected and expected != format:
        raise refused(f"said to be {expected}, but its content is {format}")
    head = Head("csv", tuple(_csv_names(path))) if format == "csv" else _footer(path)
    _check_names(head.names, caps)
    return head


def check_size(rows: int, unpacked: int, caps: Caps) -> None:
    """Whether what Parquet footers announce may be read; Invalid (field "file")."""
    if rows > caps.max_rows:
        raise refused(f"{grouped(rows)} rows; at most {grouped(caps.max_rows)} are taken")
    if unpacked > caps.max_unpacked_bytes:
        raise refused(f"{grouped(unpacked)} bytes when unpacked: more than one check may read")


def is_table(path: Path) -> bool:
    """Whether the content begins like the JSON that `mlflow.log_table` writes."""
    with path.open("rb") as file:
        return _TABLE.match(file.read(64)) is not None


def sniff(path: Path, size: int) -> Format:
    """The format by content, never by name."""
    with path.open("rb") as file:
        head = file.read(64)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if head.startswith(_MAGIC):
        if tail != _MAGIC or size < 12:
            raise refused("a Parquet file that ends too early (truncated?)")
        return "parquet"
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            raise refused(f"compressed ({name}); unpack it, or use Parquet")
    if _TABLE.match(head):
        raise refused(_IS_TABLE)
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
                raise refused(f"not UTF-8 text (byte {grouped(read + error.start)})") from error
            if b"\0" in chunk:
                raise refused("neither Parquet nor text: it holds NUL bytes")
            read += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise refused("not UTF-8 text (it ends within a character)") from error


def _csv_names(path: Path) -> list[str]:
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    text = head.decode("utf-8-sig", errors="ignore")
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except csv.Error as error:
        raise refused(f"the first line is no CSV header: {error}") from error
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise refused("only one column found; values must be separated by commas")
    return [name.strip() for name in names]


def _footer(path: Path) -> Head:
    try:
        with pq.ParquetFile(path) as file:
            metadata, schema = file.metadata, file.schema_arrow
    except (pa.ArrowException, OSError, ValueError) as error:
        raise refused("a Parquet file whose footer cannot be read (truncated?)") from error
    unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    types = tuple(map(_plain_type, schema.types))
    return Head("parquet", tuple(schema.names), types, metadata.num_rows, unpacked)


def _plain_type(type_: pa.DataType) -> pa.DataType:
    """The type without how a writer stored it: dictionaries and large strings are the same text."""
    if pa.types.is_dictionary(type_):
        return _plain_type(type_.value_type)
    if pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return pa.string()
    return type_


def _check_names(names: Sequence[str], caps: Caps) -> None:
    if not names or names == [""]:
        raise refused("no columns found")
    if len(names) > caps.max_columns:
        raise refused(
            f"{grouped(len(names))} columns; at most {grouped(caps.max_columns)} are taken"
        )
    if any(not name for name in names):
        raise refused(f"column {list(names).index('') + 1} has no name")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise refused(f"column names occur more than once: {listed(twice)}")
    odd = [name for name in names if len(name) > 200 or not name.isprintable()]
    if odd:
        raise refused(
            f"a column name is longer than 200 characters or not printable: {odd[0][:60]!r}"
        )


def profile(source: Source, head: Head) -> Profile:
    """Step 5: rows and kinds in one pass over the open data set. Raises Invalid."""
    kinds, missing, rows = counted(source, head)
    return Profile(
        head.format, _rows(rows, source.caps), tuple(map(Column, head.names, kinds, missing))
    )


def counted(source: Source, head: Head) -> tuple[list[Kind], list[int], int]:
    """Each column's kind and missing values, and the rows, of which there may be none. Raises Invalid for what cannot be read."""
    return _typed(source) if head.format == "parquet" else _told_by_content(source, len(head.names))


def _typed(source: Source) -> tuple[list[Kind], list[int], int]:
    declared = [_declared(row[1]) for row in source.fetch("DESCRIBE SELECT * FROM {data}")]
    counts = source.fetch(_count_query([_missing(i, kind) for i, kind in enumerate(declared)]))[0]
    return _emptied(declared, counts), list(counts[1:]), int(counts[0])


def _told_by_content(source: Source, width: int) -> tuple[list[Kind], list[int], int]:
    present = [f"count(c{i})" for i in range(width)]
    numeric = [f"count(CASE WHEN {_is_number(i)} THEN 1 END)" for i in range(width)]
    limited = f"(SELECT * FROM {{data}} LIMIT {source.caps.max_rows + 1})"
    found = source.fetch(f"SELECT count(*), {', '.join(present + numeric)} FROM {limited}")[0]
    rows = int(found[0])
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


def refused(reason: str) -> Invalid:
    """What is raised about a file: the reason beside the form's field, and in a sentence."""
    return Invalid(f"This file cannot be used: {reason}.", fields={"file": reason})
