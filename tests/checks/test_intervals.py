"""Intervals against SciPy, published examples and their own definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import relative_risk

from apps.checks.engine.scores import summarise
from apps.checks.library import intervals
from apps.checks.statistics import RowCount

Z = intervals.z_of(0.95)
counts = st.tuples(st.integers(0, 500), st.integers(1, 500)).map(lambda pair: (min(pair), pair[1]))


@given(counts)
def test_wilson_is_scipys(pair):
    count, total = pair
    ours = intervals.wilson(count, total, Z)
    theirs = stats.binomtest(count, total).proportion_ci(method="wilson")
    assert ours.low == pytest.approx(theirs.low, abs=1e-12)
    assert ours.high == pytest.approx(theirs.high, abs=1e-12)


@pytest.mark.parametrize(
    ("total", "low", "high"), [(10, 0.24, 0.76), (30, 0.33, 0.67), (100, 0.40, 0.60)]
)
def test_wilson_at_one_half_is_as_wide_as_tabulated(total, low, high):
    found = intervals.wilson(total // 2, total, Z)
    assert (round(found.low, 2), round(found.high, 2)) == (low, high)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe 1998, Statistics in Medicine 17:873, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_newcombe_gives_the_published_examples(first, second, low, high):
    found = intervals.newcombe(*first, *second, Z)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((12, 40), (48, 80), 0.3014, 0.8294),
        ((7, 10), (9, 10), 0.4933, 1.2262),
        ((7_900, 100_000), (10_000, 100_000), 0.7681, 0.8126),
    ],
)
def test_katz_gives_the_golden_vectors_of_the_four_fifths_rule(first, second, low, high):
    """To the four places of the vectors; their 1.2262 is 1.22631 to SciPy as well."""
    found = intervals.katz(*first, *second, Z)
    assert found is not None
    assert found.low == pytest.approx(low, abs=1.1e-4)
    assert found.high == pytest.approx(high, abs=1.1e-4)


@given(counts, counts)
def test_katz_is_scipys_where_it_is_defined(first, second):
    ours = intervals.katz(*first, *second, Z)
    if ours is None:
        assert 0 in (first[0], second[0]) or (first[0] == first[1] and second[0] == second[1])
        assert math.isfinite(intervals.katz_with_half(*first, *second, Z).high)
        return
    theirs = relative_risk(*first, *second).confidence_interval(0.95)
    assert ours.low == pytest.approx(theirs.low, rel=1e-12)
    assert ours.high == pytest.approx(theirs.high, rel=1e-12)


@given(counts, counts)
def test_the_mean_of_two_rates_lies_in_its_interval(first, second):
    found = intervals.mover_mean(*first, *second, Z)
    mean = (first[0] / first[1] + second[0] / second[1]) / 2
    assert -1e-12 <= found.low <= mean + 1e-12
    assert mean - 1e-12 <= found.high <= 1 + 1e-12


@given(st.floats(0, 1), st.integers(1, 300), st.integers(1, 300))
def test_newcombes_interval_of_an_area_solves_its_equation(area, m, n):
    found = intervals.newcombe_auc(area, m, n, Z)
    assert 0 <= found.low <= area <= found.high <= 1
    for bound in (found.low, found.high):
        if bound in (0.0, 1.0, area):
            continue
        pseudo = (m + n) / 2 - 1
        variance = bound * (1 - bound) / (m * n)
        variance *= 1 + pseudo * (1 - bound) / (2 - bound) + pseudo * bound / (1 + bound)
        assert abs(bound - area) == pytest.approx(Z * math.sqrt(variance), rel=1e-6)


def test_an_area_of_one_still_has_an_interval():
    assert intervals.delong_logit(1.0, 0.0, Z) is None
    found = intervals.newcombe_auc(1.0, 15, 15, Z)
    assert 0.8 < found.low < 0.95
    assert found.high == 1.0


scores = st.lists(st.integers(0, 12).map(lambda k: k / 8), min_size=2, max_size=40)


@given(scores, scores)
def test_delongs_variance_is_that_of_its_definition(positives, negatives):
    """The quick algorithm against the placements written out, pair by pair, ties one half."""
    x, y = np.array(positives), np.array(negatives)
    pairs = (x[:, None] > y[None, :]) + 0.5 * (x[:, None] == y[None, :])
    expected = pairs.mean(1).var(ddof=1) / len(x) + pairs.mean(0).var(ddof=1) / len(y)
    found = summarise(RowCount(len(x) + len(y), len(x) + len(y)), x.copy(), y.copy())
    assert int(found.twice_u) == round(2 * pairs.sum())
    assert float(found.auc_variance or "nan") == pytest.approx(expected, abs=1e-14)


def test_delongs_interval_covers_the_true_area_about_as_often_as_it_says():
    """Two normal populations a distance of 1 apart: the area is Phi(1 / sqrt 2)."""
    rng = np.random.default_rng(7)
    truth = float(stats.norm.cdf(1 / math.sqrt(2)))
    hits = 0
    for _ in range(1000):
        x, y = rng.normal(1, 1, 60), rng.normal(0, 1, 80)
        found = summarise(RowCount(140, 140), x, y)
        area = int(found.twice_u) / (2 * 60 * 80)
        bounds = intervals.delong_logit(area, float(found.auc_variance or 0), Z)
        hits += bounds is not None and bounds.low <= truth <= bounds.high
    assert 925 <= hits <= 970
