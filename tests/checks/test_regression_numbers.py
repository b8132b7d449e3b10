"""Regression equals scikit-learn and NumPy on the raw rows; its sums are exact in any order."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from apps.checks import kinds
from apps.checks.engine import compute
from apps.checks.engine.exactsum import exact_sum
from apps.checks.kinds.base import Task
from apps.checks.library import quantiles, regression
from apps.checks.limits import RegressionLimits
from apps.checks.outcomes import RegressionStatistics
from apps.checks.statistics import from_data, to_data
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from tests.checks.support import DATA, csv, data_set, number, parquet, workshop

ROLES = {"target": "y", "prediction": "p", "task": "regression"}
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def regression_of(data, **params):
    task = Task(workshop(), (data,))
    return kinds.get("regression").run(task, regression.Params(**params))[1]


def measured(frame, folder, **params):
    return regression_of(data_set(parquet(frame, folder), favourable="", **ROLES), **params)


def expected(y, p) -> dict[str, float]:
    found = {
        "mae": metrics.mean_absolute_error(y, p),
        "rmse": metrics.root_mean_squared_error(y, p),
        "median_absolute_error": metrics.median_absolute_error(y, p),
        "p90_absolute_error": np.quantile(np.abs(p - y), 0.9),
        "mean_error": np.mean(p - y),
        "absolute_bias": abs(np.mean(p - y)),
    }
    return found | ({"r2": metrics.r2_score(y, p)} if np.ptp(y) else {})


halves = st.integers(-200, 200).map(lambda n: n / 2)
rows = st.lists(st.tuples(halves, halves), min_size=2, max_size=60)


@quick
@given(rows=rows, as_csv=st.booleans())
def test_every_number_is_scikit_learns(tmp_path, rows, as_csv):
    frame = pd.DataFrame(rows, columns=["y", "p"])
    path = (csv if as_csv else parquet)(frame, tmp_path)
    found = regression_of(data_set(path, favourable="", **ROLES))
    for key, value in expected(frame["y"].to_numpy(), frame["p"].to_numpy()).items():
        assert number(found.metrics[key].value) == pytest.approx(value, abs=1e-12, rel=1e-12), key
        bounds = found.metrics[key].interval
        assert bounds is None or bounds.low - 1e-9 <= value <= bounds.high + 1e-9, key
    if not np.ptp(frame["y"]):
        assert found.metrics["r2"].value is None


def test_the_published_example_of_scikit_learn_comes_out(tmp_path):
    """User guide of scikit-learn, 3.4.6 Regression metrics: y_true = [3, -0.5, 2, 7], y_pred = [2.5, 0.0, 2, 8]."""
    frame = pd.DataFrame({"y": [3, -0.5, 2, 7], "p": [2.5, 0.0, 2, 8]})
    found = measured(frame, tmp_path).metrics
    assert found["mae"].value == "0.5"
    assert found["median_absolute_error"].value == "0.5"
    assert number(found["rmse"].value) == pytest.approx(0.612, abs=5e-4)
    assert number(found["r2"].value) == pytest.approx(0.948, abs=1e-3)


def test_hourly_rentals_give_scikit_learns_numbers(tmp_path):
    frame = pd.read_parquet(DATA / "bike_sharing_2012.parquet")
    slope, start = np.polyfit(frame["hum"], frame["cnt"], 1)
    frame = pd.DataFrame({"y": frame["cnt"], "p": start + slope * frame["hum"]})
    found = measured(frame, tmp_path)
    for key, value in expected(frame["y"].to_numpy(), frame["p"].to_numpy()).items():
        assert number(found.metrics[key].value) == pytest.approx(value, rel=1e-12, abs=1e-9), key
    for each in found.errors:
        wanted = np.quantile(frame["p"] - frame["y"], float(each.share))
        assert number(each.error.value) == pytest.approx(wanted, rel=1e-12), each.share
    assert found.rows.counted == len(frame)


def test_intervals_hold_the_truth_about_as_often_as_they_say(tmp_path):
    """600 data sets of 150 rows with normal errors: MAE sqrt(2/pi), RMSE 1, R2 0.8, median 0.6745, 90 % 1.6449, bias 0."""
    rng = np.random.default_rng(11)
    truth = {
        "mae": math.sqrt(2 / math.pi),
        "rmse": 1.0,
        "r2": 0.8,
        "median_absolute_error": 0.67449,
        "p90_absolute_error": 1.64485,
        "mean_error": 0.0,
    }
    inside = dict.fromkeys(truth, 0)
    for _ in range(600):
        p = rng.normal(scale=2, size=150)
        y = p + rng.normal(size=150)
        for key, each in regression.measure(_statistics(y, p), regression.Params()).metrics.items():
            if key in truth:
                inside[key] += number(each.low) <= truth[key] <= number(each.high)
    for key, count in inside.items():
        assert 0.92 <= count / 600 <= 0.985, (key, count)


def _statistics(y, p) -> RegressionStatistics:
    """As the engine makes them, without a file."""
    from apps.checks.engine import regression as engine

    e, pivot = p - y, engine._pivot(y)
    sums = {name: str(exact_sum(values)) for name, values in engine._terms(e, y - pivot)}
    absolute, signed = regression.ranks("0.95")(len(e))
    return RegressionStatistics(
        engine.RowCount(len(e), len(e)),
        repr(pivot),
        sums,
        engine._at(np.abs(e), absolute),
        engine._at(e.copy(), signed),
        repr(float(y.min())),
        repr(float(y.max())),
    )


@settings(max_examples=100, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40))
def test_a_sum_is_exact_whatever_the_order(values):
    truth = sum((Fraction(value) for value in values), Fraction(0))
    assert exact_sum(np.array(values, dtype=np.float64)) == truth
    assert exact_sum(np.array(values[::-1], dtype=np.float64)) == truth
    half = len(values) // 2
    parts = [np.array(part, dtype=np.float64) for part in (values[:half], values[half:])]
    assert sum(map(exact_sum, parts), Fraction(0)) == truth


def test_more_values_than_one_chunk_are_added_up_exactly():
    values = np.concatenate([np.full(1_100_000, 0.1), [1e300, -1e300, 5e-324]])
    assert exact_sum(values) == 1_100_000 * Fraction(0.1) + Fraction(5e-324)


def test_the_order_of_the_rows_changes_no_digit(tmp_path):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"y": rng.normal(1e6, 1, 5_000), "p": rng.normal(1e6, 1, 5_000)})
    shuffled = frame.sample(frac=1, random_state=1)
    assert measured(frame, tmp_path) == measured(shuffled, tmp_path)


@pytest.mark.parametrize("turned", [False, True])
def test_a_zero_has_no_sign(tmp_path, turned):
    frame = pd.DataFrame({"y": [0.0, -0.0, 0.0], "p": [-0.0, 0.0, 0.0]})
    found = measured(frame[::-1] if turned else frame, tmp_path)
    assert (found.lowest, found.highest) == ("0.0", "0.0")
    assert {each.error.value for each in found.errors} == {"0.0"}


@pytest.mark.parametrize("stretch", [1, 7, 64])
def test_stretches_of_any_length_give_the_same_digits(tmp_path, monkeypatch, stretch):
    from apps.checks.engine import regression as engine

    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"y": rng.normal(size=100), "p": rng.normal(size=100)})
    whole = measured(frame, tmp_path)
    monkeypatch.setattr(engine, "CHUNK", stretch)
    assert measured(frame, tmp_path) == whole


def test_outcomes_far_from_zero_lose_no_digits(tmp_path):
    rng = np.random.default_rng(6)
    y = rng.normal(size=500)
    frame = pd.DataFrame({"y": y, "p": y + rng.normal(size=500)})
    far = measured(frame + 2.0**30, tmp_path).metrics["r2"]
    exact = pd.DataFrame({name: (frame[name] + 2.0**30) - 2.0**30 for name in frame})
    assert number(far.value) == pytest.approx(metrics.r2_score(exact["y"], exact["p"]), abs=1e-9)


def test_rows_without_two_finite_numbers_are_left_out_for_one_reason_each(tmp_path):
    y = [1.0, math.nan, math.inf, 4.0, math.nan, 6.0, None]
    p = [1.5, 2.0, 3.0, -math.inf, math.nan, math.nan, 7.0]
    found = measured(pd.DataFrame({"y": y, "p": p}), tmp_path)
    assert (found.rows.total, found.rows.counted) == (7, 1)
    assert found.rows.excluded == {
        "outcome infinite": 1,
        "outcome missing": 3,
        "prediction infinite": 1,
        "prediction missing": 1,
    }


def test_nothing_to_count_is_insufficient_and_says_why(tmp_path):
    found = measured(pd.DataFrame({"y": [math.nan, 1.0], "p": [1.0, math.inf]}), tmp_path)
    judged = regression.assess(found, RegressionLimits.model_validate({"mae": {"max": "1"}}))
    assert judged.verdict is Verdict.INSUFFICIENT
    assert found.metrics["mae"].reason == regression.NO_ROWS


def test_a_constant_outcome_has_no_r2(tmp_path):
    found = measured(pd.DataFrame({"y": [2.0] * 50, "p": [1.0, 3.0] * 25}), tmp_path).metrics
    assert found["r2"].reason == "not defined: all outcomes are equal"
    assert found["mae"].value == "1.0"


def test_perfect_predictions_have_no_interval_and_are_not_passed(tmp_path):
    values = [float(n) for n in range(50)]
    found = measured(pd.DataFrame({"y": values, "p": values}), tmp_path)
    assert found.metrics["r2"].value == "1.0"
    judged = regression.assess(found, RegressionLimits.model_validate({"r2": {"min": "0.9"}}))
    assert judged.verdict is Verdict.INSUFFICIENT
    assert "all errors are 0" in judged.sentence


@pytest.mark.parametrize("column", ["y", "p"])
@pytest.mark.parametrize("values", [["a", "b", "c"], [True, False, True]])
def test_a_column_that_holds_no_numbers_is_refused_by_name(tmp_path, column, values):
    frame = pd.DataFrame({"y": [1.0, 2.0, 3.0], "p": [1.0, 2.0, 3.0]})
    frame[column] = values
    with pytest.raises(Invalid, match=f"'{column}' does not hold numbers"):
        measured(frame, tmp_path)


def test_errors_too_large_for_a_fourth_power_are_refused_by_name(tmp_path):
    with pytest.raises(Invalid, match="column 'p': errors or outcomes are too large"):
        measured(pd.DataFrame({"y": [1.0, 2.0], "p": [1e300, 2.0]}), tmp_path)


def test_decimals_are_numbers(tmp_path):
    frame = pd.DataFrame({"y": [Decimal("1.10"), Decimal("2.20")], "p": [Decimal("1.20"), Decimal("2.20")]})  # fmt: skip
    assert number(measured(frame, tmp_path).metrics["mae"].value) == pytest.approx(0.05, abs=1e-15)


def test_a_stored_result_is_computed_again_from_its_statistics(tmp_path):
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y": rng.normal(size=300), "p": rng.normal(size=300)})
    data = data_set(parquet(frame, tmp_path), favourable="", **ROLES)
    counted = compute.regression(data, workshop(), regression.ranks("0.95"))
    stored = from_data(to_data(counted), RegressionStatistics)
    first = regression.measure(counted, regression.Params())
    assert regression.measure(stored, regression.Params()) == first
    assert from_data(to_data(first), regression.RegressionResult) == first


@pytest.mark.parametrize(("n", "q"), [(100, "1/2"), (37, "9/10"), (1000, "1/100")])
def test_places_of_an_interval_hold_the_quantile_as_often_as_asked(n, q):
    from scipy.stats import binom

    at = quantiles.places(n, Fraction(q), 0.95)
    held = binom.cdf(at.high - 1, n, float(Fraction(q))) - binom.cdf(at.low - 1, n, float(Fraction(q)))  # fmt: skip
    assert held >= 0.95 - 1e-12


def test_too_few_rows_have_a_quantile_and_no_interval(tmp_path):
    found = measured(pd.DataFrame({"y": [1.0, 2.0, 3.0], "p": [2.0, 4.0, 9.0]}), tmp_path)
    assert found.metrics["median_absolute_error"].value == "2.0"
    assert found.metrics["median_absolute_error"].reason == "3 rows are too few for an interval"


def test_the_size_of_the_bias_is_limited_on_both_sides(tmp_path):
    rng = np.random.default_rng(8)
    y = rng.normal(size=400)
    limits = RegressionLimits.model_validate({"absolute_bias": {"max": "0.5"}})
    for shift, verdict in ((0.0, Verdict.PASS), (2.0, Verdict.FAIL), (-2.0, Verdict.FAIL)):
        frame = pd.DataFrame({"y": y, "p": y + shift + rng.normal(size=400)})
        assert regression.assess(measured(frame, tmp_path), limits).verdict is verdict
