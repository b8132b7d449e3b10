"""A request that nobody answers expires: at its moment and not before, once, for good, at every door."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from apps.audits.models import Event
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError
from apps.registry.models import ModelVersion
from apps.reviews import deadlines, selectors, services, tasks
from apps.reviews.models import Decision, Review
from apps.reviews.policies import builtin
from apps.reviews.policies.document import parse
from apps.reviews.reads import expiry
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_forgery import as_owner_of_the_server, differences, is_whole
from tests.reviews.test_policies import put_in_force
from tests.reviews.test_races import at_once
from tests.reviews.test_signing import sign
from tests.support import roles
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

DAYS = 9
LIFE = dt.timedelta(days=DAYS)
SECOND = dt.timedelta(seconds=1)
_real = clock.now


@contextmanager
def at(moment: dt.datetime) -> Iterator[None]:
    """The site's clock stands there inside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: moment)
        yield


@contextmanager
def shifted(by: dt.timedelta) -> Iterator[None]:
    """The site's clock runs so much ahead (behind, if negative) inside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: _real() + by)
        yield


@pytest.fixture(autouse=True)
def _nine_days(cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, review_days=DAYS)


def asked(cast: Cast, ago: dt.timedelta, version: ModelVersion | None = None) -> Review:
    """A review whose only round was made so long ago."""
    with shifted(-ago):
        return cast.submit(PRODUCTION, version=version)


def events() -> int:
    return Event.objects.filter(type="reviews.review.expired").count()


@given(
    st.datetimes(
        min_value=dt.datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=dt.datetime(2090, 1, 1),  # noqa: DTZ001
        timezones=st.just(dt.UTC),
    ),
    st.integers(1, 3660),
)
def test_days_are_24_hours_whatever_the_calendar_says(made: dt.datetime, days: int) -> None:
    document = parse({**builtin.standard(), "review_days": days})
    found = deadlines.expires_at(document, made)
    assert found is not None
    assert (found - made).total_seconds() == days * 24 * 3600
    assert deadlines.expires_at(parse(builtin.standard()), made) is None


def test_it_expires_at_the_moment_and_not_a_second_before(cast: Cast) -> None:
    review = asked(cast, LIFE + SECOND)
    moment = expiry.moment(review)
    assert moment is not None
    with at(moment - SECOND), nothing_written():
        assert expiry.refusal(review) is None
        assert expiry.expired(clock.now()) == []
        with pytest.raises(Conflict, match="has not expired"):
            services.expire(factories.SYSTEM, review)
    with at(moment):
        assert expiry.refusal(review) is not None
        assert [row.pk for row in expiry.expired(clock.now())] == [review.pk]
        tasks.expire_reviews()
    review.refresh_from_db()
    assert (review.status, review.closed_at) == ("expired", moment)
    assert "9 days after round 1" in review.note
    is_whole()


def test_the_job_run_twice_closes_once_and_leaves_others_alone(cast: Cast) -> None:
    late, young = asked(cast, LIFE), asked(cast, LIFE / 2, factories.version(cast.ana, cast.model))
    tasks.expire_reviews()
    tasks.expire_reviews()
    assert Review.objects.get(pk=late.pk).status == "expired"
    assert Review.objects.get(pk=young.pk).status == "open"
    assert events() == 1
    assert selectors.live_round(late) is None
    is_whole()


def test_two_jobs_at_once_close_it_once(cast: Cast) -> None:
    asked(cast, LIFE)
    assert at_once(tasks.expire_reviews, tasks.expire_reviews) == [None, None]
    assert events() == 1
    is_whole()


def test_what_nobody_decided_about_is_open_again_and_can_be_asked_for_again(cast: Cast) -> None:
    asked(cast, LIFE)
    tasks.expire_reviews()
    cast.version.refresh_from_db()
    assert cast.version.submitted_review is None
    again = cast.submit(PRODUCTION)
    sign(cast.vera, again)
    sign(cast.rui, again)
    assert Review.objects.get(pk=again.pk).status == "promoted"
    is_whole()


def test_what_somebody_signed_stays_in_the_record_and_counts_no_more(cast: Cast) -> None:
    review = asked(cast, LIFE)
    with shifted(-LIFE / 2):
        decision = sign(cast.vera, review)
    tasks.expire_reviews()
    cast.version.refresh_from_db()
    assert cast.version.submitted_review == review.pk
    assert Decision.objects.get().pk == decision.pk
    round_ = review.rounds.get()
    assert "expired" in round_.void_reason
    is_whole()


def test_a_new_round_gives_it_all_of_the_time_again(cast: Cast) -> None:
    review = asked(cast, LIFE)
    with shifted(-SECOND * 60):
        services.new_round(cast.ana, review)
    tasks.expire_reviews()
    review.refresh_from_db()
    moment = expiry.moment(review)
    assert review.status == "open"
    assert moment is not None
    assert moment > clock.now() + LIFE - dt.timedelta(minutes=2)


def test_changes_that_nobody_makes_expire_too_and_a_void_round_does_not_stop_the_clock(
    cast: Cast,
) -> None:
    back = asked(cast, LIFE)
    with shifted(-LIFE / 2):
        sign(cast.vera, back, "request_changes")
    void = asked(cast, LIFE, factories.version(cast.ana, cast.model))
    services.void_live_round(factories.SYSTEM, void, reason="a test says so")
    tasks.expire_reviews()
    assert {row.status for row in Review.objects.all()} == {"expired"}
    is_whole()


def test_a_signed_review_does_not_expire(cast: Cast, settings: object) -> None:
    review = asked(cast, LIFE)
    settings.PROMOTION_GATES = ["apps.checks.gates.required_checks_pass"]  # type: ignore[attr-defined]
    with shifted(-LIFE / 2):
        sign(cast.vera, review)
        sign(cast.rui, review)
    tasks.expire_reviews()
    review.refresh_from_db()
    assert (review.status, expiry.moment(review)) == ("signed", None)


def test_a_policy_without_it_lets_a_request_wait_for_ever(cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, cast.rui)
    review = asked(cast, LIFE * 50)
    tasks.expire_reviews()
    review.refresh_from_db()
    assert (review.status, expiry.moment(review)) == ("open", None)


@pytest.mark.parametrize("closed", [False, True])
def test_nothing_is_signed_or_made_anew_once_its_time_is_over(cast: Cast, *, closed: bool) -> None:
    """Whether the worker has closed it or not."""
    review = asked(cast, LIFE)
    live = selectors.live_round(review)
    assert live is not None
    if closed:
        tasks.expire_reviews()
        review.refresh_from_db()
    said = r"expired on \d\d \w+ \d{4} at \d\d:\d\d UTC: its policy lets a request wait for 9 days"
    with nothing_written():
        with pytest.raises(Conflict, match=said) as refused:
            sign(cast.vera, review, digest=live.digest)
        assert "Submit the version again" in refused.value.hint
        with pytest.raises(Conflict, match=said):
            services.new_round(cast.ana, review)
    assert "expired on" in selectors.why_not(cast.vera, review)


def test_a_signature_racing_the_expiry_is_one_of_the_two_orders(cast: Cast) -> None:
    """The last signature and the job meet at the moment itself; `lead` is how long before it they start."""
    seen = set()
    for trial in range(24):
        version = factories.version(cast.ana, cast.model)
        lead = dt.timedelta(milliseconds=(-200, 0, 15, 30, 45, 60, 90, 1500)[trial % 8])
        review = asked(cast, LIFE - dt.timedelta(seconds=2) - lead, version)
        sign(cast.vera, review)
        moment = expiry.moment(review)
        assert moment is not None
        _wait_until(moment - lead)
        signed, expired = at_once(
            partial(sign, cast.rui, review), partial(_until_closed, review, moment)
        )
        assert expired is None
        review.refresh_from_db()
        seen.add(review.status)
        if isinstance(signed, Decision):
            assert review.status == "promoted", f"trial {trial}"
            assert not Event.objects.filter(
                type="reviews.review.expired", scopes__contains=[f"review:{review.pk}"]
            ).exists()
        else:
            assert isinstance(signed, DomainError), f"trial {trial}: {signed}"
            assert (review.status, version.pk in _holders()) == ("expired", False), f"trial {trial}"
    assert seen == {"promoted", "expired"}
    is_whole()


def _wait_until(moment: dt.datetime) -> None:
    while _real() < moment:
        pass


def _until_closed(review: Review, moment: dt.datetime) -> None:
    """Run the job until the moment is past by a little, as beat would if it were that quick."""
    while _real() < moment + dt.timedelta(milliseconds=50):
        tasks.expire_reviews()
    tasks.expire_reviews()


def _holders() -> list[int]:
    return list(ModelVersion.objects.filter(stage="Production").values_list("pk", flat=True))


# --- the database's own role -------------------------------------------------------------------

_EXPIRE = "UPDATE reviews_review SET status = 'expired', closed_at = %s WHERE id = %s"
_VOID = "UPDATE reviews_round SET voided_at = now(), void_reason = 'x' WHERE review_id = %s"


def _run(*statements: tuple[str, list[object]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, values in statements:
            cursor.execute(sql, values)


def test_plain_sql_can_neither_expire_early_nor_without_its_event_nor_bring_back(
    cast: Cast,
) -> None:
    young = asked(cast, LIFE / 2)
    late = asked(cast, LIFE, factories.version(cast.ana, cast.model))
    now, far = clock.now(), clock.now() + LIFE
    refused: list[tuple[str, Callable[[], None]]] = [
        ("has not expired", lambda: _run((_VOID, [young.pk]), (_EXPIRE, [now, young.pk]))),
        ("has not expired", lambda: _run((_VOID, [young.pk]), (_EXPIRE, [far, young.pk]))),
        ("has not expired", lambda: _run((_EXPIRE, [now, late.pk]))),  # its round lives
        ("not in the ledger", lambda: _run((_VOID, [late.pk]), (_EXPIRE, [now, late.pk]))),
    ]
    for said, act in refused:
        with nothing_written(), pytest.raises(DatabaseError, match=said):
            act()
    tasks.expire_reviews()
    for status in ("open", "signed", "promoted"):
        with pytest.raises(DatabaseError, match=r"it is closed \(expired\)"):
            _run(("UPDATE reviews_review SET status = %s WHERE id = %s", [status, late.pk]))
    is_whole()


def test_the_runtime_role_is_refused_too(cast: Cast) -> None:
    roles.prepare()
    young = asked(cast, LIFE / 2)
    with roles.connect() as site, pytest.raises(Exception, match="has not expired"):
        site.execute(_VOID, [young.pk])
        site.execute(_EXPIRE, [clock.now(), young.pk])


def test_a_late_decision_is_refused_by_the_database(cast: Cast) -> None:
    review = asked(cast, LIFE + dt.timedelta(minutes=5))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expiry, "refusal", lambda review: None)
        with nothing_written(), pytest.raises(DatabaseError, match="has expired"):
            sign(cast.vera, review)


def test_an_expiry_that_the_ledger_does_not_tell_is_named(cast: Cast) -> None:
    review = asked(cast, LIFE)
    as_owner_of_the_server(
        lambda: Review.objects.filter(pk=review.pk).update(status="expired", closed_at=clock.now())
    )
    assert f"REV-{review.pk}: the table says expired, the ledger says open" in differences()
