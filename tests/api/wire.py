"""The protocol spoken to the application in this process: quick, and every answer's shape is checked."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.test import Client

from tests.api.server import API, PROXY

__all__ = ["API", "PROXY", "Caller", "basic"]


def basic(username: str, password: str) -> str:
    """The header of basic authentication."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


class Caller:
    """Somebody with (or without) credentials."""

    def __init__(self, authorization: str = "") -> None:
        self._http = Client(raise_request_exception=True)
        self._headers = {"HTTP_AUTHORIZATION": authorization} if authorization else {}

    def send(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> Any:
        """One request to any address."""
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        return self._http.generic(
            method, path, data, content_type=content_type, **(self._headers | headers)
        )

    def post(self, route: str, **fields: Any) -> Any:
        return self.send("POST", API + route, fields)

    def get(self, route: str, **query: Any) -> Any:
        return self._http.get(API + route, query, **self._headers)

    def refused(self, answer: Any) -> tuple[int, str, str]:
        """Status, error code and message of a refusal in the protocol's form."""
        assert answer["Content-Type"] == "application/json", answer.content[:300]
        told = json.loads(answer.content)
        assert set(told) == {"error_code", "message"}, told
        return answer.status_code, told["error_code"], told["message"]
