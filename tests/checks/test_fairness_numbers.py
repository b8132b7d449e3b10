"""Fairness equals Fairlearn on the raw rows, and says more where Fairlearn says too much."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fairlearn import metrics as fairlearn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, precision_score

from apps.checks.engine import compute, joint
from apps.checks.engine.crosscheck import Disagreement, against_fairlearn
from apps.checks.library import fairness
from apps.checks.library.groups import FairnessResult
from apps.checks.statistics import Cell, Contingency, FairnessStatistics, from_data, to_data
from apps.core.errors import Invalid
from tests.checks.support import (
    ACS,
    DATA,
    DEMO,
    csv,
    data_set,
    fairness_of,
    number,
    parquet,
    workshop,
)

FUNCTIONS = {
    "selection_rate": fairlearn.selection_rate,
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "false_negative_rate": fairlearn.false_negative_rate,
    "positive_predictive_value": partial(precision_score, zero_division=0.0),
    "accuracy": accuracy_score,
}
ROLES = {"target": "y", "prediction": "p"}
quick = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def compare(found: FairnessResult, frame: pd.DataFrame, features: list[str]) -> None:
    """Every number of one grouping against Fairlearn on all rows; y and p are 0/1."""
    sensitive = frame[features].astype(object).where(frame[features].notna(), "unknown")
    mf = fairlearn.MetricFrame(
        metrics=FUNCTIONS, y_true=frame["y"], y_pred=frame["p"], sensitive_features=sensitive
    )
    grouping = found.find(features)
    assert grouping is not None
    assert len(grouping.groups) == sum(mf.by_group["accuracy"].notna())
    defined = True
    for group in grouping.groups:
        key = tuple("unknown" if v is None else v for v in group.values)
        theirs = mf.by_group.loc[key if len(key) > 1 else key[0]]
        for name, ours in group.rates.items():
            defined &= ours.value is not None
            if ours.value is not None:
                assert float(ours.value) == pytest.approx(theirs[name], abs=1e-12)
    if defined and len(grouping.groups) > 1:
        _compare_gaps(grouping.gaps, frame, sensitive)


def _compare_gaps(gaps, frame: pd.DataFrame, sensitive: pd.DataFrame) -> None:
    mf = fairlearn.MetricFrame(
        metrics=FUNCTIONS, y_true=frame["y"], y_pred=frame["p"], sensitive_features=sensitive
    )
    spans, worst = mf.difference(method="between_groups"), mf.group_min()
    given_ = {"y_true": frame["y"], "y_pred": frame["p"], "sensitive_features": sensitive}
    expected = {
        "demographic_parity_difference": fairlearn.demographic_parity_difference(**given_),
        "demographic_parity_ratio": fairlearn.demographic_parity_ratio(**given_),
        "equalized_odds_difference": fairlearn.equalized_odds_difference(**given_),
        "equalized_odds_ratio": fairlearn.equalized_odds_ratio(**given_),
        "equal_opportunity_difference": fairlearn.equal_opportunity_difference(**given_),
        "false_positive_rate_difference": spans["false_positive_rate"],
        "predictive_parity_difference": spans["positive_predictive_value"],
        "accuracy_difference": spans["accuracy"],
        "worst_group_accuracy": worst["accuracy"],
    }
    ratios = mf.ratio(method="between_groups")
    if ratios[["true_positive_rate", "false_positive_rate"]].isna().any():
        # Fairlearn takes the other one, or none, by their order; here a ratio of nothing leaves the worse one unknown.
        expected["equalized_odds_ratio"] = np.nan
    for name, value in expected.items():
        if np.isnan(value):
            assert gaps[name].value is None
        else:
            assert number(gaps[name].value) == pytest.approx(value, abs=1e-12), name


rows = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 1),
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["x", "y"]),
    ),
    min_size=2,
    max_size=80,
)


@quick
@given(rows=rows, as_csv=st.booleans())
def test_every_number_is_fairlearns(tmp_path, rows, as_csv):
    frame = pd.DataFrame(rows, columns=["y", "p", "g", "h"])
    if not {1} <= set(frame["y"]) | set(frame["p"]) or frame["g"].isna().all():
        return
    path = (csv if as_csv else parquet)(frame, tmp_path)
    found = fairness_of(data_set(path, sensitive=["g", "h"], **ROLES))
    compare(found, frame, ["g"])
    compare(found, frame, ["h"])
    compare(found, frame, ["g", "h"])


@pytest.mark.parametrize("year", [2018])
def test_the_census_gives_fairlearns_numbers(year):
    path = DEMO / f"acs_employment_ma_{year}.parquet"
    frame = pd.read_parquet(path).rename(columns={"y_true": "y", "y_pred": "p"})
    found = fairness_of(data_set(path, **ACS))
    for features in (["sex"], ["race"], ["sex", "race"]):
        compare(found, frame, features)


def test_adults_by_gender_and_race_give_fairlearns_numbers():
    path = DATA / "adult_rf_predictions.csv"
    frame = pd.read_csv(path).rename(columns={"y_true": "y", "y_pred": "p"})
    roles = {"target": "y_true", "prediction": "y_pred", "sensitive": ["gender", "race"]}
    found = fairness_of(data_set(path, **roles))
    for features in (["gender"], ["race"], ["gender", "race"]):
        compare(found, frame, features)


def test_the_other_outcome_may_be_the_favourable_one(tmp_path):
    """Default prediction: 0 is what people want, and selection is about 0."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "y": rng.integers(0, 2, 300),
            "p": rng.integers(0, 2, 300),
            "g": rng.choice(["a", "b"], 300),
        }
    )
    found = fairness_of(
        data_set(parquet(frame, tmp_path), favourable="0", sensitive=["g"], **ROLES)
    )
    turned = frame.assign(y=1 - frame["y"], p=1 - frame["p"])
    compare(found, turned, ["g"])


