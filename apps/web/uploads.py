"""Uploads of many files that keep the folders they came from.

Browsers send `model/data/weights.bin` for a file of a chosen folder; Django keeps only `weights.bin`. A view that
wants the path calls `keep_paths(request)` before anybody reads the form, which means: before the CSRF check. Such a
view is `csrf_exempt` and hands on to a `csrf_protect` one, as Django's documentation of upload handlers has it.

Every file is spooled to disk, so that memory stays flat. Paths are only cleaned of what no path has (empty parts,
drive letters, control characters); whether one is acceptable is the registry's decision.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser

from apps.registry.services import Upload


class _Parser(MultiPartParser):
    def sanitize_file_name(self, file_name: str) -> str | None:
        """The whole relative path as it was sent, with forward slashes; None for no name at all."""
        path = html.unescape(file_name).replace("\\", "/")
        path = "".join(char for char in path if char.isprintable())
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if parts and len(parts[0]) == 2 and parts[0][1] == ":":
            parts = parts[-1:]  # an old browser's C:\folder\file
        return "/".join(parts) or None


class _Handler(TemporaryFileUploadHandler):
    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:
        file: UploadedFile[Any] | None = super().file_complete(file_size)
        if file is not None:
            file.relative_path = self.file_name  # type: ignore[attr-defined]  # read by `uploads`
        return file


def keep_paths(request: HttpRequest) -> None:
    """Let this request's files keep their paths. Must come before the form is read."""
    request.upload_handlers = [_Handler(request)]
    request.parse_file_upload = partial(_parse, request)  # type: ignore[method-assign]  # of this request only


def _parse(request: HttpRequest, meta: Any, post_data: Any) -> Any:
    return _Parser(meta, post_data, request.upload_handlers, request.encoding).parse()


def uploads(
    files: Sequence[UploadedFile[Any]], folder: Sequence[UploadedFile[Any]]
) -> list[Upload]:
    """The chosen files by name, and those of the chosen folder by their path inside it."""
    inside = [(_path(file), file) for file in folder]
    tops = {path.partition("/")[0] for path, _ in inside}
    if len(tops) == 1 and all("/" in path for path, _ in inside):
        inside = [(path.partition("/")[2], file) for path, file in inside]
    found = [(_path(file), file) for file in files] + inside
    return [Upload(path, file, file.size or 0) for path, file in found]  # type: ignore[arg-type]  # a File is a stream


def _path(file: UploadedFile[Any]) -> str:
    return str(getattr(file, "relative_path", "") or file.name)
