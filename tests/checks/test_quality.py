"""Data quality: small data counted by hand, bad data, and the limits."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.models import User
from apps.checks import selectors, services
from apps.checks.demands import CheckLimits
from apps.checks.engine import quality as engine
from apps.checks.engine.compute import DataSet
from apps.checks.engine.inspect import inspect
from apps.checks.engine.source import Caps
from apps.checks.gates import required_checks_pass
from apps.checks.kinds import quality as kind
from apps.checks.kinds.base import Task
from apps.checks.library.quality import (
    ColumnCounts,
    ColumnQuality,
    Params,
    QualityResult,
    Range,
    merged,
)
from apps.checks.limits import QualityLimits
from apps.checks.mapping import Mapping
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from apps.core.parts import Facts, Table, Text
from apps.modelcards import collect
from apps.registry.models import ModelVersion
from tests.checks import flow
from tests.checks.support import CAPS, csv, data_set, parquet, workshop
from tests.support.people import as_actor

TODAY = "2026-03-31"
FRAME = pd.DataFrame(
    {
        "age": [30.0, 41.0, None, float("nan"), 25.0, 30.0],
        "income": [1.5, -2.0, float("inf"), 4.0, 5.0, 1.5],
        "city": ["Faro", "  ", None, "Porto", "Faro", "Faro"],
        "one": [7, 7, 7, 7, 7, 7],
        "nothing": pd.array([None] * 6, dtype="Int64"),
        "on": pd.to_datetime(["2026-03-01", "2026-03-02", "2026-03-21", None, "2026-01-01", "2026-03-01"]),
        "yes": [True, False, True, True, False, True],
    }
)  # fmt: skip


def measured(
    data: DataSet, reference: DataSet | None = None, asked_on: str = TODAY, **params: Any
) -> QualityResult:
    inputs = (data,) if reference is None else (data, reference)
    task = Task(workshop(), inputs, asked_on=dt.date.fromisoformat(asked_on))
    chosen = kind.checked(Params(**{"as_of": TODAY, **params}))
    return kind.run(task, chosen)[1]


def column(result: QualityResult, name: str) -> ColumnQuality:
    return next(each for each in result.columns if each.name == name)


def judged(result: QualityResult, **limits: Any) -> dict[str, Verdict]:
    rows = kind.assess(result, QualityLimits.model_validate(limits)).rows
    return {f"{row.key} {row.of}".strip(): row.verdict for row in rows}


def test_each_column_is_counted_as_by_hand(tmp_path: Path) -> None:
    result = measured(data_set(parquet(FRAME, tmp_path)), ranges={"age": Range("26", "40")})
    assert result.rows == 6
    age, income, city = (column(result, name) for name in ("age", "income", "city"))
    assert (age.missing, age.distinct, age.whole_numbers) == (2, 3, True)
    assert (age.low, age.high) == ("25.0", "41.0")
    assert (age.missing_rate.exact, age.missing_rate.value) == (Fraction(1, 3), repr(1 / 3))
    assert age.out_of_range is not None
    assert (age.out_of_range.numerator, age.out_of_range.denominator) == (2, 4)
    assert (income.infinite, income.low, income.high) == (1, "-2.0", "5.0")
    assert income.whole_numbers is False
    assert (city.missing, city.blank, city.missing_rate.numerator, city.distinct) == (1, 1, 2, 2)
    assert (city.low, city.high) == ("4", "5"), "lengths, never the texts"
    assert column(result, "one").constant
    assert column(result, "one").low == "7"
    assert column(result, "nothing").empty
    assert not column(result, "nothing").constant
    assert column(result, "yes").distinct == 2
    assert (result.constant_columns.value, result.empty_columns.value) == ("1", "1")
    assert (result.duplicate_share.numerator, result.duplicate_sets, result.largest_set) == (
        1,
        1,
        2,
    )
    assert (result.freshness.column, result.freshness.newest, result.freshness.age_days) == ("on", "2026-03-21 00:00:00", 10)  # fmt: skip


def test_a_csv_gives_the_same_counts_as_the_parquet_file(tmp_path: Path) -> None:
    frame = FRAME.drop(columns=["on", "yes"])
    one, other = measured(data_set(parquet(frame, tmp_path))), measured(data_set(csv(frame, tmp_path)))  # fmt: skip
    for before, after in zip(one.columns, other.columns, strict=True):
        assert before.missing_rate == after.missing_rate, before.name
        assert (before.distinct, before.constant, before.infinite) == (after.distinct, after.constant, after.infinite)  # fmt: skip
    assert one.duplicate_share == other.duplicate_share


def test_rows_that_repeat_are_counted_in_wide_data_as_well(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    base = pd.DataFrame({f"c{i}": rng.integers(0, 5, 200) for i in range(130)})
    changed = base.head(20).copy()
    changed["c129"] += 100  # differs in the last block of columns only
    frame = pd.concat([base, base.head(50), base.head(10), changed], ignore_index=True)
    for path in (parquet(frame, tmp_path), csv(frame, tmp_path)):
        result = measured(data_set(path))
        assert result.rows == 280
        assert (result.duplicate_share.numerator, result.duplicate_sets, result.largest_set) == (60, 50, 3)  # fmt: skip


def test_rows_are_not_equal_because_their_texts_run_together(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["x", "xy", None, "-"], "b": ["yz", "z", "-", None]})
    assert measured(data_set(parquet(frame, tmp_path))).duplicate_share.numerator == 0


def test_dates_decimals_and_nested_values_are_counted_and_not_refused(tmp_path: Path) -> None:
    table = pa.table(
        {
            "day": pa.array([dt.date(2026, 3, 1), dt.date(2026, 3, 30), None]),
            "price": pa.array([Decimal("1.10"), Decimal("2.00"), None], pa.decimal128(20, 2)),
            "list": pa.array([["a, b"], ["a", "b"], None]),
            "map": pa.array([[("k", 1)], [("k", 1)], None], pa.map_(pa.string(), pa.int64())),
            "zoned": pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)] * 3),
            "bytes": pa.array([b"\xff", b"\xff", None]),
        }
    )
    path = tmp_path / "mixed.parquet"
    pq.write_table(table, path)
    result = measured(data_set(path), time_column="day")
    assert (column(result, "price").low, column(result, "price").high) == ("1.10", "2.00")
    assert (column(result, "list").distinct, column(result, "map").constant) == (2, True)
    assert column(result, "zoned").distinct == 1
    assert result.freshness.age_days == 1
    assert result.duplicate_share.numerator == 0
    named = measured(data_set(path), time_column="zoned")
    assert named.freshness.newest == "2026-01-01 00:00:00"
    unnamed = measured(data_set(path))
    assert "day and zoned hold times, and none was named" in unnamed.freshness.reason


def test_a_million_different_values_are_more_than_the_cap_and_no_more_memory(
    tmp_path: Path,
) -> None:
    path = tmp_path / "many.parquet"
    number = np.arange(1_000_000)
    few_first = np.where(number < 100_000, 1, number)  # the first look sees a single value
    pq.write_table(pa.table({"id": number.astype(str), "late": few_first, "few": number % 3}), path)
    profile = inspect(path, caps=CAPS, scratch=workshop().scratch)
    data = DataSet(path, profile.format, profile.columns, Mapping())
    task = Task(workshop(Caps(memory="200MB")), (data,))
    result = kind.run(task, Params(as_of=TODAY))[1]
    found = [(each.distinct, each.more_than) for each in result.columns]
    assert found == [(None, 10_000), (None, 10_000), (3, None)]
    assert result.duplicate_share.numerator == 0


def test_the_columns_are_compared_with_those_of_the_reference(tmp_path: Path) -> None:
    before = FRAME.rename(columns={"one": "gone"}).assign(city=range(6))
    result = measured(
        data_set(parquet(FRAME, tmp_path)), data_set(parquet(before, tmp_path, "before.parquet"))
    )
    assert result.schema is not None
    assert result.schema.missing == ("gone",)
    assert result.schema.added == ("one",)
    assert [tuple(each.__struct_fields__) for each in result.schema.changed] == [("name", "before", "now")]  # fmt: skip
    assert (result.schema.changed[0].name, result.schema.changed[0].now) == ("city", "text")
    assert judged(result, schema_changes={"max": "2"}) == {"schema_changes": Verdict.PASS}
    assert judged(result, schema_changes={"max": "1"}) == {"schema_changes": Verdict.FAIL}


def test_limits_are_held_against_exact_counts(tmp_path: Path) -> None:
    result = measured(data_set(parquet(FRAME, tmp_path)), ranges={"age": Range("26", "40")})
    assert judged(result, duplicate_share={"max": "0.1667"}) == {"duplicate_share": Verdict.PASS}
    assert judged(result, duplicate_share={"max": "0.1666"}) == {"duplicate_share": Verdict.FAIL}
    assert judged(result, constant_columns={"max": "0"}) == {"constant_columns": Verdict.FAIL}
    assert judged(result, empty_columns={"max": "1"}) == {"empty_columns": Verdict.PASS}
    assert judged(result, out_of_range_share={"max": "0.5"}) == {"out_of_range_share age": Verdict.PASS}  # fmt: skip
    assert judged(result, freshness_days={"max": "9"}) == {"freshness_days on": Verdict.FAIL}
    assert judged(result, freshness_days={"max": "10"}) == {"freshness_days on": Verdict.PASS}


def test_one_of_twenty_is_not_above_five_hundredths(tmp_path: Path) -> None:
    result = measured(data_set(parquet(pd.DataFrame({"a": [None, *range(19)]}), tmp_path)))
    assert judged(result, missing_rate={"max": "0.05"}) == {"missing_rate a": Verdict.PASS}


def test_missing_values_are_judged_for_all_for_some_or_for_one_column(tmp_path: Path) -> None:
    result = measured(data_set(parquet(FRAME, tmp_path)))
    every = judged(result, missing_rate={"max": "0.2"})
    assert set(every) == {"missing_rate age", "missing_rate city", "missing_rate nothing"}
    assert set(every.values()) == {Verdict.FAIL}
    one = judged(result, missing_rate={"max": "0.2"}, columns=["income", "on"])
    assert one == {"missing_rate on": Verdict.PASS}
    own = {"nothing": "1", "city": "0.1"}
    both = judged(result, missing_by_column=own, missing_rate={"max": "0.4"}, columns=["age"])
    assert both == {
        "missing_rate age": Verdict.PASS,
        "missing_rate nothing": Verdict.PASS,
        "missing_rate city": Verdict.FAIL,
    }


def test_what_could_not_be_looked_at_is_insufficient_and_says_why(tmp_path: Path) -> None:
    result = measured(data_set(parquet(FRAME.drop(columns="on"), tmp_path)))
    found = judged(
        result,
        out_of_range_share={"max": "0"},
        freshness_days={"max": "5"},
        schema_changes={"max": "0"},
        missing_by_column={"weight": "0.1"},
    )
    assert set(found.values()) == {Verdict.INSUFFICIENT}
    assert len(found) == 4


def test_a_newest_row_of_tomorrow_or_behind_unreadable_ones_has_no_age(tmp_path: Path) -> None:
    frame = pd.DataFrame({"on": ["2026-03-30", "2026-04-30", "", "2026-02-01"], "v": [1, 2, 3, 4]})
    future = measured(data_set(csv(frame, tmp_path)), time_column="on")
    assert future.freshness.age_days == -30
    assert judged(future, freshness_days={"max": "5"}) == {
        "freshness_days on": Verdict.INSUFFICIENT
    }
    frame["on"] = ["2026-03-30", "soon", "", "2026-02-01"]
    unreadable = measured(data_set(csv(frame, tmp_path)), time_column="on")
    assert (unreadable.freshness.unreadable, unreadable.freshness.age_days) == (1, 1)
    assert judged(unreadable, freshness_days={"max": "5"}) == {
        "freshness_days on": Verdict.INSUFFICIENT
    }


def test_data_do_not_get_younger_by_asking_as_of_another_day(tmp_path: Path) -> None:
    data = data_set(parquet(FRAME, tmp_path))
    with pytest.raises(Invalid, match="asked for on 2026-06-30"):
        measured(data, asked_on="2026-06-30")
    assert kind.checked(Params()).as_of, "today where no day is given"


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"ranges": {"age": Range()}}, "ranges.age"),
        ({"ranges": {"age": Range("1", "0")}}, "ranges.age"),
        ({"ranges": {"age": Range("one")}}, "ranges.age"),
        ({"ranges": {"age": Range("nan")}}, "ranges.age"),
        ({"ranges": {"city": Range("1")}}, "ranges.city"),
        ({"ranges": {"weight": Range("1")}}, "weight"),
        ({"time_column": "age"}, "time_column"),
        ({"time_column": "never"}, "never"),
        ({"as_of": "31 March"}, "as_of"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_by_name(
    tmp_path: Path, params: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        measured(data_set(parquet(FRAME, tmp_path)), **params)
    assert field in refusal.value.fields


@pytest.mark.parametrize("limits", [{}, {"missing_rate": {"min": "0.1"}}, {"missing_by_column": {"a": "2"}}])  # fmt: skip
def test_limits_that_limit_nothing_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        CheckLimits.parse({"quality": limits})


def test_a_file_cut_off_after_it_was_attached_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    path = parquet(FRAME, tmp_path)
    data = data_set(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(Invalid, match="cannot be read"):
        measured(data)


def test_text_that_is_no_utf8_in_a_parquet_file_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "latin.parquet"
    raw = pa.array([b"caf\xe9", b"ok"])
    pq.write_table(pa.table({"t": raw.view(pa.string())}), path)
    with pytest.raises(Invalid):
        measured(data_set(path))


def test_the_page_begins_with_a_sentence_and_hides_no_column_that_lacks_values(
    tmp_path: Path,
) -> None:
    wide = pd.DataFrame({f"c{i}": [1, 2, 3] for i in range(150)})
    wide["last"] = [1, None, 3]
    text, facts, *_, table = kind.parts(measured(data_set(parquet(wide, tmp_path))))
    assert isinstance(text, Text)
    assert text.text == "3 rows in 151 columns: 1 column lacks values, most of all last (0.333 of its rows); no row repeats another one."  # fmt: skip
    assert isinstance(facts, Facts)
    assert isinstance(table, Table)
    assert (table.rows[0][0].text, len(table.rows)) == ("last", 100)
    assert "100 of 151" in table.note


VALUES = st.lists(
    st.one_of(st.none(), st.floats(width=32), st.integers(-1000, 1000).map(float)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40, deadline=None)
@given(values=VALUES, cut=st.integers(0, 30))
def test_the_counts_of_two_halves_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, values: list[float | None], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("halves")
    texts = [None if each is None else f" {each}"[: abs(int(each)) % 4] if np.isfinite(each) else "t" for each in values]  # fmt: skip
    table = pa.table({"n": pa.array(values, pa.float64()), "t": pa.array(texts, pa.string())})

    def counts(part: pa.Table, name: str) -> tuple[ColumnCounts, ...]:
        path = folder / f"{name}.parquet"
        pq.write_table(part, path)
        data = data_set(path)
        return engine.count(data, None, workshop(), Params(as_of=TODAY)).columns

    whole = counts(table, "whole")
    cut = cut % len(values)
    if not cut:
        return
    parts = (counts(table[:cut], "first"), counts(table[cut:], "second"))
    assert [_plain(each) for each in merged(*parts)] == [_plain(each) for each in whole]
    assert merged(*parts) == merged(*reversed(parts))


def _plain(counts: ColumnCounts) -> tuple[object, ...]:
    """Numbers by value: -0.0 and 0.0 are one. A half without a value tells nothing of its blanks."""
    ends = tuple(None if end is None else float(end) for end in (counts.low, counts.high))
    return (counts.name, counts.rows, counts.absent, counts.infinite, counts.fractional, *ends)


@pytest.mark.django_db(transaction=True)
def test_it_is_asked_for_measured_judged_by_the_gate_and_shown(
    version: ModelVersion, ana: User
) -> None:
    flow.attach(version, ana)
    assert "quality" in selectors.runnable(version)
    row = flow.done(version, ana, "quality")
    assert [each["part"] for each in row.inputs] == ["evaluation"]
    terms = {"checks": {"quality": {"missing_rate": {"max": "0"}, "freshness_days": {"max": "1"}}}}
    gate = required_checks_pass(version, [], terms)
    assert not gate.passes
    assert "no column holds times" in gate.fact
    shown = collect.collect(version)["further_checks"]
    assert "rows in" in getattr(shown.parts[0], "text", "")
    again = services.request_measurement(as_actor(ana), version, "quality")
    assert again.pk == row.pk


@pytest.mark.django_db(transaction=True)
def test_reference_data_that_come_later_put_the_result_out_of_force(
    version: ModelVersion, ana: User
) -> None:
    flow.attach(version, ana)
    flow.done(version, ana, "quality")
    flow.attach(version, ana, role="reference", mapping={"features": ["age"]}, favourable="")
    assert selectors.latest(version, "quality") is None
    row = flow.done(version, ana, "quality")
    assert [each["part"] for each in row.inputs] == ["evaluation", "reference"]
    assert row.result is not None
    assert row.result["schema"] == {"missing": [], "added": [], "changed": []}


def test_the_declared_time_column_is_read_and_years_have_no_age(tmp_path: Path) -> None:
    path = parquet(FRAME.assign(year=2026, at="2026-03-29"), tmp_path)
    assert measured(data_set(path, time="at")).freshness.age_days == 2
    years = measured(data_set(path, time="year")).freshness
    assert (years.age_days, years.reason) == (None, "column 'year' does not hold times")
