"""Answers that are the same act with and without htmx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.http import content_disposition_header, url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page (a boosted link asks for a page)."""
    details = getattr(request, "htmx", None)
    return details is not None and bool(details) and not details.boosted


def page_or_fragment(
    request: HttpRequest, page: str, fragment: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The fragment for htmx, the whole page for everyone else; the page includes the same fragment."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def download(written: Iterator[bytes], kind: str, filename: str) -> StreamingHttpResponse:
    """A file that is written while it is sent, so that a large one is never in memory whole."""
    response = StreamingHttpResponse(written, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(
        as_attachment=True, filename=filename
    )
    response["Cache-Control"] = "private, no-cache"
    return response


def see_other(request: HttpRequest, url: str) -> HttpResponse:
    """After a form was accepted: go there, as a whole page, whoever sent the form."""
    if wants_fragment(request):
        return HttpResponseClientRedirect(url)
    return redirect(url)


def safe_next(request: HttpRequest, default: str) -> str:
    """The address in `next`, if it is one of ours; else the default."""
    url = request.POST.get("next") or request.GET.get("next") or ""
    here = {request.get_host()}
    ours = url_has_allowed_host_and_scheme(url, here, require_https=request.is_secure())
    # From the root only: Django would take any other word for the name of a route.
    return url if ours and url.startswith("/") else default
