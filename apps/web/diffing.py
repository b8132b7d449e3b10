"""Differences of two texts for the text diff part: by word, by line when they are long."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of either text, with the pieces that changed; or `same` of them in a row, which are not shown."""

    pieces: Sequence[Piece] = ()
    same: int = 0


def paragraphs(before: str, after: str) -> list[Paragraph]:
    """Both texts paragraph by paragraph: those that stayed are counted, the others compared by word."""
    left, right = _paragraphs(before), _paragraphs(after)
    found: list[Paragraph] = []
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(
        a=left, b=right, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            found.append(Paragraph(same=i2 - i1))
            continue
        olds, news = left[i1:i2], right[j1:j2]
        for place in range(max(len(olds), len(news))):
            old, new = "".join(olds[place : place + 1]), "".join(news[place : place + 1])
            found.append(Paragraph(joined(text(old, new))))
    return found


def _paragraphs(value: str) -> list[str]:
    parts = re.split(r"\n[ \t]*\n+", value.replace("\r\n", "\n"))
    return [part.strip("\n") for part in parts if part.strip()]


def joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Changes with nothing but space between them as one: a rewritten sentence reads as a sentence."""
    made: list[Piece] = []
    gone = came = ""
    for place, (op, words) in enumerate(pieces):
        following = pieces[place + 1 : place + 2]
        bridge = op == "same" and not words.strip() and (gone or came) and following
        if bridge:
            gone, came = gone + words, came + words
        elif op == "same":
            made += _change(gone, came)
            made.append((op, words))
            gone = came = ""
        else:
            gone, came = (gone + words, came) if op == "removed" else (gone, came + words)
    return made + _change(gone, came)


def _change(gone: str, came: str) -> list[Piece]:
    both: list[Piece] = [("removed", gone), ("added", came)]
    return [piece for piece in both if piece[1]]
