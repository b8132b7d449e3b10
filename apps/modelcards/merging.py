"""Two people's changes of one card put together, block by block. Pure.

A block that only one of them changed is taken from that one; a block that both made the same is the same. A block that both
changed differently is a clash: nobody but a person says which text counts, and neither text is dropped before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MINE: Final = "mine"
THEIRS: Final = "theirs"

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Clash:
    """A block that both changed, as it was and as either has it; "" for no text."""

    was: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What comes out: `texts` holds mine where it clashes; `taken` are the blocks that are theirs."""

    texts: dict[str, str]
    taken: tuple[str, ...] = ()
    clashes: dict[str, Clash] = field(default_factory=dict)


def merge(was: Texts, mine: Texts, theirs: Texts, picks: Mapping[str, str] | None = None) -> Merged:
    """The three-way merge. `picks` says of a clash whose text counts, `MINE` or `THEIRS`."""
    texts: dict[str, str] = {}
    taken: list[str] = []
    clashes: dict[str, Clash] = {}
    for key in dict.fromkeys([*mine, *theirs, *was]):
        old, own, other = was.get(key, ""), mine.get(key, ""), theirs.get(key, "")
        pick = _pick(old, own, other, (picks or {}).get(key, ""))
        if not pick:
            clashes[key] = Clash(old, own, other)
        elif pick == THEIRS and own != other:
            taken.append(key)
        texts[key] = other if pick == THEIRS else own
    return Merged(texts, tuple(taken), clashes)


def _pick(was: str, mine: str, theirs: str, picked: str) -> str:
    """Whose text counts; "" where only a person can say."""
    if mine in (theirs, was):
        return THEIRS
    if theirs == was:
        return MINE
    return picked if picked in {MINE, THEIRS} else ""
