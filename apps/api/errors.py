"""Refusals of the domain in the form of the MLflow protocol: a status, an error code, a sentence.

The client retries every 5xx for minutes, so nothing that repeating cannot cure is answered with one:
a refusal for lack of approval is 403, a conflict 400, damaged bytes 403. Only what the database or this
program could not do just now is a 5xx.
"""

from __future__ import annotations

import logging
from typing import Final

import orjson
from django.core.exceptions import RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from apps.audits import log
from apps.core.actor import Actor
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


class Unauthenticated(Exception):
    """Nobody has said who they are, or not convincingly."""


class NoSuchEndpoint(Exception):
    """A route that this server does not have."""


class LengthRequired(Exception):
    """A body whose end cannot be told from a broken connection."""


FORMS: Final[dict[type[Exception], tuple[int, str]]] = {
    NotFound: (404, "RESOURCE_DOES_NOT_EXIST"),
    Forbidden: (403, "PERMISSION_DENIED"),
    Blocked: (403, "PERMISSION_DENIED"),
    AlreadyExists: (400, "RESOURCE_ALREADY_EXISTS"),
    Conflict: (400, "BAD_REQUEST"),
    Invalid: (400, "INVALID_PARAMETER_VALUE"),
    # Not DATA_LOSS, which is 500: asking again cannot mend a damaged file.
    Tampered: (403, "PERMISSION_DENIED"),
    DomainError: (400, "BAD_REQUEST"),
    Unauthenticated: (401, "UNAUTHENTICATED"),
    NoSuchEndpoint: (404, "ENDPOINT_NOT_FOUND"),
    LengthRequired: (411, "INVALID_PARAMETER_VALUE"),
    RequestDataTooBig: (413, "INVALID_PARAMETER_VALUE"),
    UnreadablePostError: (400, "BAD_REQUEST"),
    # What the database cannot hold although every check let it pass.
    DataError: (400, "INVALID_PARAMETER_VALUE"),
    # A deadlock, a full pool, a database that restarts: rolled back, and the client tries again.
    OperationalError: (503, "TEMPORARILY_UNAVAILABLE"),
    InterfaceError: (503, "TEMPORARILY_UNAVAILABLE"),
}

LONGEST: Final = 2_000

_SAYINGS: Final[dict[type[Exception], str]] = {
    Unauthenticated: (
        "Sign in: send a token as bearer, or a user name with a token or password as basic authentication."
    ),
    RequestDataTooBig: "The request body is larger than this server takes.",
    UnreadablePostError: "The request body ended before all of it had arrived.",
    DataError: "A value of the request cannot be stored.",
    OperationalError: "The database is busy or away; try again.",
    InterfaceError: "The database is busy or away; try again.",
}


def answer(error: Exception) -> HttpResponse:
    """The error as the protocol's JSON. An unknown one shows nothing of itself and is logged."""
    kind = next((kind for kind in type(error).__mro__ if kind in FORMS), None)
    if kind is None:
        logger.error("unexpected error in the MLflow protocol", exc_info=error)
        return _response(500, "INTERNAL_ERROR", "An internal error occurred; it has been logged.")
    status, code = FORMS[kind]
    if status >= 500 or kind is DataError:
        logger.warning("%s in the MLflow protocol", kind.__name__, exc_info=error)
    response = _response(status, code, _SAYINGS.get(kind) or _short(sentence(error)))
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="Countersign", Bearer'
    return response


def sentence(error: Exception) -> str:
    """What was refused, why, what to do and where: all that the client prints."""
    if not isinstance(error, Blocked) or not error.reasons:
        return str(error)
    missing = [reason for reason in error.reasons if reason not in error.message]
    parts = [error.message, *(f"Missing: {reason}" for reason in missing), error.hint, error.url]
    return " ".join(part for part in parts if part)


def _short(text: str) -> str:
    """A refusal quotes what was sent; what was sent may be a megabyte."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def record(
    request: HttpRequest, actor: Actor | None, error: Exception, *, act: str, subject: str
) -> None:
    """Leave a trace of what was refused: lacking rights, lacking approval, damaged bytes.

    Not what merely failed validation, nor 404: those are no acts.
    """
    if not isinstance(error, Forbidden | Blocked | Tampered):
        return
    log.attempt(
        actor,
        act=act,
        subject=subject,
        outcome="failed" if isinstance(error, Tampered) else "refused",
        reason=error.message,
        remote_addr=request.META.get("REMOTE_ADDR", ""),
    )


def _response(status: int, code: str, message: str) -> HttpResponse:
    body = orjson.dumps({"error_code": code, "message": message})
    return HttpResponse(body, status=status, content_type="application/json")
