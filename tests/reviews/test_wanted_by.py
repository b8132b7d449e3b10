"""The day by which a submitter would like her version to be there: part of the request, and no deadline."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from apps.accounts.models import User
from apps.audits.models import Event
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.reviews import services
from apps.reviews.models import Review
from apps.reviews.reads import due, expiry
from tests.reviews.conftest import PRODUCTION, Cast
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


def submit(cast: Cast, day: dt.date | None) -> Review:
    return services.submit(
        cast.ana,
        cast.version,
        targets=[PRODUCTION],
        justification="replaces the scorecard",
        wanted_by=day,
    )


def of(person: Actor) -> Client:
    return browser(User.objects.get(pk=person.user_id))


def in_days(days: int) -> dt.date:
    return clock.now().date() + dt.timedelta(days=days)


@pytest.mark.parametrize("days", [0, 9])
def test_today_and_later_stand_in_the_request_and_in_the_ledger(cast: Cast, days: int) -> None:
    day = in_days(days)
    review = submit(cast, day)
    review.refresh_from_db()
    assert review.wanted_by == day
    event = Event.objects.get(type="reviews.review.submitted")
    assert (event.schema, event.payload["wanted_by"]) == (2, day.isoformat())


def test_yesterday_is_refused_and_nothing_is_frozen(cast: Cast) -> None:
    with pytest.raises(Invalid) as refusal:
        submit(cast, in_days(-1))
    assert "is over" in refusal.value.fields["wanted_by"]
    cast.version.refresh_from_db()
    assert cast.version.submitted_review is None
    assert not Review.objects.exists()


def test_no_deadline_and_no_expiry_follows_from_it(cast: Cast) -> None:
    review = submit(cast, in_days(0))
    with_day = (due.of(review), expiry.of_round(review, review.created_at))
    services.withdraw(cast.ana, review, reason="once more without")
    again = submit(cast, None)
    without = (due.of(again), expiry.of_round(again, review.created_at))
    assert [each.step.key for each in with_day[0]] == [each.step.key for each in without[0]]
    assert with_day[1] == without[1]


def test_the_database_keeps_it_and_takes_no_day_that_was_over(cast: Cast) -> None:
    review = submit(cast, in_days(3))
    rows = Review.objects.filter(pk=review.pk)
    for other in (in_days(4), None):
        with (
            pytest.raises(DatabaseError, match="what was asked for does not change"),
            transaction.atomic(),
        ):
            rows.update(wanted_by=other)
    with pytest.raises(DatabaseError, match="reviews_wanted_by_not_past"), transaction.atomic():
        Review.objects.create(
            version=cast.version,
            targets=review.targets,
            policy_version=review.policy_version,
            submitted_by_id=cast.ana.user_id,
            justification="by a door of my own",
            wanted_by=in_days(-1),
            status="withdrawn",
            created_at=clock.now(),
        )


def test_pages_say_it_to_whoever_decides(cast: Cast) -> None:
    day = in_days(9)
    review = submit(cast, day)
    said = f"{day.day} {day:%B %Y}"
    vera = of(cast.vera)
    page = vera.get(f"/reviews/{review.pk}/").content.decode()
    assert f"wanted by {said}" in page
    assert "wish, not a deadline" in page
    for path in ("/", "/reviews/"):
        assert f"wanted by {said}" in vera.get(path).content.decode()
    assert (
        f"wanted by {day.isoformat()}" in vera.get(f"/audit/?subject={review.key}").content.decode()
    )


def test_a_day_gone_by_is_said_while_the_request_waits(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = submit(cast, in_days(1))
    later = clock.now() + dt.timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "that day is over" in of(cast.vera).get(f"/reviews/{review.pk}/").content.decode()


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(cast: Cast) -> None:
    ana, where = of(cast.ana), "/models/credit/1/submit/"
    sent = {"targets": ["stage:production"], "justification": "better"}
    for day, why in (("2020-01-31", "2020-01-31 is over"), ("soon", "A date such as 2027-01-31.")):
        answer = ana.post(where, {**sent, "wanted_by": day})
        assert answer.status_code == 422
        page = answer.content.decode()
        assert why in page
        assert f'value="{day}"' in page
    assert ana.post(where, {**sent, "wanted_by": ""}).status_code in {302, 303}
    assert Review.objects.get().wanted_by is None
