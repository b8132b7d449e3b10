"""Drift against limits: the effect decides, significance second, and silence never passes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from apps.checks.demands import CheckLimits
from apps.checks.library import drift
from apps.checks.verdicts import Verdict
from tests.checks.support import data_set, drift_of, parquet


def drift_verdict(first: pd.DataFrame, second: pd.DataFrame, folder, **limits: object):
    names = {"features": list(first.columns)}
    found = drift_of(
        data_set(parquet(first, folder, "a"), **names),
        data_set(parquet(second, folder, "b"), **names),
    )
    parsed = CheckLimits.parse({"drift": limits}).by_kind["drift"]
    return drift.assess(found, parsed)


def normal(n: int, mean: float = 0, seed: int = 0) -> pd.DataFrame:
    return pd.DataFrame({"v": np.random.default_rng(seed).normal(mean, 1, n)})


def test_a_shifted_column_fails_and_an_unshifted_one_passes(tmp_path):
    limits = {"psi": {"max": "0.1"}}
    assert (
        drift_verdict(normal(5000), normal(5000, 0.6, 1), tmp_path, **limits).verdict
        is Verdict.FAIL
    )
    assert (
        drift_verdict(normal(5000), normal(5000, 0, 1), tmp_path, **limits).verdict is Verdict.PASS
    )


def test_too_few_rows_for_the_limit_are_insufficient(tmp_path):
    found = drift_verdict(normal(200), normal(200, 0, 1), tmp_path, psi={"max": "0.1"})
    assert found.verdict is Verdict.INSUFFICIENT
    assert "sample too small" in found.sentence


def test_an_all_null_column_is_insufficient(tmp_path):
    empty = pd.DataFrame({"v": [math.nan] * 500})
    assert (
        drift_verdict(normal(500), empty, tmp_path, psi={"max": "0.25"}).verdict
        is Verdict.INSUFFICIENT
    )
    assert (
        drift_verdict(empty, empty, tmp_path, psi={"max": "0.25"}).verdict is Verdict.INSUFFICIENT
    )


def test_a_column_that_vanished_is_insufficient_even_if_others_pass(tmp_path):
    found = drift_verdict(
        normal(5000).assign(w=1.5),
        normal(5000, 0, 1).assign(x=1.5)[["v", "x"]],
        tmp_path,
        psi={"max": "0.25"},
    )
    assert found.verdict is Verdict.INSUFFICIENT


def test_a_demanded_column_that_nobody_declared_is_insufficient(tmp_path):
    found = drift_verdict(
        normal(5000), normal(5000, 0, 1), tmp_path, psi={"max": "0.25"}, columns=["v", "income"]
    )
    assert found.verdict is Verdict.INSUFFICIENT
    assert found.sentence == "income was not compared."


def test_more_missing_values_than_allowed_fail(tmp_path):
    gone = normal(5000, 0, 1)
    gone.loc[:999, "v"] = math.nan
    limits = {"missing_rate_increase": {"max": "0.05"}}
    assert drift_verdict(normal(5000), gone, tmp_path, **limits).verdict is Verdict.FAIL
    assert (
        drift_verdict(normal(5000), normal(5000, 0, 2), tmp_path, **limits).verdict is Verdict.PASS
    )


def test_no_new_category_passes_a_limit_of_none_at_all(tmp_path):
    first = pd.DataFrame({"c": ["a", "b"] * 500})
    limits = {"new_category_share": {"max": "0"}}
    assert drift_verdict(first, first, tmp_path, **limits).verdict is Verdict.PASS
    second = pd.DataFrame({"c": ["a", "b"] * 450 + ["z"] * 100})
    assert drift_verdict(first, second, tmp_path, **limits).verdict is Verdict.FAIL
