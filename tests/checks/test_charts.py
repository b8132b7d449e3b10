"""Pictures of results draw every number they should, from inline values only."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from apps.checks import charts
from apps.web.charts import for_page
from tests.checks.support import (
    ACS,
    DATA,
    DEMO,
    data_set,
    drift_of,
    fairness_of,
    parquet,
    performance_of,
)


def drawn(spec: charts.Spec | None) -> str:
    assert spec is not None
    assert '"url"' not in json.dumps(spec)
    return str(for_page(spec))


def test_rates_of_groups_are_drawn_with_their_names_and_sizes():
    result = fairness_of(data_set(DEMO / "acs_employment_ma_2018.parquet", **ACS))
    grouping = result.find(["race"])
    assert grouping is not None
    for rate in grouping.groups[0].rates:
        svg = drawn(charts.group_rates(grouping, rate))
        known = [group for group in grouping.groups if group.rates[rate].value is not None]
        for group in known:
            assert f"{group.label} (n = {group.n})" in svg


def test_calibration_is_drawn_only_for_probabilities(tmp_path):
    roles = {"target": "y_true", "prediction": "y_pred", "score": "y_score"}
    path = DEMO / "german_credit_predictions.csv"
    assert "Observed share of 1" in drawn(
        charts.calibration(performance_of(data_set(path, **roles)))
    )
    frame = pd.read_csv(path)
    frame["y_score"] *= 100
    odd = performance_of(data_set(parquet(frame, tmp_path), **roles))
    assert charts.calibration(odd) is None


@pytest.mark.parametrize("name", ["cnt", "season"])
def test_distributions_are_drawn_before_and_now(name):
    pair = [
        data_set(DATA / f"bike_sharing_{year}.parquet", features=["cnt", "season"])
        for year in (2011, 2012)
    ]
    column = next(c for c in drift_of(*pair).columns if c.name == name)
    svg = drawn(charts.distribution(column))
    assert "reference" in svg
    assert "current" in svg
    spec = charts.distribution(column)
    assert spec is not None
    shares = [row["share"] for row in spec["data"]["values"]]
    assert sum(shares) == pytest.approx(2)


def test_a_column_that_was_not_compared_has_no_picture(tmp_path):
    first = data_set(parquet(pd.DataFrame({"v": [1.5] * 50}), tmp_path, "a"), features=["v"])
    second = data_set(parquet(pd.DataFrame({"v": ["x"] * 50}), tmp_path, "b"), features=["v"])
    assert charts.distribution(drift_of(first, second).columns[0]) is None


def test_both_curves_are_drawn_through_every_stored_point():
    result = performance_of(data_set(DEMO / "acs_employment_ma_2018.parquet", **ACS))
    for spec, title, points in (
        (charts.roc(result), "False positive rate", len(result.curve) + 1),
        (charts.precision_recall(result), "Precision", len(result.curve)),
    ):
        assert title in drawn(spec)
        assert spec is not None
        assert len(spec["data"]["values"]) == points


def test_there_is_no_curve_where_only_one_outcome_has_scores(tmp_path):
    frame = pd.DataFrame({"y": [0, 0, 0], "p": [0, 1, 0], "s": [0.1, 0.9, 0.2]})
    data = data_set(parquet(frame, tmp_path), target="y", prediction="p", score="s")
    assert charts.roc(performance_of(data)) is None
    assert charts.precision_recall(performance_of(data)) is None
