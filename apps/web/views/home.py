"""The first page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.web import access
from apps.web.pages import home as pages


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What needs you."""
    return render(request, "home/home.html", {"page": pages.home(access.actor(request))})