def test_a_missing_sensitive_value_is_the_group_unknown(tmp_path):
    frame = pd.DataFrame(
        {"y": [1, 0] * 50, "p": [1, 1, 0, 0] * 25, "g": ["a", "b", "", None, "  "] * 20}
    )
    found = fairness_of(data_set(parquet(frame, tmp_path), sensitive=["g"], **ROLES))
    grouping = found.find(["g"])
    assert grouping is not None
    assert {group.label: group.n for group in grouping.groups} == {"a": 20, "b": 20, "unknown": 60}
    assert found.rows.counted == 100


def test_a_group_named_unknown_is_not_the_unknown_group(tmp_path):
    frame = pd.DataFrame({"y": [1, 0] * 30, "p": [1, 1, 0] * 20, "g": ["unknown", None, "a"] * 20})
    found = fairness_of(data_set(parquet(frame, tmp_path), sensitive=["g"], **ROLES))
    grouping = found.find(["g"])
    assert grouping is not None
    assert {group.values for group in grouping.groups} == {("unknown",), (None,), ("a",)}


def test_a_rate_without_a_denominator_is_null_and_never_0(tmp_path):
    frame = pd.DataFrame({"y": [1, 0, 0, 0], "p": [1, 0, 1, 1], "g": ["a", "a", "b", "b"]})
    found = fairness_of(data_set(parquet(frame, tmp_path), sensitive=["g"], **ROLES))
    grouping = found.find(["g"])
    assert grouping is not None
    rate = next(group for group in grouping.groups if group.label == "b").rates[
        "true_positive_rate"
    ]
    assert rate.value is None
    assert "no rows with the favourable outcome" in rate.reason
    assert grouping.gaps["equal_opportunity_difference"].value is None
    assert grouping.gaps["equalized_odds_difference"].value is None


