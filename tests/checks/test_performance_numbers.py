"""Performance equals scikit-learn on the raw rows."""

from __future__ import annotations

import math
from collections import Counter

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from apps.checks import kinds
from apps.checks.library import performance
from apps.checks.limits import PerformanceLimits
from apps.checks.statistics import (
    Contingency,
    Labels,
    PerformanceStatistics,
    RowCount,
    from_data,
    to_data,
)
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
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
            "specificity": metrics.recall_score(~y, ~p),
            "mcc": metrics.matthews_corrcoef(y, p),
            "average_precision": metrics.average_precision_score(y, s),
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


def points(found):
    last = found.curve[-1]
    return [(point.fp / last.fp, point.tp / last.tp) for point in found.curve]


@quick
@given(rows=rows)
def test_the_points_of_both_curves_are_scikit_learns(tmp_path, rows):
    frame = pd.DataFrame([(int(y), int(p), s / 20) for y, p, s in rows], columns=["y", "p", "s"])
    if frame["y"].nunique() < 2:
        return
    frame.loc[0, "p"] = 1 - frame.loc[1, "p"]
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES))
    fpr, tpr, thresholds = metrics.roc_curve(frame["y"], frame["s"], drop_intermediate=False)
    assert points(found) == pytest.approx(list(zip(fpr, tpr, strict=True))[1:], abs=1e-15)
    assert [number(point.threshold) for point in found.curve] == list(thresholds[1:])
    precision, recall, _ = metrics.precision_recall_curve(frame["y"], frame["s"])
    ours = [point.tp / (point.tp + point.fp) for point in found.curve]
    assert ours == pytest.approx(list(precision[:-1][::-1]), abs=1e-15)
    assert [tpr for _, tpr in points(found)] == pytest.approx(list(recall[:-1][::-1]), abs=1e-15)


def test_a_long_curve_is_kept_as_at_most_202_points_each_of_them_exact():
    path = DEMO / "acs_employment_ma_2018.parquet"
    frame = pd.read_parquet(path, columns=["y_true", "y_score"])
    curve = performance_of(data_set(path, **ACS)).curve
    assert 150 < len(curve) <= 202
    for point in curve[:: len(curve) // 9]:
        passed = frame[frame["y_score"] >= number(point.threshold)]
        assert (point.tp, point.fp) == (passed["y_true"].sum(), (passed["y_true"] == 0).sum())
    assert (curve[-1].tp, curve[-1].fp) == (frame["y_true"].sum(), (frame["y_true"] == 0).sum())


def test_the_calibration_error_is_that_of_the_rows_counted_by_hand():
    path = DEMO / "acs_employment_ma_2018.parquet"
    frame = pd.read_parquet(path, columns=["y_true", "y_score"])
    frame["y_score"] = frame["y_score"].astype(float)
    place = np.minimum((frame["y_score"] * 10).astype(int), 9)
    gaps = frame.groupby(place).apply(
        lambda g: len(g) * abs(g["y_true"].mean() - g["y_score"].mean())
    )
    found = performance_of(data_set(path, **ACS)).metrics["ece"]
    assert number(found.value) == pytest.approx(gaps.sum() / len(frame), abs=1e-12)
    assert number(found.low) <= number(found.value) <= number(found.high)
    assert found.method.endswith("seed 0")


def test_the_same_seed_resamples_the_same_and_another_one_otherwise():
    data = data_set(DEMO / "german_credit_predictions.csv", target="y_true", prediction="y_pred", score="y_score")  # fmt: skip
    first, again, other = (performance_of(data, seed=seed).metrics["ece"] for seed in (1, 1, 2))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)


def rowwise_derivatives(y, s):
    """The average precision's derivative by the weight of each row, by a small step."""
    step = 1e-6
    found = []
    for at in range(len(y)):
        values = []
        for sign in (1, -1):
            weights = np.ones(len(y))
            weights[at] += sign * step
            values.append(metrics.average_precision_score(y, s, sample_weight=weights))
        found.append((values[0] - values[1]) / (2 * step))
    return np.array(found)


