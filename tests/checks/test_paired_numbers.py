"""Two models on the same rows: McNemar and DeLong, and when a loss is judged in pairs."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from apps.checks import kinds
from apps.checks.library import paired, performance
from apps.checks.library.performance import Params
from apps.core.errors import Invalid
from apps.core.parts import Table
from apps.modelcards.card import Source
from apps.modelcards.computed import performance as page
from tests.checks.support import data_set, number, parquet, performance_of

ROLES = {"target": "y", "prediction": "p", "score": "s"}


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(17)
    y = rng.integers(0, 2, 400)
    s = np.round(rng.normal(y * 1.2), 1)
    old = np.round(0.7 * s + rng.normal(y * 0.4), 1)
    return pd.DataFrame({"y": y, "s": s, "p": (s > 0.6) * 1, "q": old, "old": (old > 0.6) * 1})


def of(frame, folder, **params):
    return performance_of(data_set(parquet(frame, folder), **ROLES), **params)


def as_incumbent(frame, folder):
    roles = {"target": "y", "prediction": "old", "score": "q"}
    return performance_of(data_set(parquet(frame, folder), **roles))


@pytest.mark.parametrize("cells", [(0, 0), (86, 150), (150, 86), (5, 5), (0, 7), (1, 0), (3, 12)])
def test_the_exact_test_is_a_binomial_test_of_the_rows_on_which_one_is_right(cells):
    b, c = cells
    theirs = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    assert paired.mcnemar(b, c) == pytest.approx(theirs, rel=1e-9)


def test_the_published_change_of_approval_comes_out():
    """Agresti 2013, Categorical Data Analysis, table 11.1 (approval of a prime minister): 794, 150, 86 and 570
    of 1600; the share that approves falls by 0.04, -0.06 to -0.02 by Wald."""
    b, c, n = 86, 150, 1600
    z = stats.norm.ppf(0.975)
    found = paired._accuracy(b, c, n, z)
    assert number(found.value) == pytest.approx(-0.04, abs=5e-4)
    assert (number(found.low), number(found.high)) == pytest.approx((-0.059, -0.021), abs=1e-3)
    assert paired.mcnemar(b, c) < 1e-4


def test_counts_and_differences_are_those_of_the_rows(tmp_path, frame):
    found = of(frame, tmp_path, against="old", against_score="q").paired
    new, old = frame["p"] == frame["y"], frame["old"] == frame["y"]
    assert found.both_right == (new & old).sum()
    assert found.only_candidate == (new & ~old).sum()
    assert found.only_incumbent == (~new & old).sum()
    assert found.both_wrong == (~new & ~old).sum()
    assert number(found.accuracy.value) == pytest.approx(new.mean() - old.mean(), abs=1e-12)
    assert number(found.accuracy.low) < number(found.accuracy.value) < number(found.accuracy.high)


def delong_by_pairs(y, a, b):
    """Difference and variance from every pair of rows: slow, and by the definition."""
    kernels = []
    for s in (a, b):
        gaps = np.subtract.outer(s[y == 1], s[y == 0])
        kernels.append((gaps > 0) + 0.5 * (gaps == 0))
    first, second = kernels
    s10 = np.cov([first.mean(axis=1), second.mean(axis=1)])
    s01 = np.cov([first.mean(axis=0), second.mean(axis=0)])
    m, n = first.shape
    cov = s10 / m + s01 / n
    return first.mean() - second.mean(), cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]


@pytest.mark.parametrize("positive", ["0", "1"])
def test_the_difference_of_areas_is_delongs(tmp_path, frame, positive):
    data = data_set(parquet(frame, tmp_path), positive=positive, **ROLES)
    found = performance_of(data, against="old", against_score="q").paired
    y = (frame["y"] == int(positive)).to_numpy() * 1
    value, variance = delong_by_pairs(y, frame["s"].to_numpy(), frame["q"].to_numpy())
    spread = stats.norm.ppf(0.975) * math.sqrt(variance)
    assert number(found.roc_auc.value) == pytest.approx(value, abs=1e-12)
    assert number(found.roc_auc.low) == pytest.approx(value - spread, abs=1e-9)
    assert number(found.roc_auc.high) == pytest.approx(value + spread, abs=1e-9)
    wanted = 2 * stats.norm.sf(abs(value) / math.sqrt(variance))
    assert number(found.roc_auc_p) == pytest.approx(wanted, rel=1e-9)


def test_the_same_model_differs_by_nothing(tmp_path, frame):
    found = of(frame, tmp_path, against="p", against_score="s").paired
    assert (found.only_candidate, found.only_incumbent, found.accuracy_p) == (0, 0, "1.0")
    assert number(found.roc_auc.value) == 0
    assert found.roc_auc.reason == "the two scores rank the rows alike"


def test_rows_that_lack_a_prediction_are_left_out_and_counted(tmp_path, frame):
    frame[["p", "old", "y"]] = frame[["p", "old", "y"]].astype("Int64")
    frame.loc[[0, 1], "old"] = pd.NA
    frame.loc[[1, 2], "p"] = pd.NA
    frame.loc[3, "y"] = pd.NA
    frame.loc[4, "q"] = math.inf
    found = of(frame, tmp_path, against="old", against_score="q").paired
    assert found.rows.excluded == {
        "outcome missing": 1,
        "prediction missing": 2,
        "prediction of the incumbent missing": 1,
    }
    assert found.rows.total == 400


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"against": "gone"}, "no column 'gone'"),
        ({"against": "old", "against_score": "gone"}, "no column 'gone'"),
        ({"against": "s"}, "'s' holds labels that are no outcome"),
        ({"against": "old", "against_score": "word"}, "'word' does not hold numbers"),
    ],
)
def test_a_column_that_cannot_be_compared_is_refused_by_name(tmp_path, frame, params, said):
    with pytest.raises(Invalid, match=said):
        of(frame.assign(word="a"), tmp_path, **params)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"against": "old", "threshold": "0.5"}, "against"),
        ({"against_score": "q"}, "against_score"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(params, field):
    with pytest.raises(Invalid) as refusal:
        kinds.get("performance").checked(Params(**params))
    assert list(refusal.value.fields) == [field]


def lost(candidate, incumbent, key="accuracy", limit="0.02", **kwargs):
    (row,) = performance.against(candidate, incumbent, {key: limit}, **kwargs)
    return row


@pytest.mark.parametrize("key", ["accuracy", "roc_auc"])
def test_a_loss_is_judged_in_pairs_and_its_interval_is_narrower(tmp_path, frame, key):
    candidate = of(frame, tmp_path, against="old", against_score="q")
    incumbent = as_incumbent(frame, tmp_path)
    pairs = lost(candidate, incumbent, key, same_data=True)
    alone = lost(candidate, incumbent, key, same_data=False)
    assert pairs.method.startswith("paired")
    assert alone.method == "MOVER"
    assert "measured on different data" in alone.sentence
    assert "Not compared" not in pairs.sentence
    assert number(pairs.value) == pytest.approx(number(alone.value), abs=1e-12)
    widths = [number(row.high) - number(row.low) for row in (pairs, alone)]
    assert widths[0] < widths[1]


def test_a_column_that_holds_other_predictions_is_not_taken_for_the_incumbents(tmp_path, frame):
    incumbent = as_incumbent(frame, tmp_path)
    flattering = frame.assign(old=1 - frame["y"], q=-frame["y"])
    candidate = of(flattering, tmp_path, against="old", against_score="q")
    for key in ("accuracy", "roc_auc"):
        row = lost(candidate, incumbent, key, same_data=True)
        assert row.method == "MOVER"
        assert "old does not hold the predictions that were measured" in row.sentence
    only_score = of(frame.assign(q=-frame["y"]), tmp_path, against="old", against_score="q")
    row = lost(only_score, incumbent, "roc_auc", same_data=True)
    assert "q does not hold the scores that were measured" in row.sentence


@pytest.mark.parametrize(
    ("params", "key", "why"),
    [
        ({}, "accuracy", "was not given a column with the other version's predictions"),
        ({"against": "old"}, "roc_auc", "no column holds the incumbent's scores"),
        ({"against": "old"}, "f1", "only accuracy and ROC AUC are"),
    ],
)
def test_what_is_not_compared_in_pairs_says_why(tmp_path, frame, params, key, why):
    row = lost(of(frame, tmp_path, **params), as_incumbent(frame, tmp_path), key, same_data=True)
    assert why in row.sentence
    assert row.method == "MOVER"


def test_results_of_other_outcomes_are_not_of_the_same_rows(tmp_path, frame):
    one = of(frame, tmp_path)
    assert performance.same_outcomes(one, as_incumbent(frame, tmp_path))
    assert not performance.same_outcomes(one, of(frame.assign(y=1 - frame["p"]), tmp_path))
    labels = msgspec.structs.replace(one.labels, positive="0")
    assert not performance.same_outcomes(one, msgspec.structs.replace(one, labels=labels))


def test_the_comparison_and_the_thresholds_are_shown_on_the_card(tmp_path, frame):
    found = of(frame, tmp_path, against="old", against_score="q")
    source = Source("measurement", "/checks/", "0" * 64)
    parts = {part.caption: part for part in page.performance(found, source, "").parts if isinstance(part, Table)}  # fmt: skip
    pairs = parts["Against another model on the same rows"]
    assert [row[0].text for row in pairs.rows] == ["Accuracy", "ROC AUC"]
    assert f"only this model: {found.paired.only_candidate}" in pairs.note
    thresholds = parts["Thresholds"]
    assert len(thresholds.rows) == 12
    assert thresholds.rows[-1][1].text == "1.000"