def test_differences_are_signed_against_the_largest_group(tmp_path):
    frame = pd.DataFrame(
        {
            "y": [1] * 100,
            "p": [1] * 30 + [0] * 30 + [1] * 30 + [0] * 10,
            "g": ["a"] * 60 + ["b"] * 40,
        }
    )
    path = parquet(frame, tmp_path)
    grouping = fairness_of(data_set(path, sensitive=["g"], **ROLES)).find(["g"])
    assert grouping is not None
    assert (grouping.reference, grouping.reference_is) == (("a",), "largest group")
    assert number(grouping.groups[1].differences["selection_rate"].value) == 0.25
    assert grouping.groups[0].differences == {}
    declared = fairness_of(data_set(path, sensitive=["g"], **ROLES), reference={"g": "b"}).find(
        ["g"]
    )
    assert declared is not None
    assert declared.reference_is == "declared"
    assert number(declared.groups[0].differences["selection_rate"].value) == -0.25
    with pytest.raises(Invalid):
        fairness_of(data_set(path, sensitive=["g"], **ROLES), reference={"g": "z"})


def test_empty_crossed_cells_are_listed_and_not_computed(tmp_path):
    frame = pd.DataFrame(
        {"y": [1, 0, 1, 0], "p": [1, 1, 0, 0], "g": ["a", "a", "b", "b"], "h": ["x", "y", "x", "x"]}
    )
    found = fairness_of(data_set(parquet(frame, tmp_path), sensitive=["g", "h"], **ROLES))
    grouping = found.find(["g", "h"])
    assert grouping is not None
    assert grouping.empty == (("b", "y"),)
    assert len(grouping.groups) == 3


def test_exactly_four_fifths_is_four_fifths(tmp_path):
    """(3/5)/(6/8) is 0.7999999999999999 in floats; the counts know better."""
    frame = pd.DataFrame(
        {
            "y": [1, 0] * 650,
            "p": [1] * 300 + [0] * 200 + [1] * 600 + [0] * 200,
            "g": ["a"] * 500 + ["b"] * 800,
        }
    )
    grouping = fairness_of(data_set(parquet(frame, tmp_path), sensitive=["g"], **ROLES)).find(["g"])
    assert grouping is not None
    assert grouping.gaps["demographic_parity_ratio"].exact == Fraction(4, 5)


def test_ten_thousand_groups_are_refused_by_name_and_not_measured(tmp_path):
    frame = pd.DataFrame(
        {
            "y": [1, 0] * 10_000,
            "p": [1, 1, 0, 0] * 5_000,
            "g": [f"g{i}" for i in range(10_000)] * 2,
            "h": ["x", "y"] * 10_000,
        }
    )
    found = fairness_of(data_set(parquet(frame, tmp_path), sensitive=["g", "h"], **ROLES))
    assert found.find(["g"]) is None
    assert found.find(["h"]) is not None
    assert [entry.features for entry in found.refused] == [("g",), ("g", "h")]


def test_count_tables_of_two_halves_add_up_to_that_of_the_whole(tmp_path):
    frame = pd.read_csv(DATA / "adult_rf_predictions.csv")
    roles = {"target": "y_true", "prediction": "y_pred", "sensitive": ["gender", "race"]}
    tables = []
    for name, part in (("all", frame), ("one", frame[:4000]), ("two", frame[4000:])):
        data = data_set(parquet(part, tmp_path, f"{name}.parquet"), **roles)
        tables.append(compute.fairness(data, workshop()))
    whole, one, two = tables
    assert whole.rows == one.rows.plus(two.rows)
    for left, right, both in zip(one.tables, two.tables, whole.tables, strict=True):
        assert left.plus(right) == both


def test_a_stored_result_is_computed_again_from_its_tables():
    data = data_set(DEMO / "acs_employment_ma_2018.parquet", **ACS)
    statistics = compute.fairness(data, workshop())
    first = fairness.measure(statistics, fairness.Params())
    stored = from_data(to_data(statistics), FairnessStatistics)
    assert fairness.measure(stored, fairness.Params()) == first
    assert from_data(to_data(first), FairnessResult) == first


