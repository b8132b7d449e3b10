"""Some columns of a file grouped together once; the tables of any of them follow by adding up.

A fairness check asks for the rows by each sensitive column, by their crossings, by outcome and prediction. All of these
are sums over one table, which one pass over the file makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from apps.checks.engine.source import Caps, Source

# Beyond this many combinations a pass for each question is quicker than adding up, and takes less room.
MOST_CELLS = 200_000


class Counted(Protocol):
    """What answers how many rows have which values of some columns."""

    @property
    def caps(self) -> Caps: ...

    def counted(self, names: Sequence[str], *, most: int = 0) -> list[tuple[Any, ...]]:
        """The rows grouped by these columns, with their number; at most `most` groups."""


@dataclass(frozen=True, slots=True)
class Joint:
    """The number of rows for each combination of values of `names`."""

    names: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    source: Source

    @property
    def caps(self) -> Caps:
        return self.source.caps

    def counted(self, names: Sequence[str], *, most: int = 0) -> list[tuple[Any, ...]]:
        """As `Source.counted`, without reading the file again. Raises ValueError for other columns."""
        places = [self.names.index(name) for name in names]
        found: dict[tuple[Any, ...], int] = {}
        for row in self.rows:
            key = tuple(row[place] for place in places)
            found[key] = found.get(key, 0) + row[-1]
        rows = [(*key, count) for key, count in found.items()]
        return rows[:most] if most else rows


def joint(source: Source, names: Sequence[str]) -> Counted:
    """These columns grouped once; the source itself where they have too many combinations."""
    unique = tuple(dict.fromkeys(names))
    rows = source.counted(unique, most=MOST_CELLS + 1)
    return source if len(rows) > MOST_CELLS else Joint(unique, rows, source)
