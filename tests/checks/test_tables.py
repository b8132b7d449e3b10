"""Tables as mlflow.log_table writes them: every value kept, types told by content, or an error that names the column."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.checks.engine import tables
from apps.checks.engine.inspect import inspect, is_table
from apps.checks.engine.source import Caps
from apps.core.errors import Invalid
from tests.checks.support import CAPS, GOOD, workshop


def converted(text: str | bytes, caps: Caps = CAPS) -> pa.Table:
    """What the text becomes."""
    folder = workshop().scratch
    path, made = folder / "table.json", folder / "table.parquet"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    rows = tables.to_parquet(path, made, caps)
    found = pq.read_table(made)
    assert found.num_rows == rows
    return found


def refused(text: str | bytes, caps: Caps = CAPS) -> str:
    with pytest.raises(Invalid) as refusal:
        converted(text, caps)
    return refusal.value.fields["file"].replace("\N{NO-BREAK SPACE}", " ")


def table(*rows: list[Any], columns: str = "a") -> str:
    return json.dumps({"columns": list(columns), "data": rows})


def test_a_frame_as_pandas_writes_it_comes_back_as_it_was():
    frame = GOOD.assign(
        when=pd.date_range("2026-01-01", periods=40, freq="h").astype("datetime64[us]"),
        flag=GOOD["y"] == 1,
        code=["02139"] * 40,
    )
    text = frame.to_json(orient="split", index=False, date_format="iso", double_precision=15)
    found = converted(text)
    assert [str(type_) for type_ in found.schema.types] == [
        "int64", "int64", "double", "string", "timestamp[us]", "bool", "string",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(found.to_pandas(), frame)


def test_with_an_index_and_in_another_order_of_members_it_is_the_same():
    one = table([1], [2])
    other = '{ "index":[0,1], "data" : [ [1] , [2] ],\n "columns" : ["a"] }\n'
    assert converted(one) == converted(other)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 3], "int64"),
        ([1, 2.5, None], "double"),
        ([True, None], "bool"),
        (["1", "2"], "string"),
        (["2026-01-31T09:30:00.000", None], "timestamp[us]"),
        (["2026-01-31T09:30:00.000Z", "2026-01-31T09:30:00"], "timestamp[us]"),
        (["2026-01-31T09:30:00.000", "soon"], "string"),
        (["2026-13-31T09:30:00.000"], "string"),
        (["2026-01-31"], "string"),
        ([None, None], "string"),
        ([2**53 + 1, 1], "int64"),
        ([-(2**63), 2**63 - 1], "int64"),
    ],
)
def test_the_type_is_told_by_content_and_no_value_changes(values, expected):
    found = converted(table(*[[value] for value in values]))
    assert str(found.schema.field("a").type) == expected
    if expected not in {"timestamp[us]", "double"}:
        assert found["a"].to_pylist() == values


def test_times_are_kept_to_the_microsecond():
    found = converted(table(["2026-01-31T09:30:00.123456Z"]))
    assert found["a"].to_pylist() == [dt.datetime(2026, 1, 31, 9, 30, 0, 123456)]  # noqa: DTZ001


REFUSED: list[tuple[str | bytes, str]] = [
    (table([1], ["x"]), "column 'a', row 2: numbers mixed with texts"),
    (table([True], [1]), "column 'a', row 2: numbers mixed with true and false"),
    (table([1, {"type": "image"}], columns="ab"), "column 'b', row 1: a list or object"),
    (table([[1, 2]]), "column 'a', row 1: a list or object"),
    (table([2**53 + 1], [0.5]), "column 'a', row 2: fractions beside whole numbers beyond 2^53"),
    (table([2**63]), "column 'a', row 1: a whole number beyond 64 bits"),
    (table([1], [1, 2]), "row 2: 2 values, there are 1 columns"),
    ('{"columns":["a"],"data":[[1],2]}', "row 2: no list"),
    ('{"columns":["a"],"data":[[NaN]]}', "NaN stands in it"),
    ('{"columns":["a"],"data":[[Infinity]]}', "Infinity stands in it"),
    ('{"columns":["a"],"data":[]}', "without rows"),
    ('{"columns":["a"]}', "without rows"),
    ('{"data":[[1]]}', "without columns"),
    ('{"columns":[],"data":[[]]}', "no columns found"),
    ('{"columns":"a","data":[[1]]}', "not a list of names"),
    ('{"columns":[1],"data":[[1]]}', "not a list of names"),
    ('{"columns":["a"],"data":[[1]],"data":[[2]]}', "not a JSON table"),
    ('{"columns":["a"],"data":[[1]]} x', "not a JSON table"),
    ('{"columns":["a"],"data":[[1] [2]]}', "not a JSON table"),
    ('{"columns":["a"],"data":[[1],]}', "not a JSON table"),
    ('{"columns":["a"],"data":{"a":[1]}}', "not a JSON table"),
    ('{"columns":["a"],"data":[[1],[2', "ends too early"),
    ('{"columns":["a"],"data":[[1],[2]]', "ends too early"),
    (b'{"columns":["a"],"data":[["\xff"]]}', "not UTF-8"),
    ('{"columns":["a"],"data":[[' + "[" * 200_000, "nested too deeply"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_is_no_table_of_single_values_is_refused_with_the_reason(text, reason):
    assert reason in refused(text)


@pytest.mark.parametrize(
    ("caps", "reason"),
    [(replace(CAPS, max_rows=1), "more than 1 rows"), (replace(CAPS, max_columns=1), "2 columns")],
)
def test_more_than_one_check_may_read_is_refused(caps, reason):
    assert reason in refused(table([1, 2], [3, 4], columns="ab"), caps)


def test_a_single_value_without_end_is_not_read_to_the_end(tmp_path):
    path = tmp_path / "long.json"
    path.write_text('{"columns":["a"],"data":[["' + "x" * (40 << 20) + '"]]}')
    with pytest.raises(Invalid, match="not a JSON table"):
        tables.to_parquet(path, tmp_path / "made", CAPS)


_CELLS = st.one_of(
    st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
    st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_CELLS, min_size=1, max_size=5), st.integers(1, 40))
def test_whatever_the_pieces_it_is_read_in_every_value_comes_back(columns, piece):
    names = [f"c{place}" for place in range(len(columns))]
    text = json.dumps({"columns": names, "data": list(zip(*columns, strict=True))})
    whole = tables._PIECE
    try:
        tables._PIECE = piece
        found = converted(text)
    finally:
        tables._PIECE = whole
    assert [found[name].to_pylist() for name in names] == columns


def test_a_csv_is_no_table_and_an_uploaded_table_says_where_it_belongs(tmp_path):
    for name, text, expected in (
        ("a", "columns,data\n1,2\n", False),
        ("b", '{"columns":["a"],"data":[[1]]}', True),
        ("c", ' \n{ "data" : [[1]]}', True),
        ("d", '{"other":1}', False),
    ):
        path: Path = tmp_path / name
        path.write_text(text)
        assert is_table(path) is expected
    with pytest.raises(Invalid, match=r"mlflow\.log_table"):
        inspect(tmp_path / "b", caps=CAPS, scratch=tmp_path)