def test_a_table_that_lost_rows_is_refused():
    data = data_set(
        DEMO / "german_credit_predictions.csv",
        target="y_true",
        prediction="y_pred",
        sensitive=["sex"],
    )
    statistics = compute.fairness(data, workshop())
    table = statistics.tables[0]
    fewer = Contingency(table.features, table.cells[1:])
    with pytest.raises(ValueError, match="rows"):
        fairness.measure(
            FairnessStatistics(statistics.rows, statistics.labels, (fewer,)), fairness.Params()
        )


def test_fairlearn_agrees_on_the_counts_and_a_wrong_number_is_not_published():
    data = data_set(DEMO / "acs_employment_ma_2018.parquet", **ACS)
    statistics = compute.fairness(data, workshop())
    result = fairness.measure(statistics, fairness.Params())
    agreement = against_fairlearn(statistics, result)
    assert agreement is not None
    assert agreement.compared > 100
    assert float(agreement.largest_difference) < 1e-12
    table = statistics.tables[0]
    first = table.cells[0]
    shifted = Cell(first.values, first.actual, first.predicted, first.count + 500)
    wrong = Contingency(table.features, (shifted, *table.cells[1:]))
    with pytest.raises(Disagreement):
        against_fairlearn(
            FairnessStatistics(statistics.rows, statistics.labels, (wrong, *statistics.tables[1:])),
            result,
        )


def test_the_joint_table_gives_what_a_pass_for_each_question_gives(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "y": rng.choice([0, 1, None], 4000),
            "p": rng.integers(0, 2, 4000),
            "s": rng.random(4000),
            "g": rng.choice(["a", "b", None], 4000),
            "h": rng.choice(["x", "y", " "], 4000),
        }
    )
    data = data_set(parquet(frame, tmp_path), sensitive=["g", "h"], score="s", **ROLES)
    once = compute.fairness(data, workshop())
    monkeypatch.setattr(joint, "MOST_CELLS", 1)
    assert compute.fairness(data, workshop()) == once


