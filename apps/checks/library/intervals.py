"""Confidence intervals by formula: they decide the verdicts. Pure; floats in, floats out.

Sources: Wilson 1927 (JASA 22:209); Newcombe 1998 (Stat Med 17:873, method 10) for differences;
Katz et al. 1978 (Biometrics 34:469) for ratios; Zou & Donner 2008 (Stat Med 27:1693, MOVER) for sums;
DeLong et al. 1988 (Biometrics 44:837) and Newcombe 2006 (Stat Med 25:559, method 5) for the AUC.

Not checked here: that the rows are independent. Clustered rows (several per person) make every
interval too narrow; the page of each check says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper bound, both finite."""

    low: float
    high: float


def z_of(confidence: float) -> float:
    """The two-sided normal quantile: 1.96 for 0.95."""
    return float(ndtri(0.5 + confidence / 2))


def wilson(count: int, total: int, z: float) -> Interval:
    """A rate's score interval. Defined at 0 and at `total`; `total` must not be 0."""
    if total <= 0:
        raise ValueError("a rate without a denominator has no interval")
    return wilson_of(count / total, total, z)


def wilson_of(p: float, total: int, z: float) -> Interval:
    """The same of a number that is like a rate of `total` rows without being a whole count of them."""
    spread = z * math.sqrt((p * (1 - p) + z * z / (4 * total)) / total)
    middle = p + z * z / (2 * total)
    scale = 1 + z * z / total
    low = 0.0 if p <= 0 else max(0.0, (middle - spread) / scale)
    high = 1.0 if p >= 1 else min(1.0, (middle + spread) / scale)
    return Interval(low, high)


def newcombe(count_1: int, total_1: int, count_2: int, total_2: int, z: float) -> Interval:
    """The hybrid score interval of rate 1 minus rate 2 (independent groups)."""
    first, second = wilson(count_1, total_1, z), wilson(count_2, total_2, z)
    return mover_difference(count_1 / total_1, first, count_2 / total_2, second)


def mover_difference(first: float, a: Interval, second: float, b: Interval) -> Interval:
    """The interval of a difference from those of two independent numbers, each with its point."""
    return Interval(
        first - second - math.hypot(first - a.low, b.high - second),
        first - second + math.hypot(a.high - first, second - b.low),
    )


def katz(count_1: int, total_1: int, count_2: int, total_2: int, z: float) -> Interval | None:
    """The log interval of rate 1 over rate 2; None where the log is not defined (a count of 0) or the
    formula gives no width (both rates 1)."""
    if not count_1 or not count_2 or (count_1 == total_1 and count_2 == total_2):
        return None
    return _katz(float(count_1), float(total_1), float(count_2), float(total_2), z)


def katz_with_half(count_1: int, total_1: int, count_2: int, total_2: int, z: float) -> Interval:
    """Katz with one half added to each of the four cells: where `katz` gives None, and to be said so."""
    return _katz(count_1 + 0.5, total_1 + 1.0, count_2 + 0.5, total_2 + 1.0, z)


def _katz(x: float, m: float, y: float, n: float, z: float) -> Interval:
    log_ratio = math.log(x) - math.log(m) - math.log(y) + math.log(n)
    spread = z * math.sqrt(max(0.0, 1 / x - 1 / m + 1 / y - 1 / n))
    return Interval(math.exp(log_ratio - spread), math.exp(log_ratio + spread))


def mover_mean(count_1: int, total_1: int, count_2: int, total_2: int, z: float) -> Interval:
    """The mean of two independent rates (balanced accuracy), by square-and-add of Wilson's bounds."""
    first, second = wilson(count_1, total_1, z), wilson(count_2, total_2, z)
    p, q = count_1 / total_1, count_2 / total_2
    return Interval(
        (p + q - math.hypot(p - first.low, q - second.low)) / 2,
        (p + q + math.hypot(first.high - p, second.high - q)) / 2,
    )


def normal_mean(mean: float, variance: float, total: int, z: float) -> Interval:
    """A mean of many independent terms by the central limit theorem; `variance` is that of one term."""
    spread = z * math.sqrt(variance / total)
    return Interval(mean - spread, mean + spread)


def delong_logit(auc: float, variance: float, z: float) -> Interval | None:
    """DeLong's variance, interval on the logit scale; None at 0, at 1 and without variance."""
    if not 0 < auc < 1 or variance <= 0:
        return None
    logit = math.log(auc / (1 - auc))
    spread = z * math.sqrt(variance) / (auc * (1 - auc))
    return Interval(_expit(logit - spread), _expit(logit + spread))


def newcombe_auc(auc: float, positives: int, negatives: int, z: float) -> Interval:
    """Newcombe 2006, method 5: the Hanley-McNeil variance solved for the true area, as Wilson does
    for a rate. Needs only the two counts and is defined at 0 and 1."""
    return Interval(
        _boundary(auc, positives, negatives, z, towards=0.0),
        _boundary(auc, positives, negatives, z, towards=1.0),
    )


def _boundary(auc: float, m: int, n: int, z: float, *, towards: float) -> float:
    """The value between `auc` and `towards` that is z standard errors (its own) away from `auc`."""
    if auc == towards:
        return towards
    inside, outside = auc, towards
    for _ in range(200):
        middle = (inside + outside) / 2
        if middle in {inside, outside}:
            break
        if abs(middle - auc) <= z * math.sqrt(_hanley_mcneil(middle, m, n)):
            inside = middle
        else:
            outside = middle
    return inside


def _hanley_mcneil(theta: float, m: int, n: int) -> float:
    pseudo = (m + n) / 2 - 1
    shape = 1 + pseudo * (1 - theta) / (2 - theta) + pseudo * theta / (1 + theta)
    return theta * (1 - theta) * shape / (m * n)


def _expit(value: float) -> float:
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))
