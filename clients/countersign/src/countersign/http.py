"""One request to the site. Never follows a redirect: the token goes to the address that was named, and nowhere else.

Whatever is not a JSON object from that address within the time is an `Unexpected`; nothing here guesses.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LARGEST = 16 * 1024 * 1024
_LOCAL = {"localhost", "127.0.0.1", "::1"}


class Usage(Exception):
    """What was asked cannot be asked."""


class Unexpected(Exception):
    """Nobody answered, or something that is not an answer of a Countersign site."""


@dataclass(frozen=True)
class Answer:
    """A status and the JSON object that came with it."""

    status: int
    value: dict[str, Any]


@dataclass(frozen=True)
class Site:
    """A Countersign site and the credential to use there."""

    url: str
    token: str
    timeout: float = 10.0
    allow_http: bool = False

    def __post_init__(self) -> None:
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Usage(f"Not the address of a site: {self.url!r}.")
        if parts.scheme == "http" and parts.hostname not in _LOCAL and not self.allow_http:
            raise Usage(
                "The token would travel unencrypted: use https, or --allow-http on a network you trust."
            )
        if not self.token or not self.token.isascii() or not self.token.isprintable():
            raise Usage("No token: set COUNTERSIGN_TOKEN.")

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Answer:
        """A read."""
        asked = "?" + urllib.parse.urlencode(query) if query else ""
        return self._call("GET", path + asked, None)

    def post(self, path: str, value: Mapping[str, Any]) -> Answer:
        """An act, or a question with a body."""
        return self._call("POST", path, json.dumps(value).encode("utf-8"))

    def _call(self, method: str, path: str, body: bytes | None) -> Answer:
        parts = urllib.parse.urlsplit(self.url)
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        link = self._link(parts)
        try:
            link.request(method, parts.path.rstrip("/") + "/api/v1/" + path, body, headers)
            response = link.getresponse()
            data = _whole(response, time.monotonic() + self.timeout)
            kind = response.headers.get_content_type()
        except (OSError, http.client.HTTPException) as error:
            raise Unexpected(
                f"{self.url} did not answer: {error or type(error).__name__}."
            ) from error
        finally:
            link.close()
        return Answer(response.status, _object(response.status, kind, data))

    def _link(self, parts: urllib.parse.SplitResult) -> http.client.HTTPConnection:
        host = str(parts.hostname)
        try:
            port = parts.port
        except ValueError as error:
            raise Usage(f"Not the address of a site: {self.url!r}.") from error
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self.timeout)
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=context)


def _whole(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body, if all of it comes in time: a socket's own timeout starts anew with every byte."""
    data = b""
    while len(data) <= _LARGEST:
        piece = response.read1(64 * 1024)
        if not piece:
            break
        if time.monotonic() > deadline:
            raise TimeoutError("the answer took too long")
        data += piece
    if response.length:
        raise http.client.IncompleteRead(data, response.length)
    return data


def _object(status: int, kind: str, data: bytes) -> dict[str, Any]:
    if 300 <= status < 400:
        raise Unexpected(f"The site answered with a redirect ({status}), which is not followed.")
    if kind not in {"application/json", "application/problem+json"} or len(data) > _LARGEST:
        raise Unexpected(f"The answer ({status}, {kind}) is not one of a Countersign site.")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Unexpected(f"The answer ({status}) is not JSON.") from error
    if not isinstance(value, dict):
        raise Unexpected(f"The answer ({status}) is not one of a Countersign site.")
    return value
