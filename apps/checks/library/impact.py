"""Two selection rates held against each other: four fifths, significance, what it would take. Pure; whole numbers in.

Sources: 29 CFR 1607.4(D) for four fifths (*less than* four fifths, so exactly four fifths is not); the pooled
two-proportion z test, whose square is Pearson's chi-square without correction; Fisher 1935 for the exact test, two-sided
by adding up every table that is no likelier than the one seen (as R and SciPy do); Katz et al. 1978 for the interval of
the ratio; Questions and Answers 21 on 29 CFR 1607 (44 FR 11996) for the test of one person.

Not corrected for how many groups are compared with the reference: with many groups some are significant by chance.
"""

from __future__ import annotations

import math
from fractions import Fraction

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from apps.checks.library import intervals
from apps.checks.library.estimates import Estimate, estimate, undefined
from apps.core.canonical import decimal

FOUR_FIFTHS = Fraction(4, 5)
LEAST_EXPECTED = 5
# Where an expected cell is below 5, the smallest margin k has k² < 5N (one cell is at least k² / N): 100 000 000 rows
# have fewer than 22 361 tables, so no test that decides is ever left out.
MOST_TABLES = 100_000
_AS_LIKELY = (
    1 + 1e-7
)  # two tables whose probabilities differ by less are equally likely (R's fisher.test)

Weights = NDArray[np.float64]


class Comparison(msgspec.Struct, frozen=True):
    """A group against the reference group.

    `p_value` is that of `test`: Fisher's where an expected cell is below 5, else of z. `to_four_fifths` and `to_parity`
    say how many more of the group would have to be selected, all else as it is. `flips` says that one selection more in
    the group and one less in the reference would bring it to four fifths, `turns` that it would put the group ahead.
    """

    ratio: Estimate
    below: bool
    z: str | None
    p_z: str | None
    p_fisher: str | None
    test: str
    p_value: str | None
    least_expected: str
    to_four_fifths: int
    to_parity: int
    flips: bool
    turns: bool


def compare(selected: int, total: int, best: int, best_total: int, z: float) -> Comparison | None:
    """`selected` of `total` against `best` of `best_total`; None where nobody of the reference was selected."""
    if not best or not total:
        return None
    ratio = Fraction(selected * best_total, total * best)
    below = ratio < FOUR_FIFTHS
    statistic = two_proportion_z(selected, total, best, best_total)
    p_z = None if statistic is None else 2 * float(ndtr(-abs(statistic)))
    exact = fisher(selected, total, best, best_total)
    expected = least_expected(selected, total, best, best_total)
    test, p = ("Fisher exact", exact) if expected < LEAST_EXPECTED else ("two-proportion z", p_z)
    return Comparison(
        ratio=ratio_of(selected, total, best, best_total, z),
        below=below,
        z=_text(statistic),
        p_z=_text(p_z),
        p_fisher=_text(exact),
        test=test,
        p_value=_text(p),
        least_expected=decimal(float(expected)),
        to_four_fifths=_lacking(selected, total, FOUR_FIFTHS * Fraction(best, best_total)),
        to_parity=_lacking(selected, total, Fraction(best, best_total)),
        flips=below and _after_one(selected, total, best, best_total, FOUR_FIFTHS),
        turns=ratio < 1 and _turned(selected, total, best, best_total),
    )


def ratio_of(selected: int, total: int, best: int, best_total: int, z: float) -> Estimate:
    """The impact ratio, exact, with Katz's interval; with one half added to each cell where one is empty, said so: nobody
    selected has no logarithm, and one selected of one would have no width."""
    if not total:
        return undefined("not defined: nobody in the group")
    if not best:
        return undefined("not defined: nobody of the reference group was selected")
    ratio = Fraction(selected * best_total, total * best)
    empty = not selected or selected == total or best == best_total
    bounds = None if empty else intervals.katz(selected, total, best, best_total, z)
    method = "Katz"
    if bounds is None:
        bounds = intervals.katz_with_half(selected, total, best, best_total, z)
        bounds = intervals.Interval(min(float(ratio), bounds.low), max(float(ratio), bounds.high))
        method = "Katz, one half added to each cell"
    return estimate(ratio, bounds, method)


def two_proportion_z(x: int, m: int, y: int, n: int) -> float | None:
    """(x/m - y/n) over its standard error under one pooled rate; None where all or none were selected."""
    s, both = x + y, m + n
    if not 0 < s < both:
        return None
    squared = Fraction((x * n - y * m) ** 2 * both, m * n * s * (both - s))
    return math.copysign(math.sqrt(squared), x * n - y * m)


def least_expected(x: int, m: int, y: int, n: int) -> Fraction:
    """The smallest of the four cells to expect under one pooled rate."""
    s, both = x + y, m + n
    return Fraction(min(m, n) * min(s, both - s), both)


def fisher(x: int, m: int, y: int, n: int) -> float | None:
    """Two-sided p-value given the margins; None for more than MOST_TABLES possible tables.

    Steps: 1 the weight of each table relative to the likeliest, by the ratio of neighbours, so that nothing overflows;
    2 the share of those that are no likelier than the one seen.
    """
    s = x + y
    low, high = max(0, s - n), min(m, s)
    if high - low >= MOST_TABLES:
        return None
    weights = _weights(low, high, m, n, s)
    seen = weights[x - low]
    return float(min(1.0, weights[weights <= seen * _AS_LIKELY].sum() / weights.sum()))


def _weights(low: int, high: int, m: int, n: int, s: int) -> Weights:
    """Hypergeometric weights of low..high selected in the group, the likeliest being 1."""
    mode = min(high, max(low, (m + 1) * (s + 1) // (m + n + 2)))
    k = np.arange(low, high, dtype=np.float64)  # k to k + 1
    up = ((m - k) * (s - k)) / ((k + 1) * (n - s + k + 1))
    place = mode - low
    above = np.cumprod(up[place:])
    below = np.cumprod(1 / up[:place][::-1])[::-1]
    return np.concatenate([below, [1.0], above])


def _lacking(selected: int, total: int, rate: Fraction) -> int:
    """The fewest more of `total` that bring the rate of the group to `rate`."""
    return max(0, math.ceil(rate * total) - selected)


def _after_one(selected: int, total: int, best: int, best_total: int, share: Fraction) -> bool:
    if selected >= total or best < 1:
        return False
    return Fraction(selected + 1, total) >= share * Fraction(best - 1, best_total)


def _turned(selected: int, total: int, best: int, best_total: int) -> bool:
    if selected >= total or best < 1:
        return False
    return Fraction(selected + 1, total) > Fraction(best - 1, best_total)


def _text(number: float | None) -> str | None:
    return None if number is None else decimal(number)
