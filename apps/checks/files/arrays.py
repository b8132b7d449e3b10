"""How many bytes joblib wrote for an array, from the state of its wrapper as a pickle holds it. Pure.

Only what NumPy itself writes is understood: a dtype made from one type code, its state with byte order and flags.
A dtype that holds objects means that another pickle follows. Anything else raises: a wrong size would hide bytes.
"""

from __future__ import annotations

import re
from typing import Any

_CODE = re.compile(r"([biufcmMSUVO])(\d{1,9})")
UNSURE = "?"  # the key that marks a dictionary of which not everything is known
_OBJECTS = 1  # the bit of a dtype's flags that says so
MOST = 1 << 50


class ArrayError(Exception):
    """The size of an array cannot be told."""


def array_bytes(state: Any) -> tuple[int, bool]:
    """Bytes of the array, and whether it holds objects (then a pickle follows instead)."""
    if not isinstance(state, dict) or UNSURE in state:
        raise ArrayError("an array of joblib's says nothing about itself")
    count = 1
    shape = state.get("shape")
    if not isinstance(shape, tuple):
        raise ArrayError("an array of joblib's has no shape")
    for length in shape:
        if not isinstance(length, int) or isinstance(length, bool) or length < 0:
            raise ArrayError("an array of joblib's has no shape")
        count *= length
    size, objects = item(state.get("dtype"))
    if count * size > MOST:
        raise ArrayError("an array of joblib's is larger than any")
    return count * size, objects


def item(dtype: Any, depth: int = 0) -> tuple[int, bool]:
    """Bytes of one item, and whether it holds objects."""
    code = _code(dtype)
    kind, number = code.group(1), int(code.group(2))
    if kind == "O":
        return number, True
    state = dtype.state
    if not isinstance(state, tuple) or len(state) not in {8, 9}:
        raise ArrayError("an array's dtype has no state")
    _, order, base, names, fields, size, _, flags = state[:8]
    if not isinstance(flags, int) or order not in ("<", ">", "|", "=") or base is not None:
        raise ArrayError("an array's dtype is of a kind that is not read here")
    if kind == "V":
        if fields is None or size != number or depth > 2:
            raise ArrayError("an array's dtype is of a kind that is not read here")
        return number, bool(flags & _OBJECTS) or _any_objects(fields, depth)
    if names is not None or fields is not None or flags & _OBJECTS:
        raise ArrayError("an array's dtype contradicts itself")
    number *= 4 if kind == "U" else 1
    if kind in "US" and size != number:  # NumPy takes the size of texts from the state
        raise ArrayError("an array's dtype contradicts itself")
    return number, False


def _code(dtype: Any) -> re.Match[str]:
    name, args = getattr(dtype, "of", None), getattr(dtype, "args", None)
    known = (getattr(name, "module", ""), getattr(name, "name", "")) == ("numpy", "dtype")
    text = args[0] if known and isinstance(args, tuple) and args else None
    code = _CODE.fullmatch(text) if isinstance(text, str) else None
    if code is None:
        raise ArrayError("an array's dtype is of a kind that is not read here")
    return code


def _any_objects(fields: Any, depth: int) -> bool:
    if not isinstance(fields, dict) or UNSURE in fields:
        raise ArrayError("an array's dtype has fields that are not read here")
    found = False
    for entry in fields.values():
        if not isinstance(entry, tuple) or len(entry) < 2:
            raise ArrayError("an array's dtype has fields that are not read here")
        found |= item(entry[0], depth + 1)[1]
    return found