def _scored(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    score = rng.random(rows)
    return pd.DataFrame(
        {
            "y": (rng.random(rows) < score).astype(int),
            "p": (score > 0.5).astype(int),
            "s": np.where(rng.random(rows) < 0.05, np.nan, score),
            "g": rng.choice(["a", "b"], rows),
            "h": rng.choice(["x", "y", None], rows),
        }
    )


def test_scores_by_group_are_those_of_pandas(tmp_path):
    frame = _scored(np.random.default_rng(4), 3000)
    data = data_set(parquet(frame, tmp_path), sensitive=["g", "h"], score="s", **ROLES)
    found = fairness_of(data)
    assert found.score_rows is not None
    assert found.score_rows.excluded == {
        "score missing or not a number": int(frame["s"].isna().sum())
    }
    grouping = found.find(["g", "h"])
    assert grouping is not None
    for group in grouping.groups:
        mine = frame["h"].isna() if group.values[1] is None else frame["h"] == group.values[1]
        theirs = frame[(frame["g"] == group.values[0]) & mine & frame["s"].notna()]
        assert group.scores is not None
        assert group.scores.n == len(theirs)
        mean = number(group.scores.mean.value)
        assert mean == pytest.approx(theirs["s"].mean(), abs=1e-11)
        spread = 1.959963984540054 * theirs["s"].std() / len(theirs) ** 0.5
        assert number(group.scores.mean.high) == pytest.approx(
            theirs["s"].mean() + spread, abs=1e-9
        )
        bins = np.minimum((theirs["s"] * 10).astype(int), 9)
        apart = (theirs["y"] - theirs["s"]).groupby(bins).sum().abs().sum() / len(theirs)
        assert float(group.scores.calibration_error or "nan") == pytest.approx(apart, abs=1e-11)
    means = [number(group.scores.mean.value) for group in grouping.groups if group.scores]
    gap = number(grouping.gaps["mean_score_difference"].value)
    assert gap == pytest.approx(max(means) - min(means), abs=1e-12)


@quick
@given(seed=st.integers(0, 10_000), cut=st.integers(1, 299))
def test_scores_of_two_halves_add_up_to_those_of_the_whole(tmp_path, seed, cut):
    frame = _scored(np.random.default_rng(seed), 300)
    if set(frame["y"]) != {0, 1} or {*frame["y"][:cut], *frame["p"][:cut]} != {0, 1}:
        return
    if {*frame["y"][cut:], *frame["p"][cut:]} != {0, 1}:
        return
    found = []
    for name, part in (("all", frame), ("one", frame[:cut]), ("two", frame[cut:])):
        path = parquet(part, tmp_path, f"{name}.parquet")
        data = data_set(path, sensitive=["g", "h"], score="s", **ROLES)
        found.append(compute.fairness(data, workshop()))
    for whole, one, two in zip(*(each.scores for each in found), strict=True):
        assert one.plus(two) == whole


def test_scores_that_are_no_numbers_are_left_out_and_the_rest_is_counted(tmp_path):
    table = pa.table(
        {
            "y": [1, 0] * 8,
            "p": [1, 0] * 8,
            "s": pa.array([0.5] + [math.nan] * 15, from_pandas=False),
            "g": ["a", "b"] * 8,
        }
    )
    pq.write_table(table, tmp_path / "nan.parquet")
    data = data_set(tmp_path / "nan.parquet", sensitive=["g"], score="s", **ROLES)
    rows = compute.fairness(data, workshop()).score_rows
    assert rows is not None
    assert (rows.counted, rows.excluded) == (1, {"score missing or not a number": 15})


def test_scores_that_are_no_probabilities_are_said_to_be_none(tmp_path):
    frame = _scored(np.random.default_rng(5), 300).assign(s=lambda f: f["s"].fillna(0) * 100)
    found = fairness_of(data_set(parquet(frame, tmp_path), sensitive=["g"], score="s", **ROLES))
    assert found.scores_refused == "scores outside 0 to 1 are no probabilities"
    grouping = found.find(["g"])
    assert grouping is not None
    assert grouping.gaps["mean_score_difference"].value is None


def test_resampling_the_counts_gives_the_spread_that_fairlearn_gets_from_the_rows(tmp_path):
    """Both are random; over 400 draws the ends agree within a few of their own standard errors."""
    rng = np.random.default_rng(6)
    frame = pd.DataFrame(
        {
            "y": rng.integers(0, 2, 1500),
            "p": (rng.random(1500) < 0.4).astype(int),
            "g": rng.choice(["a", "b", "c"], 1500),
        }
    )
    found = fairness_of(data_set(parquet(frame, tmp_path), sensitive=["g"], **ROLES), draws=4000)
    grouping = found.find(["g"])
    assert grouping is not None
    mf = fairlearn.MetricFrame(
        metrics={"selection_rate": fairlearn.selection_rate},
        y_true=frame["y"],
        y_pred=frame["p"],
        sensitive_features=frame["g"],
        n_boot=400,
        ci_quantiles=[0.025, 0.975],
        random_state=1,
    )
    theirs = [float(each["selection_rate"]) for each in mf.difference_ci(method="between_groups")]
    ours = grouping.resampled["demographic_parity_difference"]
    assert float(ours.low) == pytest.approx(theirs[0], abs=0.015)
    assert float(ours.high) == pytest.approx(theirs[1], abs=0.015)
    assert ours.defined == 4000


def test_the_same_seed_gives_the_same_digits_and_another_one_does_not(tmp_path):
    frame = _scored(np.random.default_rng(7), 500)
    data = data_set(parquet(frame, tmp_path), sensitive=["g"], **ROLES)
    first, again, other = fairness_of(data), fairness_of(data), fairness_of(data, seed=2)
    assert first == again
    assert first.groupings[0].resampled != other.groupings[0].resampled
    assert fairness_of(data, draws=0).groupings[0].resampled == {}
