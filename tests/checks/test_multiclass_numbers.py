"""Multiclass performance equals scikit-learn on the raw rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from apps.checks import kinds
from apps.checks.engine import compute
from apps.checks.kinds.base import Task
from apps.checks.library import intervals, multiclass
from apps.checks.limits import MulticlassLimits
from apps.checks.outcomes import LabelCell, MulticlassStatistics
from apps.checks.statistics import RowCount, from_data, to_data
from apps.checks.verdicts import Verdict
from apps.core.errors import Invalid
from tests.checks.support import DATA, csv, data_set, number, parquet, workshop

ROLES = {"target": "y", "prediction": "p", "task": "multiclass"}
quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def multiclass_of(data, **params):
    return kinds.get("multiclass").run(Task(workshop(), (data,)), multiclass.Params(**params))[1]


def measured(frame, folder, **params):
    return multiclass_of(data_set(parquet(frame, folder), favourable="", **ROLES), **params)


def expected(y, p) -> dict[str, float]:
    found = {
        "accuracy": metrics.accuracy_score(y, p),
        "balanced_accuracy": np.mean(
            metrics.recall_score(y, p, labels=sorted(set(y)), average=None, zero_division=0)
        ),
    }
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            score = getattr(metrics, f"{name}_score")
            found[f"{average}_{name}"] = score(y, p, average=average, zero_division=0)
    return found | {"micro_f1": metrics.f1_score(y, p, average="micro")}


label = st.sampled_from(["ant", "bee", "cat", "dog"])
rows = st.lists(st.tuples(label, label), min_size=2, max_size=80)


@quick
@given(rows=rows, as_csv=st.booleans())
def test_every_number_is_scikit_learns_where_it_is_defined(tmp_path, rows, as_csv):
    frame = pd.DataFrame(rows, columns=["y", "p"])
    path = (csv if as_csv else parquet)(frame, tmp_path)
    found = multiclass_of(data_set(path, favourable="", **ROLES))
    outcomes, predictions = set(frame["y"]), set(frame["p"])
    undefined = set()
    if predictions - outcomes:
        undefined.add("macro_recall")
    if outcomes - predictions:
        undefined |= {"macro_precision", "weighted_precision"}
    for key, value in expected(frame["y"], frame["p"]).items():
        if key in undefined:
            assert found.metrics[key].value is None, key
        else:
            assert number(found.metrics[key].value) == pytest.approx(value, abs=1e-12), key
    each = metrics.precision_recall_fscore_support(frame["y"], frame["p"], zero_division=0)
    for place, entry in enumerate(found.labels):
        ours = (entry.precision.value or 0, entry.recall.value or 0, entry.f1.value or 0)
        assert [float(v) for v in ours] == pytest.approx(
            [row[place] for row in each[:3]], abs=1e-12
        )
        assert entry.actual == each[3][place]


def test_the_published_example_of_pycm_comes_out(tmp_path):
    """Haghighi et al. 2018, JOSS 3(25):729; README of PyCM 2.3, "From vector"."""
    y = [2, 0, 2, 2, 0, 1, 1, 2, 2, 0, 1, 2]
    p = [0, 0, 2, 1, 0, 2, 1, 0, 2, 0, 2, 2]
    found = measured(pd.DataFrame({"y": y, "p": p}), tmp_path)
    published = {
        "accuracy": 0.58333,
        "macro_f1": 0.56515,
        "micro_f1": 0.58333,
        "macro_precision": 0.56667,
        "macro_recall": 0.61111,
    }
    for key, value in published.items():
        assert number(found.metrics[key].value) == pytest.approx(value, abs=5e-6), key
    assert [each.label for each in found.labels] == ["0", "1", "2"]
    assert [number(e.f1.value) for e in found.labels] == pytest.approx(
        [0.75, 0.4, 0.54545], abs=5e-6
    )
    assert [number(e.precision.value) for e in found.labels] == pytest.approx([0.6, 0.5, 0.6])


def test_the_weather_guessed_from_the_season_gives_scikit_learns_numbers(tmp_path):
    frame = pd.read_parquet(DATA / "bike_sharing_2012.parquet")
    guess = frame["season"].map({1: 1, 2: 2, 3: 3, 4: 1}).astype(int)
    rare = frame["weathersit"] == 4
    frame = pd.DataFrame({"y": frame["weathersit"], "p": guess.where(~rare, 4)})
    found = measured(frame, tmp_path)
    for key, value in expected(frame["y"], frame["p"]).items():
        assert number(found.metrics[key].value) == pytest.approx(value, abs=1e-12), key
    assert (found.rows.total, found.rows.counted) == (len(frame), len(frame))


def result_of(matrix):
    names = "abcdefgh"
    cells = tuple(
        LabelCell(names[i], names[j], int(count))
        for i, row in enumerate(matrix)
        for j, count in enumerate(row)
        if count
    )
    total = sum(cell.count for cell in cells)
    return multiclass.measure(MulticlassStatistics(RowCount(total, total), cells), multiclass.Params())  # fmt: skip


@pytest.mark.parametrize("key", ["macro_f1", "weighted_f1", "weighted_precision"])
@pytest.mark.parametrize(
    "matrix",
    [
        [[30, 5, 2], [4, 40, 9], [1, 7, 25]],
        [[90, 10], [3, 7]],
        [[50, 1, 0, 3], [9, 12, 4, 0], [0, 0, 33, 8], [2, 2, 2, 80]],
    ],
)
def test_an_interval_by_the_delta_method_has_the_slopes_of_the_number(key, matrix):
    """Its width on the logit scale against squared differences of scikit-learn's number by each cell's weight."""
    name, average = key.partition("_")[2], key.partition("_")[0]
    score = getattr(metrics, f"{name}_score")
    y, p, w = [], [], []
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            if count:
                y, p, w = [*y, i], [*p, j], [*w, float(count)]
    total = 0.0
    for at, count in enumerate(w):
        ends = []
        for step in (1e-4, -1e-4):
            moved = np.array(w)
            moved[at] += step
            ends.append(score(y, p, average=average, sample_weight=moved))
        total += count * ((ends[0] - ends[1]) / 2e-4) ** 2
    found = result_of(matrix).metrics[key]
    value, z = number(found.value), intervals.z_of(0.95)
    logit = [np.log(bound / (1 - bound)) for bound in (number(found.low), number(found.high))]
    width = z * np.sqrt(total) / (value * (1 - value))
    assert logit[1] - logit[0] == pytest.approx(2 * width, rel=1e-5)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(4)
    truth = np.array([[0.28, 0.04, 0.02], [0.05, 0.2, 0.05], [0.02, 0.06, 0.28]])
    scaled = (truth * 1_000_000).astype(int)
    aims = {key: number(each.value) for key, each in result_of(scaled).metrics.items()}
    inside = dict.fromkeys(aims, 0)
    for _ in range(400):
        drawn = rng.multinomial(300, truth.ravel()).reshape(3, 3)
        for key, each in result_of(drawn).metrics.items():
            inside[key] += number(each.low) <= aims[key] <= number(each.high)
    for key, count in inside.items():
        assert 0.92 <= count / 400 <= 0.99, (key, count)


@pytest.mark.parametrize("right", [True, False])
def test_a_number_at_the_end_of_its_range_keeps_an_interval(right):
    matrix = [[40, 0], [0, 40]] if right else [[0, 40], [40, 0]]
    for key, each in result_of(matrix).metrics.items():
        assert number(each.value) == float(right), key
        assert number(each.high) - number(each.low) > 0.02, key


def test_a_label_that_is_predicted_and_never_an_outcome_is_counted_as_wrong(tmp_path):
    frame = pd.DataFrame({"y": ["a", "b"] * 40, "p": ["a", "new"] * 40})
    found = measured(frame, tmp_path)
    assert found.metrics["accuracy"].value == "0.5"
    new = next(each for each in found.labels if each.label == "new")
    assert (new.actual, new.predicted, new.right) == (0, 40, 0)
    assert found.metrics["macro_recall"].reason.startswith("not defined for the label 'new'")
    limits = MulticlassLimits.model_validate({"macro_recall": {"min": "0.1"}})
    judged = multiclass.assess(found, limits)
    assert judged.verdict is Verdict.INSUFFICIENT
    assert "'new'" in judged.sentence


def test_rows_without_outcome_or_prediction_are_left_out_and_counted(tmp_path):
    frame = pd.DataFrame({"y": ["a", None, "b", " "], "p": ["a", "b", None, None]})
    found = measured(frame, tmp_path)
    assert (found.rows.total, found.rows.counted) == (4, 1)
    assert found.rows.excluded == {"outcome missing": 2, "prediction missing": 1}


@pytest.mark.parametrize("column", ["y", "p"])
def test_too_many_labels_are_refused_by_the_columns_name(tmp_path, column):
    frame = pd.DataFrame({"y": ["a"] * 101, "p": ["a"] * 101})
    frame[column] = [f"label {place}" for place in range(101)]
    with pytest.raises(Invalid, match=f"'{column}' holds more than 100 labels"):
        measured(frame, tmp_path)


def test_a_hundred_labels_and_missing_ones_are_counted(tmp_path):
    labels = [f"label {place:03d}" for place in range(100)]
    frame = pd.DataFrame({"y": [*labels, None], "p": [*labels, "label 000"]})
    assert len(measured(frame, tmp_path).labels) == 100


@pytest.mark.parametrize("column", ["y", "p"])
def test_a_column_without_labels_is_refused_by_name(tmp_path, column):
    frame = pd.DataFrame({"y": ["a", "b"], "p": ["a", "b"]})
    frame[column] = None
    with pytest.raises(Invalid, match=f"'{column}' holds no label"):
        measured(frame, tmp_path)


def test_means_over_labels_rest_on_the_smallest_one(tmp_path):
    y = ["a"] * 500 + ["b"] * 29
    found = measured(pd.DataFrame({"y": y, "p": y}), tmp_path)
    limits = {"macro_f1": {"min": "0.5"}, "accuracy": {"min": "0.5"}}
    judged = multiclass.assess(found, MulticlassLimits.model_validate(limits))
    verdicts = {row.key: row.verdict for row in judged.rows}
    assert verdicts == {"macro_f1": Verdict.INSUFFICIENT, "accuracy": Verdict.PASS}


@settings(max_examples=50, deadline=None)
@given(first=rows, second=rows)
def test_the_counts_of_two_halves_are_those_of_the_whole(first, second):
    def counted(pairs):
        counts: dict[tuple[str, str], int] = {}
        for pair in pairs:
            counts[pair] = counts.get(pair, 0) + 1
        return MulticlassStatistics.of(RowCount(len(pairs), len(pairs)), counts)

    assert counted(first).plus(counted(second)) == counted([*first, *second])


def test_a_stored_result_is_computed_again_from_its_statistics(tmp_path):
    frame = pd.DataFrame({"y": ["a", "b", "c"] * 30, "p": ["a", "c", "c"] * 30})
    data = data_set(parquet(frame, tmp_path), favourable="", **ROLES)
    counted = compute.multiclass(data, workshop())
    stored = from_data(to_data(counted), MulticlassStatistics)
    first = multiclass.measure(counted, multiclass.Params())
    assert multiclass.measure(stored, multiclass.Params()) == first
    assert from_data(to_data(first), multiclass.MulticlassResult) == first
