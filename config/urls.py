"""The site's routes: the pages and the two protocols."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from apps.api.witness import add_checkpoint

urlpatterns: list[URLPattern | URLResolver] = [
    path("sso/", include("mozilla_django_oidc.urls")),
    path("witness/add-checkpoint", add_checkpoint, name="witness"),
    path("", include("apps.api.urls")),
    path("", include("apps.web.urls")),
]

handler400 = "apps.web.views.errors.bad_request"
handler403 = "apps.web.views.errors.forbidden"
handler404 = "apps.web.views.errors.not_found"
handler500 = "apps.web.views.errors.server_error"
