"""The manifest of a data set of several files: their names in a fixed order, each with the digest and size of its bytes.

Its canonical bytes are stored like any file, and their digest is the data set's: whoever has it can tell of every byte of
every part, of their number and of their order whether they are the ones that were attached. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import msgspec

from apps.core import canonical
from apps.core.errors import Tampered

FORMAT: Final = "countersign-dataset"


class StoredPart(msgspec.Struct, frozen=True):
    """One file: its name below the folder, the SHA-256 of its bytes and their number."""

    name: str
    digest: str
    size: int


def to_bytes(parts: Iterable[StoredPart]) -> bytes:
    """The manifest, its parts by name (in order of code points)."""
    ordered = sorted(parts, key=lambda part: part.name)
    return canonical.dumps(
        {
            "format": FORMAT,
            "version": 1,
            "parts": [{"name": p.name, "digest": p.digest, "size": p.size} for p in ordered],
        }
    )


def from_bytes(data: bytes) -> list[StoredPart]:
    """The parts in the order in which they are read; Tampered for what `to_bytes` cannot have written."""
    try:
        told = json.loads(data)
        if told["format"] != FORMAT or told["version"] != 1:
            raise Tampered("the bytes of a data set are no manifest of its files")
        return msgspec.convert(told["parts"], list[StoredPart])
    except (ValueError, KeyError, TypeError, msgspec.ValidationError) as error:
        raise Tampered("the bytes of a data set are no manifest of its files") from error
