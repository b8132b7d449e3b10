"""A body without a Content-Length is read whole or refused, never taken for an empty one."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.test import RequestFactory

from config.bodies import Handler, Request

BODY = b"x" * 300_000


def environ(**extra: Any) -> dict[str, Any]:
    given = RequestFactory().put("/health").environ
    given.pop("CONTENT_LENGTH", None)
    return given | {"wsgi.input": io.BytesIO(BODY), "HTTP_TRANSFER_ENCODING": "chunked"} | extra


def test_a_chunked_body_is_read_in_pieces():
    request = Request(environ(**{"wsgi.input_terminated": True}))
    pieces = iter(lambda: request.read(100_000), b"")
    assert [len(piece) for piece in pieces] == [100_000] * 3


def test_a_chunked_body_is_read_as_a_whole_up_to_the_limit(settings):
    assert Request(environ(**{"wsgi.input_terminated": True})).body == BODY
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 200_000
    with pytest.raises(RequestDataTooBig):
        _ = Request(environ(**{"wsgi.input_terminated": True})).body


def test_a_body_with_a_length_is_read_to_that_length():
    request = Request(environ(CONTENT_LENGTH="10", HTTP_TRANSFER_ENCODING=""))
    assert request.body == BODY[:10]


def test_a_server_that_does_not_mark_the_end_is_refused():
    answers: list[str] = []
    Handler()(environ(), lambda status, headers: answers.append(status))  # type: ignore[arg-type]
    assert answers == ["411 Length Required"]
