"""The SHA-256 of an uploaded file that is kept nowhere: not on disk, not in memory.

A view calls `hash_file(request)` before anybody reads the form, which means: before the CSRF check. Such a view is
`csrf_exempt` and hands on to a `csrf_protect` one, as Django's documentation of upload handlers has it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest


class Hashing(FileUploadHandler):
    """Takes a file's bytes as they come. Beyond `most` bytes it takes no more, and there is no digest."""

    def __init__(self, request: HttpRequest, most: int) -> None:
        super().__init__(request)
        self.most, self.size, self.name = most, 0, ""
        self._hash = hashlib.sha256()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins; the form has one."""
        super().new_file(*args, **kwargs)
        self.name, self.size, self._hash = self.file_name or "", 0, hashlib.sha256()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Hash a piece, and hand it on to nobody."""
        del start
        self.size += len(raw_data)
        if self.too_large:
            raise SkipFile
        self._hash.update(raw_data)

    def file_complete(self, file_size: int) -> None:
        """Nothing is left of the file."""

    @property
    def too_large(self) -> bool:
        return self.size > self.most

    @property
    def digest(self) -> str:
        """Of the whole file; empty for none, an empty one, and one that is too large."""
        return self._hash.hexdigest() if self.size and not self.too_large else ""


def hash_file(request: HttpRequest, most: int) -> Hashing:
    """Hash this request's file while it arrives; the result is there once the form was read."""
    handler = Hashing(request, most)
    request.upload_handlers = [handler]
    return handler
