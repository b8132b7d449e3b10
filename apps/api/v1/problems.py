"""Refusals as problem details (RFC 9457), with what was refused, why, what to do and where."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpResponse, UnreadablePostError
from rest_framework.exceptions import MethodNotAllowed, PermissionDenied

from apps.api.errors import LONGEST, NoSuchEndpoint, Unauthenticated
from apps.core.errors import (
    AlreadyExists,
    Blocked,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    Tampered,
)

logger = logging.getLogger("countersign.api")

CONTENT_TYPE: Final = "application/problem+json"


class UnsupportedType(Exception):
    """A body that does not say it is JSON."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of refusal is told. `detail` stands where the error itself has nothing for a stranger to read."""

    status: int
    code: str
    title: str
    detail: str = ""


KINDS: Final[dict[type[Exception], Kind]] = {
    NotFound: Kind(404, "not_found", "Nothing here"),
    Forbidden: Kind(403, "forbidden", "Not yours to do"),
    Blocked: Kind(403, "blocked", "Not yet"),
    AlreadyExists: Kind(409, "already_exists", "It exists already"),
    Conflict: Kind(409, "conflict", "Things have moved on"),
    Invalid: Kind(400, "invalid", "That cannot be right"),
    Tampered: Kind(409, "tampered", "The record is damaged"),
    DomainError: Kind(400, "refused", "Refused"),
    Unauthenticated: Kind(
        401,
        "unauthenticated",
        "Sign in",
        "Send a token as bearer, or a user name with a token or password as basic authentication, "
        "or the cookie of a session.",
    ),
    PermissionDenied: Kind(403, "csrf", "Not from here"),
    NoSuchEndpoint: Kind(404, "no_such_endpoint", "No such endpoint"),
    MethodNotAllowed: Kind(405, "method_not_allowed", "Not this method"),
    RequestDataTooBig: Kind(
        413, "too_large", "Too large", "The request body is larger than this server takes."
    ),
    UnsupportedType: Kind(
        415, "unsupported_type", "Not JSON", "Send the body with Content-Type: application/json."
    ),
    UnreadablePostError: Kind(
        400,
        "unreadable",
        "Broken off",
        "The request body ended before all of it had arrived.",
    ),
    DataError: Kind(400, "invalid", "That cannot be right", "A value cannot be stored."),
    OperationalError: Kind(
        503, "unavailable", "Not just now", "The database is busy or away; try again."
    ),
    InterfaceError: Kind(
        503, "unavailable", "Not just now", "The database is busy or away; try again."
    ),
}
UNEXPECTED: Final = Kind(
    500, "unexpected", "Our mistake", "An internal error occurred; it has been logged."
)


def kind_of(error: Exception) -> Kind:
    """The kind of this error or of the nearest of its parents."""
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), UNEXPECTED)


def answer(error: Exception, extra: Mapping[str, Any] | None = None) -> HttpResponse:
    """The error as a problem. An unknown one shows nothing of itself and is logged.

    `extra` are members a route adds to every refusal of its own (the gate says `"decision": "deny"`).
    """
    kind = kind_of(error)
    if kind.status >= 500:
        logger.error("%s in the API", type(error).__name__, exc_info=error)
    response = HttpResponse(
        _written({**document(error, kind), **(extra or {})}),
        status=kind.status,
        content_type=CONTENT_TYPE,
    )
    if kind.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="Countersign", Basic realm="Countersign"'
    if isinstance(error, MethodNotAllowed):
        response["Allow"] = ""
    response["Cache-Control"] = "no-store"
    return response


def _written(problem: Mapping[str, Any]) -> bytes:
    """As JSON, whatever a refused request was named: a lone surrogate, which no UTF-8 holds, becomes a question mark."""
    return json.dumps(problem, ensure_ascii=False).encode("utf-8", "replace")


def document(error: Exception, kind: Kind) -> dict[str, Any]:
    """The members of the problem."""
    return {
        "type": f"{settings.BASE_URL}/api/v1/docs/#{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": _short(kind.detail or _sentence(error)),
        "code": kind.code,
        "fields": {str(name): _short(str(said)) for name, said in _fields(error).items()},
        "reasons": [_short(reason) for reason in getattr(error, "reasons", ())],
        "url": getattr(error, "url", ""),
    }


def _fields(error: Exception) -> Mapping[str, str]:
    return error.fields if isinstance(error, Invalid) else {}


def _sentence(error: Exception) -> str:
    if isinstance(error, DomainError):
        return " ".join(part for part in (error.message, error.hint) if part)
    return str(getattr(error, "detail", error))


def _short(text: str) -> str:
    """A refusal quotes what was sent; what was sent may be a megabyte, and need not be Unicode."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    return text.encode("utf-8", "replace").decode("utf-8")
