"""The addresses of the API, made from the table of its routes."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt

from apps.api.errors import NoSuchEndpoint
from apps.api.v1 import problems
from apps.api.v1.document import docs
from apps.api.v1.route import Route
from apps.api.v1.routes import ROUTES

app_name = "v1"


@csrf_exempt
@login_not_required
def unknown(request: HttpRequest, **_: Any) -> HttpResponse:
    """Whatever else lies below /api/v1/: 404 as a problem, never a page."""
    return problems.answer(
        NoSuchEndpoint(f"This server has no endpoint {request.method} {request.path[:200]}")
    )


def _served() -> list[URLPattern]:
    by_path: dict[str, dict[str, Route]] = defaultdict(dict)
    for route in ROUTES:
        by_path[route.path][route.method] = route
    return [_one(address, rules) for address, rules in by_path.items()]


def _one(address: str, rules: dict[str, Route]) -> URLPattern:
    first = next(iter(rules.values()))
    return path(address, first.view.as_view(rules=rules), name=first.name)


urlpatterns: list[URLPattern | URLResolver] = [
    *_served(),
    path("docs/", docs, name="docs"),
    re_path(r"[\s\S]*", unknown),
]
