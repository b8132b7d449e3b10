"""Numbers as people and digests take them: exact fractions inside, `repr` strings stored, rounded on screen."""

from __future__ import annotations

import decimal
from fractions import Fraction

NBSP = "\u00a0"
MISSING = "—"
CROSS = " \u00d7 "  # between crossed features and groups


def exact(number: float | str | decimal.Decimal | Fraction) -> Fraction:
    """The number as a fraction, without loss; ValueError for NaN and the infinities."""
    if isinstance(number, Fraction):
        return number
    try:
        return Fraction(number)
    except OverflowError as error:
        raise ValueError(f"not a finite number: {number!r}") from error


def shown(number: float | str | None, places: int = 3) -> str:
    """Rounded half up (never truncated) to `places`; "—" where there is no number."""
    if number is None:
        return MISSING
    value = decimal.Decimal(number if isinstance(number, str) else repr(number))
    if not value.is_finite():
        return str(number)
    rounded = value.quantize(decimal.Decimal(1).scaleb(-places), rounding=decimal.ROUND_HALF_UP)
    return f"{rounded:f}" if rounded else f"{abs(rounded):f}"


def shown_against(number: str, limit: str) -> str:
    """Like `shown`, with as many places as it takes for the number not to look equal to the limit."""
    value, bound = decimal.Decimal(number), decimal.Decimal(limit)
    for places in range(3, 12):
        text = shown(number, places)
        if value == bound or decimal.Decimal(text) != bound:
            return text
    return number


def grouped(count: int) -> str:
    """A whole number with its thousands apart: 68 785."""
    return f"{count:,}".replace(",", NBSP)


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 group`, `2 groups`."""
    return f"{grouped(count)} {noun if count == 1 else many or noun + 's'}"


def listed(words: list[str], most: int = 5) -> str:
    """`a, b and c`; the rest is counted."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {grouped(len(words) - most)} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
