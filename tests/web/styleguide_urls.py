"""The site's routes and the styleguide, which only DEBUG has."""

from __future__ import annotations

from django.urls import path

from apps.web.views.styleguide import styleguide
from config import urls

urlpatterns = [*urls.urlpatterns, path("styleguide/", styleguide)]
