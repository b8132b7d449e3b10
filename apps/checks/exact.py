"""Every number of a result as it is stored, with its fraction and interval, under its path in the result. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from apps.checks.library.estimates import Estimate

_NAMES: Final = ("label", "name", "column", "path")  # what an entry of a list goes by


def numbers(result: msgspec.Struct) -> Iterator[tuple[str, Estimate]]:
    """`groupings[sex].groups[Female].rates.selection_rate` and its estimate, in the order of the result.

    An entry of a list is named by its label, name, column or path, else by its place from 0.
    """
    return _found(result, "")


def _found(value: Any, path: str) -> Iterator[tuple[str, Estimate]]:
    if isinstance(value, Estimate):
        yield path, value
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            yield from _found(getattr(value, field), f"{path}.{field}" if path else field)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _found(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for place, each in enumerate(value):
            yield from _found(each, f"{path}[{_name(each, place)}]")


def _name(entry: Any, place: int) -> str:
    told = (getattr(entry, name, None) for name in _NAMES)
    return next((each for each in told if isinstance(each, str) and each), str(place))
