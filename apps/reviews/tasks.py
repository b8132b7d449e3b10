"""What reviews do when something happened elsewhere. Each consumes one ledger event through the outbox."""

from __future__ import annotations

from celery import shared_task

from apps.core import outbox
from apps.core.actor import Actor
from apps.reviews import selectors, services


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def note_promotion(message_id: int) -> None:
    """registry.version.promoted: close the review whose authorization the client spent."""
    with outbox.claimed(message_id) as message:
        review = selectors.find_review(message.payload["review"]) if message else None
        if review is not None:
            services.note_promotion(Actor.system("worker"), review)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def void_on_recall(message_id: int) -> None:
    """checks.measurement.recalled: void the rounds that rest on it."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            for review in selectors.active_reviews_of(message.payload["version"]):
                services.void_if_lost(Actor.system("worker"), review)
