"""Files that are not what they should be: a clear reason, never a crash, nothing half-written."""

from __future__ import annotations

import gzip
import io
import math
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.checks.engine.inspect import inspect
from apps.checks.engine.source import Caps, opened
from apps.core.errors import Invalid
from tests.checks.support import CAPS, GOOD, distinct, parquet_bytes


def parquet_of(frame: pd.DataFrame) -> bytes:
    return parquet_bytes(frame).getvalue()


def huge_rows() -> bytes:
    """Two million equal values in a few kilobytes."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({"v": pa.array([1] * 2_000_000).dictionary_encode()}), buffer)
    return buffer.getvalue()


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "header only": (b"y,p,s,g\n", "a header and no rows"),
    "blank": (b"\n\n\n", "no columns"),
    "not utf-8": (b"y,p\n1,\xff\xfe\n", "not UTF-8"),
    "ends within a character": ("y,p\n1,é".encode()[:-1], "not UTF-8"),
    "nul bytes": (b"y,p\n1,\x00\n", "NUL"),
    "binary": (bytes(range(256)) * 10, "not UTF-8"),
    "duplicate columns": (b"y,p,y\n1,1,1\n", "more than once: y"),
    "nameless column": (b"y,,p\n1,1,1\n", "column 2 has no name"),
    "row too short": (b"y,p\n1,1\n1\n", "line 3: 1 values, the header names 2"),
    "row too long": (b"y,p\n1,1\n1,0,0\n", "line 3: 3 values, the header names 2"),
    "open quotation mark": (b'y,p\n1,"1\n', "quotation mark"),
    "open quotation mark in header": (b'y,"p\n1,1\n', "quotation mark|no CSV header|no rows"),
    "semicolons": (b"y;p\n1;1\n", "separated by commas"),
    "gzip": (gzip.compress(b"y,p\n1,1\n"), "compressed \\(gzip\\)"),
    "zip": (b"PK\x03\x04" + b"\0" * 40, "compressed \\(zip\\)"),
    "a line without end": (b"y,p\n" + b"x" * 5_000_000 + b",1\n", "line 2"),
    "long column name": (b"y," + b"p" * 300 + b"\n1,1\n", "longer than 200"),
    "truncated parquet": (parquet_of(GOOD)[:-20], "truncated"),
    "parquet without an end": (b"PAR1" + b"\0" * 100, "truncated"),
    "parquet with a broken footer": (b"PAR1" + b"\0" * 100 + b"\xff\xff\xff\x7fPAR1", "footer"),
    "damaged parquet": (
        parquet_of(GOOD)[:4] + b"\xff" * 60 + parquet_of(GOOD)[64:],
        "Parquet|cannot be read",
    ),
    "parquet without rows": (parquet_of(GOOD[:0]), "a header and no rows"),
    "more rows than allowed": (huge_rows(), "rows; at most"),
    "wide": (
        b",".join(b"c%d" % i for i in range(3000)) + b"\n" + b"1," * 2999 + b"1\n",
        "columns; at most",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_clean_data_is_refused_with_the_reason(tmp_path, name):
    content, reason = FILES[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Invalid, match=reason) as refusal:
        inspect(path, caps=Caps(max_rows=1_000_000, memory="200MB"), scratch=tmp_path)
    assert set(refusal.value.fields) == {"file"}
    assert str(tmp_path) not in str(refusal.value)


def test_a_csv_of_too_many_rows_is_not_cut_but_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"y,p\n" + b"1,1\n" * 5_000)
    with pytest.raises(Invalid, match="more than 1"):
        inspect(path, caps=Caps(max_rows=1_000), scratch=tmp_path)


def test_a_file_larger_than_allowed_is_refused(tmp_path):
    path = tmp_path / "large.csv"
    path.write_bytes(b"y,p\n" + b"1,1\n" * 100)
    with pytest.raises(Invalid, match="bytes; at most"):
        inspect(path, caps=Caps(max_bytes=100), scratch=tmp_path)


def test_a_file_is_judged_by_content_and_not_by_what_it_is_called(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(parquet_of(GOOD))
    assert inspect(path, caps=CAPS, scratch=tmp_path).format == "parquet"
    with pytest.raises(Invalid, match="said to be csv"):
        inspect(path, expected="csv", caps=CAPS, scratch=tmp_path)


def test_kinds_of_columns_are_told_by_content(tmp_path):
    path = tmp_path / "kinds.csv"
    path.write_bytes(b"number,word,zip,empty,mixed\n1.5,a,02139,,1\n-2e3,b,10001,,x\n")
    found = {c.name: c.kind for c in inspect(path, caps=CAPS, scratch=tmp_path).columns}
    assert found == {
        "number": "number",
        "word": "text",
        "zip": "text",
        "empty": "empty",
        "mixed": "text",
    }


def test_kinds_of_parquet_columns(tmp_path):
    table = pa.table(
        {
            "i": pa.array([1, 2], pa.uint8()),
            "d": pa.array([Decimal("1.50"), Decimal("2.00")], pa.decimal128(10, 2)),
            "b": [True, None],
            "t": pa.array(["x", "y"]).dictionary_encode(),
            "day": pa.array([0, 1], pa.date32()),
            "list": [[1], [2]],
            "null": pa.nulls(2),
            "nan": [math.nan, math.nan],
        }
    )
    pq.write_table(table, tmp_path / "kinds.parquet")
    found = inspect(tmp_path / "kinds.parquet", caps=CAPS, scratch=tmp_path)
    kinds = {c.name: c.kind for c in found.columns}
    assert kinds == {
        "i": "number",
        "d": "number",
        "b": "boolean",
        "t": "text",
        "day": "time",
        "list": "other",
        "null": "empty",
        "nan": "empty",
    }
    assert {c.name: c.missing for c in found.columns}["b"] == 1


@pytest.mark.parametrize(
    "name", ["y'); DROP TABLE x; --", 'a"b', "{data}", "$path", "Ünïcode 🙂", "select"]
)
def test_column_names_are_data_and_never_sql(tmp_path, name):
    frame = GOOD.rename(columns={"y": name})
    for write, suffix in ((frame.to_parquet, "parquet"), (frame.to_csv, "csv")):
        path = tmp_path / f"odd.{suffix}"
        write(path, index=False)
        profile = inspect(path, caps=CAPS, scratch=tmp_path)
        with opened(path, profile.format, profile.columns, caps=CAPS, scratch=tmp_path) as source:
            values = distinct(source, name)
        assert sorted(values) == ["0", "1"]


def test_names_that_differ_in_case_only_are_different_columns(tmp_path):
    frame = pd.DataFrame({"Age": [1, 1], "age": [2, 2]})
    frame.to_parquet(tmp_path / "case.parquet", index=False)
    profile = inspect(tmp_path / "case.parquet", caps=CAPS, scratch=tmp_path)
    with opened(
        tmp_path / "case.parquet", "parquet", profile.columns, caps=CAPS, scratch=tmp_path
    ) as source:
        assert distinct(source, "Age") == ["1"]
        assert distinct(source, "age") == ["2"]


def test_a_file_cannot_make_the_engine_read_another_one(tmp_path):
    path = tmp_path / "data.parquet"
    GOOD.to_parquet(path)
    scratch = tmp_path / "scratch"  # what spills goes there, and nothing else is written
    scratch.mkdir()
    profile = inspect(path, caps=CAPS, scratch=scratch)
    with opened(path, "parquet", profile.columns, caps=CAPS, scratch=scratch) as source:
        for query in (
            "SELECT * FROM read_csv('/etc/passwd')",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "SET threads = 8",
            "INSTALL httpfs",
        ):
            with pytest.raises(Invalid):
                source.fetch(query)


def test_texts_with_nul_and_long_texts_stay_different_and_storable(tmp_path):
    long = "x" * 1000
    frame = pd.DataFrame({"c": ["a\0b", long + "1", long + "2", "a\0b"]})
    frame.to_parquet(tmp_path / "odd.parquet", index=False)
    profile = inspect(tmp_path / "odd.parquet", caps=CAPS, scratch=tmp_path)
    with opened(
        tmp_path / "odd.parquet", "parquet", profile.columns, caps=CAPS, scratch=tmp_path
    ) as source:
        found = distinct(source, "c")
    assert len(found) == 3
    assert all("\0" not in text and len(text) <= 200 for text in found)


def test_reading_with_little_memory_spills_to_disk(tmp_path):
    """A million distinct categories under 60 MB."""
    pq.write_table(
        pa.table({"c": [f"value-{i:09d}" for i in range(1_000_000)]}), tmp_path / "many.parquet"
    )
    caps = Caps(memory="60MB", threads=1)
    profile = inspect(tmp_path / "many.parquet", caps=caps, scratch=tmp_path)
    with opened(
        tmp_path / "many.parquet", "parquet", profile.columns, caps=caps, scratch=tmp_path
    ) as source:
        assert len(distinct(source, "c", most=10)) == 10
