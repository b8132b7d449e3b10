"""Intervals by the delta method, on a scale that keeps them inside the range of their number. Pure.

A number that does not change when all counts are multiplied alike has the variance sum(c g^2) over the cells of a table
of n rows drawn one by one (multinomial), c the count of a cell and g the derivative of the number by it
(Agresti 2013, Categorical Data Analysis, 16.1). None where the variance is 0 or the scale has no value.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from apps.checks.library.intervals import Interval


def variance(cells: Iterable[tuple[int, float]]) -> float:
    """From the count of each cell and the derivative of the number by that count."""
    return math.fsum(count * slope * slope for count, slope in cells)


def on_logit(value: float, variance_: float, z: float) -> Interval | None:
    """For a number from 0 to 1."""
    if not 0 < value < 1 or variance_ <= 0:
        return None
    middle = math.log(value / (1 - value))
    spread = z * math.sqrt(variance_) / (value * (1 - value))
    return Interval(_expit(middle - spread), _expit(middle + spread))


def on_atanh(value: float, variance_: float, z: float) -> Interval | None:
    """For a number from -1 to 1 (Fisher's z)."""
    if not -1 < value < 1 or variance_ <= 0:
        return None
    spread = z * math.sqrt(variance_) / (1 - value * value)
    middle = math.atanh(value)
    return Interval(math.tanh(middle - spread), math.tanh(middle + spread))


def on_log(value: float, variance_: float, z: float) -> Interval | None:
    """For a number above 0."""
    if value <= 0 or variance_ <= 0:
        return None
    spread = z * math.sqrt(variance_) / value
    try:
        return Interval(value * math.exp(-spread), value * math.exp(spread))
    except OverflowError:
        return None


def _expit(value: float) -> float:
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))
