"""What a version rests on: attached data, measurements, the card, the documents made from them."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from apps.checks import records
from apps.checks import selectors as checks
from apps.checks import services as checks_services
from apps.compliance import handed_out
from apps.compliance import selectors as documents
from apps.compliance import services as documents_services
from apps.compliance.models import DocumentKind
from apps.core.errors import Invalid, NotFound
from apps.modelcards import moments
from apps.registry.models import ModelVersion
from apps.reviews.reads import measurement_sheet
from apps.web import access, addresses
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.evidence import DataForm, RecallForm
from apps.web.pages import checking, datasets, rechecks
from apps.web.pages import documents as document_pages
from apps.web.responses import download, page_or_fragment, see_other

ACTS = ["GET", "HEAD", "POST"]


@require_safe
def all_checks(request: HttpRequest) -> HttpResponse:
    """The newest measurements on every model one may see, and whether anybody works on them."""
    page = checking.everything(access.actor(request))
    return render(request, "evidence/all_checks.html", {"page": page})


@require_http_methods(ACTS)
def data(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The data sets of a version, and the form that attaches one."""
    found = access.version_for(request, name, number)
    if request.method == "POST":
        access.version_for(request, name, number, "model.edit")
    inputs = datasets.inputs_of(access.actor(request), found)
    form = DataForm(sent(request), request.FILES or None, inputs=inputs)
    if request.method == "POST" and form.is_valid() and _attached(request, form, found):
        messages.success(request, "The data are attached. Run the checks on them.")
        return see_other(request, addresses.version(name, number, "checks/"))
    page = datasets.page(access.actor(request), found, inputs)
    return render(
        request, "evidence/data.html", {"page": page, "form": form}, status=form_status(form)
    )


def _attached(request: HttpRequest, form: DataForm, found: ModelVersion) -> bool:
    given = form.cleaned_data
    try:
        return accepted(
            form,
            lambda: checks_services.attach_dataset(
                access.actor(request),
                found,
                role=given["role"],
                name=given["name"],
                stream=given["file"] or None,
                artifact=given["artifact"],
                logged_input=given.get("logged_input", ""),
                s3=given.get("s3", ""),
                mapping=form.mapping(),
                favourable=given["favourable"],
            ),
        )
    except (
        NotFound
    ) as error:  # a path with a slip in it is an answer to correct, not a page that is not there
        field = "logged_input" if given.get("logged_input") else "artifact"
        form.refuse(Invalid(error.message, fields={field: error.message}))
        return False


