"""Numbers on an axis: read from text, brought to a size that can be printed, with the power said beside it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from statistics import median_low
from typing import Final

_SUPERSCRIPT: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGE, _SMALL = 5, -3  # powers of ten from which an axis has a power of its own
_LEAST = Decimal("0.001")  # the smallest number that a cell shows
_FAR = 1.5  # how many times the span of the values themselves an interval may reach beyond them


def number(text: str) -> Decimal | None:
    """A finite number, else None."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def power_of(values: Iterable[Decimal]) -> int:
    """The power of a thousand in which the largest of these is short to print; 0 for usual numbers."""
    largest = max((abs(value) for value in values), default=Decimal(0))
    if not largest or _SMALL <= largest.adjusted() < _LARGE:
        return 0
    return largest.adjusted() // 3 * 3


def scaled(value: Decimal, power: int) -> float:
    """The number in units of this power of ten."""
    return float(value.scaleb(-power))


def titled(axis: str, power: int) -> str:
    """The name of the axis with its power: `error (× 10⁹)`."""
    return f"{axis} (× 10{str(power).translate(_SUPERSCRIPT)})" if power else axis


def domain(
    values: Iterable[float], intervals: Sequence[tuple[float, float]], *, from_zero: bool
) -> tuple[list[float], bool]:
    """From where to where the axis goes, and whether some interval reaches beyond it.

    The values are all inside, and intervals of usual width. One that is much wider is cut where it would press the values
    into a corner.
    """
    inside = [*values, 0.0] if from_zero else list(values)
    low, high = min(inside), max(inside)
    span = (high - low) or abs(high) or 1.0
    everything = [*inside, *(end for interval in intervals for end in interval)]
    usual = median_low(high - low for low, high in intervals) if intervals else 0.0
    reach = max(_FAR * span, _FAR * usual)
    least, most = max(min(everything), low - reach), min(max(everything), high + reach)
    beyond = min(everything) < least or max(everything) > most
    if math.isclose(least, most, rel_tol=1e-12, abs_tol=0.0):
        least, most = (0.0 if from_zero else least - span / 2), most + span / 2
    return [least, most], beyond


def short(value: Decimal) -> str:
    """A number for a cell of a field: three digits and a letter for thousands, millions and more."""
    size = abs(value)
    if 0 < size < _LEAST:
        return f"<{_LEAST}" if value > 0 else f">-{_LEAST}"
    if size < 1000:
        return f"{value:.3g}" if value != value.to_integral_value() else f"{int(value)}"
    for letter in ("k", "M", "G", "T", "P"):
        value /= 1000
        if abs(value) < 1000:
            return f"{value:.3g}{letter}" if abs(value) < 999.5 else f"{value:.0f}{letter}"
    return f"{value:.1e}"
