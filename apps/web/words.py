"""Numbers, sizes and moments in words, the same on every page."""

from __future__ import annotations

import datetime as dt
import math

from apps.core import clock

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
EN_DASH = "\u2013"
_STEPS = ((60, "s"), (60, "min"), (24, "h"), (7, "d"))


def moment(value: dt.datetime | int) -> dt.datetime:
    """An aware UTC datetime from one, or from milliseconds since the epoch."""
    if isinstance(value, int):
        return dt.datetime.fromtimestamp(value / 1000, tz=dt.UTC)
    return value.astimezone(dt.UTC)


def utc(value: dt.datetime | int) -> str:
    """ "2 March 2026, 14:05:31 UTC": what a title says, and what print shows."""
    at = moment(value)
    return f"{at.day} {at:%B %Y, %H:%M:%S} UTC"


def ago(value: dt.datetime | int) -> str:
    """How long ago (or ahead) in one unit, or the date once it is more than a week."""
    at = moment(value)
    seconds = (clock.now() - at).total_seconds()
    amount, unit = abs(seconds), "s"
    for size, name in _STEPS:
        unit = name
        if amount < size:
            break
        amount /= size
    else:
        return f"{at.day} {at:%b %Y}"
    if unit == "s" and amount < 10:
        return "just now"
    return f"{int(amount)} {unit} ago" if seconds > 0 else f"in {int(amount)} {unit}"


def date(value: dt.date) -> str:
    """ "2 March 2026", of a day without an hour."""
    return f"{value.day} {value:%B %Y}"


def day(value: dt.datetime) -> str:
    """ "2 March 2026", the heading of a day in a timeline."""
    return date(moment(value))


def thousands(value: int) -> str:
    """40210 -> "40 210" with narrow no-break spaces."""
    return f"{value:,}".replace(",", NARROW_SPACE)


def decimals(value: float | str | None, places: int = 4) -> str:
    """A number to so many significant digits, without a tail of zeros; NaN and infinities by name; None is a dash."""
    if value is None:
        return "—"
    number = float(value)
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else f"{MINUS}Infinity"
    whole = number == int(number) and abs(number) < 1e12
    text = thousands(int(number)) if whole else f"{number:.{places}g}"
    return MINUS + text[1:] if number < 0 else text


def signed(value: float, places: int = 3) -> str:
    """A change with its sign: "+0.012", or with a real minus; no change is "±0"."""
    if value == 0:
        return "±0"
    text = f"{value:+.{places}g}"
    return MINUS + text[1:] if value < 0 else text


def span(first: int, last: int) -> str:
    """The rows of a page of a list: 1 to 50, with an en dash."""
    return f"{thousands(first)}{EN_DASH}{thousands(last)}"


def size(amount: int) -> str:
    """Bytes in a unit a person reads: "41.2 MB" (powers of ten, as disks are sold)."""
    value = float(amount)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} TB"


def plural(amount: int, one: str, many: str = "") -> str:
    """ "1 run", "12 runs", "1 204 entries" (give `many` when an s does not do)."""
    return f"{thousands(amount)} {one if amount == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """ "0.42 s", "3 min 5 s", "2 h 10 min"."""
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def initials(label: str) -> str:
    """Two letters for the round picture of a person."""
    parts = [part for part in label.replace("_", " ").replace(".", " ").split() if part]
    letters = (parts[0][0] + parts[-1][0]) if len(parts) > 1 else label[:2]
    return letters.upper()
