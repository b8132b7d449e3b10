"""Reads of drafts: what clients asked for and nobody has submitted yet."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts import policy
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews.models import DraftStatus, ReviewDraft


def _open() -> QuerySet[ReviewDraft]:
    rows = ReviewDraft.objects.filter(status=DraftStatus.OPEN, version__deleted_at__isnull=True)
    return rows.select_related("version__model", "asked_by")


def open_draft(version: ModelVersion) -> ReviewDraft | None:
    """What was asked for about this version, if anything is."""
    return _open().filter(version=version).first()


def waiting(actor: Actor) -> list[ReviewDraft]:
    """The drafts that this person may submit, oldest first."""
    models = RegisteredModel.objects.filter(
        policy.where_may(actor, "review.submit", RegisteredModel), deleted_at__isnull=True
    )
    return list(_open().filter(version__model__in=models).order_by("pk"))


def get_draft(actor: Actor, pk: int) -> ReviewDraft:
    """One open draft; NotFound if there is none or its model is out of the actor's sight."""
    row = _open().filter(pk=pk).first()
    if row is None or not policy.can(actor, "review.read", row):
        raise NotFound("No such draft.")
    return row
