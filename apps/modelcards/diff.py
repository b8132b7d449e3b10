"""Two texts word by word, two cards block by block. Pure data; templates make <ins> and <del> of it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from apps.modelcards.templating import naming

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MAX_WORDS = 6_000  # beyond this, compare by line: difflib is quadratic in the worst case

Op = Literal["same", "added", "removed"]
State = Literal["same", "added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Piece:
    op: Op
    text: str


@dataclass(frozen=True, slots=True)
class BlockDiff:
    """One human block in two revisions."""

    key: str
    title: str
    section: str
    state: State
    pieces: tuple[Piece, ...]


def words(old: str, new: str) -> tuple[Piece, ...]:
    """The pieces that turn `old` into `new`: same + removed give back `old`, same + added give `new`."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if len(before) + len(after) > MAX_WORDS:
        before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    pieces: list[Piece] = []
    for op, i1, i2, j1, j2 in matcher.get_opcodes():
        if op == "equal":
            pieces.append(Piece("same", "".join(before[i1:i2])))
            continue
        if i2 > i1:
            pieces.append(Piece("removed", "".join(before[i1:i2])))
        if j2 > j1:
            pieces.append(Piece("added", "".join(after[j1:j2])))
    return tuple(pieces)


def _state(old: str, new: str) -> State:
    if old == new:
        return "same"
    if not old:
        return "added"
    return "changed" if new else "removed"


def compare(
    old: Mapping[str, str],
    new: Mapping[str, str],
    *,
    only_changed: bool = False,
    names: naming.Names = naming.SHIPPED,
) -> tuple[BlockDiff, ...]:
    """Every human block that either side has, in the order of `names`."""
    found = []
    for key, name in names.items():
        before, after = old.get(key, ""), new.get(key, "")
        if not (before or after) or (only_changed and before == after):
            continue
        state = _state(before, after)
        found.append(BlockDiff(key, name.title, name.section_title, state, words(before, after)))
    return tuple(found)
