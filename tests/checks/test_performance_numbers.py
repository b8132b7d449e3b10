"""Performance equals scikit-learn on the raw rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from apps.checks.library import performance
from apps.checks.statistics import from_data, to_data
from tests.checks.support import ACS, DEMO, csv, data_set, number, parquet, performance_of

ROLES = {"target": "y", "prediction": "p", "score": "s"}
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def expected(frame: pd.DataFrame, positive: object = 1) -> dict[str, float]:
    y, p, s = frame["y"] == positive, frame["p"] == positive, frame["s"].astype(float)
    with np.errstate(all="ignore"):
        return {
            "accuracy": metrics.accuracy_score(y, p),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, p),
            "precision": metrics.precision_score(y, p),
            "recall": metrics.recall_score(y, p),
            "f1": metrics.f1_score(y, p),
            "roc_auc": metrics.roc_auc_score(y, s),
            "log_loss": metrics.log_loss(y, s, labels=[False, True]),
            "brier": metrics.brier_score_loss(y, s),
        }


rows = st.lists(
    st.tuples(st.booleans(), st.booleans(), st.integers(0, 20)), min_size=2, max_size=60
)


@quick
@given(rows=rows, as_csv=st.booleans(), turned=st.booleans())
def test_every_number_is_scikit_learns(tmp_path, rows, as_csv, turned):
    frame = pd.DataFrame([(int(y), int(p), s / 20) for y, p, s in rows], columns=["y", "p", "s"])
    if frame["y"].nunique() < 2 or frame["p"].nunique() < 2:
        return
    path = (csv if as_csv else parquet)(frame, tmp_path)
    positive = 0 if turned else 1
    found = performance_of(data_set(path, favourable="1", positive=str(positive), **ROLES))
    for name, value in expected(frame, positive).items():
        assert number(found.metrics[name].value) == pytest.approx(value, abs=1e-12), name
    assert found.confusion.total == len(frame)


def test_the_census_of_2018_gives_scikit_learns_numbers():
    path = DEMO / "acs_employment_ma_2018.parquet"
    frame = pd.read_parquet(path, columns=["y_true", "y_pred", "y_score"])
    frame.columns = pd.Index(["y", "p", "s"])
    found = performance_of(data_set(path, **ACS))
    for name, value in expected(frame).items():
        assert number(found.metrics[name].value) == pytest.approx(value, abs=1e-12), name
    assert (found.rows.total, found.rows.counted) == (70_131, 70_131)


def test_calibration_bins_are_the_rows_counted_by_hand():
    path = DEMO / "german_credit_predictions.csv"
    frame = pd.read_csv(path)
    roles = {"target": "y_true", "prediction": "y_pred", "score": "y_score"}
    found = performance_of(data_set(path, **roles)).calibration
    place = np.minimum((frame["y_score"] * 10).astype(int), 9)
    for index, entry in enumerate(found):
        inside = frame[place == index]
        assert entry.count == len(inside)
        assert entry.observed.numerator == int(inside["y_true"].sum())
        if len(inside):
            assert number(entry.mean_score) == pytest.approx(inside["y_score"].mean(), abs=1e-12)


def test_a_stored_result_is_computed_again_from_its_statistics(tmp_path):
    from apps.checks.engine import compute
    from apps.checks.statistics import PerformanceStatistics
    from tests.checks.support import workshop

    data = data_set(
        DEMO / "german_credit_predictions.csv",
        target="y_true",
        prediction="y_pred",
        score="y_score",
    )
    statistics = compute.performance(data, workshop())
    first = performance.measure(statistics, performance.Params())
    stored = from_data(to_data(statistics), PerformanceStatistics)
    assert performance.measure(stored, performance.Params()) == first
    assert from_data(to_data(first), performance.PerformanceResult) == first


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {"y": rng.integers(0, 2, 200), "p": rng.integers(0, 2, 200), "s": rng.random(200)}
    )


def test_scores_that_are_no_numbers_are_left_out_and_counted(tmp_path, frame):
    frame.loc[0, "s"] = math.nan
    frame.loc[1, "s"] = math.inf
    frame.loc[2, "s"] = -math.inf
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES))
    assert found.rows.counted == 200
    assert found.score_rows is not None
    assert found.score_rows.counted == 197
    assert found.score_rows.excluded == {
        "score infinite": 2,
        "score missing or not a number": 1,
    }
    kept = frame.iloc[3:]
    assert number(found.metrics["roc_auc"].value) == pytest.approx(
        metrics.roc_auc_score(kept["y"], kept["s"]), abs=1e-12
    )


def test_rows_without_outcome_or_prediction_are_left_out_and_counted(tmp_path, frame):
    frame["y"] = frame["y"].astype("Int64")
    frame.loc[0, "y"] = pd.NA
    frame["p"] = frame["p"].astype("Int64")
    frame.loc[[0, 1, 2], "p"] = pd.NA
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES))
    assert found.rows.total == 200
    assert found.rows.counted == 197
    assert found.rows.excluded == {"outcome missing": 1, "prediction missing": 2}


def test_one_class_only_leaves_what_needs_two_undefined(tmp_path, frame):
    frame["y"] = 1
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES))
    for name in ("balanced_accuracy", "roc_auc"):
        assert found.metrics[name].value is None
        assert found.metrics[name].reason.startswith("not defined")
    assert found.metrics["recall"].value is not None


def test_nothing_predicted_positive_leaves_precision_undefined(tmp_path, frame):
    frame["p"] = 0
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES))
    assert found.metrics["precision"].value is None
    assert found.metrics["precision"].denominator == 0


def test_scores_beyond_0_and_1_have_an_area_and_no_log_loss(tmp_path, frame):
    frame["s"] = frame["s"] * 10 - 5
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES))
    assert number(found.metrics["roc_auc"].value) == pytest.approx(
        metrics.roc_auc_score(frame["y"], frame["s"]), abs=1e-12
    )
    assert found.metrics["log_loss"].value is None
    assert "no probabilities" in found.metrics["log_loss"].reason
    assert found.calibration == ()


@pytest.mark.parametrize(
    ("yes", "no", "favourable"),
    [
        ("approved", "denied", "approved"),
        (True, False, "true"),
        (1.0, 0.0, "1"),
        ("it's", 'a "b" {c}', "it's"),
    ],
)
def test_outcomes_may_be_words_truth_values_or_floats(tmp_path, frame, yes, no, favourable):
    for column in ("y", "p"):
        frame[column] = [yes if value else no for value in frame[column]]
    found = performance_of(data_set(parquet(frame, tmp_path), favourable=favourable, **ROLES))
    assert number(found.metrics["accuracy"].value) == pytest.approx(
        (frame["y"] == frame["p"]).mean(), abs=1e-15
    )
