"""Verified passwords, remembered for a minute: basic authentication would cost a slow hash on every call.

Kept in the process only, as digests under a key that never leaves it. An entry is bound to the person and the
version of her password, so a changed password is forgotten at once in every process.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
import time
from typing import Final

from django.conf import settings

_LIMIT: Final = 1000
_key: Final = os.urandom(32)
_until: dict[bytes, float] = {}
_guard = threading.Lock()


def remember(user_id: int, password_version: int, password: str) -> None:
    """This password was just verified the slow way."""
    now = time.monotonic()
    with _guard:
        if len(_until) >= _LIMIT:
            for old in [entry for entry, end in _until.items() if end <= now]:
                del _until[old]
        if len(_until) < _LIMIT:
            _until[_digest(user_id, password_version, password)] = now + _seconds()


def knows(user_id: int, password_version: int, password: str) -> bool:
    """Whether exactly this was verified within the last minute."""
    with _guard:
        return _until.get(_digest(user_id, password_version, password), 0.0) > time.monotonic()


def forget() -> None:
    """Everything."""
    with _guard:
        _until.clear()


def _seconds() -> int:
    return min(60, int(settings.PASSWORD_MEMORY_SECONDS))


def _digest(user_id: int, password_version: int, password: str) -> bytes:
    text = f"{user_id}:{password_version}:{password}".encode("utf-8", "surrogatepass")
    return hmac.new(_key, text, hashlib.sha256).digest()
