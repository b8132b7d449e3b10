"""End a request that nobody answered in the time that its policy gives it."""

from __future__ import annotations

from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.registry import services as registry_services
from apps.reviews import selectors
from apps.reviews.events import reviews as events
from apps.reviews.models import Review, ReviewStatus
from apps.reviews.reads import expiry
from apps.reviews.services import rounds
from apps.reviews.services.locks import lock_review


def expire(actor: Actor, review: Review) -> Review:
    """Close a review whose time is over; thaws the version if nobody had decided anything. For the sweeper.

    Refuses (Conflict) one that is closed or signed, and one whose time is not over: a new round gives it all of it again.
    """
    with verb(actor) as v:
        review = lock_review(review.pk)
        at, now = expiry.moment(review), clock.now()
        if at is None or now < at:
            raise Conflict(f"{review.key} is {review.state.label.lower()} and has not expired.")
        newest = review.rounds.latest("number")
        days = selectors.document(review).review_days
        reason = f"it waited for {days} days after round {newest.number} was made"
        rounds.void(v, actor, review, f"the review expired: {reason}")
        review.status, review.closed_at = ReviewStatus.EXPIRED, now
        review.note = f"{reason[:1].upper()}{reason[1:]}, which is all that its policy gives it."
        review.save(update_fields=["status", "closed_at", "note"])
        v.record(
            events.ReviewExpired(
                review=review.pk,
                version=review.version_id,
                model=review.version.model_id,
                round=newest.pk,
                number=newest.number,
                days=days or 0,
                moment=at.isoformat(timespec="seconds"),
            )
        )
        if not review.version.decided:
            registry_services.thaw(actor, review.version)
    return review