def test_the_variance_of_the_average_precision_is_the_sum_of_squared_derivatives(frame):
    from apps.checks.engine.curves import ranked

    y, s = frame["y"].to_numpy(), np.round(frame["s"].to_numpy(), 1)
    found = ranked(np.sort(s[y == 1]), np.sort(s[y == 0]))
    expected_variance = (rowwise_derivatives(y, s) ** 2).sum()
    assert number(found.variance) == pytest.approx(expected_variance, rel=1e-6)


@pytest.mark.parametrize("stretch", [1, 3, 7])
def test_stretches_of_any_length_give_the_same_average_precision(frame, monkeypatch, stretch):
    from apps.checks.engine import curves

    y, s = frame["y"].to_numpy(), np.round(frame["s"].to_numpy(), 1)
    classes = np.sort(s[y == 1]), np.sort(s[y == 0])
    whole = curves.ranked(*classes)
    monkeypatch.setattr(curves, "CHUNK", stretch)
    found = curves.ranked(*classes)
    assert number(found.average_precision) == pytest.approx(
        metrics.average_precision_score(y, s), abs=1e-12
    )
    assert number(found.variance) == pytest.approx(number(whole.variance), rel=1e-9)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """300 data sets of 400 rows; the truth is that of 400 000 rows of the same kind."""
    from apps.checks.engine.scores import summarise

    rng = np.random.default_rng(21)

    def drawn(n):
        y = rng.random(n) < 0.3
        s = 1 / (1 + np.exp(-(2 * rng.normal(size=n) + 2 * y - 1.5)))
        cells = Counter(zip(map(bool, y), map(bool, s > 0.4), strict=True))
        table = Contingency.of((), {((), *key): count for key, count in cells.items()})
        rows = RowCount(n, n)
        scores = summarise(rows, s[y], s[~y])
        labels = Labels("1", "1", "0")
        return performance.measure(
            PerformanceStatistics(rows, labels, table, scores), performance.Params()
        ).metrics

    keys = ("mcc", "average_precision", "specificity", "roc_auc", "brier", "log_loss", "f1")
    truth = {key: number(drawn(400_000)[key].value) for key in keys}
    inside = dict.fromkeys(keys, 0)
    for _ in range(300):
        found = drawn(400)
        for key in keys:
            inside[key] += number(found[key].low) <= truth[key] <= number(found[key].high)
    for key, count in inside.items():
        assert 0.91 <= count / 300 <= 0.99, (key, count)


@pytest.mark.parametrize("cells", [(40, 7, 11, 60), (3, 1, 0, 5), (2, 90, 3, 900)])
def test_the_variance_of_the_matthews_correlation_is_the_sum_of_squared_derivatives(cells):
    def value(counts):
        tp, fp, fn, tn = counts
        root = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return (tp * tn - fp * fn) / root

    total = 0.0
    for at, count in enumerate(cells):
        ends = []
        for step in (1e-5, -1e-5):
            moved = np.array(cells, dtype=float)
            moved[at] += step
            ends.append(value(moved))
        total += count * ((ends[0] - ends[1]) / 2e-5) ** 2
    found, variance = performance._correlation(*map(float, cells))
    assert found == pytest.approx(value(cells), abs=1e-12)
    assert variance == pytest.approx(total, rel=1e-5)


def test_perfect_decisions_have_an_interval_that_does_not_collapse(tmp_path):
    frame = pd.DataFrame({"y": [0, 1] * 50, "p": [0, 1] * 50, "s": [0.1, 0.9] * 50})
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES)).metrics
    for key in ("mcc", "average_precision", "specificity", "roc_auc"):
        assert number(found[key].value) == 1, key
        assert 0.8 < number(found[key].low) < 0.99, key
        assert number(found[key].high) == 1, key


