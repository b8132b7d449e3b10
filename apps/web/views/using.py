"""Using an approved version: its page, and the forms of its documents."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.compliance import forms, handed_out, uses
from apps.compliance import selectors as documents
from apps.compliance.form_models import Form
from apps.core.errors import Conflict, Invalid, NotFound
from apps.web import access, addresses
from apps.web.pages import using
from apps.web.responses import see_other


@require_http_methods(["GET", "HEAD", "POST"])
def use(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """What it may be used for and how; POST says that one read it, in the wording that was shown."""
    found = access.version_for(request, name, number)
    actor = access.actor(request)
    if request.method == "POST":
        try:
            uses.acknowledge(
                actor, found, uses_digest=request.POST.get("uses", ""), service=_service(request)
            )
        except (Conflict, Invalid) as error:
            messages.error(request, f"{error.message} {error.hint}".strip())
        else:
            messages.success(request, "Recorded: you read what it may and must not be used for.")
        return see_other(request, addresses.version(name, number, "use/"))
    return render(request, "evidence/use.html", {"page": using.page(actor, found)})


def _service(request: HttpRequest) -> User | None:
    """The program that it is said for; NotFound for none of the reader's."""
    wanted = request.POST.get("service", "")
    if not wanted:
        return None
    mine = accounts.services_of(accounts.get_user(access.actor(request).user_id or 0))
    found = next((user for user in mine if str(user.uuid) == wanted), None)
    if found is None:
        raise NotFound("You answer for no such service.")
    return found


@require_GET
def document_form(request: HttpRequest, document_uuid: uuid.UUID, form: str) -> HttpResponseBase:
    """One form of a document, each piece verified before it is sent."""
    found = documents.get_document(access.actor(request), document_uuid)
    row = forms.find(found, form)
    handed_out.note(access.actor(request), found, form, remote_addr=request.META["REMOTE_ADDR"])
    answer = StreamingHttpResponse(forms.read(row), content_type=forms.MEDIA[Form(row.form)])
    answer["Content-Length"] = row.blob.size
    answer["ETag"] = f'"{row.digest}"'
    answer["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=forms.file_name(found, row.form)
    )
    return answer
