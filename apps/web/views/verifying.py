"""Is this file one that was issued here? The file is hashed while it arrives and kept nowhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from apps.compliance import selectors
from apps.web import access, hashing
from apps.web.forms.base import form_status
from apps.web.forms.verifying import VerifyForm
from apps.web.hashing import Hashing
from apps.web.pages import verifying as pages
from apps.web.pages.verifying import VerifyPage

ACTS = ["GET", "HEAD", "POST"]
MOST_BYTES = 256 * 1024 * 1024


@csrf_exempt  # only so that the file is hashed as it comes: the form is read, and checked, by `_verify`
@require_http_methods(ACTS)
def verify(request: HttpRequest) -> HttpResponse:
    """A form for a file; the answer to one."""
    return _verify(request, hashing.hash_file(request, MOST_BYTES))


@csrf_protect
def _verify(request: HttpRequest, handler: Hashing) -> HttpResponse:
    if request.method != "POST":
        return _page(request, pages.empty())
    _ = request.POST  # reads the form, and with it the file
    if not handler.digest:
        page = pages.refused(handler.name, too_large=handler.too_large, most=MOST_BYTES)
        return _page(request, page)
    found = selectors.find_by_digest(access.actor(request), handler.digest)
    return _page(request, pages.answer(handler.name, handler.size, handler.digest, found))


def _page(request: HttpRequest, page: VerifyPage) -> HttpResponse:
    form = VerifyForm({} if page.problem else None)
    if page.problem:
        form.add_error("file", page.problem)
    context = {"page": page, "form": form}
    return render(request, "evidence/verify.html", context, status=form_status(form))
