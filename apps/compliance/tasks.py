"""Work of this app in the worker."""

from __future__ import annotations

from celery import shared_task

from apps.compliance import batches, forms, services
from apps.core import outbox


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def render_document(message_id: int) -> None:
    """Make one document that was asked for."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.make(message.payload["document"])


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def make_forms(message_id: int) -> None:
    """compliance.document.issued: make its other forms."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            forms.make(int(message.payload["document"]))


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def make_batch_item(message_id: int) -> None:
    """Make the document of one item of a batch."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            batches.make_item(message.payload["item"])
