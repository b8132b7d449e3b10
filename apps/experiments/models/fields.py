"""Choices and field shapes that the tables of this app share."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

DEFAULT_EXPERIMENT = 0
"""The experiment that clients use when they name none; the first migration makes it."""


VERSIONS_TAG = "mlflow.modelVersions"
"""Where a client notes, on a logged model, which versions it registered from it: no evidence."""


class Lifecycle(models.TextChoices):
    ACTIVE = "active"
    DELETED = "deleted"


class RunStatus(models.TextChoices):
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class ModelStatus(models.TextChoices):
    PENDING = "LOGGED_MODEL_PENDING"
    READY = "LOGGED_MODEL_READY"
    FAILED = "LOGGED_MODEL_UPLOAD_FAILED"


def person(*, null: bool = False) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=null, related_name="+")


def unconstrained(to: str, name: str) -> models.ForeignKey:  # type: ignore[type-arg]
    return models.ForeignKey(
        to, models.PROTECT, db_constraint=False, db_index=False, related_name=name
    )


def sealed_whole(name: str) -> models.CheckConstraint:
    """Which review sealed the row and when: both or neither."""
    return models.CheckConstraint(
        name=name,
        condition=Q(sealed_by__isnull=True, sealed_at__isnull=True)
        | Q(sealed_by__isnull=False, sealed_at__isnull=False),
    )
