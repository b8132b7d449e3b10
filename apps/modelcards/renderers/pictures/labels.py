"""Names beside a chart: broken into lines that fit, in any script. Pure.

Widths are counted in characters, a character of East Asian width as two; what draws the picture measures with fonts that
the reader may not have, so nothing is left to it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

ELLIPSIS: Final = "…"
# Directional marks around a name that reads from right to left, so that its ellipsis stands at its end.
_RTL: Final = "\u202b", "\u202c"
_SPACES: Final = re.compile(r"\s+")
# Characters that would end a line of the expression or turn the direction of what follows.
_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def width(text: str) -> int:
    """How wide a text is in columns; marks that combine with the character before take none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def lines(text: str, most: int, count: int = 2) -> list[str]:
    """At most so many lines of at most so many columns; what does not fit ends in an ellipsis."""
    clean = _SPACES.sub(" ", _CONTROL.sub(" ", text)).strip() or "(blank)"
    found: list[str] = []
    rest = clean
    while rest and len(found) < count:
        line = _head(rest, most)
        rest = rest[len(line) :].lstrip()
        if rest and len(found) == count - 1:
            line = _cut(line, most) + ELLIPSIS
        found.append(line.rstrip())
    return [_isolated(line) for line in found]


def _head(text: str, most: int) -> str:
    """As much of the text as fits, up to a blank where there is one in its second half."""
    if width(text) <= most:
        return text
    fitting = _cut(text, most + 1)
    blank = fitting.rfind(" ", len(fitting) // 2)
    return fitting[:blank] if blank > 0 else fitting


def _cut(text: str, most: int) -> str:
    """The beginning that leaves room for an ellipsis; never between a character and its marks."""
    room, end = most - 1, 0
    for place, char in enumerate(text):
        room -= width(char)
        if room < 0:
            break
        end = place + 1
    return text[:end]


def _isolated(line: str) -> str:
    first = next((unicodedata.bidirectional(c) for c in line if c.isalpha()), "L")
    return f"{_RTL[0]}{line}{_RTL[1]}" if first in {"R", "AL"} and ELLIPSIS in line else line


def expression(names: Sequence[Sequence[str]], index: str = "datum.value") -> str:
    """A Vega expression that gives the lines of the name at an index. Names are data in it, never code."""
    return f"{json.dumps([list(name) for name in names], ensure_ascii=True)}[{index}]"
