"""Drift equals SciPy on the raw rows; PSI equals its formula written out, and the figures of the literature."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from apps.checks.engine import drift as engine
from apps.checks.library import drift
from apps.checks.library.columns import Bin, ColumnDrift, population_stability
from apps.checks.library.drift import DriftResult
from apps.checks.limits import DriftLimits
from apps.checks.statistics import from_data, to_data
from apps.checks.verdicts import Verdict
from tests.checks.support import ACS, DATA, DEMO, csv, data_set, drift_of, number, parquet

quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LIMITS = DriftLimits.model_validate({"psi": {"max": "0.25"}})


def columns_of(result: DriftResult) -> dict[str, ColumnDrift]:
    return {column.name: column for column in result.columns}


def compared(
    tmp_path, first: pd.DataFrame, second: pd.DataFrame, **mapping
) -> dict[str, ColumnDrift]:
    features = {"features": list(first.columns), **mapping}
    reference = data_set(parquet(first, tmp_path, "first.parquet"), **features)
    current = data_set(parquet(second, tmp_path, "second.parquet"), **features)
    return columns_of(drift_of(reference, current))


def psi(first: np.ndarray, second: np.ndarray) -> float:
    """Written out: deciles of the reference, (low, high], shares below 1e-4 count as 1e-4."""
    edges = np.unique(np.quantile(first, np.arange(1, 10) / 10))
    place = [np.searchsorted(edges, values, side="left") for values in (first, second)]
    shares = [np.bincount(p, minlength=len(edges) + 1) / len(p) for p in place]
    p, q = (np.maximum(share, 1e-4) for share in shares)
    return float(np.sum((q - p) * np.log(q / p)))


numbers = st.lists(st.floats(-100, 100, width=32), min_size=25, max_size=120, unique=True)


@quick
@given(first=numbers, second=numbers, as_csv=st.booleans())
def test_numeric_columns_are_scipys(tmp_path, first, second, as_csv):
    x, y = np.array(first), np.array(second)
    if len({round(v) for v in first + second}) <= 20:
        return
    write = csv if as_csv else parquet
    pair = [
        data_set(write(pd.DataFrame({"v": values}), tmp_path, name), features=["v"])
        for name, values in (("a", x), ("b", y))
    ]
    found = columns_of(drift_of(*pair))["v"]
    assert found.kind == "numeric"
    theirs = stats.ks_2samp(x, y, method="asymp")
    assert number(found.ks.value) == pytest.approx(theirs.statistic, abs=1e-12)
    assert number(found.test.p_value) == pytest.approx(theirs.pvalue, abs=1e-12)
    area = stats.wasserstein_distance(x, y)
    assert number(found.wasserstein.value) == pytest.approx(area, rel=1e-9, abs=1e-12)
    scaled = number(found.wasserstein_scaled.value)
    assert scaled == pytest.approx(area / x.std(), rel=1e-9, abs=1e-12)
    shares = [[getattr(entry, side) for entry in found.bins] for side in ("reference", "current")]
    assert number(found.js_distance.value) == pytest.approx(
        distance.jensenshannon(*shares, base=2), abs=1e-7
    )
    if len(np.unique(np.quantile(x, np.arange(1, 10) / 10))) > 1:
        assert number(found.psi.value) == pytest.approx(psi(x, y), abs=1e-12)


words = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), min_size=40, max_size=200)


@quick
@given(first=words, second=words)
def test_categories_are_scipys(tmp_path, first, second):
    found = compared(tmp_path, pd.DataFrame({"c": first}), pd.DataFrame({"c": second}))["c"]
    table = pd.crosstab(np.array(first + second), [0] * len(first) + [1] * len(second)).to_numpy()
    if found.test is None or found.test.merged:
        return
    theirs = stats.chi2_contingency(table, correction=False)
    assert number(found.test.statistic) == pytest.approx(theirs.statistic, abs=1e-10)
    assert number(found.test.p_value) == pytest.approx(theirs.pvalue, abs=1e-12)
    assert found.test.degrees == theirs.dof
    v = stats.contingency.association(table, method="cramer")
    assert number(found.cramers_v.value) == pytest.approx(v, abs=1e-12)
    shares = table / table.sum(axis=0)
    assert number(found.total_variation.value) == pytest.approx(
        abs(shares[:, 0] - shares[:, 1]).sum() / 2, abs=1e-12
    )


@quick
@given(
    first=st.lists(st.integers(-40, 40), min_size=30, max_size=200),
    second=st.lists(st.integers(-40, 40), min_size=30, max_size=200),
    stretch=st.integers(1, 7),
)
def test_a_column_taken_in_stretches_gives_the_same_numbers(tmp_path, first, second, stretch):
    x, y = np.array(first) + 0.5, np.array(second) + 0.5
    frames = [pd.DataFrame({"v": values}) for values in (x, y)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_CHUNK", stretch)
        found = compared(tmp_path, *frames)["v"]
    assert number(found.ks.value) == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-12)
    area = stats.wasserstein_distance(x, y)
    assert number(found.wasserstein.value) == pytest.approx(area, rel=1e-9, abs=1e-12)


def test_categories_too_rare_for_the_test_count_as_one(tmp_path):
    first = ["a"] * 100 + ["b"] * 100 + ["r1"] * 3 + ["r2"] * 2
    second = ["a"] * 90 + ["b"] * 105 + ["r1"] * 2 + ["r3"] * 8
    found = compared(tmp_path, pd.DataFrame({"c": first}), pd.DataFrame({"c": second}))["c"]
    table = np.array([[100, 90], [100, 105], [5, 10]])
    theirs = stats.chi2_contingency(table, correction=False)
    assert found.test.merged == 3
    assert number(found.test.statistic) == pytest.approx(theirs.statistic, abs=1e-10)


def test_a_category_new_at_a_tenth_gives_the_tabulated_psi():
    bins = [Bin("old", 1000, 900), Bin("new", 0, 100)]
    for epsilon, value in ((1e-2, 0.22), (1e-3, 0.47), (1e-4, 0.70), (1e-6, 1.16)):
        found = population_stability(bins, 1000, 1000, epsilon)
        assert round(number(found.value), 2) == value


def test_the_census_of_2018_is_loud_and_practically_flat():
    """p = 1e-17 for schooling, and yet V = 0.031 and PSI = 0.004: the effect decides."""
    pair = [data_set(DEMO / f"acs_employment_ma_{year}.parquet", **ACS) for year in (2015, 2018)]
    result = drift_of(*pair)
    schooling = columns_of(result)["schooling"]
    assert number(schooling.test.p_value) < 1e-16
    assert round(number(schooling.cramers_v.value), 3) == 0.031
    assert round(number(schooling.psi.value), 3) == 0.004
    assert drift.assess(result, LIMITS).verdict is Verdict.PASS


def test_rentals_of_bicycles_drift_as_published():
    """PSI 0.2445 with ten reference bins for `cnt` (0.245 in the published table); none for `season`."""
    pair = [
        data_set(
            DATA / f"bike_sharing_{year}.parquet", features=["cnt", "hum", "season", "weathersit"]
        )
        for year in (2011, 2012)
    ]
    result = drift_of(*pair)
    found = columns_of(result)
    assert round(number(found["cnt"].psi.value), 4) == 0.2445
    assert found["season"].kind == "categorical"
    assert "whole numbers" in found["season"].reason
    tight = DriftLimits.model_validate({"psi": {"max": "0.2"}, "columns": ["cnt", "season"]})
    assessment = drift.assess(result, tight)
    assert assessment.verdict is Verdict.FAIL
    assert {row.of: row.verdict for row in assessment.rows} == {
        "cnt": Verdict.FAIL,
        "season": Verdict.PASS,
    }


def test_houses_in_geographic_order_drift_hard_before_any_outcome_is_known():
    names = ["MedInc", "Latitude", "Longitude"]
    mapping = {"features": names, "score": "y_pred_proba", "prediction": "y_pred"}
    pair = [
        data_set(DATA / f"california_housing_{part}.parquet", **mapping)
        for part in ("reference", "analysis")
    ]
    result = drift_of(*pair)
    frames = [pd.read_parquet(data.path) for data in pair]
    for name in [*names, "y_pred_proba"]:
        column = columns_of(result)[name]
        x, y = (frame[name].to_numpy(dtype=float) for frame in frames)
        assert number(column.ks.value) == pytest.approx(
            stats.ks_2samp(x, y, method="asymp").statistic, abs=1e-12
        )
        assert number(column.psi.value) == pytest.approx(psi(x, y), abs=1e-12)
    verdicts = {row.of: row.verdict for row in drift.assess(result, LIMITS).rows}
    assert verdicts["Latitude"] is Verdict.FAIL
    assert verdicts["Longitude"] is Verdict.FAIL


def test_two_halves_of_one_year_show_no_drift(tmp_path):
    frame = pd.read_parquet(
        DEMO / "acs_employment_ma_2015.parquet", columns=["age", "schooling", "sex"]
    )
    half = np.random.default_rng(5).permutation(len(frame)) < len(frame) // 2
    found = compared(tmp_path, frame[half], frame[~half], categorical=["schooling"])
    floors = {name: number(column.noise_floor) for name, column in found.items()}
    assert all(number(column.psi.value) < 3 * floors[name] for name, column in found.items())
    assert all(number(column.test.p_adjusted) > 0.01 for column in found.values())


def test_p_values_are_adjusted_over_all_columns(tmp_path):
    rng = np.random.default_rng(11)
    first = pd.DataFrame({f"v{i}": rng.normal(0, 1, 500) for i in range(8)})
    second = pd.DataFrame({f"v{i}": rng.normal(0.02 * i, 1, 500) for i in range(8)})
    found = list(compared(tmp_path, first, second).values())
    theirs = stats.false_discovery_control([number(c.test.p_value) for c in found])
    assert [number(c.test.p_adjusted) for c in found] == pytest.approx(list(theirs), abs=1e-15)


def test_missing_and_infinite_values_are_counted_and_left_out_of_the_distance(tmp_path):
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=400), rng.normal(size=300)
    first = pd.DataFrame({"v": np.concatenate([x, [math.nan] * 40, [math.inf] * 3])})
    second = pd.DataFrame({"v": np.concatenate([y, [math.nan] * 90])})
    found = compared(tmp_path, first, second)["v"]
    assert (found.reference.rows, found.reference.missing, found.reference.infinite) == (443, 40, 3)
    assert number(found.ks.value) == pytest.approx(stats.ks_2samp(x, y).statistic, abs=1e-12)
    assert number(found.missing_rate_increase.value) == pytest.approx(90 / 390 - 40 / 443)


def test_new_categories_are_counted_and_named(tmp_path):
    first = pd.DataFrame({"c": ["a", "b"] * 100})
    second = pd.DataFrame({"c": ["a", "b"] * 95 + ["z"] * 8 + ["y", None]})
    found = compared(tmp_path, first, second)["c"]
    assert found.new_categories == ("y", "z")
    assert number(found.new_category_share.value) == pytest.approx(9 / 200)


def test_a_constant_reference_sees_drift_in_both_directions(tmp_path):
    first = pd.DataFrame({"v": [0.5] * 500})
    for moved in (0.1, 0.9):
        rng = np.random.default_rng(1)
        second = pd.DataFrame(
            {"v": np.where(rng.random(500) < 0.4, moved + rng.random(500) / 50, 0.5)}
        )
        found = compared(tmp_path, first, second)["v"]
        assert "one value only" in found.reason
        assert number(found.psi.value) > 1
    same = compared(tmp_path, first, first)["v"]
    assert number(same.psi.value) == 0


def test_numbers_in_one_set_and_words_in_the_other_are_not_compared(tmp_path):
    found = compared(tmp_path, pd.DataFrame({"v": [1.5] * 50}), pd.DataFrame({"v": ["x"] * 50}))[
        "v"
    ]
    assert found.kind == "unusable"
    assert "number in one data set, text in the other" in found.reason


def test_a_column_that_is_gone_is_named(tmp_path):
    first = data_set(
        parquet(pd.DataFrame({"a": [1.5] * 50, "b": [2.5] * 50}), tmp_path, "a"),
        features=["a", "b"],
    )
    second = data_set(parquet(pd.DataFrame({"a": [1.5] * 50}), tmp_path, "b"))
    found = columns_of(drift_of(first, second))["b"]
    assert found.kind == "unusable"
    assert "there is no column 'b'" in found.reason


def test_identifiers_are_no_categories(tmp_path):
    first = pd.DataFrame({"id": [f"a{i}" for i in range(3000)]})
    found = compared(tmp_path, first, first)["id"]
    assert found.kind == "unusable"
    assert "identifier or free text" in found.reason


def test_a_result_is_read_back_as_it_was():
    mapping = {"features": ["cnt", "hum", "season"]}
    pair = [data_set(DATA / f"bike_sharing_{year}.parquet", **mapping) for year in (2011, 2012)]
    result = drift_of(*pair)
    assert from_data(to_data(result), DriftResult) == result
