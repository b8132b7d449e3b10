"""Every statistic of an engine elsewhere is that of the local engine: the whole structure, to the last digit."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.checks.engine import compute, engines, quality, warehouse
from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.library import regression
from apps.checks.library.quality import Params, Range
from apps.core.errors import Invalid
from tests.checks.support import ACS, CAPS, DATA, DEMO, csv, data_set, parquet, workshop

Count = Callable[[Workshop], Any]
YEARS = ("2015", "2018")


def there(address: str, **more: Any) -> Workshop:
    return Workshop(CAPS, workshop().scratch, engine=address, **more)


def outcome(count: Count, at: Workshop) -> Any:
    """What is counted; or, of data that are refused, in which words."""
    try:
        return count(at)
    except Invalid as error:
        return error.message, error.fields


def same(address: str, *counts: Count) -> None:
    for count in counts:
        assert outcome(count, there(address)) == outcome(count, workshop())


def census(year: str) -> DataSet:
    return data_set(DEMO / f"acs_employment_ma_{year}.parquet", **ACS)


# --- data as they are -------------------------------------------------------------------------


def test_performance_of_the_census_is_equal(address: str):
    data = census("2018")
    same(
        address,
        lambda at: compute.performance(data, at),
        lambda at: compute.performance(data, at, threshold="0.4"),
    )
    found = compute.performance(data, there(address))
    assert found.scores is not None
    assert found.rows.total == found.table.total > 10_000


def test_fairness_and_a_bias_audit_of_the_census_are_equal(address: str):
    data = census("2018")
    same(
        address,
        lambda at: compute.fairness(data, at),
        lambda at: compute.bias_audit(data, at),
        lambda at: compute.bias_audit(data, at, [("sex", "race")], "all"),
    )
    found = compute.fairness(data, there(address))
    assert [table.features for table in found.tables] == [("sex",), ("race",), ("sex", "race")]
    assert len(found.scores) == 3


def test_drift_of_the_census_by_groups_is_equal(address: str):
    first, second = (census(year) for year in YEARS)
    same(address, lambda at: compute.drift(first, second, at))
    found = compute.drift(first, second, there(address))
    assert {"numeric", "categorical"} <= {type(c).__struct_config__.tag for c in found.columns}
    assert [parts.by for parts in found.slices] == ["sex", "race"]


def test_a_regression_and_the_drift_of_rented_bicycles_are_equal(address: str):
    ranks = regression.ranks("0.95")
    roles = {"target": "cnt", "prediction": "hum", "task": "regression"}
    data = data_set(DATA / "bike_sharing_2012.parquet", **roles)
    same(address, lambda at: compute.regression(data, at, ranks))
    grouped = data_set(
        DATA / "bike_sharing_2012.parquet", **roles, sensitive=["season", "weathersit"]
    )
    same(address, lambda at: compute.regression_gaps(grouped, at))
    assert len(compute.regression_gaps(grouped, there(address)).tables) == 3
    names = {"features": ["hum", "season", "cnt"], "time": "weathersit"}
    pair = [data_set(DATA / f"bike_sharing_{year}.parquet", **names) for year in (2011, 2012)]
    same(address, lambda at: compute.drift(*pair, at))


def test_data_in_several_files_are_counted_as_one(address: str, tmp_path: Path):
    frame = pd.DataFrame({"y": [1, 0, 1, 0] * 9, "p": [1, 1, 0, 0] * 9, "g": ["a", "b", None] * 12})
    paths = [
        parquet(part, tmp_path, f"{n}.parquet") for n, part in enumerate((frame[:7], frame[7:]))
    ]
    whole = data_set(parquet(frame, tmp_path), target="y", prediction="p", sensitive=["g"])
    parted = replace(whole, path=paths[0], more=tuple(paths[1:]))
    same(address, lambda at: compute.fairness(parted, at))
    assert compute.fairness(parted, there(address)) == compute.fairness(whole, workshop())


# --- data that try ----------------------------------------------------------------------------

LABELS = st.sampled_from(["1", "0", "1", "0", "1", None, "", "  "])
GROUPS = st.sampled_from(["a", "b", " a", "", "\u00a0", None, "it's `q` \\d \"x\"", "\u0000b", "ü" * 300, "ü" * 301])  # fmt: skip
SCORES = st.one_of(
    st.none(),
    st.floats(0, 1),
    st.sampled_from([0.0, -0.0, 1.0, 0.1, 0.30000000000000004, 0.5, 2**-41, 3 * 2**-41, math.nan]),
)
ROWS = st.lists(st.tuples(LABELS, LABELS, SCORES, GROUPS, st.booleans() | st.none()), min_size=1, max_size=200)  # fmt: skip
MAPPING = {"target": "Y", "prediction": "y", "score": "s.c `o`re", "sensitive": ["g g", "h"]}
SOME = settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[
        Phase.reuse,
        Phase.generate,
    ],  # an example costs seconds on Spark: none are spent on a smaller one
    deadline=None,
)


def written(rows: list[tuple[Any, ...]], folder: Path) -> Path:
    names = ("Y", "y", "s.c `o`re", "g g", "h")
    types = (pa.string(), pa.string(), pa.float64(), pa.string(), pa.bool_())
    columns = [
        pa.array([row[n] for row in rows], type=kind, from_pandas=False)
        for n, kind in enumerate(types)
    ]
    path = folder / "a b%20[c].parquet"
    pq.write_table(pa.table(columns, names=list(names)), path)
    return path


@SOME
@given(rows=ROWS)
def test_random_rows_are_counted_equally(address: str, tmp_path: Path, rows: list[Any]):
    try:
        data = data_set(written(rows, tmp_path), favourable="0", **MAPPING, positive="1")
    except Invalid:
        return
    same(
        address,
        lambda at: compute.performance(data, at),
        lambda at: compute.performance(data, at, against="Y", against_score="s.c `o`re"),
        lambda at: compute.fairness(data, at),
        lambda at: compute.bias_audit(data, at),
        lambda at: compute.multiclass(data, at),
    )


VALUES = st.one_of(
    st.none(),
    st.floats(width=64),
    st.integers(-3, 3).map(float),
    st.sampled_from([-0.0, 1e15, 1e16, 0.1, 1 / 3, 5e-324]),
)
COLUMNS = st.lists(VALUES, min_size=1, max_size=200)


@SOME
@given(first=COLUMNS, second=COLUMNS)
def test_random_columns_drift_equally(
    address: str, tmp_path: Path, first: list[Any], second: list[Any]
):
    pair = [
        data_set(_numbers(values, tmp_path / name), features=["v", "w"], categorical=["w"], sensitive=["w"])
        for name, values in (("a.parquet", first), ("b.parquet", second))
    ]  # fmt: skip
    same(address, lambda at: compute.drift(*pair, at))


def _numbers(values: list[Any], path: Path) -> Path:
    column = pa.array(values, type=pa.float64(), from_pandas=False)
    pq.write_table(pa.table({"v": column, "w": column}), path)
    return path


def test_whole_numbers_decimals_and_unsigned_ones_keep_every_digit(address: str, tmp_path: Path):
    large = 2**53 + 1
    table = pa.table(
        {
            "i": pa.array([large, None, large + 2, 7] * 10, pa.int64()),
            "u": pa.array([2**64 - 1, None, 1, 2] * 10, pa.uint64()),
            "d": pa.array([Decimal("0.10"), None, Decimal("12.34"), Decimal("-1.00")] * 10, pa.decimal128(20, 2)),
            "f": pa.array([0.1, None, math.nan, math.inf] * 10, pa.float32()),
            "b": pa.array([True, None, False, True] * 10),
        }
    )  # fmt: skip
    path = tmp_path / "types.parquet"
    pq.write_table(table, path)
    names = list(table.column_names)
    for categorical in ([], names):
        data = data_set(path, features=names, categorical=categorical)
        same(address, lambda at, d=data: compute.drift(d, d, at))


def test_windows_of_moments_with_and_without_a_zone_are_equal(address: str, tmp_path: Path):
    moments = [dt.datetime(2023, 12, 31, 23, 30), None, dt.datetime(2024, 2, 29, 0, 0, 0, 1)] * 20  # noqa: DTZ001
    numbers = [float(n % 25) + 0.5 for n in range(60)]
    for zone, unit in ((None, "day"), (None, "week"), ("UTC", "month"), ("America/New_York", "day")):  # fmt: skip
        table = pa.table({"t": pa.array(moments, pa.timestamp("us", tz=zone)), "v": numbers})
        path = tmp_path / f"{unit}.parquet"
        pq.write_table(table, path)
        data = data_set(path, features=["v"], time="t")
        same(address, lambda at, d=data, u=unit: compute.drift(d, d, at, window=u))


def test_what_a_data_set_holds_is_counted_equally(address: str, tmp_path: Path):
    texts = ["Faro", " ", "\u3000\u00a0", None, "a\tb\n", "", "\t", "😀é"] * 5
    table = pa.table(
        {
            "x": pa.array([1.5, None, math.nan, math.inf, -0.0, 0.0, -2.0, 1e300] * 5, from_pandas=False),
            "i": pa.array([2**60 + 1, None, -5, 0, 3, 3, 3, 3] * 5),
            "d": pa.array([Decimal("0.10"), None, Decimal("-1.25"), Decimal("3.00")] * 10, pa.decimal128(12, 2)),
            "f": pa.array([0.1, 0.2, None, 1.0] * 10, pa.float32()),
            "t": texts,
            "b": [True, None, False, True] * 10,
            "day": pa.array([dt.date(2024, 2, 29), None, dt.date(1999, 1, 1), dt.date(2030, 1, 1)] * 10),
            "at": pa.array([dt.datetime(2024, 2, 29, 1, 2, 3, 4), None] * 20, pa.timestamp("us", tz="UTC")),  # noqa: DTZ001
            "naive": pa.array([dt.datetime(2024, 2, 29, 1, 2, 3), None] * 20, pa.timestamp("us")),  # noqa: DTZ001
            "stamp": ["2024-01-05", "2024-01-06 10:00:00", "soon", "", None] * 8,
            "none": pa.array([None] * 40, pa.int64()),
        }
    )  # fmt: skip
    path = tmp_path / "all.parquet"
    pq.write_table(table, path)
    data = data_set(path, time="at", features=["x"])
    ranges = {"x": Range(min="0", max="2"), "none": Range(min="0"), "d": Range(max="0.1")}
    for column in ("", "day", "at", "naive", "stamp", "none"):
        params = Params(ranges=ranges, time_column=column)
        same(address, lambda at, p=params: quality.count(data, data, at, p))
    found = quality.count(data, None, there(address), Params())
    assert (found.repeats.repeated, found.repeats.sets, found.repeats.largest) == (0, 0, 0)


def test_what_the_census_holds_is_counted_equally(address: str):
    data = census("2018")
    same(address, lambda at: quality.count(data, None, at, Params(ranges={"age": Range(min="18")})))
    different = {
        each.name: each for each in quality.count(data, None, there(address), Params()).distinct
    }
    assert different["sex"].count == 2
    assert different["id"].capped


@SOME
@given(rows=ROWS)
def test_random_rows_hold_equally(address: str, tmp_path: Path, rows: list[Any]):
    data = data_set(written(rows * 2, tmp_path), features=["h"])
    same(address, lambda at: quality.count(data, None, at, Params()))


def test_nested_values_are_refused_by_the_name_of_their_column(address: str, tmp_path: Path):
    path = tmp_path / "nested.parquet"
    pq.write_table(pa.table({"v": [1, 2], "list": [[1], [2]]}), path)
    data = data_set(path, features=["v"])
    with pytest.raises(Invalid, match="column 'list' holds nested"):
        quality.count(data, None, there(address), Params())


# --- what is not computed there ---------------------------------------------------------------


def test_scores_of_too_many_values_are_refused_and_counts_without_them_are_not(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warehouse, "MOST_VALUES", 50)
    frame = pd.DataFrame({"y": [1, 0] * 50, "p": [1, 1, 0, 0] * 25, "s": np.linspace(0, 1, 100), "g": ["a", "b"] * 50})  # fmt: skip
    path = parquet(frame, tmp_path)
    roles = {"target": "y", "prediction": "p", "sensitive": ["g"]}
    scored = data_set(path, **roles, score="s")
    with pytest.raises(Invalid, match=r"more than 50 different combinations of values of y, p and s.*nor estimated"):  # fmt: skip
        compute.performance(scored, there(address))
    with pytest.raises(Invalid, match="of g and s"):
        compute.bias_audit(scored, there(address))
    same(
        address,
        lambda at: compute.fairness(scored, at),  # its scores are summed there
        lambda at: compute.performance(data_set(path, **roles), at),
    )


def test_a_column_of_too_many_values_is_named_as_not_compared(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(warehouse, "MOST_VALUES", 50)
    frame = pd.DataFrame({"many": np.linspace(0, 1, 100), "few": [1.5, 2.5, 3.5, 4.5] * 25})
    data = data_set(parquet(frame, tmp_path), features=["many", "few"])
    found = compute.drift(data, data, there(address))
    assert "more than 50 different" in found.columns[0].reason
    assert found.columns[1] == compute.drift(data, data, workshop()).columns[1]


def test_ten_thousand_groups_are_refused_in_the_same_words(address: str, tmp_path: Path):
    frame = pd.DataFrame({"y": [1, 0] * 6000, "p": [1, 1, 0, 0] * 3000, "g": [f"g{n}" for n in range(12_000)]})  # fmt: skip
    path = parquet(frame, tmp_path)
    data = data_set(path, target="y", prediction="p", sensitive=[])
    many = DataSet(data.path, data.format, data.columns, data.mapping, data.favourable)
    object.__setattr__(many.mapping, "sensitive", ("g",))
    same(address, lambda at: compute.fairness(many, at), lambda at: compute.bias_audit(many, at))


def test_a_csv_is_refused_and_says_what_to_do(address: str, tmp_path: Path):
    data = data_set(csv(pd.DataFrame({"y": [1, 0], "p": [1, 0]}), tmp_path), target="y", prediction="p")  # fmt: skip
    with pytest.raises(Invalid, match="attach the data as Parquet"):
        compute.performance(data, there(address))


def test_a_question_that_no_engine_was_taught_is_refused(address: str, tmp_path: Path):
    data = data_set(parquet(pd.DataFrame({"v": [1.0]}), tmp_path), features=["v"])
    with there(address).open(data) as source:
        for ask in (source.fetch, source.arrays, source.stream):
            with pytest.raises(Invalid, match="CHECKS_ENGINE=local"):
                ask("SELECT c0 FROM {data}")


def test_a_file_that_lost_a_column_is_refused(address: str, tmp_path: Path):
    frame = pd.DataFrame({"y": [1, 0], "p": [1, 0]})
    data = data_set(parquet(frame, tmp_path), target="y", prediction="p")
    parquet(frame[["y"]], tmp_path)
    with pytest.raises(Invalid, match="sees 1 columns in the file, and 2 were attached"):
        compute.performance(data, there(address))


def test_whoever_stops_between_two_questions_is_obeyed(address: str, tmp_path: Path):
    class Enough(Exception):
        pass

    def tick() -> None:
        raise Enough

    frame = pd.DataFrame({"y": [1, 0], "p": [1, 0]})
    data = data_set(parquet(frame, tmp_path), target="y", prediction="p")
    with pytest.raises(Enough):
        compute.performance(data, there(address, tick=tick))


@pytest.mark.parametrize("address", ["duckdb://"])
@pytest.mark.parametrize("dialect", ["bigquery", "snowflake", "trino", "databricks"])
def test_every_expression_has_a_form_for_engines_that_were_not_run(
    address: str, dialect: str, monkeypatch: pytest.MonkeyPatch
):
    import ibis

    engine = engines.connect(address)
    written: list[str] = []

    def answer(expression: Any) -> pa.Table:
        written.append(ibis.to_sql(expression, dialect=dialect))
        return engine.answer(expression)

    monkeypatch.setattr(engines, "connect", lambda _address: replace(engine, answer=answer))
    data = census("2018")
    compute.performance(data, there(address))
    compute.fairness(data, there(address))
    compute.drift(data, data, there(address))
    assert len(written) > 10
    assert all("GROUP BY" in sql or "COUNT(*)" in sql for sql in written)


def test_bins_over_windows_are_counted_there_at_any_number_of_values(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"v": rng.normal(size=600).round(1), "t": rng.integers(2001, 2013, 600)})
    frame.loc[::50, "v"] = [math.inf, -math.inf, math.nan] * 4
    data = data_set(parquet(frame, tmp_path), features=["v"], time="t", sensitive=["t"])
    monkeypatch.setattr(warehouse, "MOST_VALUES", 150)  # more combinations than that, fewer cells
    assert frame.groupby(["v", "t"]).ngroups > 150
    same(address, lambda at: compute.drift(data, data, at))
