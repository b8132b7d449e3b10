"""Quantiles by places of the sorted rows, with intervals that assume nothing of the distribution. Pure.

A quantile q of n rows is interpolated linearly between its two neighbours (as NumPy does by default; the median is the
usual one). Its interval goes from one row to another: the number of rows below the true quantile is binomial(n, q), so the
places are its quantiles (Conover 1999, Practical Nonparametric Statistics, 3.2; David & Nagaraja 2003, 7.1). The
confidence is at least what is asked; with too few rows there is no such place and no interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from scipy.special import bdtr

from apps.checks.library.estimates import Estimate, estimate, undefined
from apps.checks.library.intervals import Interval
from apps.checks.outcomes import OrderStatistic

METHOD = "order statistics, at least the confidence asked"


@dataclass(frozen=True, slots=True)
class Places:
    """The two neighbours of a quantile with the share of the way between them, and the ends of its interval (0, or n + 1:
    there is none)."""

    below: int
    above: int
    share: Fraction
    low: int
    high: int


def places(n: int, q: Fraction, confidence: float) -> Places:
    """Of the quantile `q` among `n` rows, counted from 1."""
    at = 1 + (n - 1) * q
    below = int(at)
    tail = (1 - confidence) / 2
    return Places(
        below=below,
        above=min(below + 1, n),
        share=at - below,
        low=_binomial(tail, n, q),
        high=_binomial(1 - tail, n, q) + 1,
    )


def wanted(n: int, quantiles: Sequence[Fraction], confidence: float) -> Iterable[int]:
    """Every place that these quantiles need."""
    for q in quantiles:
        found = places(n, q, confidence)
        yield from (
            place for place in (found.below, found.above, found.low, found.high) if 1 <= place <= n
        )


def quantile(n: int, q: Fraction, confidence: float, rows: Iterable[OrderStatistic]) -> Estimate:
    """From the stored places; null for no rows."""
    if not n:
        return undefined("not defined: no rows")
    at, values = places(n, q, confidence), {each.rank: each.value for each in rows}
    below, above = float(values[at.below]), float(values[at.above])
    value = below + (above - below) * float(at.share)
    if not (at.low >= 1 and at.high <= n):
        return estimate(value, None, "", reason=f"{n} rows are too few for an interval")
    bounds = Interval(float(values[at.low]), float(values[at.high]))
    return estimate(value, bounds, METHOD)


def _binomial(probability: float, n: int, q: Fraction) -> int:
    """The smallest k with P(X <= k) >= probability, X binomial(n, q)."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if bdtr(middle, n, float(q)) >= probability:
            high = middle
        else:
            low = middle + 1
    return low
