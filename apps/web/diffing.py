"""Word-level differences of two texts, for the text diff part."""

from __future__ import annotations

import difflib
import re
from typing import Literal

Piece = tuple[Literal["same", "added", "removed"], str]

# Beyond this many words the comparison is by line: difflib is quadratic.
MOST_WORDS = 4000


def text(before: str, after: str) -> list[Piece]:
    """The pieces of both texts in reading order: what stayed, what went, what came."""
    splitter = r"(\s+)" if max(len(before), len(after)) < MOST_WORDS * 6 else r"(\n+)"
    left, right = re.split(splitter, before), re.split(splitter, after)
    pieces: list[Piece] = []
    matcher = difflib.SequenceMatcher(a=left, b=right, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(("same", "".join(left[i1:i2])))
            continue
        if i1 < i2:
            pieces.append(("removed", "".join(left[i1:i2])))
        if j1 < j2:
            pieces.append(("added", "".join(right[j1:j2])))
    return [piece for piece in pieces if piece[1]]