@pytest.mark.parametrize("first", [0.0, -0.0])
def test_a_score_of_zero_has_no_sign(tmp_path, first):
    frame = pd.DataFrame({"y": [0, 1] * 3, "p": [0, 1] * 3, "s": [first, -first, 0.5] * 2})
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES))
    assert [point.threshold for point in found.curve] == ["0.5", "0.0"]


def test_a_constant_score_has_chance_for_its_curves(tmp_path, frame):
    frame["s"] = 0.5
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES)).metrics
    assert number(found["roc_auc"].value) == 0.5
    assert number(found["average_precision"].value) == pytest.approx(frame["y"].mean(), abs=1e-15)
    assert number(found["average_precision"].low) < frame["y"].mean()


@pytest.mark.parametrize("positive", ["0", "1"])
def test_decisions_at_a_threshold_are_those_of_the_score(tmp_path, frame, positive):
    frame.loc[:3, "s"] = [0.25, math.nan, math.inf, 0.25]
    path = parquet(frame, tmp_path)
    found = performance_of(data_set(path, positive=positive, **ROLES), threshold="0.25")
    kept = frame[np.isfinite(frame["s"])]
    decided = kept["s"] >= 0.25
    assert found.rows.excluded == {"score infinite": 1, "score missing or not a number": 1}
    for key, value in expected(
        kept.assign(p=decided * 1, y=(kept["y"] == int(positive)) * 1)
    ).items():
        assert number(found.metrics[key].value) == pytest.approx(value, abs=1e-12), key
    assert found.threshold == "0.25"


def test_a_threshold_without_scores_is_refused(tmp_path, frame):
    with pytest.raises(Invalid, match="needs a score column") as refusal:
        performance_of(
            data_set(parquet(frame, tmp_path), target="y", prediction="p"), threshold="0.5"
        )
    assert "threshold" in refusal.value.fields


@pytest.mark.parametrize("params", [{"threshold": "half"}, {"threshold": "nan"}, {"draws": 10_001}, {"seed": -1}])  # fmt: skip
def test_parameters_that_make_no_sense_are_refused(params):
    with pytest.raises(Invalid) as refusal:
        kinds.get("performance").checked(performance.Params(**params))
    assert list(params) == list(refusal.value.fields)


def test_decisions_at_another_threshold_than_the_policys_are_not_judged(tmp_path, frame):
    data = data_set(parquet(frame, tmp_path), **ROLES)
    by_column = performance_of(data)
    at_half = performance_of(data, threshold="0.50")
    limits = PerformanceLimits.model_validate({"recall": {"min": "0.01"}})
    at_limits = PerformanceLimits.model_validate({"recall": {"min": "0.01"}, "threshold": "0.5"})
    scores_only = PerformanceLimits.model_validate({"roc_auc": {"min": "0.01"}})
    assert performance.assess(by_column, limits).verdict is Verdict.PASS
    refused = performance.assess(at_half, limits)
    assert refused.verdict is Verdict.INSUFFICIENT
    assert refused.sentence.startswith("Decisions were counted at a score of 0.50; the policy")
    assert performance.assess(at_half, at_limits).verdict is Verdict.PASS
    assert performance.assess(by_column, at_limits).verdict is Verdict.INSUFFICIENT
    assert performance.assess(at_half, scores_only).verdict is Verdict.PASS


def test_a_result_that_is_older_than_a_number_says_so(tmp_path, frame):
    found = performance_of(data_set(parquet(frame, tmp_path), **ROLES))
    old = {key: each for key, each in found.metrics.items() if key != "mcc"}
    limits = PerformanceLimits.model_validate({"mcc": {"min": "-1"}})
    judged = performance.assess(msgspec.structs.replace(found, metrics=old), limits)
    assert judged.verdict is Verdict.INSUFFICIENT
    assert "before this number existed" in judged.sentence


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
