"""Intervals, tests and adjusted p-values against statsmodels, on random counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
)

from apps.checks.library import drift, impact, intervals, paired
from apps.checks.statistics import DriftStatistics, NumericColumn, Side

Z = intervals.z_of(0.95)
Pair = tuple[int, int]
counts = st.tuples(st.integers(0, 2_000), st.integers(1, 2_000)).map(
    lambda pair: (min(pair), pair[1])
)
inside = counts.filter(lambda pair: 0 < pair[0] < pair[1])


@given(counts)
def test_wilson(pair: Pair) -> None:
    ours = intervals.wilson(*pair, Z)
    low, high = proportion_confint(*pair, alpha=0.05, method="wilson")
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-12)


@given(counts, counts)
def test_newcombes_difference(first: Pair, second: Pair) -> None:
    ours = intervals.newcombe(*first, *second, Z)
    low, high = confint_proportions_2indep(*first, *second, method="newcomb", compare="diff")
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-12)


@given(inside, inside)
def test_katzs_ratio(first: Pair, second: Pair) -> None:
    ours = intervals.katz(*first, *second, Z)
    assert ours is not None
    low, high = confint_proportions_2indep(*first, *second, method="log", compare="ratio")
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-12)


@given(counts, counts)
def test_two_proportions(first: Pair, second: Pair) -> None:
    assume(0 < first[0] + second[0] < first[1] + second[1])
    ours = impact.two_proportion_z(*first, *second)
    theirs, _ = proportions_ztest([first[0], second[0]], [first[1], second[1]])
    assert ours == pytest.approx(float(theirs), rel=1e-9, abs=1e-12)


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar(one: int, other: int) -> None:
    assume(one + other)
    theirs = mcnemar([[10, one], [other, 10]], exact=True).pvalue
    assert paired.mcnemar(one, other) == pytest.approx(float(theirs), rel=1e-9)


def column(name: str, steps: int, rows: int) -> NumericColumn:
    """A column of which only the largest step between the two distributions matters here."""
    side = Side(rows, rows, 0)
    bins = (rows // 2, rows - rows // 2)
    return NumericColumn(name, "feature", side, side, str(steps), ("0.0",), bins, bins)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_benjamini_and_hochberg(steps: list[int]) -> None:
    rows = 200
    found = drift.measure(
        DriftStatistics(
            rows,
            rows,
            tuple(column(f"c{place}", each * rows, rows) for place, each in enumerate(steps)),
        ),
        drift.Params(),
    )
    tests = [each.test for each in found.columns if each.test is not None]
    assert len(tests) == len(steps)
    _, adjusted, _, _ = multipletests([float(each.p_value) for each in tests], method="fdr_bh")
    ours = np.array([float(each.p_adjusted) for each in tests])
    assert ours == pytest.approx(adjusted, rel=1e-12)
