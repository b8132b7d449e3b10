"""Request bodies without a Content-Length, as a client sends a stream (or an empty file) in chunks.

Django reads exactly CONTENT_LENGTH bytes, so such a body would reach a view as nothing, with status 200. The
server has undone the chunks and marks the end of its stream (`wsgi.input_terminated`): here views may read it,
in pieces without limit, as a whole up to DATA_UPLOAD_MAX_MEMORY_SIZE. A server that does not mark the end is
refused: see `middleware`, which answers 411.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase


def is_chunked(environ: dict[str, Any]) -> bool:
    """Whether the request has a body of unannounced length."""
    return bool(environ.get("HTTP_TRANSFER_ENCODING")) and not environ.get("CONTENT_LENGTH")


class Terminated(io.IOBase):
    """A stream that knows its own end, with a limit on what is read into memory at once."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._limit = limit

    def read(self, size: int | None = None, /) -> bytes:
        """Up to `size` bytes; without a size everything, or RequestDataTooBig."""
        if size is not None and size >= 0:
            return self._stream.read(size)
        pieces = bytearray()
        while piece := self._stream.read(64 * 1024):
            pieces += piece
            if len(pieces) > self._limit:
                raise RequestDataTooBig(
                    "Request body exceeded settings.DATA_UPLOAD_MAX_MEMORY_SIZE."
                )
        return bytes(pieces)

    def readline(self, size: int | None = None, /) -> bytes:
        """One line, at most `size` (or the limit) bytes of it."""
        return self._stream.readline(self._limit if size is None or size < 0 else size)


class Request(WSGIRequest):
    """Django's request, whose stream is the server's when the server marks its end."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        if is_chunked(environ) and environ.get("wsgi.input_terminated"):
            limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
            self._stream = Terminated(environ["wsgi.input"], limit)  # type: ignore[assignment]


class Handler(WSGIHandler):
    """The application object with our request class."""

    request_class = Request


def middleware(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """411 for a body whose end nobody marks: better than to store nothing and say 200."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if is_chunked(request.META) and not request.META.get("wsgi.input_terminated"):
            return HttpResponse(
                "This server needs a Content-Length.\n", status=411, content_type="text/plain"
            )
        return get_response(request)

    return answer
