"""Reads of deadlines: of one review, of those in a list, and of all that the worker has to look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from apps.reviews import deadlines, quorum, selectors
from apps.reviews.deadlines import Deadline
from apps.reviews.models import Decision, Reminder, Review, ReviewStatus, Round


def of(review: Review) -> list[Deadline]:
    """The deadlines of the steps that can be signed now; none of a review that is not open or whose evidence is void."""
    round_ = selectors.live_round(review)
    return of_round(review, round_, quorum.decisions_of(round_)) if round_ is not None else []


def of_listed(review: Review) -> list[Deadline]:
    """The same, of a review from `selectors.list_reviews`; no query."""
    rounds: Sequence[Round] = review.live_rounds  # type: ignore[attr-defined]  # to_attr
    return of_round(review, rounds[0], list(rounds[0].decisions.all())) if rounds else []


def of_round(review: Review, round_: Round, decisions: Sequence[Decision]) -> list[Deadline]:
    """The same, of rows that are loaded."""
    if review.state is not ReviewStatus.OPEN or not round_.is_live:
        return []
    return deadlines.of(round_, quorum.steps(selectors.document(review), round_, decisions))


def told(review: Review) -> set[tuple[str, str]]:
    """What the people of the live round were reminded of already: step and kind."""
    rows = Reminder.objects.filter(round__review=review, round__voided_at__isnull=True)
    return set(rows.values_list("step", "kind"))


def to_remind(now: dt.datetime) -> list[Review]:
    """The open reviews with a step that is due soon or overdue and was not called so, oldest first. A constant number
    of queries."""
    called = {
        (round_id, step, kind)
        for round_id, step, kind in Reminder.objects.filter(
            round__voided_at__isnull=True, round__review__status=ReviewStatus.OPEN
        ).values_list("round_id", "step", "kind")
    }
    return [
        review
        for review in selectors.open_reviews()
        if any(
            (kind := each.kind(now)) is not None
            and (review.live_rounds[0].pk, each.step.key, kind.value) not in called  # type: ignore[attr-defined]
            for each in of_listed(review)
        )
    ]
