"""Results against limits: what passes, what fails, and what says nothing."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.checks.demands import CheckLimits, validate_limits
from apps.checks.library import fairness, performance
from apps.checks.library.estimates import rate
from apps.checks.library.intervals import z_of
from apps.checks.library.judging import verdict_of
from apps.checks.limits import Bound
from apps.checks.numbers import NBSP, shown, shown_against
from apps.checks.verdicts import Verdict, worst
from apps.core.errors import Invalid
from tests.checks.support import ACS, DEMO, data_set, fairness_of, parquet, performance_of

ROLES = {"target": "y", "prediction": "p"}
Z = z_of(0.95)


def people(*groups: tuple[str | None, int, int], outcome: int = 1) -> pd.DataFrame:
    """Groups by (name, selected, all), every other one with the favourable outcome unless said."""
    parts = [
        pd.DataFrame(
            {
                "y": [i % 2 if outcome else 0 for i in range(n)],
                "p": [1] * k + [0] * (n - k),
                "g": [name] * n,
            }
        )
        for name, k, n in groups
    ]
    return pd.concat(parts, ignore_index=True)


def judge(frame: pd.DataFrame, folder, **limits: object):
    found = fairness_of(data_set(parquet(frame, folder), sensitive=["g"], **ROLES))
    parsed = CheckLimits.parse({"fairness": limits}).by_kind["fairness"]
    return fairness.assess(found, parsed)


DPD = {"demographic_parity_difference": {"max": "0.10"}}


def test_the_worst_verdict_wins_and_nothing_at_all_is_not_run():
    order = ["ERROR", "FAIL", "INSUFFICIENT", "INCONCLUSIVE", "NOT_RUN", "WAIVED", "PASS"]
    assert [verdict.value for verdict in sorted(Verdict, key=lambda v: v.rank)] == order
    assert worst([]) is Verdict.NOT_RUN
    assert worst([Verdict.PASS, Verdict.INSUFFICIENT, Verdict.INCONCLUSIVE]) is Verdict.INSUFFICIENT
    assert [v for v in Verdict if v.satisfies] == [Verdict.WAIVED, Verdict.PASS]


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1))
def test_adding_a_verdict_never_makes_the_whole_better(verdicts):
    assert worst(verdicts).rank <= min(v.rank for v in verdicts)
    for extra in Verdict:
        assert worst([*verdicts, extra]).rank <= worst(verdicts).rank


@given(st.integers(0, 400), st.integers(1, 400), st.integers(0, 100))
def test_a_rate_passes_only_with_its_whole_interval_and_fails_only_without_any_of_it(k, n, cent):
    number = rate(min(k, n), n, Z, of="rows")
    limit = f"{cent / 100:.2f}"
    low, high = float(number.low), float(number.high)
    verdict = verdict_of(number, Bound(max=limit))
    if verdict is Verdict.PASS:
        assert high <= float(limit)
    elif verdict is Verdict.FAIL:
        assert low > float(limit)
    else:
        assert verdict is Verdict.INCONCLUSIVE
        assert low <= float(limit) <= high


def test_a_gap_below_the_limit_with_a_narrow_interval_passes_and_says_so(tmp_path):
    found = judge(people(("a", 5_000, 10_000), ("b", 5_300, 10_000)), tmp_path, **DPD)
    assert found.verdict is Verdict.PASS
    assert found.sentence == (
        f"No disparity above 0.10 between the 2 groups of g measured, n = 20{NBSP}000."
    )


def test_a_gap_beyond_the_limit_whose_interval_crosses_it_is_inconclusive(tmp_path):
    found = judge(people(("a", 20, 40), ("b", 26, 40)), tmp_path, **DPD)
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "cannot be told from the limit of 0.10" in found.sentence


def test_a_gap_beyond_the_limit_with_its_whole_interval_fails(tmp_path):
    found = judge(people(("a", 2_000, 4_000), ("b", 2_800, 4_000)), tmp_path, **DPD)
    assert found.verdict is Verdict.FAIL
    assert "is above 0.10" in found.sentence


def test_a_gap_below_the_limit_with_a_wide_interval_does_not_pass(tmp_path):
    found = judge(people(("a", 20, 40), ("b", 20, 40)), tmp_path, **DPD)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_small_group_in_the_middle_keeps_the_whole_from_passing(tmp_path):
    """The extremes are close and certain; of the third group little is known."""
    sure = [("a", 5_000, 10_000), ("b", 5_200, 10_000)]
    assert judge(people(*sure), tmp_path, **DPD).verdict is Verdict.PASS
    found = judge(people(*sure, ("c", 18, 35)), tmp_path, **DPD)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_group_of_one_is_shown_and_not_judged(tmp_path):
    frame = people(("a", 5_000, 10_000), ("b", 5_100, 10_000), ("c", 1, 1))
    found = judge(frame, tmp_path, **DPD)
    assert found.verdict is Verdict.PASS
    assert "1 smaller group shown and not judged" in found.sentence
    assert judge(frame, tmp_path, **DPD, min_n=1).verdict is Verdict.INCONCLUSIVE


def test_one_group_alone_cannot_be_compared(tmp_path):
    found = judge(people(("a", 50, 100)), tmp_path, **DPD)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "comparing takes two" in found.sentence


def test_many_small_groups_together_are_too_many_to_leave_out(tmp_path):
    small = [(f"s{i}", 10, 20) for i in range(20)]
    found = judge(people(("a", 500, 1000), ("b", 500, 1000), *small), tmp_path, **DPD)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "0.95 of them are needed" in found.sentence


def test_a_group_without_positives_cannot_pass_equal_opportunity(tmp_path):
    frame = pd.concat(
        [people(("a", 500, 1000)), people(("b", 500, 1000), outcome=0)], ignore_index=True
    )
    for name in ("equal_opportunity_difference", "equalized_odds_difference"):
        found = judge(frame, tmp_path, **{name: {"max": "0.99"}})
        assert found.verdict is Verdict.INSUFFICIENT
        assert "not defined for b" in found.sentence


def test_nobody_selected_at_all_has_no_ratio(tmp_path):
    found = judge(
        people(("a", 0, 500), ("b", 0, 500)), tmp_path, demographic_parity_ratio={"min": "0.8"}
    )
    assert found.verdict is Verdict.INSUFFICIENT


def test_nobody_selected_in_one_group_fails_the_ratio(tmp_path):
    found = judge(
        people(("a", 0, 500), ("b", 250, 500)), tmp_path, demographic_parity_ratio={"min": "0.8"}
    )
    assert found.verdict is Verdict.FAIL


def test_a_feature_that_was_not_measured_is_insufficient(tmp_path):
    frame = people(("a", 5_000, 10_000), ("b", 5_000, 10_000))
    found = judge(frame, tmp_path, **DPD, features=["g", "region"])
    assert found.verdict is Verdict.INSUFFICIENT
    assert found.sentence == "region was not measured."


def test_ten_thousand_groups_are_insufficient(tmp_path):
    frame = pd.DataFrame(
        {"y": [1, 0] * 10_000, "p": [1, 1, 0, 0] * 5_000, "g": [f"g{i}" for i in range(10_000)] * 2}
    )
    found = judge(frame, tmp_path, **DPD)
    assert found.verdict is Verdict.INSUFFICIENT
    assert "groups; combine values" in found.sentence


def test_rows_without_an_outcome_beyond_a_twentieth_are_insufficient(tmp_path):
    frame = people(("a", 5_000, 10_000), ("b", 5_100, 10_000)).astype({"y": "Int64"})
    frame.loc[frame.sample(2_000, random_state=1).index, "y"] = pd.NA
    found = judge(frame, tmp_path, **DPD)
    assert found.verdict is Verdict.INSUFFICIENT
    assert f"2{NBSP}000 of 20{NBSP}000 rows were left out" in found.sentence


def test_german_credit_is_inconclusive_and_the_census_is_not():
    limits = CheckLimits.parse({"fairness": {"features": ["sex"], **DPD}}).by_kind["fairness"]
    credit = data_set(
        DEMO / "german_credit_predictions.csv",
        target="y_true",
        prediction="y_pred",
        sensitive=["sex"],
    )
    census = data_set(DEMO / "acs_employment_ma_2018.parquet", **ACS)
    assert fairness.assess(fairness_of(credit), limits).verdict is Verdict.INCONCLUSIVE
    found = fairness.assess(fairness_of(census), limits)
    assert found.verdict is Verdict.PASS
    assert found.sentence == (
        f"No disparity above 0.10 between the 2 groups of sex measured, n = 70{NBSP}131; "
        "race measured and not judged."
    )


def performance_verdict(frame: pd.DataFrame, folder, **limits: object):
    found = performance_of(data_set(parquet(frame, folder), score="s", **ROLES))
    parsed = CheckLimits.parse({"performance": limits}).by_kind["performance"]
    return performance.assess(found, parsed)


@pytest.fixture
def scored() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 3_000)
    s = np.clip(0.35 * y + rng.random(3_000) * 0.65, 0, 1)
    return pd.DataFrame({"y": y, "p": (s > 0.5).astype(int), "s": s})


def test_performance_passes_fails_and_stays_open(tmp_path, scored):
    for limit, verdict in (("0.70", "PASS"), ("0.99", "FAIL"), ("0.895", "INCONCLUSIVE")):
        found = performance_verdict(scored, tmp_path, roc_auc={"min": limit})
        assert found.verdict.value == verdict, found.sentence


def test_without_scores_an_area_is_demanded_in_vain(tmp_path, scored):
    found = performance_of(data_set(parquet(scored, tmp_path), **ROLES))
    limits = CheckLimits.parse({"performance": {"roc_auc": {"min": "0.5"}}}).by_kind["performance"]
    assessment = performance.assess(found, limits)
    assert assessment.verdict is Verdict.INSUFFICIENT
    assert "no score column" in assessment.sentence


def test_few_rows_are_insufficient_however_good(tmp_path, scored):
    found = performance_verdict(
        scored[:20].assign(p=scored["y"][:20]), tmp_path, accuracy={"min": "0.1"}
    )
    assert found.verdict is Verdict.INSUFFICIENT
    assert "at least 30 are needed" in found.sentence


def test_leaving_out_scores_of_hard_rows_does_not_help(tmp_path, scored):
    scored.loc[(scored["y"] == 1) & (scored["s"] < 0.6), "s"] = math.nan
    found = performance_verdict(scored, tmp_path, roc_auc={"min": "0.70"})
    assert found.verdict is Verdict.INSUFFICIENT
    assert "scored rows were left out" in found.sentence


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "checks"),
        ({"beauty": {}}, "beauty"),
        ({"performance": {}}, "performance"),
        ({"performance": {"min_n": 5}}, "performance"),
        ({"performance": {"roc_auc": {"min": 0.7}}}, "performance.roc_auc.min"),
        ({"performance": {"roc_auc": {"min": "high"}}}, "performance.roc_auc.min"),
        ({"performance": {"roc_auc": {"min": "NaN"}}}, "performance.roc_auc.min"),
        ({"performance": {"roc_auc": {"min": "0.7", "max": "0.9"}}}, "performance.roc_auc"),
        ({"performance": {"roc_auc": {}}}, "performance.roc_auc"),
        ({"fairness": {"features": ["sex"]}}, "fairness"),
        ({"drift": {"psi": {"min": "0.1"}}}, "drift"),
        ({"drift": {"psi": {"max": "0.1"}, "alpha": "5"}}, "drift.alpha"),
        ({"performance": "strict"}, "performance"),
    ],
)
def test_limits_that_make_no_sense_are_refused_by_field(document, field):
    with pytest.raises(Invalid) as refusal:
        validate_limits(document)
    assert field in refusal.value.fields


def test_numbers_are_rounded_and_not_truncated():
    assert shown("0.64285") == "0.643"
    assert shown("0.0005") == "0.001"
    assert shown("-0.0001") == "0.000"
    assert shown(None) == "—"
    assert shown_against("0.1004", "0.10") == "0.1004"
    assert shown_against("0.10", "0.10") == "0.100"
