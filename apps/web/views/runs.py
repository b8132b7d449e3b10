"""Runs: one with its curves and files, and several side by side."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_safe

from apps.audits import log as ledger
from apps.compliance import use_gate
from apps.core import blobs
from apps.core.errors import Tampered
from apps.experiments import selectors as experiments
from apps.experiments.models import Run
from apps.web import access
from apps.web.pages import run_compare, run_files
from apps.web.pages import runs as pages

logger = logging.getLogger(__name__)


@require_safe
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """One run: what it recorded, its curves, its files, what was made of it."""
    found = access.run_for(request, run_id)
    page = pages.run(access.actor(request), found, request)
    return render(request, "runs/run.html", {"page": page})


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """The runs named by ?run=, against the first of them."""
    page = run_compare.compare(access.actor(request), request)
    return render(request, "runs/compare.html", {"page": page})


@require_GET
def artifact(request: HttpRequest, run_id: str, path: str) -> HttpResponseBase:
    """One file's bytes, each chunk verified before it is sent; always as a download.

    A picture is sent as what it is, so that the run's page can show it; everything else as plain bytes.
    """
    found = access.run_for(request, run_id)
    file = experiments.get_artifact(found, path)
    use_gate.require_for_files(access.actor(request), found, [file.digest])
    pieces = blobs.read(file.digest)
    first = next(pieces, b"")  # a damaged first chunk is a page that says so, not half a file
    stream = _recorded(request, found, path, chain([first], pieces))
    kind = run_files.picture_type(first) or "application/octet-stream"
    response = StreamingHttpResponse(stream, content_type=kind)
    response["Content-Length"] = file.size
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=path.rsplit("/", 1)[-1]
    )
    response["ETag"] = f'"{file.digest}"'
    return response


def _recorded(
    request: HttpRequest, found: Run, path: str, pieces: Iterator[bytes]
) -> Iterator[bytes]:
    """The pieces; damage found on the way ends the answer and is recorded."""
    try:
        yield from pieces
    except Tampered as error:
        logger.error("artifact %s of %s is damaged: %s", path, found.run_id, error.message)  # noqa: TRY400
        ledger.attempt(
            access.actor(request),
            act="GET web:run-artifact",
            subject=f"run:{found.run_id}",
            outcome="failed",
            reason=error.message,
            remote_addr=request.META.get("REMOTE_ADDR", ""),
        )
        raise
