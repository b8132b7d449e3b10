"""A number with what it takes to judge it: fraction, interval, method; or the reason why there is none."""

from __future__ import annotations

from fractions import Fraction

import msgspec

from apps.checks.library import intervals
from apps.checks.library.intervals import Interval
from apps.core.canonical import decimal


class Estimate(msgspec.Struct, frozen=True, omit_defaults=True):
    """`value`, `low`, `high` are decimal strings made by repr. A rate keeps its whole numbers, so that it
    can be compared with a limit exactly: 3/5 against 6/8 is four fifths, whatever floats say."""

    value: str | None
    low: str | None = None
    high: str | None = None
    numerator: int | None = None
    denominator: int | None = None
    fraction: str = ""  # the exact value where it is a fraction but no plain rate
    method: str = ""
    reason: str = ""  # why `value` (or the interval) is not defined

    @property
    def exact(self) -> Fraction:
        """The value without rounding; raises ValueError where there is none."""
        if self.fraction:
            return Fraction(self.fraction)
        if self.numerator is not None and self.denominator:
            return Fraction(self.numerator, self.denominator)
        if self.value is None:
            raise ValueError(f"not defined: {self.reason}")
        return Fraction(self.value)

    @property
    def interval(self) -> Interval | None:
        """The bounds as floats."""
        if self.low is None or self.high is None:
            return None
        return Interval(float(self.low), float(self.high))


def undefined(
    reason: str, *, numerator: int | None = None, denominator: int | None = None
) -> Estimate:
    """Null with its reason: never 0, never the reference."""
    return Estimate(None, numerator=numerator, denominator=denominator, reason=reason)


def estimate(
    value: float | Fraction, interval: Interval | None, method: str, *, reason: str = ""
) -> Estimate:
    """A number that is not a plain rate; a fraction is kept exactly beside its decimal form."""
    return Estimate(
        value=decimal(float(value)),
        low=decimal(interval.low) if interval else None,
        high=decimal(interval.high) if interval else None,
        fraction=str(value) if isinstance(value, Fraction) else "",
        method=method,
        reason=reason,
    )


def rate(count: int, total: int, z: float, *, of: str) -> Estimate:
    """A rate with Wilson's interval. `of` names what the denominator counts, for the reason of a null."""
    if not total:
        return undefined(f"not defined: no {of}", numerator=count, denominator=0)
    bounds = intervals.wilson(count, total, z)
    return Estimate(
        value=decimal(count / total),
        low=decimal(bounds.low),
        high=decimal(bounds.high),
        numerator=count,
        denominator=total,
        method="Wilson",
    )


def difference(first: Estimate, second: Estimate, z: float) -> Estimate:
    """First rate minus second, signed, with Newcombe's interval; null where one of them is."""
    counts = _counts(first, second)
    if counts is None:
        return undefined(first.reason or second.reason)
    x, m, y, n = counts
    return estimate(Fraction(x, m) - Fraction(y, n), intervals.newcombe(x, m, y, n, z), "Newcombe")


def independent(first: Estimate, second: Estimate) -> Estimate:
    """First number minus second, signed, with MOVER's interval from theirs; null where one of them is."""
    if first.value is None or second.value is None:
        return undefined(first.reason or second.reason)
    a, b = first.interval, second.interval
    if a is None or b is None:
        return Estimate(None, reason="one of the two has no interval")
    bounds = intervals.mover_difference(float(first.value), a, float(second.value), b)
    return estimate(first.exact - second.exact, bounds, "MOVER")


def negative(number: Estimate) -> Estimate:
    """The same number with the other sign: of a difference, the difference the other way round."""
    if number.value is None:
        return number
    bounds = number.interval
    turned = Interval(-bounds.high, -bounds.low) if bounds else None
    return estimate(-number.exact, turned, number.method, reason=number.reason)


def _counts(first: Estimate, second: Estimate) -> tuple[int, int, int, int] | None:
    x, m, y, n = first.numerator, first.denominator, second.numerator, second.denominator
    if x is None or y is None or not m or not n:
        return None
    return x, m, y, n
