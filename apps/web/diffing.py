"""Differences of two texts for the text diff part: by word, by line when they are long."""

from __future__ import annotations

import difflib
import re
from typing import Literal

Piece = tuple[Literal["same", "added", "removed"], str]

# difflib is quadratic in what repeats: beyond this many characters it compares lines, and takes its shortcuts.
LONG = 40_000


def text(before: str, after: str) -> list[Piece]:
    """The pieces of both texts in reading order: what stayed, what went, what came.

    Without the added pieces they spell `before`, without the removed ones `after`.
    """
    long = max(len(before), len(after)) > LONG
    left, right = _units(before, lines=long), _units(after, lines=long)
    pieces: list[Piece] = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, left, right, long).get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(left[i1:i2])))
            continue
        pieces.append(("removed", "".join(left[i1:i2])))
        pieces.append(("added", "".join(right[j1:j2])))
    return [piece for piece in pieces if piece[1]]


def _units(value: str, *, lines: bool) -> list[str]:
    """Lines with their ends, or words with the space after them: no separator that repeats by itself."""
    return value.splitlines(keepends=True) if lines else re.findall(r"\S+\s*|\s+", value)
