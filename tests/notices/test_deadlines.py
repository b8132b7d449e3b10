"""Who is told of deadlines and expiry, and how often."""

from __future__ import annotations

import datetime as dt

import pytest

from apps.accounts import services as accounts
from apps.core.actor import Actor
from apps.core.models import OutboxMessage
from apps.notices import wording
from apps.notices.models import Notice
from apps.reviews import services, tasks
from apps.reviews.models import Review
from apps.reviews.policies import builtin
from tests import factories
from tests.notices.support import sign, told, work_off
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.conftest import adam as adam  # a fixture
from tests.reviews.test_expiry import shifted
from tests.reviews.test_policies import put_in_force

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)


@pytest.fixture
def due(cast: Cast, adam: Actor) -> Cast:
    """Validation within 5 days, owners told when it is overdue; the request lives for 20."""
    validator, approver = builtin.standard()["steps"][:2]
    first = {**validator, "deadline_days": 5, "escalate_to": ["owner"]}
    put_in_force(adam, cast.vera, steps=[first, approver], review_days=20)
    return cast


def asked(cast: Cast, days: int) -> Review:
    with shifted(-days * DAY):
        review = cast.submit(PRODUCTION)
    work_off()
    return review


def deadlines_told(actor: Actor) -> list[str]:
    wanted = {"review.due", "review.overdue", "review.expired"}
    return [kind for kind in told(actor) if kind in wanted]


def look() -> None:
    tasks.remind_of_deadlines()
    tasks.expire_reviews()
    work_off()


def test_those_asked_are_reminded_once_and_nobody_else(due: Cast) -> None:
    review = asked(due, 4)
    for _ in range(3):
        look()
    assert deadlines_told(due.vera) == ["review.due"]
    for other in (due.ana, due.rui, due.remo, due.omar, due.otto):
        assert deadlines_told(other) == []
    said = wording.words(Notice.objects.get(kind="review.due"))
    at = review.rounds.get().created_at + 5 * DAY
    assert said.title == f"{review.key} is to be signed by {at:%d %b %Y}"
    assert f"is due by {at:%d %b %Y, %H:%M} UTC" in said.text


def test_overdue_is_told_those_asked_and_the_roles_above_once(due: Cast) -> None:
    accounts.grant_role(factories.SYSTEM, "owner", factories.user_of(due.vera))
    asked(due, 6)
    look()
    OutboxMessage.objects.update(finished_at=None, claimed_until=None)
    look()
    assert deadlines_told(due.vera) == ["review.overdue"]  # asked and above: told once
    assert deadlines_told(due.omar) == ["review.overdue"]
    assert deadlines_told(due.ana) == ["review.overdue"]  # she made the model, so she owns it
    for other in (due.rui, due.remo, due.otto):
        assert deadlines_told(other) == []


def test_nothing_is_told_of_a_step_that_was_signed_before_the_worker_came(due: Cast) -> None:
    review = asked(due, 6)
    tasks.remind_of_deadlines()
    sign(due.vera, review)
    work_off()
    assert deadlines_told(due.vera) == deadlines_told(due.omar) == []


def test_nobody_above_who_may_not_read_the_review_is_told(due: Cast) -> None:
    accounts.revoke_role(factories.SYSTEM, "owner", factories.user_of(due.omar))
    asked(due, 6)
    look()
    assert deadlines_told(due.omar) == []


def test_an_expiry_is_told_the_submitter_and_the_signers(due: Cast) -> None:
    review = asked(due, 21)
    with shifted(-2 * DAY):
        sign(due.vera, review)
    look()
    assert deadlines_told(due.ana) == deadlines_told(due.vera) == ["review.expired"]
    assert deadlines_told(due.omar) == []
    said = wording.words(Notice.objects.filter(kind="review.expired").first())  # type: ignore[arg-type]
    assert said.title == f"{review.key} expired"
    assert "waited for 20 days after round 1" in said.text


def test_withdrawn_reviews_are_not_called(due: Cast) -> None:
    review = asked(due, 6)
    services.withdraw(due.ana, review, reason="never mind")
    look()
    assert not Notice.objects.filter(kind__in=["review.due", "review.overdue"]).exists()
