"""Many documents at once: asking, following, cancelling, taking all of them."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.compliance import batches
from apps.compliance.models import Batch
from apps.web import access
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.reports import BatchForm
from apps.web.pages import batches as pages
from apps.web.responses import download, page_or_fragment, see_other

ACTS = ["GET", "HEAD", "POST"]


@require_http_methods(ACTS)
def all_batches(request: HttpRequest) -> HttpResponse:
    """One's own batches, and the form that asks for another."""
    actor = access.actor(request)
    form = BatchForm(sent(request))
    if request.method == "POST" and form.is_valid():
        made: list[Batch] = []
        if accepted(form, lambda: made.append(form.ask(actor))):
            return see_other(request, reverse("web:batch", args=[made[0].uuid]))
    context = {"page": pages.every(actor), "form": form}
    return render(request, "evidence/batches.html", context, status=form_status(form))


@require_safe
def batch(request: HttpRequest, batch_uuid: uuid.UUID) -> HttpResponse:
    """How far it is, each version's document, what could not be made and why."""
    actor = access.actor(request)
    page = pages.batch(actor, batches.get(actor, batch_uuid))
    return page_or_fragment(request, "evidence/batch.html", "evidence/_batch.html", {"page": page})


@require_POST
def cancel(request: HttpRequest, batch_uuid: uuid.UUID) -> HttpResponse:
    """Make no more of it."""
    actor = access.actor(request)
    found = batches.cancel(actor, batches.get(actor, batch_uuid))
    messages.success(request, "No more of this batch is made. What is ready stays.")
    return see_other(request, reverse("web:batch", args=[found.uuid]))


@require_safe
def archive(request: HttpRequest, batch_uuid: uuid.UUID) -> HttpResponseBase:
    """Every document that is ready, as one zip that is written while it is sent."""
    actor = access.actor(request)
    found = batches.get(actor, batch_uuid)
    name = batches.archive_name(found)
    return download(batches.archive(actor, found), "application/zip", name)
