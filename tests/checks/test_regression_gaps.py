"""Gaps of a regression equal Fairlearn's MetricFrame on the raw rows; their sums merge exactly."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from apps.checks import kinds
from apps.checks.demands import CheckLimits
from apps.checks.engine import compute
from apps.checks.engine.errorsums import _square
from apps.checks.engine.exactsum import exact_sum
from apps.checks.engine.source import Caps
from apps.checks.kinds.base import Task
from apps.checks.library import errorgaps
from apps.checks.library.errorgaps import Params, RegressionGapsResult
from apps.checks.limits import RegressionGapsLimits
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from apps.core.parts import Chart, Missing, Table, Text
from tests.checks.support import CAPS, DATA, csv, data_set, number, parquet, workshop

ROLES = {"target": "y", "prediction": "p", "task": "regression", "sensitive": ["g"]}
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
halves = st.integers(-200, 200).map(lambda n: n / 2)
rows = st.lists(st.tuples(halves, halves, st.sampled_from("abc"), st.sampled_from("xy")), min_size=2, max_size=60)  # fmt: skip
FUNCTIONS = {
    "mae": metrics.mean_absolute_error,
    "rmse": metrics.root_mean_squared_error,
    "mean_error": lambda y, p: np.mean(p - y),
    "mean_prediction": lambda _y, p: np.mean(p),
    "mean_outcome": lambda y, _p: np.mean(y),
}


def measured(data, *, caps: Caps = CAPS, **params) -> RegressionGapsResult:
    return kinds.get("regression_gaps").run(Task(workshop(caps), (data,)), Params(**params))[1]


def of(frame: pd.DataFrame, folder, *, caps: Caps = CAPS, **roles) -> RegressionGapsResult:
    data = data_set(parquet(frame, folder), favourable="", **{**ROLES, **roles})
    return measured(data, caps=caps)


def same(found, expected) -> None:
    assert number(found.value) == pytest.approx(expected, abs=1e-12, rel=1e-12)
    if found.interval is not None:
        assert found.interval.low - 1e-9 <= float(expected) <= found.interval.high + 1e-9


@quick
@given(rows=rows, as_csv=st.booleans())
def test_every_group_and_gap_is_fairlearns(tmp_path, rows, as_csv):
    frame = pd.DataFrame(rows, columns=["y", "p", "g", "h"])
    path = (csv if as_csv else parquet)(frame, tmp_path)
    found = measured(data_set(path, favourable="", **{**ROLES, "sensitive": ["g", "h"]}))
    for features in (["g"], ["h"], ["g", "h"]):
        grouping = found.find(features)
        assert grouping is not None
        theirs = MetricFrame(metrics=FUNCTIONS, y_true=frame["y"], y_pred=frame["p"], sensitive_features=frame[features])  # fmt: skip
        by_group = theirs.by_group.dropna()
        assert len(by_group) == len(grouping.groups)
        for group in grouping.groups:
            key = group.values if len(features) > 1 else group.values[0]
            for name in FUNCTIONS:
                same(group.metrics[name], by_group.loc[key, name])
        if len(grouping.groups) < 2:
            assert grouping.gaps["mae_difference"].value is None
            continue
        apart, ratio = theirs.difference(), theirs.ratio()
        for name in ("mae", "rmse", "mean_error", "mean_prediction"):
            same(grouping.gaps[f"{name}_difference"], apart[name])
        for name in ("mae", "rmse"):
            if by_group[name].max() > 0:
                same(grouping.gaps[f"{name}_ratio"], ratio[name])
            else:
                assert grouping.gaps[f"{name}_ratio"].value is None
            same(grouping.gaps[f"worst_group_{name}"], theirs.group_max()[name])
        same(grouping.gaps["worst_group_bias"], by_group["mean_error"].abs().max())


@quick
@given(rows=rows, cut=st.integers(0, 60), seed=st.integers(0, 9))
def test_halves_in_any_order_add_up_to_the_whole_to_the_last_digit(tmp_path, rows, cut, seed):
    frame = pd.DataFrame(rows, columns=["y", "p", "g", "h"])
    frame[["y", "p"]] = frame[["y", "p"]] / 3 + 1e9
    cut = min(max(cut, 1), len(frame) - 1)

    def counted(part: pd.DataFrame, name: str):
        path = parquet(part, tmp_path, name)
        return compute.regression_gaps(data_set(path, favourable="", **ROLES), workshop())

    whole = counted(frame, "whole")
    assert counted(frame.sample(frac=1, random_state=seed), "mixed") == whole
    first, second = counted(frame[:cut], "first"), counted(frame[cut:], "second")
    assert first.plus(second) == second.plus(first) == whole


@given(st.lists(st.floats(-1e150, 1e150).filter(lambda v: v == 0 or abs(v) > 1e-140), max_size=20))
def test_squares_are_exact(values):
    found = sum((exact_sum(part) for part in _square(np.array(values, dtype=float))), Fraction(0))
    assert found == sum((Fraction(value) ** 2 for value in values), Fraction(0))


def test_numbers_far_from_zero_keep_their_spread(tmp_path):
    rng = np.random.default_rng(1)
    p = 1e12 + rng.normal(size=400)
    frame = pd.DataFrame({"y": p - 0.5, "p": p, "g": ["a", "b"] * 200})
    grouping = of(frame, tmp_path).find(["g"])
    assert grouping is not None
    for group in grouping.groups:
        own = p[(frame["g"] == group.values[0]).to_numpy()]
        mean = group.metrics["mean_prediction"]
        assert mean.interval is not None
        half = (mean.interval.high - mean.interval.low) / 2
        assert half == pytest.approx(1.959964 * own.std(ddof=1) / math.sqrt(200), rel=1e-2)


def test_intervals_hold_the_true_gap_about_as_often_as_they_say(tmp_path):
    """Two normal groups whose errors have the spreads 1 and 2: mean absolute errors sqrt(2/pi) and twice that."""
    rng = np.random.default_rng(7)
    truth, true_ratio = math.sqrt(2 / math.pi), 0.5
    inside = {"mae_difference": 0, "mae_ratio": 0, "rmse_ratio": 0}
    draws = 300
    for _ in range(draws):
        errors = {"a": rng.normal(0, 1, 150), "b": rng.normal(0, 2, 150)}
        groups = [
            errorgaps.ErrorGroup((name,), 150, errorgaps._metrics(_sums(name, e), 1.959964))
            for name, e in errors.items()
        ]
        gaps = errorgaps.gaps(groups)
        for key, value in (("mae_difference", truth), ("mae_ratio", true_ratio), ("rmse_ratio", true_ratio)):  # fmt: skip
            bounds = gaps[key].interval
            assert bounds is not None
            inside[key] += bounds.low <= value <= bounds.high
    for key, count in inside.items():
        assert 0.91 <= count / draws <= 0.99, key


def _sums(name: str, e: np.ndarray):
    from apps.checks.errorsums import GroupSums

    terms = (np.abs(e), e, e**2, e**4, e, e**2, 0 * e, 0 * e)
    return GroupSums((name,), len(e), tuple(str(exact_sum(term)) for term in terms))


def test_unknown_is_a_group_and_every_row_is_counted_or_told(tmp_path):
    frame = pd.DataFrame(
        {
            "y": [1.0, 2, None, 4, math.inf, 6],
            "p": [1.5, 2, 3, None, 5, 6],
            "g": ["a", None, "a", "b", "b", " "],
        }
    )
    found = of(frame, tmp_path)
    assert (found.rows.total, found.rows.counted) == (6, 3)
    assert sum(found.rows.excluded.values()) == 3
    grouping = found.find(["g"])
    assert grouping is not None
    assert {group.label: group.n for group in grouping.groups} == {"a": 1, "unknown": 2}


def test_a_group_of_one_row_keeps_the_gap_and_takes_its_interval(tmp_path):
    frame = pd.DataFrame({"y": [0.0] * 41, "p": [1.0, 2.0] * 20 + [9.0], "g": ["a"] * 40 + ["b"]})
    grouping = of(frame, tmp_path).find(["g"])
    assert grouping is not None
    gap = grouping.gaps["mae_difference"]
    assert (gap.value, gap.interval) == ("7.5", None)
    assert "one row has no variance" in gap.reason


def test_a_column_of_words_or_too_large_numbers_is_refused_by_name(tmp_path):
    words = pd.DataFrame({"y": [1.0, 2.0], "p": ["x", "y"], "g": ["a", "b"]})
    with pytest.raises(Invalid, match="'p'"):
        of(words, tmp_path)
    large = pd.DataFrame({"y": [1e200, 2.0], "p": [1.0, 2.0], "g": ["a", "b"]})
    with pytest.raises(Invalid, match="too large to be squared"):
        of(large, tmp_path)


def test_too_many_groups_are_refused_and_the_others_measured_and_the_sentence_says_so(tmp_path):
    frame = pd.DataFrame({"y": np.arange(60.0), "p": np.arange(60.0) + [0, 1, 2] * 20, "g": ["a", "b"] * 30, "h": np.arange(60)})  # fmt: skip
    found = of(frame, tmp_path, caps=Caps(memory="500MB", max_groups=10), sensitive=["g", "h"])
    assert [entry.features for entry in found.refused] == [("h",), ("g", "h")]
    shown = kinds.get("regression_gaps").parts(found)
    assert isinstance(shown[0], Text)
    assert shown[0].text.endswith("; h and g × h were not measured.")
    assert sum(isinstance(part, Missing) for part in shown) == 2
    loose = RegressionGapsLimits.model_validate({"mae_difference": {"max": "9"}})
    assert errorgaps.assess(found, loose).verdict is Verdict.INSUFFICIENT


def test_data_without_groups_or_of_another_task_are_refused():
    require = kinds.get("regression_gaps").require
    with pytest.raises(Invalid, match="no sensitive column"):
        require([{"task": "regression", "sensitive": []}])
    with pytest.raises(Invalid, match="declared as binary"):
        require([{"sensitive": ["g"]}])
    require([{"task": "regression", "sensitive": ["g"]}])


def test_a_reference_that_does_not_occur_is_refused_and_a_declared_one_is_kept(tmp_path):
    frame = pd.DataFrame({"y": [0.0] * 6, "p": [1.0, 2, 3, 4, 5, 6], "g": ["a", "a", "a", "a", "b", "b"]})  # fmt: skip
    data = data_set(parquet(frame, tmp_path), favourable="", **ROLES)
    with pytest.raises(Invalid, match="does not occur"):
        measured(data, reference={"g": "z"})
    grouping = measured(data, reference={"g": "b"}).find(["g"])
    assert grouping is not None
    assert (grouping.reference, grouping.reference_is) == (("b",), "declared")
    [a] = [group for group in grouping.groups if group.values == ("a",)]
    assert a.differences["mae"].value == "-3.0"


GROUPS = pd.DataFrame({"g": ["a"] * 500 + ["b"] * 500 + ["c"] * 5, "y": 0.0}).assign(
    p=lambda f: (
        np.random.default_rng(3).normal(0, 1, len(f)) * f["g"].map({"a": 1.0, "b": 2.0, "c": 50.0})
    )
)


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"mae_ratio": {"min": "0.3"}}, Verdict.PASS),
        ({"mae_ratio": {"min": "0.8"}}, Verdict.FAIL),
        ({"mae_ratio": {"min": "0.5"}}, Verdict.INCONCLUSIVE),
        ({"worst_group_mae": {"max": "2"}, "rmse_difference": {"max": "1.5"}}, Verdict.PASS),
        ({"worst_group_bias": {"max": "0.5"}}, Verdict.PASS),
        ({"worst_group_bias": {"max": "0.5"}, "min_n": 2}, Verdict.INCONCLUSIVE),
        ({"mae_difference": {"max": "9"}, "min_n": 600}, Verdict.INSUFFICIENT),
        ({"mae_difference": {"max": "9"}, "min_coverage": "1"}, Verdict.INSUFFICIENT),
        ({"mae_difference": {"max": "9"}, "features": ["h"]}, Verdict.INSUFFICIENT),
    ],
)
def test_limits_are_judged_over_the_groups_that_are_large_enough(tmp_path, limits, verdict):
    found = of(GROUPS, tmp_path)
    assessment = errorgaps.assess(found, RegressionGapsLimits.model_validate(limits))
    assert assessment.verdict is verdict, assessment.sentence
    if verdict is Verdict.PASS:
        assert "1 smaller group shown and not judged" in assessment.sentence


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"mae_ratio": {"max": "0.8"}},
        {"mae_difference": {"min": "1"}},
        {"mae": {"max": "1"}},
        {"mae_ratio": {"min": 0.8}},
    ],
)
def test_wrong_limits_are_refused(wrong):
    with pytest.raises(Invalid):
        CheckLimits.parse({"regression_gaps": wrong})


def test_real_data_come_out_as_fairlearn_says_and_every_picture_has_its_table(tmp_path):
    frame = pd.read_parquet(DATA / "bike_sharing_2012.parquet")
    frame["guess"] = frame.groupby("season")["cnt"].transform("mean")
    roles = {"target": "cnt", "prediction": "guess", "sensitive": ["season"]}
    found = of(frame, tmp_path, **roles)
    theirs = MetricFrame(metrics=FUNCTIONS, y_true=frame["cnt"], y_pred=frame["guess"], sensitive_features=frame["season"])  # fmt: skip
    grouping = found.find(["season"])
    assert grouping is not None
    same(grouping.gaps["mae_difference"], theirs.difference()["mae"])
    same(grouping.gaps["rmse_ratio"], theirs.ratio()["rmse"])
    shown = kinds.get("regression_gaps").parts(found)
    assert sum(isinstance(part, Chart) for part in shown) == 4
    assert sum(isinstance(part, Table) for part in shown) == 3
