"""Batches of documents: how far one is, and what became of each version."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import serializers

from apps.api.v1.shapes.common import Json
from apps.compliance.batches import Progress
from apps.compliance.models import Batch, BatchItem, DocumentKind, ItemStatus


class BatchShape(serializers.Serializer[Any]):
    """What was asked for at once."""

    uuid = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    title = serializers.CharField()
    about = serializers.CharField(help_text="Which versions, in words.")
    created_at = serializers.DateTimeField()
    cancelled_at = serializers.DateTimeField(allow_null=True)
    url = serializers.CharField(help_text="Its page, for a person.")


class ProgressShape(serializers.Serializer[Any]):
    """Counted from the items at this moment."""

    total = serializers.IntegerField()
    ready = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Could not be made; each item says why.")
    cancelled = serializers.IntegerField()
    working = serializers.IntegerField(help_text="A worker is making them.")
    is_open = serializers.BooleanField(help_text="Something of it is still to be made.")
    seconds_left = serializers.FloatField(
        allow_null=True, help_text="At the pace so far; null before there is one."
    )


class OneBatchShape(BatchShape):
    """A batch with how far it is."""

    progress = ProgressShape()


class BatchDocument(serializers.Serializer[Any]):
    """The document that came of an item."""

    uuid = serializers.UUIDField()
    digest = serializers.CharField(help_text="SHA-256 of the PDF; empty until it is ready.")
    size = serializers.IntegerField()


class BatchItemShape(serializers.Serializer[Any]):
    """One version of a batch."""

    model = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=ItemStatus.choices)
    error = serializers.CharField(help_text="Why it could not be made; empty otherwise.")
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    document = BatchDocument(allow_null=True)


def batch(row: Batch) -> Json:
    return {
        "uuid": row.uuid,
        "kind": row.kind,
        "title": str(row),
        "about": row.about,
        "created_at": row.created_at,
        "cancelled_at": row.cancelled_at,
        "url": f"{settings.BASE_URL}/documents/batches/{row.uuid}/",
    }


def one(row: Batch, far: Progress) -> Json:
    """A batch with its progress."""
    return batch(row) | {
        "progress": {
            "total": far.total,
            "ready": far.ready,
            "failed": far.errors,
            "cancelled": far.cancelled,
            "working": far.working,
            "is_open": far.is_open,
            "seconds_left": None if far.left is None else far.left.total_seconds(),
        }
    }


def item(row: BatchItem) -> Json:
    """`row` with its version and document."""
    made = row.document
    return {
        "model": row.version.model.name,
        "version": row.version.number,
        "status": row.status,
        "error": row.error,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "document": made and {"uuid": made.uuid, "digest": made.digest, "size": made.size},
    }
