"""Who is calling: a bearer token, or basic authentication with a token or password. No cookie, no redirect.

A browser's session is not looked at, so there is no cross-site request to forge and these routes are
exempt from that check.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from django.http import HttpRequest

from apps.accounts import services as accounts
from apps.accounts.services.tokens import PREFIX
from apps.api.errors import Unauthenticated
from apps.audits import log
from apps.core.actor import Actor

DOOR: Final = "mlflow"
REQUEST_ID: Final = "countersign.request_id"


def authenticate(request: HttpRequest, door: str = DOOR) -> Actor:
    """The actor, or Unauthenticated. Credentials that were sent and are not valid leave a trace.

    Refuses with Forbidden an account that is locked after too many wrong passwords.
    """
    scheme, _, credentials = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if not scheme:
        raise Unauthenticated
    actor = _actor(request, scheme.lower(), credentials.strip(), door)
    if actor is None:
        raise Unauthenticated
    return actor


def _actor(request: HttpRequest, scheme: str, credentials: str, door: str) -> Actor | None:
    request_id = str(request.META.get(REQUEST_ID, ""))
    address = request.META.get("REMOTE_ADDR", "")
    if scheme == "bearer":
        actor = accounts.authenticate_token(credentials, door=door, request_id=request_id)
        if actor is None:
            _note_invalid(address)
        return actor
    if scheme == "basic":
        return _basic(credentials, request_id, address, door)
    return None


def _basic(credentials: str, request_id: str, address: str, door: str) -> Actor | None:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    username, colon, password = decoded.partition(":")
    if not colon or "\x00" in decoded:
        return None
    actor = accounts.authenticate_basic(
        username, password, door=door, request_id=request_id, remote_addr=address
    )
    if actor is None and password.startswith(PREFIX):
        _note_invalid(address)
    return actor


def _note_invalid(address: str) -> None:
    """A token nobody holds, or no longer: wrong passwords are noted where they are checked."""
    log.attempt(
        None,
        act="token",
        subject="token:unknown",
        outcome="refused",
        reason="unknown, revoked or expired token",
        remote_addr=address,
    )
