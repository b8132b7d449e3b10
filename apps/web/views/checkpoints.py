"""Checkpoints of the ledger: signing one, reading them, comparing one that was kept."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.audits import checkpoint_selectors as checkpoints
from apps.audits import services
from apps.audits.checkpoint_selectors import Kept
from apps.core.errors import Invalid
from apps.web import access
from apps.web.forms.base import form_status, sent
from apps.web.forms.checkpoints import KeptForm
from apps.web.pages import checkpoints as pages
from apps.web.responses import see_other


@require_http_methods(["GET", "HEAD", "POST"])
def listed(request: HttpRequest) -> HttpResponse:
    """What was signed; sent a checkpoint, how it compares. Nothing is changed by asking."""
    form = KeptForm(sent(request), request.FILES or None)
    kept = kept_of(form) if request.method == "POST" else None
    page = pages.page(access.actor(request), request, kept)
    return render(
        request, "audit/checkpoints.html", {"page": page, "form": form}, status=form_status(form)
    )


def kept_of(form: KeptForm) -> Kept | None:
    """What became of the checkpoint in a form; None, with the reason in the form, for what is no checkpoint."""
    if not form.is_valid():
        return None
    try:
        return checkpoints.check_kept(form.cleaned_data["note"])
    except Invalid as error:
        form.add_error("file" if form.cleaned_data.get("file") else "text", error.message)
        return None


@require_POST
def new(request: HttpRequest) -> HttpResponse:
    """Sign what the ledger is now."""
    actor = access.require(request, "audit.export")
    made = services.make_checkpoint(actor)
    messages.success(request, f"The ledger of {made.size} events is signed.")
    return see_other(request, pages.back())


@require_GET
def one(request: HttpRequest, size: int) -> HttpResponse:
    """The signed note as a file."""
    found = checkpoints.checkpoint_at(size)
    response = HttpResponse(found.note, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"countersign-{size}.checkpoint"
    )
    return response


@require_GET
def proof(request: HttpRequest, old: int, new: int) -> HttpResponse:
    """That the ledger of `new` events begins with that of `old`, for `verify_ledger.py --proof`."""
    response = JsonResponse(checkpoints.consistency_proof(old, new))
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=f"consistency-{old}-{new}.json"
    )
    return response
