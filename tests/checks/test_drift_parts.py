"""Drift over windows of time and within groups: equal to the same comparison made on the rows of each part."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from apps.checks.engine import compute, parts
from apps.checks.library import drift
from apps.checks.library.columns import ColumnDrift
from apps.checks.library.drift import DriftResult
from apps.checks.limits import DriftLimits
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from tests.checks.support import ACS, DEMO, data_set, drift_of, number, parquet, workshop


def moving(rng: np.random.Generator, months: int, rows: int) -> pd.DataFrame:
    """A score that moves by a tenth of its spread each month, and a word that stays."""
    frames = [
        pd.DataFrame(
            {
                "day": [dt.date(2026, month + 1, 1 + place % 28) for place in range(rows)],
                "x": rng.normal(0.1 * month, 1, rows),
                "c": rng.choice(["a", "b", "c"], rows),
                "g": rng.choice(["f", "m"], rows),
            }
        )
        for month in range(months)
    ]
    return pd.concat(frames, ignore_index=True)


def measured(tmp_path, before: pd.DataFrame, after: pd.DataFrame, **params) -> DriftResult:
    roles = {"features": ["x", "c"], "sensitive": ["g"]}
    first = data_set(parquet(before, tmp_path, "before.parquet"), **roles)
    second = data_set(parquet(after, tmp_path, "after.parquet"), time="day", **roles)
    compared = compute.drift(first, second, workshop(), window=params.get("window", ""))
    return drift.measure(compared, drift.Params(**params))


def column(result: DriftResult, name: str) -> ColumnDrift:
    return next(each for each in result.columns if each.name == name)


def test_each_window_is_what_its_rows_alone_would_give(tmp_path):
    rng = np.random.default_rng(1)
    before, after = moving(rng, 1, 4000), moving(rng, 6, 1500)
    found = measured(tmp_path, before, after)
    assert found.windows is not None
    assert [part.part for part in found.windows.parts] == [f"2026-0{n}" for n in range(1, 7)]
    for part in found.windows.parts:
        rows = after[[day.strftime("%Y-%m") == part.part for day in after["day"]]]
        assert part.current == len(rows)
        alone = measured(tmp_path, before, rows)
        for each in part.columns:
            assert each.psi == column(alone, each.column).psi
            assert each.js_distance == column(alone, each.column).js_distance
    series = [number(part.worst.psi.value) for part in found.windows.parts if part.worst]
    assert series[-1] > 0.2 > series[0]
    assert {part.worst.column for part in found.windows.parts[2:] if part.worst} == {"x"}


def test_each_group_is_held_against_the_same_group_of_the_reference(tmp_path):
    rng = np.random.default_rng(2)
    before, after = moving(rng, 1, 6000), moving(rng, 1, 6000)
    after.loc[after["g"] == "f", "x"] += 1  # only one group moved
    found = measured(tmp_path, before, after)
    (slices,) = found.slices
    by_group = {part.part: part for part in slices.parts}
    assert by_group["f"].worst is not None
    assert by_group["f"].worst.column == "x"
    assert number(by_group["f"].worst.psi.value) > 0.5
    assert by_group["m"].worst is not None
    assert number(by_group["m"].worst.psi.value) < 0.02
    assert by_group["f"].reference == int((before["g"] == "f").sum())


@pytest.mark.parametrize(
    ("unit", "first", "count"),
    [
        ("day", "2026-01-01", 56),
        ("week", "2025-12-29", 9),
        ("quarter", "2026-Q1", 1),
        ("year", "2026", 1),
    ],
)
def test_windows_of_other_lengths(tmp_path, unit, first, count):
    after = moving(np.random.default_rng(3), 2, 500)
    found = measured(tmp_path, moving(np.random.default_rng(4), 1, 500), after, window=unit)
    assert found.windows is not None
    assert (found.windows.parts[0].part, len(found.windows.parts)) == (first, count)


def test_rows_without_a_time_are_counted_and_are_no_window(tmp_path):
    after = moving(np.random.default_rng(5), 2, 300)
    after.loc[:9, "day"] = None
    found = measured(tmp_path, moving(np.random.default_rng(6), 1, 300), after)
    assert found.windows is not None
    assert (found.windows.parts[-1].part, found.windows.parts[-1].current) == (None, 10)
    assert sum(part.current for part in found.windows.parts) == 600


def test_too_many_windows_are_refused_with_the_reason(tmp_path):
    after = moving(np.random.default_rng(7), 4, 300)
    found = measured(tmp_path, moving(np.random.default_rng(8), 1, 300), after, window="day")
    assert found.windows is not None
    assert (found.windows.parts, "longer stretches" in found.windows.refused) == ((), True)
    limits = DriftLimits.model_validate({"window_psi": {"max": "0.25"}})
    assert drift.assess(found, limits).verdict is Verdict.INSUFFICIENT


def test_a_window_beyond_the_limit_fails_and_is_named(tmp_path):
    rng = np.random.default_rng(9)
    found = measured(tmp_path, moving(rng, 1, 4000), moving(rng, 6, 1500))
    limits = DriftLimits.model_validate({"window_psi": {"max": "0.10"}})
    assessment = drift.assess(found, limits)
    assert assessment.verdict is Verdict.FAIL
    assert "x in 2026-06" in assessment.sentence
    wide = DriftLimits.model_validate({"window_psi": {"max": "0.60"}})
    assert drift.assess(found, wide).verdict is Verdict.PASS
    without = msg_without_time(tmp_path)
    assert drift.assess(without, limits).verdict is Verdict.INSUFFICIENT


def msg_without_time(tmp_path) -> DriftResult:
    frame = moving(np.random.default_rng(10), 1, 500)
    roles = {"features": ["x"], "sensitive": ["g"]}
    data = data_set(parquet(frame, tmp_path, "plain.parquet"), **roles)
    return drift_of(data, data)


def test_small_windows_do_not_fail_by_chance(tmp_path):
    rng = np.random.default_rng(11)
    after = moving(rng, 1, 3000)
    after["day"] = [dt.date(2026, 1, 1) + dt.timedelta(days=place // 60) for place in range(3000)]
    found = measured(tmp_path, moving(rng, 1, 4000), after, window="day")
    limits = DriftLimits.model_validate({"window_psi": {"max": "0.10"}})
    assert drift.assess(found, limits).verdict is Verdict.INSUFFICIENT  # 60 rows a day say nothing


@pytest.mark.parametrize(("kind", "unit"), [("dates", "value"), ("words", "month")])
def test_a_window_that_does_not_fit_the_column_is_refused(tmp_path, kind, unit):
    after = moving(np.random.default_rng(12), 2, 200)
    if kind == "words":
        after["day"] = [f"batch {day.month}" for day in after["day"]]
    with pytest.raises(Invalid) as refusal:
        measured(tmp_path, moving(np.random.default_rng(13), 1, 200), after, window=unit)
    assert "window" in refusal.value.fields


def test_a_column_of_batches_is_taken_by_its_values(tmp_path):
    after = moving(np.random.default_rng(14), 3, 400)
    after["day"] = [f"batch {day.month}" for day in after["day"]]
    found = measured(tmp_path, moving(np.random.default_rng(15), 1, 400), after)
    assert found.windows is not None
    assert [part.part for part in found.windows.parts] == ["batch 1", "batch 2", "batch 3"]


def test_the_census_over_its_years_is_a_flat_curve(tmp_path):
    years = [2015, 2018]
    frames = [pd.read_parquet(DEMO / f"acs_employment_ma_{year}.parquet") for year in years]
    both = pd.concat([frame.assign(year=year) for frame, year in zip(frames, years, strict=True)])
    second = data_set(parquet(both, tmp_path), time="year", **ACS)
    first = data_set(DEMO / "acs_employment_ma_2015.parquet", **ACS)
    found = drift_of(first, second)
    assert found.windows is not None
    assert [part.part for part in found.windows.parts] == ["2015", "2018"]
    first_year, last_year = found.windows.parts
    assert all(number(each.psi.value) == 0 for each in first_year.columns)
    assert last_year.worst is not None
    assert 0 < number(last_year.worst.psi.value) < 0.1


def test_more_cells_than_may_be_stored_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "MOST_CELLS", 5)
    found = measured(
        tmp_path,
        moving(np.random.default_rng(16), 1, 200),
        moving(np.random.default_rng(17), 2, 200),
    )
    assert found.windows is not None
    assert "counts" in found.windows.refused
