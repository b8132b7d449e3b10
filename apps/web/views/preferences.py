"""The person's own switches that live in cookies: theme and keyboard shortcuts; and the help page."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from apps.web import context
from apps.web.responses import page_or_fragment, safe_next

CLIENT = 'import mlflow\n\nmlflow.set_tracking_uri("{}")'
YEAR = 365 * 24 * 3600

SHORTCUTS = (
    ("/", "search"),
    ("g h", "go home"),
    ("g e", "go to experiments"),
    ("g m", "go to models"),
    ("g r", "go to reviews"),
    ("g c", "go to checks"),
    ("g a", "go to the audit record"),
    ("j k", "next and previous row of a list"),
    ("Enter", "open the row"),
    ("x", "choose the row"),
    ("v", "mark the section as viewed"),
    ("?", "this list"),
    ("Esc", "close a menu or a dialog"),
)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the theme in a cookie and go back."""
    response = redirect(safe_next(request, "/"))
    value = request.POST.get("theme", "")
    if value in {"auto", "light", "dark"}:
        _remember(response, context.THEME_COOKIE, value)
    return response


@require_POST
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Switch the keyboard shortcuts on or off."""
    response = redirect(safe_next(request, "/"))
    _remember(response, context.SHORTCUTS_COOKIE, "off" if request.POST.get("off") else "on")
    return response


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Words, keys and the address of the tracking server."""
    return page_or_fragment(
        request,
        "web/help.html",
        "web/_help.html",
        {"shortcuts": SHORTCUTS, "code": CLIENT.format(settings.BASE_URL)},
    )


def _remember(response: HttpResponse, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
