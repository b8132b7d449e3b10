"""Signatures after Standard Webhooks (https://www.standardwebhooks.com), and secrets that are stored sealed.

The signature is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. A secret is shown once, when it is made;
the table holds it encrypted under a key derived from SECRET_KEY. Not guaranteed: anything against whoever has
both the database and SECRET_KEY.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from apps.core.errors import Tampered

PREFIX: Final = "whsec_"
_PURPOSE: Final = b"countersign webhook secrets v1"


def new_secret() -> str:
    """`whsec_` and the base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature, as it stands in `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def seal(secret: str) -> bytes:
    """The secret as it may lie in the database."""
    return _box().encrypt(secret.encode())


def unseal(sealed: bytes) -> str:
    """The secret; Tampered if neither SECRET_KEY nor a fallback opens it."""
    try:
        return _box().decrypt(sealed).decode()
    except InvalidToken:
        raise Tampered(
            "The stored secret cannot be read: SECRET_KEY has changed, or the row has.",
            hint="Rotate the endpoint's secret.",
        ) from None


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    derived = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
