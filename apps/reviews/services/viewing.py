"""Tick a section of the evidence as viewed. Not an act of governance: it leaves no event."""

from __future__ import annotations

from apps.accounts import policy
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.reviews.models import EvidenceSection, Review, Viewed
from apps.reviews.reads import viewing


def mark_viewed(actor: Actor, review: Review, *, section: str, digest: str, viewed: bool) -> None:
    """The actor has read this section as it was shown, or takes that back.

    Refuses: a section that has other contents by now (Conflict), an actor who is no person.
    """
    policy.require(actor, "review.read", review)
    if actor.user_id is None:
        raise Forbidden("Only a person reads evidence.")
    if section not in EvidenceSection.values:
        raise Invalid("Unknown section.", fields={"section": "Choose one of the list."})
    mine = Viewed.objects.filter(review=review, user_id=actor.user_id, section=section)
    if not viewed:
        mine.delete()
        return
    _, digests = viewing.shown(review)
    if digests.get(EvidenceSection(section)) != digest:
        raise Conflict(
            "This section changed while you read it, so nothing was ticked.",
            hint="Load the page again and read it as it is now.",
        )
    Viewed.objects.update_or_create(
        review=review,
        user_id=actor.user_id,
        section=section,
        defaults={"digest": digest, "viewed_at": clock.now()},
    )
