"""The addresses of our own API, and of the MLflow protocol, made from the table of its routes under both prefixes."""

from __future__ import annotations

from collections import defaultdict

from django.urls import URLPattern, URLResolver, include, path, re_path

from apps.api.mlflow.call import Route
from apps.api.mlflow.routes import PREFIXES, ROUTES
from apps.api.mlflow.views import unknown, version, view_of

app_name = "api"

# `<path:path>` stops at a line break, and the answer would then be a page.
_ANYTHING = r"[\s\S]*"


def _protocol() -> list[URLPattern | URLResolver]:
    grouped: dict[tuple[str, str], list[Route]] = defaultdict(list)
    for route in ROUTES:
        grouped[route.version, route.path].append(route)
    by_version: dict[str, list[URLPattern]] = defaultdict(list)
    for (number, address), routes in grouped.items():
        by_version[number].append(path(address, view_of(routes)))
    return [path(f"{number}/", include(patterns)) for number, patterns in by_version.items()]


urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("apps.api.v1.urls")),
    *(
        path(f"{prefix}/", include([*_protocol(), re_path(_ANYTHING, unknown)]))
        for prefix in PREFIXES
    ),
    *(path(f"{prefix}/", unknown) for prefix in PREFIXES),
    path("version", version, name="version"),
]
