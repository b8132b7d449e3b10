"""Where a person sees on a page what a program was told."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings

from apps.registry import selectors as registry
from apps.registry.models import ModelVersion, RegisteredModel


def model(row: RegisteredModel) -> str:
    return f"{settings.BASE_URL}/models/{quote(row.name, safe='')}/"


def version(row: ModelVersion) -> str:
    return registry.version_url(row)


def rollback(number: int) -> str:
    return f"{settings.BASE_URL}/rollbacks/{number}/"


def review(number: int) -> str:
    return f"{settings.BASE_URL}/reviews/{number}/"
