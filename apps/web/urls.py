"""The pages' addresses, by area. A new route needs a row in tests/web/permission_matrix.py."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, path

from apps.web.views import health, preferences, styleguide

app_name = "web"

# Open to everybody, and each person's own switches.
urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health.health, name="health"),
    path("theme/", preferences.theme, name="theme"),
    path("shortcuts/", preferences.shortcuts, name="shortcuts"),
    path("help/", preferences.help_page, name="help"),
]

if settings.DEBUG:
    urlpatterns.append(path("styleguide/", styleguide.styleguide, name="styleguide"))
