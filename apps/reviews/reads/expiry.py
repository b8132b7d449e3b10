"""Reads of expiry: when a review that waits expires, and which have."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max

from apps.core import clock
from apps.core.errors import Conflict
from apps.reviews import deadlines
from apps.reviews.models import Review, ReviewStatus
from apps.reviews.policies.document import parse


def moment(review: Review) -> dt.datetime | None:
    """When the review expires if nothing happens; None for one that waits for nobody, or under a policy without it."""
    if review.state not in deadlines.WAITING:
        return None
    newest = review.rounds.aggregate(at=Max("created_at"))["at"]
    return None if newest is None else of_round(review, newest)


def of_round(review: Review, newest_round_at: dt.datetime) -> dt.datetime | None:
    """The same, of a newest round that the caller has read already; no query."""
    return deadlines.expires_at(parse(review.policy_version.document), newest_round_at)


def refusal(review: Review) -> Conflict | None:
    """What whoever would sign or go on with an expired review is told, also before the worker has closed it; else None."""
    at = review.closed_at if review.state is ReviewStatus.EXPIRED else moment(review)
    if at is None or at > clock.now():
        return None
    days = parse(review.policy_version.document).review_days
    return Conflict(
        f"{review.key} expired on {at:%d %b %Y at %H:%M} UTC: its policy lets a request wait for {days} days.",
        hint="Submit the version again to ask for a new review.",
    )


def expired(now: dt.datetime) -> list[Review]:
    """The reviews whose moment has come and that nobody has closed yet, oldest first."""
    rows = (
        Review.objects.filter(
            status__in=[status.value for status in deadlines.WAITING],
            policy_version__document__review_days__isnull=False,
        )
        .select_related("policy_version")
        .annotate(newest_round_at=Max("rounds__created_at"))
        .order_by("pk")
    )
    found: list[Review] = []
    for row in rows.iterator(chunk_size=200):
        at = of_round(row, row.newest_round_at)
        if at is not None and at <= now:
            found.append(row)
    return found
