"""Work of this app in the worker."""

from __future__ import annotations

from celery import shared_task

from apps.compliance import services
from apps.core import outbox


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def render_document(message_id: int) -> None:
    """Make one document that was asked for."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            services.make(message.payload["document"])
