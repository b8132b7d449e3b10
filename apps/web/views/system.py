"""The state of workers, queue and record."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.web import access
from apps.web.pages import system as pages


@never_cache
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    """For whoever keeps the site running."""
    access.require(request, "system.read")
    return render(request, "web/system.html", {"page": pages.system()})
