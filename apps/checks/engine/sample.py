"""The first rows of a data file as a file of its own, for a look that has to be quick. Never for a measurement.

Only so much is read as these rows take: of Parquet batch by batch, of CSV line by line. The file's digest is not verified.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from apps.checks.engine.compute import DataSet
from apps.core.errors import Invalid

MOST_BYTES: Final = 32 * 1024**2
_QUOTE: Final = b'"'


def first_rows(data: DataSet, rows: int, folder: Path) -> DataSet:
    """The same data set with its first `rows` rows only, as files in `folder`.

    Raises Invalid for a file that cannot be read, and where these rows take more than MOST_BYTES.
    """
    place = Path(tempfile.mkdtemp(prefix="first-", dir=folder))
    taken: list[Path] = []
    left = rows
    for number, source in enumerate((data.path, *data.more)):
        if taken and left <= 0:
            break
        target = place / str(number)
        write = _first_lines if data.format == "csv" else _first_batches
        left -= write(source, left, target)
        taken.append(target)
    return replace(data, path=taken[0], more=tuple(taken[1:]))


def _first_batches(source: Path, rows: int, target: Path) -> int:
    try:
        with pq.ParquetFile(source, buffer_size=1 << 20, pre_buffer=False) as file:
            _require_small(file, rows)
            table = pa.Table.from_batches(_batches(file, rows), file.schema_arrow)
            pq.write_table(table, target)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Invalid("The first rows of the file cannot be read.") from error
    return int(table.num_rows)


def _batches(file: pq.ParquetFile, rows: int) -> Iterator[pa.RecordBatch]:
    for batch in file.iter_batches(batch_size=rows):
        yield batch.slice(0, rows)
        rows -= batch.num_rows
        if rows <= 0:
            return


def _require_small(file: pq.ParquetFile, rows: int) -> None:
    """By what the footer says of the groups of rows that are touched: a column is unpacked page by page."""
    left, size = rows, 0.0
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        if left <= 0:
            break
        size += group.total_byte_size * min(1.0, left / max(1, group.num_rows))
        left -= group.num_rows
    if size > MOST_BYTES:
        raise _too_large(rows)


def _first_lines(source: Path, rows: int, target: Path) -> int:
    """A record ends with the line after which every quotation mark is closed (RFC 4180): header and `rows` records."""
    records, size, is_open = 0, 0, False
    with source.open("rb") as file, target.open("xb") as written:
        while records <= rows and (line := file.readline(MOST_BYTES)):
            size += len(line)
            if size > MOST_BYTES:
                raise _too_large(rows)
            written.write(line)
            is_open ^= bool(line.count(_QUOTE) % 2)
            records += not is_open
    return records - 1


def _too_large(rows: int) -> Invalid:
    return Invalid(f"The first {rows} rows take more room than a preview may.")
