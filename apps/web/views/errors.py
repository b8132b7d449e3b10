"""Pages for what goes wrong outside a domain error: no such address, a refused form token, a fault of ours."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static

from apps.web import access
from apps.web.parts import Notice
from apps.web.responses import page_or_fragment

log = logging.getLogger(__name__)

# What is said when even the template of the error page does not render.
LAST_WORDS = (
    "<!doctype html><html lang=en><title>Something broke</title><h1>Something broke on our side</h1>"
    "<p>What you asked for was not done. The fault is in the log.</p></html>"
)


def _answer(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    context = {"status": status, "title": title, "notice": Notice(text, "bad", title)}
    return page_or_fragment(
        request, "errors/refused.html", "errors/_refusal.html", context, status=status
    )


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: what came is not a request this site can read."""
    return _answer(
        request, 400, "That request cannot be read", "It was not what this address expects."
    )


@login_not_required
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 raised by Django itself."""
    return _answer(request, 403, "Not yours to do", "You may not do this.")


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404 of an address that no page has. Says the same as for a thing one may not know of."""
    return _answer(
        request, 404, "Nothing here", "There is no such page, or you may not know of it."
    )


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without its token: an old page, or somebody else's."""
    log.warning("form token refused: %s", reason)
    return _answer(
        request,
        403,
        "This form is out of date",
        "Nothing was done. Go back, load the page again and send the form once more; if it happens again, "
        "allow this site to set cookies.",
    )


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """500: needs no database, no session and no context; falls back to a sentence."""
    request_id = str(request.META.get(access.REQUEST_ID, ""))
    try:
        context = {"request_id": request_id, "sheets": [static("web/css/main.css")]}
        text: str = render_to_string("errors/500.html", context)
    except Exception:
        log.exception("the error page itself failed")
        text = LAST_WORDS
    return HttpResponse(text, status=500)
