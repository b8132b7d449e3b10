"""What groups have in common, whatever was measured of them: the reference group and the cells nobody is in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Protocol, TypeVar

from apps.checks.numbers import CROSS
from apps.core.errors import Invalid

UNKNOWN = "unknown"
MOST_EMPTY = 200
Values = tuple[str | None, ...]


class Counted(Protocol):
    """A group of so many rows."""

    @property
    def values(self) -> Values: ...

    @property
    def n(self) -> int: ...


G = TypeVar("G", bound=Counted)


def group_label(values: Sequence[str | None]) -> str:
    """`Female`, `Female x Black`; a missing value is called unknown."""
    return CROSS.join(UNKNOWN if value is None else value for value in values)


def reference_of(
    features: tuple[str, ...], groups: Sequence[G], declared: Mapping[str, str]
) -> tuple[G, str]:
    """The group of the declared values, else the largest known one (ties: first by name), and which of the two.

    Raises Invalid where the declared one does not occur.
    """
    if all(feature in declared for feature in features):
        wanted = tuple(declared[feature] for feature in features)
        for group in groups:
            if group.values == wanted:
                return group, "declared"
        raise Invalid(
            f"the reference group {group_label(wanted)!r} does not occur",
            fields={"reference": f"{group_label(wanted)!r} does not occur"},
        )
    known = [group for group in groups if None not in group.values] or groups
    return max(known, key=lambda group: group.n), "largest group"


def empty_cells(features: tuple[str, ...], groups: Sequence[Counted]) -> list[Values]:
    """Combinations of occurring values that nobody has."""
    if len(features) < 2:
        return []
    taken = {group.values for group in groups}
    axes = [
        sorted({g.values[i] for g in groups}, key=lambda v: (v is None, v or ""))
        for i in range(len(features))
    ]
    return [cell for cell in product(*axes) if cell not in taken]
