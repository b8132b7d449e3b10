"""What other tools reported about a version: uploading it, reading it, taking it back out of the evidence."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from apps.checks import services
from apps.checks.uploaded import selectors
from apps.core import blobs
from apps.registry.models import ModelVersion
from apps.web import access, addresses
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.evidence import RecallForm
from apps.web.forms.uploaded import UploadForm
from apps.web.pages import uploaded as pages
from apps.web.responses import see_other

ACTS = ["GET", "HEAD", "POST"]


@require_http_methods(ACTS)
def new(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The form that uploads a results file."""
    found = access.version_for(request, name, number, "check.run")
    form = UploadForm(sent(request), request.FILES or None)
    if request.method == "POST" and form.is_valid() and _uploaded(request, form, found):
        messages.success(
            request, "The result is here. It stands as the word of its tool and of yours."
        )
        return see_other(request, addresses.version(name, number, "checks/"))
    page = pages.upload(access.actor(request), found)
    return render(
        request,
        "evidence/uploaded_new.html",
        {"page": page, "form": form},
        status=form_status(form),
    )


def _uploaded(request: HttpRequest, form: UploadForm, found: ModelVersion) -> bool:
    given = form.cleaned_data
    return accepted(
        form,
        lambda: services.upload_result(
            access.actor(request),
            found,
            stream=given["file"],
            name=given["name"],
            tool=given["tool"],
            tool_version=given["tool_version"],
            file_name=given["file"].name or "",
        ),
    )


@require_safe
def result(request: HttpRequest, name: str, number: int, result: uuid.UUID) -> HttpResponse:
    """One result: what it says, who says so, what was not checked."""
    found = access.version_for(request, name, number)
    row = selectors.get_uploaded(found, result)
    page = pages.result(access.actor(request), found, row)
    return render(request, "evidence/uploaded.html", {"page": page})


@require_GET
def file(request: HttpRequest, name: str, number: int, result: uuid.UUID) -> HttpResponse:
    """The bytes as they were uploaded, compared with their digest before any is sent; never as a page."""
    found = access.version_for(request, name, number)
    row = selectors.get_uploaded(found, result)
    data = blobs.read_all(row.digest, max(settings.UPLOADED_RESULT_MAX_BYTES, row.blob.size))
    answer = HttpResponse(data, content_type="application/octet-stream")
    answer["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=row.file_name or f"{row.name}.{row.format}"
    )
    answer["ETag"] = f'"{row.digest}"'
    return answer


@require_http_methods(ACTS)
def recall(request: HttpRequest, name: str, number: int, result: uuid.UUID) -> HttpResponse:
    """Declare it wrong; rounds of evidence that rest on it are void."""
    found = access.version_for(request, name, number, "check.recall")
    row = selectors.get_uploaded(found, result)
    form = RecallForm(sent(request))
    if (
        request.method == "POST"
        and form.is_valid()
        and accepted(
            form,
            lambda: services.recall_uploaded(
                access.actor(request), row, reason=form.cleaned_data["reason"]
            ),
        )
    ):
        messages.success(request, "The result is recalled. Reviews that rested on it lose it.")
        return see_other(request, addresses.version(name, number, "checks/"))
    context = {"form": form, "version": found, "row": row}
    return render(request, "evidence/uploaded_recall.html", context, status=form_status(form))
