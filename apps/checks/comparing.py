"""Where two pieces of plain data differ first, in a fixed order. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from apps.core import canonical

ABSENT: Final = "(absent)"
CLIP: Final = 300


@dataclass(frozen=True, slots=True)
class Difference:
    """One place and what stands there on either side, as canonical JSON, clipped."""

    path: str
    stored: str
    found: str


def first_difference(stored: Any, found: Any, path: str = "") -> Difference | None:
    """The first place, members in the order of `stored` and then those that only `found` has; None if there is none.

    Stricter than `==`: 1, 1.0 and true are three values, as they are in canonical JSON.
    """
    if isinstance(stored, dict) and isinstance(found, dict):
        pairs = _members(stored, found, path)
    elif isinstance(stored, list) and isinstance(found, list):
        pairs = _items(stored, found, path)
    else:
        same = type(stored) is type(found) and stored == found
        return None if same else Difference(path, _told(stored), _told(found))
    for place, one, other in pairs:
        if one is _NONE or other is _NONE:
            return Difference(place, _told(one), _told(other))
        if (difference := first_difference(one, other, place)) is not None:
            return difference
    return None


_NONE: Final = object()
_Pairs = Iterator[tuple[str, Any, Any]]


def _members(stored: dict[str, Any], found: dict[str, Any], path: str) -> _Pairs:
    for key in [*stored, *(key for key in found if key not in stored)]:
        place = f"{path}.{key}" if path else key
        yield place, stored.get(key, _NONE), found.get(key, _NONE)


def _items(stored: list[Any], found: list[Any], path: str) -> _Pairs:
    for index in range(max(len(stored), len(found))):
        one = stored[index] if index < len(stored) else _NONE
        other = found[index] if index < len(found) else _NONE
        yield f"{path}[{index}]", one, other


def _told(value: Any) -> str:
    if value is _NONE:
        return ABSENT
    said = canonical.dumps(value).decode("utf-8")
    return said if len(said) <= CLIP else f"{said[: CLIP - 1]}…"
