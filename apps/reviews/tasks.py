"""What the worker does for reviews: answer ledger events through the outbox, and what beat asks it to do."""

from __future__ import annotations

import contextlib

from celery import shared_task

from apps.core import clock, outbox
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotFound
from apps.reviews import emergency, rereview, selectors, services
from apps.reviews.reads import delegations, due, expiry
from apps.reviews.reads import policies as policy_list


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def note_promotion(message_id: int) -> None:
    """registry.version.promoted: close the review whose authorization the client spent."""
    with outbox.claimed(message_id) as message:
        review = selectors.find_review(message.payload["review"]) if message else None
        if review is not None:
            services.note_promotion(Actor.system("worker"), review)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def void_on_recall(message_id: int) -> None:
    """checks.measurement.recalled, checks.uploaded.recalled: void the rounds that rest on it."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            for review in selectors.active_reviews_of(message.payload["version"]):
                services.void_if_lost(Actor.system("worker"), review)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def question_approval(message_id: int) -> None:
    """Something happened to a version or its model: write down what questions the approvals of those in use."""
    with outbox.claimed(message_id) as message:
        if message is not None:
            for version in rereview.in_use_of(message.payload):
                services.require_rereview(Actor.system("worker"), version)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def question_approvals() -> None:
    """What time brings about: approvals that expired, rollbacks that nobody reviewed. Each on its own, once."""
    for version in rereview.in_use():
        with contextlib.suppress(NotFound):  # deleted since it was read
            services.require_rereview(Actor.system("worker"), version)
    for row in emergency.late(clock.now()):
        with contextlib.suppress(Conflict):  # reviewed since it was read
            services.question_unreviewed(Actor.system("worker"), row)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def end_orphaned_delegations() -> None:
    """End what people delegated whose role is gone; each on its own, so running twice or two at once ends it once."""
    for row in delegations.all_in_force():
        with contextlib.suppress(Conflict):  # somebody, or another run, ended it since it was read
            services.end_orphaned(Actor.system("worker"), row)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def expire_reviews() -> None:
    """Close what waited longer than its policy lets it; each on its own, so running twice or two at once closes it once."""
    for row in expiry.expired(clock.now()):
        with contextlib.suppress(Conflict):  # signed, closed or given a new round since it was read
            services.expire(Actor.system("worker"), row)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def put_policies_in_force() -> None:
    """Put in force what was signed for a day that has come; each on its own, so two at once do it once."""
    for row in policy_list.due(clock.now()):
        with contextlib.suppress(
            Conflict
        ):  # withdrawn, or put in force by another run, since it was read
            services.put_in_force(Actor.system("worker"), row)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def remind_of_deadlines() -> None:
    """Call steps due soon or overdue, each review on its own; what was called is not called again."""
    for row in due.to_remind(clock.now()):
        services.remind(Actor.system("worker"), row)


@shared_task  # type: ignore[untyped-decorator]  # celery has no types
def simulate_change(message_id: int) -> None:
    """reviews.policy.proposed: try the change on what was decided. Run twice, it is done once."""
    with outbox.claimed(message_id) as message:
        change = policy_list.find_change(message.payload["change"]) if message else None
        if change is not None:
            services.simulate_once(Actor.system("worker"), change)
