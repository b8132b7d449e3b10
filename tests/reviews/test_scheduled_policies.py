"""A change of policy that names a day: signed now, in force then and not before, withdrawn until then, looked at again on the day."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts.models import User
from apps.audits.models import Event
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, Forbidden, Invalid
from apps.notices.models import Notice
from apps.notices.services.making import make_for
from apps.notices.wording import words
from apps.reviews import in_force, services, tasks
from apps.reviews.models import PolicyActivation, PolicyChange
from apps.reviews.policies import files
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_expiry import shifted
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_policies import LOOSER, STRICTER, WHY, activate, signs, text
from tests.reviews.test_races import at_once
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

DAY = dt.timedelta(days=1)


def scheduled(
    adam: Actor, *signers: Actor, ago: int = 0, yaml: str = "", ahead: int = 1
) -> PolicyChange:
    """Proposed and signed `ago` days ago, for the day that was `ahead` days ahead then."""
    with shifted(-ago * DAY):
        day = clock.now().date() + ahead * DAY
        change = services.propose(adam, text=yaml or text(**STRICTER), reason=WHY, effective_on=day)
        for signer in signers:
            signs(signer, change)
    change.refresh_from_db()
    return change


def test_it_is_scheduled_with_its_last_signature_and_in_force_with_the_sweep_of_its_day(
    cast: Cast, adam: Actor
) -> None:
    change = scheduled(adam, cast.vera, ago=2)
    assert change.status == "scheduled"
    assert change.effective_at is not None
    assert change.effective_at.time() == dt.time()
    assert str(in_force.policy_for(cast.version)) == "standard v1"
    is_whole()
    with shifted(-2 * DAY):
        tasks.put_policies_in_force()
        assert str(in_force.policy_for(cast.version)) == "standard v1"
        with pytest.raises(Conflict, match="later"):
            services.put_in_force(Actor.system("worker"), change)
    review = cast.submit(
        PRODUCTION
    )  # the day has come, the sweep has not: the activation counts, not the clock
    assert str(review.policy_version) == "standard v1"
    tasks.put_policies_in_force()
    assert str(in_force.policy_for(cast.version)) == "standard v2"
    review.refresh_from_db()
    assert str(review.policy_version) == "standard v1"
    with nothing_written():
        tasks.put_policies_in_force()
    is_whole()


def test_a_day_that_is_not_ahead_or_too_far_is_refused_and_what_is_signed_names_it(
    cast: Cast, adam: Actor
) -> None:
    today = clock.now().date()
    for day in (today, today - DAY, today + 800 * DAY):
        with nothing_written(), pytest.raises(Invalid) as raised:
            services.propose(adam, text=text(**STRICTER), reason=WHY, effective_on=day)
        assert set(raised.value.fields) == {"effective_on"}
    change = scheduled(adam)
    assert change.status == "open"
    assert (today + DAY).isoformat() in bytes(change.manifest).decode()


def test_signed_after_its_day_it_is_in_force_at_once(cast: Cast, adam: Actor) -> None:
    change = scheduled(adam, ago=2)
    signs(cast.vera, change)
    change.refresh_from_db()
    assert change.status == "activated"
    is_whole()


def test_another_change_of_the_same_policy_is_refused_and_named(cast: Cast, adam: Actor) -> None:
    change = scheduled(adam, cast.vera)
    with nothing_written(), pytest.raises(AlreadyExists, match=f"{change}, .* is signed and comes"):
        services.propose(adam, text=text(**LOOSER), reason=WHY)


def test_until_then_its_proposer_and_those_who_sign_withdraw_it_and_nobody_else(
    cast: Cast, adam: Actor
) -> None:
    change = scheduled(adam, cast.vera)
    other = factories.person("abel", "administrator")
    for actor in (other, cast.ana, cast.otto):
        with nothing_written(), pytest.raises(Forbidden):
            services.withdraw_change(actor, change, reason="no")
    services.withdraw_change(cast.rui, change, reason="the committee met again")
    change.refresh_from_db()
    assert change.status == "withdrawn"
    again = scheduled(adam, cast.vera)
    services.withdraw_change(adam, again, reason="not yet")
    is_whole()


def test_what_would_loosen_more_on_its_day_than_was_signed_waits_and_says_so_once(
    cast: Cast, adam: Actor
) -> None:
    light = files.dump(next(each for each in files.packs() if each.key == "light"))
    change = scheduled(adam, cast.vera, ago=2, yaml=light)
    assert change.status == "scheduled"
    assert change.loosens == []
    narrower = text(applies_to__tiers=[1, 2])
    with shifted(-2 * DAY):
        activate(adam, narrower, cast.vera, cast.rui)
    for _ in range(2):
        tasks.put_policies_in_force()
    change.refresh_from_db()
    assert change.status == "scheduled"
    assert "Now it would also loosen" in change.note
    assert in_force.of_key("light") is None
    assert Event.objects.filter(type="reviews.policy.held").count() == 1
    is_whole()
    page = browser(factories.user_of(cast.vera)).get(f"/policies/changes/{change.pk}/")
    assert "Its day has come, and it is not in force" in page.content.decode()
    services.withdraw_change(cast.vera, change, reason="it is to be signed anew")
    is_whole()


def test_the_database_refuses_a_moment_that_was_not_signed_and_an_activation_before_it(
    cast: Cast, adam: Actor
) -> None:
    change = scheduled(adam, cast.vera)
    unsigned = [
        "UPDATE reviews_policychange SET effective_at = now() WHERE id = %s",
        "UPDATE reviews_policychange SET status = 'activated' WHERE id = %s",
        "UPDATE reviews_policychange SET status = 'open' WHERE id = %s",
        "UPDATE reviews_policychange SET status = 'rejected' WHERE id = %s",
    ]
    for sql in unsigned:
        _refused(sql, change, r"later|would change")
    services.withdraw_change(adam, change, reason="for the next one")
    waiting = scheduled(adam)
    sql = "UPDATE reviews_policychange SET status = 'scheduled' WHERE id = %s"
    _refused(sql, waiting, "does not have its signatures")
    is_whole()


def _refused(sql: str, change: PolicyChange, why: str) -> None:
    with (
        pytest.raises(DatabaseError, match=why),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql, [change.pk])


def test_two_sweeps_and_a_withdrawal_at_once_end_in_one_of_the_two(cast: Cast, adam: Actor) -> None:
    change = scheduled(adam, cast.vera, ago=2)

    def sweep() -> None:
        tasks.put_policies_in_force()

    def withdraw() -> None:
        services.withdraw_change(cast.rui, change, reason="stop")

    at_once(sweep, sweep, withdraw)
    change.refresh_from_db()
    assert change.status in {"activated", "withdrawn"}
    assert PolicyActivation.objects.filter(change=change).count() == (change.status == "activated")
    is_whole()


def test_the_pages_say_from_when_on(cast: Cast, adam: Actor) -> None:
    ada: User = factories.user_of(adam)
    day = clock.now().date() + 3 * DAY
    form = {"text": text(**STRICTER), "reason": WHY, "effective_on": day.isoformat()}
    assert browser(ada).post("/policies/propose/", form | {"effective_on": "2001-01-01"}).status_code == 422  # fmt: skip
    assert browser(ada).post("/policies/propose/", form).status_code == 302
    change = PolicyChange.objects.latest("pk")
    assert (
        f"{change} standard v2" in browser(factories.user_of(cast.vera)).get("/").content.decode()
    )
    signs(cast.vera, change)
    assert f"{change} standard v2" in browser(factories.user_of(cast.rui)).get("/").content.decode()
    assert f"{change} standard v2" not in browser(factories.user_of(cast.ana)).get("/").content.decode()  # fmt: skip
    said = f"in force from {day.day} {day:%B %Y}, 00:00 UTC"
    client = browser(factories.user_of(cast.vera))
    for path in ("/policies/", f"/policies/changes/{change.pk}/"):
        assert said in client.get(path).content.decode()
    assert "Signed, not yet in force" in client.get(f"/policies/changes/{change.pk}/").content.decode()  # fmt: skip
    url = f"/policies/changes/{change.pk}/withdraw/"
    assert browser(factories.user_of(cast.ana)).get(url).status_code == 403
    assert client.post(url, {"reason": "later"}).status_code == 302


def test_those_concerned_are_told_what_changes_and_the_signers_that_they_are_asked(
    cast: Cast, adam: Actor
) -> None:
    change = scheduled(adam, cast.vera, ago=2)
    tasks.put_policies_in_force()
    for event in Event.objects.filter(type__startswith="reviews.policy.").order_by("seq"):
        make_for(event.seq)
    told = {(row.kind, row.recipient_id): words(row) for row in Notice.objects.all()}
    assert ("policy.proposed", cast.rui.user_id) in told
    assert ("policy.proposed", adam.user_id) not in told
    for person in (
        adam,
        cast.vera,
        cast.ana,
    ):  # the proposer, the signer, the owner of a model that it covers
        said = told["policy.in_force", person.user_id]
        assert said.title == "standard v2 is in force"
        assert "Performance: ROC AUC, at least: 0.70 becomes 0.80" in said.text
        assert said.path == f"/policies/changes/{change.pk}/"
    assert ("policy.in_force", cast.otto.user_id) not in told
