"""Call the open steps of a review due soon or overdue, each at most once a round. Whom that is told is for the notices."""

from __future__ import annotations

from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.reviews import deadlines
from apps.reviews.events import deadlines as deadline_events
from apps.reviews.models import Reminder, ReminderKind, Review
from apps.reviews.reads import due, expiry
from apps.reviews.services.locks import lock_review

_EVENTS = {
    ReminderKind.DUE: deadline_events.StepDue,
    ReminderKind.OVERDUE: deadline_events.StepOverdue,
}


def remind(actor: Actor, review: Review) -> list[Reminder]:
    """What is due soon or overdue now and was not called so before. For the sweeper.

    The rows are read again under the review's lock: a step that was signed meanwhile, a round that ended or a request
    that expired is told nobody. A step that was never called due soon before it was overdue is called only overdue.
    """
    with verb(actor) as v:
        review = lock_review(review.pk)
        if expiry.refusal(review) is not None:
            return []
        now = clock.now()
        told = due.told(review)
        calls = [(each, each.kind(now)) for each in due.of(review)]
        return [
            _call(v, review, each, kind)
            for each, kind in calls
            if kind is not None and (each.step.key, kind) not in told
        ]


def _call(v: Verb, review: Review, found: deadlines.Deadline, kind: ReminderKind) -> Reminder:
    round_ = review.rounds.get(voided_at__isnull=True)
    row = Reminder.objects.create(
        round=round_,
        step=found.step.key,
        kind=kind,
        due_at=found.due_at,
        created_at=clock.now(),
    )
    v.record(
        _EVENTS[kind](
            reminder=row.pk,
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            round=round_.pk,
            number=round_.number,
            step=found.step.key,
            title=found.step.title,
            due=found.due_at.isoformat(timespec="microseconds"),
        )
    )
    return row
