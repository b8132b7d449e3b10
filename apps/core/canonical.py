"""The one byte form of a value that is hashed or signed: RFC 8785 JSON, without floats.

A number that enters a digest is either a whole number or a decimal string made once by
`decimal()`. The bytes are stored and hashed as they are and never serialised a second time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence

import rfc8785

from apps.core.errors import Invalid

_FLOAT = "a float has no single byte form: use canonical.decimal() and store the string"

JSON = None | bool | int | str | Sequence["JSON"] | Mapping[str, "JSON"]

MAX_DEPTH = 64
_WHOLE_BELOW = 6  # levels that `pieces` opens: what lies deeper is written at once


def dumps(value: JSON) -> bytes:
    """The RFC 8785 bytes of `value`.

    Refuses with `Invalid`: floats (NaN and the infinities too), whole numbers beyond +-2**53-1, keys
    that are not strings, text that is not Unicode (lone surrogates), any other type, nesting
    deeper than MAX_DEPTH.
    """
    _refuse_unwritable(value, depth=0)
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        msg = f"not expressible as canonical JSON: {error}"
        raise Invalid(msg) from error


def pieces(value: JSON, *, levels: int = _WHOLE_BELOW) -> Iterator[bytes]:
    """The bytes of `dumps(value)` bit by bit, so that a large value is not in memory a second time.

    Refuses what `dumps` refuses, when it comes to it: give it what was digested before.
    """
    if not levels or not value or not isinstance(value, dict | list | tuple):
        yield dumps(value)
    elif isinstance(value, dict):
        yield from _joined(b"{}", (_member(key, value[key], levels) for key in _ordered(value)))
    else:
        yield from _joined(b"[]", (pieces(each, levels=levels - 1) for each in value))


def _joined(brackets: bytes, parts: Iterator[Iterator[bytes]]) -> Iterator[bytes]:
    before = brackets[:1]
    for part in parts:
        yield before
        yield from part
        before = b","
    yield brackets[1:]


def _member(key: str, value: JSON, levels: int) -> Iterator[bytes]:
    yield dumps(key) + b":"
    yield from pieces(value, levels=levels - 1)


def _ordered(value: Mapping[str, JSON]) -> list[str]:
    """Keys in the order of RFC 8785 (3.2.3): by their UTF-16 code units."""
    _refuse_unwritable(dict.fromkeys(value), depth=0)
    try:
        return sorted(value, key=lambda key: key.encode("utf-16-be"))
    except UnicodeEncodeError as error:
        msg = f"not expressible as canonical JSON: {error}"
        raise Invalid(msg) from error


def digest(data: bytes) -> str:
    """SHA-256 of `data` as 64 lowercase hexadecimal characters."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: JSON) -> str:
    """The digest of the canonical bytes of `value`."""
    return digest(dumps(value))


def decimal(number: float) -> str:
    """The shortest decimal string that reads back as the same double; NaN, Infinity, -Infinity by name."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return repr(float(number))


def _refuse_unwritable(value: object, depth: int) -> None:
    """What the library would let pass (floats) or meet with another exception (depth, keys)."""
    if depth > MAX_DEPTH:
        msg = f"nested deeper than {MAX_DEPTH} levels"
        raise Invalid(msg)
    if isinstance(value, float):
        msg = f"{value!r}: {_FLOAT}"
        raise Invalid(msg)
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                msg = f"object keys must be strings, got {type(key).__name__}"
                raise Invalid(msg)
            _refuse_unwritable(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_unwritable(item, depth + 1)
