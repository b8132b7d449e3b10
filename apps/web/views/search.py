"""Search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.web import access
from apps.web.pages import search as pages


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What matches `?q=`, of what one may see."""
    page = pages.search(access.actor(request), request.GET.get("q", ""))
    return render(request, "web/search.html", {"page": page})
