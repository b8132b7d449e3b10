"""When steps are due and requests expire. Pure functions of rows and a policy: no query, and nothing is stored that
could be out of date.

Days are 24 hours counted from a moment, in UTC; a moment has come when the clock shows it or later. A missed deadline
signs nothing and refuses nothing; an expired request refuses everything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.reviews.models import ReminderKind, ReviewStatus, Round
from apps.reviews.policies.document import PolicyDocument, Step
from apps.reviews.quorum import StepState

# What can expire. A signed review waits for nobody: its approval has a life of its own (approval_days).
WAITING = (ReviewStatus.OPEN, ReviewStatus.CHANGES_REQUESTED)


def after(moment: dt.datetime, days: int) -> dt.datetime:
    """The moment so many times 24 hours later."""
    return moment + dt.timedelta(days=days)


def expires_at(document: PolicyDocument, newest_round_at: dt.datetime) -> dt.datetime | None:
    """When a request under this policy expires whose newest round was made at that moment; None: never."""
    days = document.review_days
    return None if days is None else after(newest_round_at, days)


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when an open step is to be signed, and from when on its people are reminded.

    `remind_at` is None where the policy would remind no later than it asked: being asked is the reminder then.
    """

    step: Step
    opened_at: dt.datetime
    due_at: dt.datetime
    remind_at: dt.datetime | None

    def kind(self, now: dt.datetime) -> ReminderKind | None:
        """Overdue, due soon, or None while neither."""
        if self.due_at <= now:
            return ReminderKind.OVERDUE
        return ReminderKind.DUE if self.remind_at and self.remind_at <= now else None


def of(round_: Round, states: Sequence[StepState]) -> list[Deadline]:
    """The deadline of each step of a live round that can be signed now and has one, in the order of the steps.

    `states` are those of `quorum.steps`, for this round.
    """
    by_key = {state.step.key: state for state in states}
    return [
        _deadline(state.step, opened_at(state.step, round_, by_key), state.step.deadline_days)
        for state in states
        if state.is_open and state.step.deadline_days is not None
    ]


def opened_at(step: Step, round_: Round, states: Mapping[str, StepState]) -> dt.datetime:
    """When an open step could first be signed: its round was made, or the last signature completed what comes before."""
    completed = [states[key].signed[states[key].step.count - 1].created_at for key in step.after]
    return max([round_.created_at, *completed])


def _deadline(step: Step, opened: dt.datetime, days: int) -> Deadline:
    due = after(opened, days)
    remind = after(due, -step.remind_days)
    return Deadline(step, opened, due, remind if remind > opened else None)


def first(found: Iterable[Deadline]) -> Deadline | None:
    """The one that is due first."""
    return min(found, key=lambda each: each.due_at, default=None)
