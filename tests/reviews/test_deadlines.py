"""When a step is due: counted from when it could first be signed, to the second, from rows alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.audits.models import Event
from apps.core import clock
from apps.core.actor import Actor
from apps.reviews import deadlines, selectors, services, tasks
from apps.reviews.deadlines import Deadline
from apps.reviews.models import Decision, Reminder, ReminderKind, Review, Round
from apps.reviews.policies import builtin
from apps.reviews.policies.document import Step
from apps.reviews.quorum import StepState
from apps.reviews.reads import due
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_expiry import SECOND, at, shifted
from tests.reviews.test_forgery import differences, is_whole
from tests.reviews.test_policies import put_in_force
from tests.reviews.test_races import at_once
from tests.reviews.test_signing import sign
from tests.support.triggers import triggers_off
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 2, 27, 23, 59, 59, tzinfo=dt.UTC)


def step(key: str = "one", **more: Any) -> Step:
    return Step(
        key=key, title=key.capitalize(), role="validator", count=more.pop("count", 1), **more
    )


def signed(moment: dt.datetime) -> Decision:
    return Decision(created_at=moment)


# --- computed from rows alone ------------------------------------------------------------------


@given(st.integers(1, 365), st.integers(1, 60), st.integers(0, 86_400 * 400))
def test_a_step_is_soon_due_and_overdue_from_its_moment_on(
    days: int, remind: int, seconds: int
) -> None:
    """Said anew, without the code: whole seconds since the round was made."""
    round_ = Round(created_at=START)
    [found] = deadlines.of(round_, [StepState(step(deadline_days=days, remind_days=remind), ())])
    due_at, soon_at = days * 86_400, (days - remind) * 86_400
    expected = None
    if seconds >= due_at:
        expected = "overdue"
    elif soon_at > 0 and seconds >= soon_at:
        expected = "due"
    assert found.kind(START + dt.timedelta(seconds=seconds)) == expected
    assert found.kind(START + dt.timedelta(seconds=due_at - 1)) != "overdue"
    assert found.kind(START + dt.timedelta(seconds=due_at)) == "overdue"


def test_a_step_after_others_is_counted_from_the_last_signature_that_completed_them() -> None:
    round_ = Round(created_at=START)
    first = StepState(step("one", count=2), (signed(START + DAY), signed(START + 3 * DAY)))
    second = StepState(step("two"), (signed(START + 2 * DAY),))
    third = StepState(step("three", after=("one", "two"), deadline_days=5), ())
    [found] = deadlines.of(round_, [first, second, third])
    assert (found.opened_at, found.due_at) == (START + 3 * DAY, START + 8 * DAY)
    assert found.remind_at == START + 6 * DAY


def test_what_is_signed_or_waits_for_others_or_has_no_deadline_is_not_due() -> None:
    done = StepState(step("one", deadline_days=1), (signed(START),))
    waits = StepState(step("two", after=("three",), deadline_days=1), (), (step("three"),))
    free = StepState(step("three"), ())
    assert deadlines.of(Round(created_at=START), [done, waits, free]) == []


def test_a_reminder_no_later_than_the_question_is_the_question() -> None:
    round_ = Round(created_at=START)
    for days, remind, expected in ((2, 2, None), (1, 2, None), (3, 2, START + DAY)):
        one = step(deadline_days=days, remind_days=remind)
        [found] = deadlines.of(round_, [StepState(one, ())])
        assert found.remind_at == expected


def test_the_first_is_the_one_that_is_due_first() -> None:
    late, soon = (Deadline(step(), START, START + n * DAY, None) for n in (2, 1))
    assert deadlines.first([late, soon]) is soon
    assert deadlines.first([]) is None


# --- the job -----------------------------------------------------------------------------------


@pytest.fixture
def ordered(cast: Cast, adam: Actor) -> Cast:
    """Validation within 5 days, then approval within 3, each with a reminder 2 days before."""
    validator, approver = builtin.standard()["steps"][:2]
    put_in_force(
        adam,
        cast.vera,
        steps=[
            {**validator, "deadline_days": 5, "escalate_to": ["owner"]},
            {**approver, "deadline_days": 3, "after": [validator["key"]]},
        ],
    )
    return cast


def asked(cast: Cast, ago: dt.timedelta) -> Review:
    with shifted(-ago):
        return cast.submit(PRODUCTION)


def called() -> list[tuple[str, str]]:
    """Step and kind of every event, in the order of the ledger."""
    types = ("reviews.review.due", "reviews.review.overdue")
    rows = Event.objects.filter(type__in=types).order_by("seq")
    return [(row.payload["step"], row.type.rsplit(".", 1)[1]) for row in rows]


def keys() -> tuple[str, str]:
    one, two = builtin.standard()["steps"][:2]
    return one["key"], two["key"]


def test_each_step_is_called_once_at_its_moment(ordered: Cast) -> None:
    review = asked(ordered, 5 * DAY + SECOND)
    [found] = due.of(review)
    one, two = keys()
    assert found.remind_at is not None
    for moment, kind in ((found.remind_at, "due"), (found.due_at, "overdue")):
        before = called()
        with at(moment - SECOND), nothing_written():
            tasks.remind_of_deadlines()
        with at(moment):
            tasks.remind_of_deadlines()
            tasks.remind_of_deadlines()
        assert called() == [*before, (one, kind)]
    with nothing_written():
        tasks.remind_of_deadlines()
    sign(ordered.vera, review)
    [found] = due.of(review)
    assert found.step.key == two
    assert (found.due_at - found.opened_at, found.kind(clock.now())) == (3 * DAY, None)
    is_whole()


def test_a_step_that_was_signed_meanwhile_is_not_called(ordered: Cast) -> None:
    review = asked(ordered, 4 * DAY)
    read = due.to_remind(clock.now())
    assert [row.pk for row in read] == [review.pk]
    sign(ordered.vera, review)
    with nothing_written():
        assert services.remind(factories.SYSTEM, read[0]) == []
        tasks.remind_of_deadlines()


@pytest.mark.parametrize("end", ["withdraw", "void", "changes"])
def test_what_is_not_open_for_signature_is_not_called(ordered: Cast, end: str) -> None:
    review = asked(ordered, 4 * DAY)
    if end == "withdraw":
        services.withdraw(ordered.ana, review, reason="never mind")
    elif end == "void":
        services.void_live_round(factories.SYSTEM, review, reason="a test says so")
    else:
        sign(ordered.vera, review, "request_changes")
    with nothing_written():
        tasks.remind_of_deadlines()
        assert services.remind(factories.SYSTEM, review) == []


def test_a_new_round_is_called_anew(ordered: Cast) -> None:
    review = asked(ordered, 12 * DAY)
    tasks.remind_of_deadlines()
    with shifted(-6 * DAY):
        services.new_round(ordered.ana, review)
    tasks.remind_of_deadlines()
    one, _ = keys()
    assert called() == [(one, "overdue")] * 2
    is_whole()


def test_an_expired_request_is_not_called(cast: Cast, adam: Actor) -> None:
    validator, approver = builtin.standard()["steps"][:2]
    steps = [{**validator, "deadline_days": 5}, approver]
    put_in_force(adam, cast.vera, steps=steps, review_days=6)
    asked(cast, 7 * DAY)
    with nothing_written():
        tasks.remind_of_deadlines()


def test_two_jobs_at_once_call_it_once(ordered: Cast) -> None:
    asked(ordered, 6 * DAY)
    assert at_once(*[tasks.remind_of_deadlines] * 3) == [None] * 3
    assert [kind for _, kind in called()] == ["overdue"]


def test_a_signature_racing_the_call_is_one_of_the_two_orders(ordered: Cast) -> None:
    for trial in range(12):
        review = asked(ordered, 4 * DAY)
        before = len(called())
        answers = at_once(
            lambda review=review: sign(ordered.vera, review), tasks.remind_of_deadlines
        )
        assert isinstance(answers[0], Decision), f"trial {trial}: {answers}"
        row = Reminder.objects.filter(round__review=review).first()
        assert len(called()) - before == int(row is not None)
        if row is not None:
            told = Event.objects.get(type="reviews.review.due", payload__reminder=row.pk)
            by = Event.objects.get(
                type="reviews.decision.recorded", payload__decision=answers[0].pk
            )
            assert told.seq < by.seq
        services.withdraw(ordered.ana, review, reason="next trial")
        ordered.version = factories.version(ordered.ana, ordered.model)
    is_whole()


def test_the_queries_of_the_job_do_not_grow(ordered: Cast) -> None:
    asked(ordered, DAY)
    one = _queries()
    for _ in range(3):
        ordered.version = factories.version(ordered.ana, ordered.model)
        asked(ordered, DAY)
    assert _queries() == one


class _Count:
    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.number += 1
        return execute(sql, params, many, context)


def _queries() -> int:
    count = _Count()
    with connection.execute_wrapper(count):
        due.to_remind(clock.now())
    return count.number


# --- the database and the ledger ---------------------------------------------------------------


def insert(round_: Round, **changes: Any) -> None:
    now = clock.now()
    values = {
        "round_id": round_.pk,
        "step": keys()[0],
        "kind": ReminderKind.DUE,
        "due_at": round_.created_at + 5 * DAY,
        "created_at": now,
    }
    with transaction.atomic():
        Reminder.objects.create(**(values | changes))


def test_the_database_refuses_what_is_not_due_or_not_told_and_a_second_one(ordered: Cast) -> None:
    review = asked(ordered, 4 * DAY)
    round_ = selectors.live_round(review)
    assert round_ is not None
    late = round_.created_at + 5 * DAY
    for changes in (
        {"kind": "overdue"},
        {"kind": "overdue", "created_at": late},  # a clock that is ahead
        {"created_at": late - 3 * DAY},
        {"created_at": late},
        {"due_at": late - SECOND},
        {"step": "none"},
    ):
        with nothing_written(), pytest.raises(DatabaseError, match="reminder: step"):
            insert(round_, **changes)
    with nothing_written(), pytest.raises(DatabaseError, match="not in the ledger"):
        insert(round_)
    tasks.remind_of_deadlines()
    with nothing_written(), pytest.raises(DatabaseError, match="reviews_reminded_once"):
        insert(round_)
    with pytest.raises(DatabaseError, match="append-only"):
        Reminder.objects.update(step="none")
    sign(ordered.vera, review)
    with nothing_written(), pytest.raises(DatabaseError, match="has its signatures"):
        insert(round_)
    services.withdraw(ordered.ana, review, reason="never mind")
    with nothing_written(), pytest.raises(DatabaseError, match="not open for signature"):
        insert(round_)


def test_a_reminder_edited_by_hand_is_named(ordered: Cast) -> None:
    asked(ordered, 4 * DAY)
    tasks.remind_of_deadlines()
    row = Reminder.objects.get()
    with triggers_off("reviews_reminder"):
        Reminder.objects.update(due_at=row.due_at + DAY)
    assert f"reminder {row.pk}: the table says" in differences()
    with triggers_off("reviews_reminder"):
        Reminder.objects.all().delete()
    assert f"reminder {row.pk} is in the ledger and not in the table" in differences()
