"""Text as CSV that a spreadsheet shows and never executes. Pure.

RFC 4180 with every cell in quotation marks, UTF-8 without a byte order mark, a line break ends a record and stands nowhere
else. What comes from data (names of columns, groups, files) can begin like a formula: an apostrophe before it makes it text
(OWASP, *CSV Injection*), at the start of a cell and behind a semicolon, which separates cells where commas are decimal
points. A plain number may begin with a sign and stays as it is. Does not guard against programs that execute text.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SPACE: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_FORMULA: Final = re.compile(r"(^|;)(\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
_RECORDS: Final = 500


def is_number(text: str) -> bool:
    """Whether it is a decimal number in plain ASCII, which no program takes for anything else."""
    return _NUMBER.fullmatch(text) is not None


def safe(text: str) -> str:
    """The text as one cell: control characters become a space, the start of a formula gets its apostrophe."""
    if is_number(text):
        return text
    return _FORMULA.sub(r"\1\2'", _SPACE.sub(" ", text))


def encoded(records: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """The records as CSV, some hundred at a time, so that a long file is never in memory whole."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for number, record in enumerate(records, 1):
        writer.writerow([safe(cell) for cell in record])
        if number % _RECORDS == 0:
            yield _taken(buffer)
    if buffer.tell():
        yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    """What was written since, which cannot hold a lone surrogate unless a name did."""
    data = buffer.getvalue().encode("utf-8", "replace")
    buffer.seek(0)
    buffer.truncate()
    return data
