"""The exact sum of many doubles, whatever their order: halves add up to the whole, to the last digit.

A double is a whole number of 53 bits times a power of two. The whole numbers are cut into two halves of at most 27
bits and added up per power: 2^20 of them stay below 2^53, so that these sums are exact in doubles too, and Python's whole
numbers do the rest. No rounding happens but that of each term.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 20
_HALF = float(1 << 26)
_LOWEST = -1100  # below the exponent of the smallest double


def exact_sum(values: NDArray[np.float64]) -> Fraction:
    """Raises ValueError where a value is not finite."""
    total = Fraction(0)
    for start in range(0, len(values), CHUNK):
        total += _chunk(values[start : start + CHUNK])
    return total


def _chunk(values: NDArray[np.float64]) -> Fraction:
    if not np.isfinite(values).all():
        raise ValueError("not all values are finite")
    fractions, exponents = np.frexp(values)
    whole = fractions * float(1 << 53)
    high = np.trunc(whole / _HALF)
    low = whole - high * _HALF
    places = exponents.astype(np.int64) - _LOWEST
    highs, lows = np.bincount(places, weights=high), np.bincount(places, weights=low)
    total = 0
    for place in np.flatnonzero((highs != 0) | (lows != 0)):
        total += ((int(highs[place]) << 26) + int(lows[place])) << int(place)
    return Fraction(total) * Fraction(2) ** (_LOWEST - 53)
