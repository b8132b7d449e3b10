"""CSV that a spreadsheet shows and never executes."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.flat import encoded, safe


@pytest.mark.parametrize("number", ["-0.05", "+3", "0", "1e-07", "-2.5E+10", "12"])
def test_a_plain_number_stays_as_it_is(number: str) -> None:
    assert safe(number) == number


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "  '=1"),
        ("\t=1", " '=1"),
        ("\r\n=1", " '=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("a\n=1", "a =1"),
        ("-", "'-"),
        ("-1\u00a0000", "'-1\u00a0000"),
        ("\u0661", "\u0661"),
        ("-\u0661", "'-\u0661"),  # a digit, not a plain one
        ("Female × Black", "Female × Black"),
        ("a-b=c@d", "a-b=c@d"),
        ("", ""),
    ],
)
def test_what_could_begin_a_formula_becomes_text(text: str, cell: str) -> None:
    assert safe(text) == cell


def test_a_file_is_read_back_and_every_record_is_one_line() -> None:
    records = [("a", 'with "marks", commas', "line\nbreak"), ("=x", "", "-1")]
    data = b"".join(encoded(records)).decode("utf-8")
    assert data.count("\r\n") == 2
    assert "\n" not in data.replace("\r\n", "")
    assert list(csv.reader(io.StringIO(data))) == [
        ["a", 'with "marks", commas', "line break"],
        ["'=x", "", "-1"],
    ]


def test_a_long_file_comes_in_chunks_and_whole() -> None:
    chunks = list(encoded((str(number), "x") for number in range(10_000)))
    assert len(chunks) > 10
    assert max(map(len, chunks)) < 20_000
    rows = list(csv.reader(io.StringIO(b"".join(chunks).decode())))
    assert [row[0] for row in rows] == [str(number) for number in range(10_000)]


@given(st.lists(st.lists(st.text(), min_size=1, max_size=4), max_size=5))
def test_no_cell_of_any_text_begins_like_a_formula(records: list[list[str]]) -> None:
    data = b"".join(encoded(records)).decode("utf-8")
    rows = list(csv.reader(io.StringIO(data)))
    assert [len(row) for row in rows] == [len(record) for record in records]
    for cell in (cell for row in rows for cell in row):
        for part in cell.split(";"):
            begins = part.lstrip()[:1] in {*"=+-@\uff1d\uff0b\uff0d\uff20"} - {""}
            assert not begins or (safe(cell) == cell and _is_number(cell))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
