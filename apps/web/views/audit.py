"""The record of what happened, and how to check it."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_safe

from apps.audits import log, services
from apps.audits import selectors as audits
from apps.audits.exporting import export_lines
from apps.core.errors import DomainError
from apps.web import access
from apps.web.pages import audit as pages


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Events one may see."""
    page = pages.audit(access.actor(request), request)
    status = 422 if page.form.errors else 200
    return render(request, "audit/audit.html", {"page": page}, status=status)


@require_safe
def event(request: HttpRequest, seq: int) -> HttpResponse:
    """One event with its proof."""
    page = pages.event(access.actor(request), seq)
    return render(request, "audit/event.html", {"page": page})


@require_GET
def extract(request: HttpRequest, seq: int) -> HttpResponse:
    """The event and its proof for `verify_ledger.py --extract`."""
    response = JsonResponse(pages.extract(access.actor(request), seq))
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"event-{seq}.json"
    )
    return response


@require_safe
def attempts(request: HttpRequest) -> HttpResponse:
    """What was refused, what failed, who came in: for those who read the whole trail."""
    actor = access.require(request, "audit.read")
    return render(request, "audit/attempts.html", {"page": pages.attempts(actor, request)})


@require_GET
def export(request: HttpRequest) -> StreamingHttpResponse:
    """The whole ledger as a file for the stand-alone verifier, streamed; that it was taken is an attempt done."""
    actor = access.require(request, "audit.export")
    with suppress(
        DomainError
    ):  # without a key, or of a damaged ledger, there is an export all the same
        services.make_checkpoint(actor, occasion="export")
    size = audits.head().size
    log.attempt(
        actor,
        act="GET web:audit-export",
        subject=f"ledger:{size}",
        outcome="done",
        reason="",
        remote_addr=request.META.get("REMOTE_ADDR", ""),
    )
    response = StreamingHttpResponse(export_lines(), content_type="application/jsonl")
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"countersign-ledger-{size}.jsonl"
    )
    return response
