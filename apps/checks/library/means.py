"""Means of errors and roots of mean squares from exact sums, with their intervals. Pure."""

from __future__ import annotations

import math
from fractions import Fraction

from apps.checks.library import delta, intervals
from apps.checks.library.estimates import Estimate, estimate
from apps.checks.library.intervals import Interval


def mean(
    total: Fraction, squares: Fraction, n: int, z: float, *, above_zero: bool = False
) -> Estimate:
    """The mean of n numbers with the normal interval of a mean (variance with n - 1); n must not be 0.

    `above_zero`: no number is below 0, so the interval is not either.
    """
    value = total / n
    if n < 2:
        return estimate(float(value), None, "", reason="one row has no variance")
    variance = max(Fraction(0), (squares - n * value * value) / (n - 1))
    bounds = intervals.normal_mean(float(value), float(variance), n, z)
    if above_zero:
        bounds = Interval(max(0.0, bounds.low), bounds.high)
    return estimate(float(value), bounds, "normal, of the mean")


def size(number: Estimate) -> Estimate:
    """The absolute value; an interval across 0 reaches down to it."""
    if number.value is None or number.interval is None:
        value = None if number.value is None else number.value.removeprefix("-")
        return Estimate(value, reason=number.reason)
    low, high = number.interval.low, number.interval.high
    least = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    bounds = Interval(least, max(abs(low), abs(high)))
    return estimate(abs(float(number.value)), bounds, number.method)


def root_mean_square(squares: Fraction, fourths: Fraction, n: int, z: float) -> Estimate:
    """The root of the mean square; the mean square by the delta method on the log scale, then its root."""
    square = squares / n
    value = math.sqrt(square)
    if not square:
        return estimate(value, None, "", reason="all errors are 0")
    variance = (fourths / n - square * square) / n
    bounds = delta.on_log(float(square), float(variance), z)
    if bounds is None:
        return estimate(value, None, "", reason="all errors are of the same size")
    ends = Interval(math.sqrt(bounds.low), math.sqrt(bounds.high))
    return estimate(value, ends, "delta method, log scale")
