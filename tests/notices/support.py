"""What the worker does, without the queue: every open outbox row is handed to the task it names."""

from __future__ import annotations

from django.utils.module_loading import import_string

from apps.core.actor import Actor
from apps.core.models import OutboxMessage
from apps.notices.models import Notice
from apps.reviews import selectors, services
from apps.reviews.models import Decision, Review
from tests import factories


def due() -> list[OutboxMessage]:
    """The open rows that are due by the database's own clock, oldest first."""
    rows = OutboxMessage.objects.filter(finished_at__isnull=True).order_by("pk")
    return [row for row in rows if row.not_before <= row.created_at]


def work_off() -> int:
    """Do all of it, and what it brings about; how many rows that were. Delayed rows stay."""
    done = 0
    while rows := due():
        for row in rows:
            import_string(row.task)(row.pk)
        done += len(rows)
    return done


def sign(actor: Actor, review: Review, outcome: str = "approve") -> Decision:
    """One decision about the live round."""
    round_ = selectors.live_round(review)
    assert round_ is not None
    return services.decide(
        actor,
        review,
        outcome=outcome,
        evidence_digest=round_.digest,
        comment="looked at all of it",
        proof=factories.proof(actor),
        no_conflict=True,
    )


def told(actor: Actor) -> list[str]:
    """The kinds of notices a person has, oldest first."""
    rows = Notice.objects.filter(recipient_id=actor.user_id).order_by("pk")
    return list(rows.values_list("kind", flat=True))
