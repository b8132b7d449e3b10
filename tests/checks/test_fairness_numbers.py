"""Fairness equals Fairlearn on the raw rows, and says more where Fairlearn says too much."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fairlearn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from apps.checks.engine import compute
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
    given_ = {"y_true": frame["y"], "y_pred": frame["p"], "sensitive_features": sensitive}
    expected = {
        "demographic_parity_difference": fairlearn.demographic_parity_difference(**given_),
        "demographic_parity_ratio": fairlearn.demographic_parity_ratio(**given_),
        "equalized_odds_difference": fairlearn.equalized_odds_difference(**given_),
        "equal_opportunity_difference": fairlearn.equal_opportunity_difference(**given_),
    }
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
