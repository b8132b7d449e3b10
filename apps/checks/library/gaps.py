"""The largest gap between groups, with an interval that all pairs of groups have a say in. Pure.

Point: largest minus smallest rate, smallest over largest (Fairlearn's definitions: unsigned, no privileged
group). Interval: over all pairs of groups, the bound that would have to hold for the gap. Lower: some
pair differs by at least this much. Upper: no pair differs by more than this. For two groups it is
Newcombe's (difference) or Katz's (ratio). A small group in the middle with a wide interval thus keeps
the upper bound wide, as it must: we know little about it.

Not corrected for the number of pairs: with many small groups look at the table, not only at the headline.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from apps.checks.library.estimates import Estimate, estimate, undefined
from apps.checks.library.intervals import Interval

Matrix = NDArray[np.float64]


def largest_difference(
    rates: Sequence[Estimate], *, most: float = 1.0, method: str = "Newcombe"
) -> Estimate:
    """Largest minus smallest of the defined rates; null for fewer than two. `most`: how large it can be."""
    known = [rate for rate in rates if rate.value is not None]
    if len(known) < 2:
        return undefined("not defined: fewer than two groups to compare")
    values = [rate.exact for rate in known]
    if any(rate.interval is None for rate in known):
        return undefined("not defined: a group has no interval")
    found = _difference_bounds(known)
    bounds = Interval(found.low, min(most, found.high))
    return estimate(max(values) - min(values), bounds, f"{method}, over all pairs of groups")


def smallest_ratio(rates: Sequence[Estimate], z: float) -> Estimate:
    """Smallest over largest of the defined rates; null for fewer than two and where all are 0."""
    known = [rate for rate in rates if rate.value is not None]
    if len(known) < 2:
        return undefined("not defined: fewer than two groups to compare")
    values = [rate.exact for rate in known]
    if not max(values):
        return undefined("not defined: every rate is 0")
    bounds, halved = _ratio_bounds(known, z)
    method = "Katz, over all pairs of groups" + (
        ", one half added to empty cells" if halved else ""
    )
    return estimate(min(values) / max(values), bounds, method)


def worse(first: Estimate, second: Estimate) -> Estimate:
    """The larger of two gaps (equalised odds); its interval reaches as far as the larger bounds."""
    if first.value is None or second.value is None:
        return first if first.value is None else second
    one, other = first.interval, second.interval
    if one is None or other is None:
        return undefined("not defined: a gap has no interval")
    bounds = Interval(max(one.low, other.low), max(one.high, other.high))
    return estimate(max(first.exact, second.exact), bounds, first.method)


def lower(first: Estimate, second: Estimate) -> Estimate:
    """The smaller of two ratios (equalised odds); its interval reaches as far as the smaller bounds."""
    if first.value is None or second.value is None:
        return first if first.value is None else second
    one, other = first.interval, second.interval
    if one is None or other is None:
        return undefined("not defined: a ratio has no interval")
    bounds = Interval(min(one.low, other.low), min(one.high, other.high))
    return estimate(min(first.exact, second.exact), bounds, first.method)


def smallest(rates: Sequence[Estimate]) -> Estimate:
    """The smallest of the defined rates; its interval is where the smallest could be: no group's bounds are left out."""
    known = [rate for rate in rates if rate.interval is not None]
    if not known:
        return undefined("not defined: no group has the rate")
    ends = [rate.interval for rate in known if rate.interval is not None]
    bounds = Interval(min(each.low for each in ends), min(each.high for each in ends))
    return estimate(min(rate.exact for rate in known), bounds, "Wilson, the smallest of the groups")


def _difference_bounds(rates: Sequence[Estimate]) -> Interval:
    p, low, high = _columns(rates)
    apart = p[:, None] - p[None, :]
    lower = apart - np.hypot((p - low)[:, None], (high - p)[None, :])
    upper = apart + np.hypot((high - p)[:, None], (p - low)[None, :])
    return Interval(max(0.0, _over_pairs(lower, np.max)), _over_pairs(upper, np.max))


def _ratio_bounds(rates: Sequence[Estimate], z: float) -> tuple[Interval, bool]:
    x = np.array([float(rate.numerator or 0) for rate in rates])
    n = np.array([float(rate.denominator or 0) for rate in rates])
    empty, full = x == 0, x == n
    halved = (empty[:, None] | empty[None, :]) | (full[:, None] & full[None, :])
    half = np.where(halved, 0.5, 0.0)
    a, m = x[:, None] + half, n[:, None] + 2 * half
    b, k = x[None, :] + half, n[None, :] + 2 * half
    log_ratio = np.log(a) - np.log(m) - np.log(b) + np.log(k)
    spread = z * np.sqrt(np.maximum(0.0, 1 / a - 1 / m + 1 / b - 1 / k))
    low = _over_pairs(np.exp(log_ratio - spread), np.min)
    high = _over_pairs(np.exp(log_ratio + spread), np.min)
    used = halved & ~np.eye(len(x), dtype=bool)
    return Interval(low, min(1.0, high)), bool(used.any())


def _columns(rates: Sequence[Estimate]) -> tuple[Matrix, Matrix, Matrix]:
    p = np.array([float(rate.value or 0) for rate in rates])
    low = np.array([float(rate.low or 0) for rate in rates])
    high = np.array([float(rate.high or 0) for rate in rates])
    return p, low, high


def _over_pairs(values: Matrix, choose: np.ufunc | object) -> float:
    """The largest or smallest entry off the diagonal."""
    apart = ~np.eye(len(values), dtype=bool)
    return float(choose(values[apart]))  # type: ignore[operator]
