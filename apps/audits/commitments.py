"""Personal data stays out of the ledger: what enters is a commitment, which can be opened or forgotten.

commitment = SHA-256(salt || value), salt = 128 random bits, value in UTF-8. Whoever has the opening
(salt and value) can check it against the ledger; once the opening is erased nobody can guess the
value from the commitment, and the ledger verifies as before.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from apps.core.canonical import JSON

SALT_SIZE = 16
_KEY = "commitment"


@dataclass(frozen=True, slots=True)
class Opened:
    """A commitment with what opens it."""

    commitment: bytes
    salt: bytes
    value: str


def commit(value: str) -> Opened:
    """A fresh commitment to `value`; two commitments to one value have nothing in common."""
    salt = secrets.token_bytes(SALT_SIZE)
    return Opened(commitment_of(salt, value), salt, value)


def commitment_of(salt: bytes, value: str) -> bytes:
    """The commitment that `salt` and `value` open."""
    return hashlib.sha256(salt + value.encode("utf-8")).digest()


def written(opened: Opened) -> dict[str, JSON]:
    """How a commitment stands in a payload."""
    return {_KEY: opened.commitment.hex()}


def commitments_in(payload: Mapping[str, Any]) -> dict[str, str]:
    """The payload's committed fields: name to commitment, in hexadecimal."""
    return {
        name: value[_KEY]
        for name, value in payload.items()
        if isinstance(value, dict) and value.keys() == {_KEY} and isinstance(value[_KEY], str)
    }
