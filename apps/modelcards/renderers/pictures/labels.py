"""Names beside a chart: broken into lines that fit, in any script. Pure.

Widths are counted in characters, a character of East Asian width as two; what draws the picture measures with fonts that
the reader may not have, so nothing is left to it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

ELLIPSIS: Final = "…"
# Directional marks around a name that reads from right to left, so that its ellipsis stands at its end.
_RTL: Final = "\u202b", "\u202c"
# From Devanagari to Myanmar, and Khmer: letters that stack.
_SHAPED: Final = ((0x0900, 0x109F), (0x1780, 0x17FF))
_SPACES: Final = re.compile(r"\s+")
# Characters that would end a line of the expression or turn the direction of what follows.
_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def is_shaped(text: str) -> bool:
    """Whether its letters join, stack or run from right to left, so that it cannot be set letter by letter."""
    return any(
        unicodedata.bidirectional(char) in {"R", "AL", "AN"}
        or unicodedata.category(char) in {"Mn", "Mc"}
        or any(first <= ord(char) <= last for first, last in _SHAPED)
        for char in text
    )


@dataclass(slots=True)
class Keys:
    """Names as a drawing can set them. What makes the PDF sets text in a drawing letter by letter: there, a name whose
    letters join or run from right to left is a number in the drawing, and stands whole below it."""

    shapes: bool
    names: list[str] = field(default_factory=list)

    def of(self, name: str) -> str:
        """The name, or the number under which it stands below."""
        if self.shapes or not is_shaped(name):
            return name
        if name not in self.names:
            self.names.append(name)
        return f"#{self.names.index(name) + 1}"

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        return tuple((f"#{place}", name) for place, name in enumerate(self.names, start=1))


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
