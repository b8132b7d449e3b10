"""The pages and acts of one version."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import chain

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from apps.audits import log as ledger
from apps.compliance import use_gate
from apps.core import blobs
from apps.core.errors import Tampered
from apps.registry import selectors as registry
from apps.registry import services
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.web import access, addresses, signing
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.reviews import LeaveForm
from apps.web.forms.versions import DescriptionForm
from apps.web.pages import leaving, version_lineage
from apps.web.pages import versions as pages
from apps.web.responses import page_or_fragment, see_other

logger = logging.getLogger(__name__)


@require_safe
def version(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The passport: what stands between this version and production."""
    found = access.version_for(request, name, number)
    page = pages.passport(access.actor(request), found)
    return render(request, "versions/version.html", {"page": page})


@require_safe
def compare(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Against the incumbent, or any other version of the model."""
    found = access.version_for(request, name, number)
    page = pages.compare(access.actor(request), found, request.GET.get("with", ""))
    return render(request, "versions/compare.html", {"page": page})


@require_safe
def lineage(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """What it was made from and where it went."""
    found = access.version_for(request, name, number)
    page = version_lineage.lineage(access.actor(request), found)
    return render(request, "versions/lineage.html", {"page": page})


@require_safe
def files(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The manifest."""
    found = access.version_for(request, name, number)
    page = pages.files(access.actor(request), found)
    return render(request, "versions/files.html", {"page": page})


@require_safe
def history(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Its events."""
    found = access.version_for(request, name, number)
    page = pages.history(access.actor(request), found, request)
    return render(request, "versions/history.html", {"page": page})


@require_GET
def file(request: HttpRequest, name: str, number: int, path: str) -> HttpResponseBase:
    """One file's bytes, each chunk verified before it is sent."""
    found = access.version_for(request, name, number)
    use_gate.require_acknowledged(access.actor(request), found)
    entry = registry.get_file(found, path)
    pieces = blobs.read(entry["digest"])
    first = next(pieces, b"")  # a damaged first chunk is a page that says so, not half a file
    stream = _recorded(request, found, path, chain([first], pieces))
    response = StreamingHttpResponse(stream, content_type="application/octet-stream")
    response["Content-Length"] = entry["size"]
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=path.rsplit("/", 1)[-1]
    )
    response["ETag"] = f'"{entry["digest"]}"'
    return response


def _recorded(
    request: HttpRequest, found: ModelVersion, path: str, pieces: Iterator[bytes]
) -> Iterator[bytes]:
    """The pieces; damage found on the way ends the answer and is recorded."""
    try:
        yield from pieces
    except Tampered as error:
        logger.error("file %s of %s is damaged: %s", path, found, error.message)  # noqa: TRY400
        ledger.attempt(
            access.actor(request),
            act="GET web:version-file",
            subject=f"version:{found.pk}",
            outcome="failed",
            reason=error.message,
            remote_addr=request.META.get("REMOTE_ADDR", ""),
        )
        raise


@require_http_methods(["GET", "HEAD", "POST"])
def describe(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Edit the description."""
    found = access.version_for(request, name, number, "model.edit")
    form = DescriptionForm(sent(request), initial={"description": found.description})
    actor, back = access.actor(request), addresses.version(name, number)
    if (
        request.method == "POST"
        and form.is_valid()
        and accepted(form, lambda: services.update_version(actor, found, **form.cleaned_data))
    ):
        messages.success(request, "The description is saved.")
        return see_other(request, back)
    context = {"version": found, "form": form, "back": back}
    return render(request, "versions/describe.html", context, status=form_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Take the version out of a governed target: a reason, a password, no quorum."""
    found = access.version_for(request, name, number, "target.leave")
    target = Target.parse(request.POST.get("target") or request.GET.get("target", ""))
    form = LeaveForm(sent(request))
    if request.method == "POST" and form.is_valid() and _left(request, form, found, target):
        messages.success(request, f"{found} has left {target.label}.")
        return see_other(request, addresses.version(name, number))
    box = leaving.box(access.actor(request), found, target)
    context = {"it": box, "form": form, "version": found}
    return page_or_fragment(
        request, "versions/leave.html", "ui/_sign.html", context, status=form_status(form)
    )


def _left(request: HttpRequest, form: LeaveForm, found: ModelVersion, target: Target) -> bool:
    proof = signing.proof(request, form)
    if proof is None:
        return False
    reason = form.cleaned_data["reason"]
    return accepted(
        form,
        lambda: services.leave_target(
            access.actor(request), found, target=target, reason=reason, proof=proof
        ),
    )
