"""The one byte form of a value that is hashed or signed: RFC 8785 JSON, without floats.

A number that enters a digest is either a whole number or a decimal string made once by
`decimal()`. The bytes are stored and hashed as they are and never serialised a second time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import rfc8785

from apps.core.errors import Invalid

_FLOAT = "a float has no single byte form: use canonical.decimal() and store the string"

JSON = None | bool | int | str | Sequence["JSON"] | Mapping[str, "JSON"]

MAX_DEPTH = 64


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
