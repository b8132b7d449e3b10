"""What people state for reports, and the reports that are published as a page of their own."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from apps.compliance import kinds, selectors, services, statements
from apps.core.errors import Conflict
from apps.registry.models import ModelVersion
from apps.web import access, addresses
from apps.web.forms.base import accepted, form_status, sent
from apps.web.forms.reports import StatementForm
from apps.web.pages import statements as pages
from apps.web.responses import see_other

ACTS = ["GET", "HEAD", "POST"]


@require_http_methods(ACTS)
def statement(request: HttpRequest, name: str, number: int, kind: str) -> HttpResponse:
    """What only people can say in a report of this kind; somebody else's save meanwhile is never overwritten."""
    found = access.version_for(request, name, number, statements.STATE)
    wanted = kinds.stated(kind)
    latest = statements.latest(found, wanted.key)
    form = StatementForm(sent(request), kind=wanted, initial=pages.initial(wanted, latest))
    conflict = ""
    if request.method == "POST" and form.is_valid():
        try:
            if _recorded(request, form, found, wanted.key):
                messages.success(request, "Your statement is recorded with your name and the time.")
                return see_other(request, addresses.version(name, number, "documents/"))
        except Conflict as error:
            conflict, latest = str(error), statements.latest(found, wanted.key)
            form = _rebased(request, wanted, latest.number if latest else 0)
    page = pages.page(found, wanted, latest, conflict)
    status = 409 if conflict else form_status(form)
    return render(request, "evidence/statement.html", {"page": page, "form": form}, status=status)


def _rebased(request: HttpRequest, kind: kinds.Kind, number: int) -> StatementForm:
    """The same text on the latest statement: whoever has read theirs may save over it."""
    data = request.POST.copy()
    data["base"] = str(number)
    return StatementForm(data, kind=kind)


def _recorded(request: HttpRequest, form: StatementForm, found: ModelVersion, kind: str) -> bool:
    base = form.cleaned_data["base"] or 0
    actor = access.actor(request)
    return accepted(
        form, lambda: services.record_statement(actor, found, kind, form.content(), base)
    )


@require_safe
def document_page(request: HttpRequest, document_uuid: uuid.UUID) -> HttpResponse:
    """The report as one file to publish."""
    found = selectors.get_document(access.actor(request), document_uuid)
    answer = HttpResponse(selectors.read_page(found), content_type="text/html; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=selectors.page_name(found)
    )
    return answer
