"""What surrounds every page: request ids, the content security policy, refusals as pages, a password that must change."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect

from apps.core.errors import DomainError
from apps.web import access, refusals
from apps.web.responses import wants_fragment

Answer = Callable[[HttpRequest], HttpResponseBase]

# No inline script or style, nothing from elsewhere; data: pictures for nothing, forms only to ourselves.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def request_ids(get_response: Answer) -> Answer:
    """Give every request an id: the actor carries it, the ledger stores it, the answer shows it. The outermost one."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.META[access.REQUEST_ID] = uuid.uuid4().hex
        response = get_response(request)
        response.headers.setdefault("X-Request-ID", request.META[access.REQUEST_ID])
        return response

    return middleware


def content_security(get_response: Answer) -> Answer:
    """The content security policy on everything; a view may not loosen it. Pages belong to one person's browser."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    return middleware


class Refusals:
    """Domain errors of the pages become pages (or fragments, for htmx); refused acts become attempts.

    The protocols under /api have their own handlers: an error that comes from there is not touched.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """A session that ended in the middle of a page: htmx gets the whole sign-in page, not one inside a box."""
        response = self.get_response(request)
        if response.status_code == 302 and wants_fragment(request) and _leads_to_sign_in(response):
            here = urlsplit(request.headers.get("HX-Current-URL", "/"))
            back = urlencode({"next": here.path})
            return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}?{back}")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, DomainError) or not _is_page(request):
            return None
        refusals.record(request, error)
        return refusals.answer(request, error)


class OwnPasswordFirst:
    """Whoever holds a password that somebody else knows chooses her own before anything else."""

    ALLOWED = frozenset({"web:account-password", "web:sign-out", "web:theme", "web:help"})

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        if not _is_page(request) or match is None or match.view_name in self.ALLOWED:
            return None
        if request.user.is_authenticated and getattr(request.user, "must_change_password", False):
            return redirect("web:account-password")
        return None


def _leads_to_sign_in(response: HttpResponseBase) -> bool:
    return urlsplit(response.headers["Location"]).path == resolve_url(settings.LOGIN_URL)


def _is_page(request: HttpRequest) -> bool:
    """A route of the pages, or of the sign-in at the identity provider (its library names them itself)."""
    match = request.resolver_match
    return match is not None and (
        match.namespace == "web" or match.view_name.startswith("oidc_authentication")
    )
