"""Registered models."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.web import access
from apps.web.pages import models as pages


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """All models one may see."""
    page = pages.models(access.actor(request), request)
    return render(request, "models/models.html", {"page": page})


@require_safe
def model(request: HttpRequest, name: str) -> HttpResponse:
    """One model: what is where, its versions, settings and history."""
    found = access.model_for(request, name)
    page = pages.model(access.actor(request), found, request)
    return render(request, "models/model.html", {"page": page})