@require_safe
def version_checks(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Each demanded check: its verdict and sentence, what is running, what was measured before."""
    found = access.version_for(request, name, number)
    page = checking.page(access.actor(request), found)
    return page_or_fragment(
        request, "evidence/checks.html", "evidence/_checks.html", {"page": page}
    )


@require_POST
def run_check(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Have one kind measured, or all of them."""
    found = access.version_for(request, name, number, "check.run")
    kind = request.POST.get("kind", "")
    kinds = checks.runnable(found) if kind == "all" else [kind]
    for each in kinds:
        checks_services.request_measurement(access.actor(request), found, each)
    messages.success(request, checking.asked(kinds))
    return see_other(request, addresses.version(name, number, "checks/"))


@require_POST
def cancel_check(
    request: HttpRequest, name: str, number: int, measurement_uuid: uuid.UUID
) -> HttpResponse:
    """Take back what was asked for and is not answered yet."""
    found = access.version_for(request, name, number, "check.run")
    row = checks.get_measurement(found, measurement_uuid)
    checks_services.cancel_measurement(access.actor(request), row)
    messages.success(request, "The check is cancelled. It can be run again.")
    return see_other(request, addresses.version(name, number, "checks/"))


@require_safe
def measurement(
    request: HttpRequest, name: str, number: int, measurement_uuid: uuid.UUID
) -> HttpResponse:
    """One measurement: the sentence, the numbers with their intervals, where they come from."""
    found = access.version_for(request, name, number)
    row = checks.get_measurement(found, measurement_uuid)
    page = checking.measurement(access.actor(request), found, row)
    return page_or_fragment(
        request,
        "evidence/measurement.html",
        "evidence/_rechecks.html",
        {"page": page, "it": page.rechecks},
    )


@require_POST
def recheck(
    request: HttpRequest, name: str, number: int, measurement_uuid: uuid.UUID
) -> HttpResponse:
    """Have it executed again and compared."""
    found = access.version_for(request, name, number, "check.recheck")
    row = checks.get_measurement(found, measurement_uuid)
    checks_services.request_recheck(access.actor(request), row)
    messages.success(request, rechecks.asked())
    return see_other(request, f"{rechecks.url(found, str(row.uuid))}#{rechecks.ANCHOR}")


@require_safe
def measurement_json(
    request: HttpRequest, name: str, number: int, measurement_uuid: uuid.UUID
) -> HttpResponseBase:
    """The same as data: parameters, inputs, count tables, result, versions."""
    found = access.version_for(request, name, number)
    row = checks.get_measurement(found, measurement_uuid)
    written = records.written(found, row)
    return download(written, "application/json", records.file_name(found, row, "json"))


@require_safe
def measurement_csv(
    request: HttpRequest, name: str, number: int, measurement_uuid: uuid.UUID
) -> HttpResponseBase:
    """The tables of its page as CSV; 409 where there is no result."""
    found = access.version_for(request, name, number)
    row = checks.get_measurement(found, measurement_uuid)
    written = measurement_sheet.written(found, row)
    return download(written, "text/csv", records.file_name(found, row, "csv"))


@require_http_methods(ACTS)
def recall(
    request: HttpRequest, name: str, number: int, measurement_uuid: uuid.UUID
) -> HttpResponse:
    """Declare a result wrong; rounds of evidence that rest on it are void."""
    found = access.version_for(request, name, number, "check.recall")
    row = checks.get_measurement(found, measurement_uuid)
    form = RecallForm(sent(request))
    if (
        request.method == "POST"
        and form.is_valid()
        and accepted(
            form,
            lambda: checks_services.recall_measurement(
                access.actor(request), row, reason=form.cleaned_data["reason"]
            ),
        )
    ):
        messages.success(request, "The result is recalled. Reviews that rested on it lose it.")
        return see_other(request, addresses.version(name, number, "checks/"))
    context = {"form": form, "version": found, "row": row}
    return render(request, "evidence/recall.html", context, status=form_status(form))


@require_http_methods(ACTS)
def version_documents(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The documents about a version; POST asks for one about how things stand now."""
    found = access.version_for(request, name, number, "review.read")
    if request.method == "POST":
        return _document_made(request, found)
    page = document_pages.page(access.actor(request), found)
    return page_or_fragment(
        request, "evidence/documents.html", "evidence/_documents.html", {"page": page}
    )


def _document_made(request: HttpRequest, found: ModelVersion) -> HttpResponse:
    """Asked for, of today or as of `at`; a moment of which none can be made is said on the page."""
    kind, at = request.POST.get("kind") or DocumentKind.MODEL_CARD, request.POST.get("at", "")
    try:
        moment = moments.asked(at) if at else None
        made = documents_services.request_document(access.actor(request), found, kind, moment)
    except Invalid as error:
        messages.error(request, error.message)
        return see_other(request, addresses.version(found.model.name, found.number, "documents/"))
    return see_other(request, reverse("web:document", args=[made.uuid]))


@require_safe
def document(request: HttpRequest, document_uuid: uuid.UUID) -> HttpResponse:
    """One document as a page: the same text as its PDF."""
    found = documents.get_document(access.actor(request), document_uuid)
    page = document_pages.document(access.actor(request), found)
    return page_or_fragment(
        request, "evidence/document.html", "evidence/_document_state.html", {"page": page}
    )


@require_GET
def document_pdf(request: HttpRequest, document_uuid: uuid.UUID) -> HttpResponseBase:
    """The PDF, each piece verified before it is sent."""
    found = documents.get_document(access.actor(request), document_uuid)
    written = documents.read_pdf(found)
    handed_out.note(access.actor(request), found, "PDF", remote_addr=request.META["REMOTE_ADDR"])
    answer = StreamingHttpResponse(written, content_type="application/pdf")
    answer["Content-Length"] = found.size
    answer["ETag"] = f'"{found.digest}"'
    answer["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=documents.file_name(found)
    )
    return answer
