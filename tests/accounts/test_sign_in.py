"""Sign-in by password, lockout, re-authentication, the first administrator."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from apps.accounts import policy, selectors, services
from apps.accounts.models import RoleAssignment, SetupToken, SignInThrottle, User
from apps.accounts.proof import ReauthProof
from apps.audits.selectors import attempts
from apps.core import clock
from apps.core.errors import Conflict, Forbidden, Invalid
from tests.support.people import PASSWORD, SYSTEM, as_actor, hire
from tests.support.races import at_once

HERE, THERE = "198.51.100.7", "203.0.113.9"


def noted(act: str) -> list[tuple[str, str]]:
    """Outcome and reason of the attempts, newest first."""
    return [(row.outcome, row.reason) for row in attempts() if row.act == act]


def fail(times: int, username: str = "ana", address: str = HERE) -> None:
    for _ in range(times):
        assert services.authenticate_password(username, "wrong", remote_addr=address) is None


def test_a_right_password_lets_in_in_any_case_of_the_name(ana: User) -> None:
    assert services.authenticate_password(" ANA ", PASSWORD, remote_addr=HERE) == ana
    assert ("done", "") in noted("sign-in")


@pytest.mark.parametrize("username", ["nobody", "", "a\x00b", "x" * 500, "ana\n"])
def test_an_unknown_name_is_refused_like_a_wrong_password(username: str, otto: User) -> None:
    assert services.authenticate_password(username, PASSWORD, remote_addr=HERE) is None
    assert noted("sign-in")[0] == ("failed", "wrong username or password")


def test_an_unknown_name_costs_as_much_as_a_known_one(
    settings: pytest.FixtureRequest, db: None
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # type: ignore[attr-defined]
    hire("nell", "Nell")

    def seconds(username: str) -> float:
        started = time.process_time()
        services.authenticate_password(username, "wrong-and-long", remote_addr=HERE)
        return time.process_time() - started

    known, unknown = seconds("nell"), seconds("nobody")
    assert 0.4 < unknown / known < 2.5


def test_five_wrong_passwords_lock_the_account_for_that_address_only(ana: User) -> None:
    fail(5)
    with pytest.raises(Forbidden, match="Too many"):
        services.authenticate_password("ana", PASSWORD, remote_addr=HERE)
    assert noted("sign-in")[0] == ("refused", "locked")
    assert services.authenticate_password("ana", PASSWORD, remote_addr=THERE) == ana


def test_an_unknown_account_locks_the_same_way(db: None) -> None:
    fail(5, "nobody")
    with pytest.raises(Forbidden, match="Too many"):
        services.authenticate_password("nobody", "x", remote_addr=HERE)
    row = SignInThrottle.objects.get()
    assert "nobody" not in row.account


def test_a_right_password_clears_the_count(ana: User) -> None:
    fail(4)
    assert services.authenticate_password("ana", PASSWORD, remote_addr=HERE) == ana
    fail(4)
    assert services.authenticate_password("ana", PASSWORD, remote_addr=HERE) == ana


def test_the_lock_ends(ana: User) -> None:
    fail(5)
    past = clock.now() - dt.timedelta(seconds=901)
    SignInThrottle.objects.update(last_failed_at=past, locked_until=past)
    assert services.authenticate_password("ana", PASSWORD, remote_addr=HERE) == ana


def test_reauthentication_proves_the_person_for_a_moment(rui: User, ana: User) -> None:
    proof = services.reauthenticate(as_actor(rui), PASSWORD, remote_addr=HERE)
    assert (proof.method, proof.user_id) == ("password", rui.pk)
    proof.require_for(as_actor(rui))
    with pytest.raises(Forbidden, match="somebody else"):
        proof.require_for(as_actor(ana))
    old = ReauthProof("password", clock.now() - dt.timedelta(seconds=301), rui.pk)
    with pytest.raises(Forbidden, match="Confirm again"):
        old.require_for(as_actor(rui))


def test_a_wrong_password_at_signing_is_an_attempt_and_counts(rui: User) -> None:
    for _ in range(5):
        with pytest.raises(Forbidden, match="not your password"):
            services.reauthenticate(as_actor(rui), "wrong", remote_addr=HERE)
    assert noted("reauthenticate")[0] == ("failed", "wrong password")
    with pytest.raises(Forbidden, match="Too many"):
        services.reauthenticate(as_actor(rui), PASSWORD, remote_addr=HERE)
    with pytest.raises(Forbidden, match="Too many"):
        services.authenticate_password("rui", PASSWORD, remote_addr=HERE)


def test_tokens_services_and_the_system_prove_nothing(rui: User) -> None:
    service = services.create_service(SYSTEM, username="ci", display_name="CI", owners=[rui])
    for actor in (SYSTEM, as_actor(rui, scopes={"read"}), as_actor(service)):
        with pytest.raises(Forbidden):
            services.reauthenticate(actor, PASSWORD)


def test_somebody_without_a_password_is_told_what_to_do(rui: User) -> None:
    rui.set_unusable_password()
    rui.save()
    with pytest.raises(Forbidden, match="Set a signing password"):
        services.reauthenticate(as_actor(rui), "")


# --- races: real connections, real commits ------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_guesses_in_parallel_are_counted_before_they_are_looked_at() -> None:
    hire("nell", "Nell")

    def guess() -> object:
        return services.authenticate_password("nell", "wrong", remote_addr=HERE)

    results = at_once(*[guess] * 12)
    assert sum(result is None for result in results) == 5
    assert sum(isinstance(result, Forbidden) for result in results) == 7


@pytest.mark.django_db(transaction=True)
def test_a_failed_guess_counts_even_if_the_request_is_rolled_back() -> None:
    nell = hire("nell", "Nell")
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        services.authenticate_password("nell", "wrong", remote_addr=HERE)
    for _ in range(5):
        with pytest.raises(Forbidden):
            services.reauthenticate(as_actor(nell), "wrong", remote_addr=HERE)
    assert SignInThrottle.objects.get().failures == 5


@pytest.mark.django_db(transaction=True)
def test_two_set_ups_at_once_make_one_administrator() -> None:
    token = services.new_setup_token()

    def set_up(name: str) -> Callable[[], object]:
        return lambda: services.set_up_first_administrator(token, name, PASSWORD, name.title())

    results = at_once(set_up("first"), set_up("second"))
    made = [result for result in results if isinstance(result, User)]
    refused = [result for result in results if isinstance(result, Conflict | Forbidden)]
    assert (len(made), len(refused)) == (1, 1)
    assert list(selectors.administrators()) == made
    assert User.objects.count() == 1


@pytest.fixture
def signing() -> tuple[User, User, threading.Event, threading.Event]:
    signer = hire("rui", "Rui Costa", "approver")
    admin = hire("ada", "Ada Okafor", "administrator")
    return signer, admin, threading.Event(), threading.Event()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", ["revoke", "deactivate", "reset"])
def test_a_revocation_waits_for_a_signature_under_way_and_stops_the_next(
    act: str, signing: tuple[User, User, threading.Event, threading.Event]
) -> None:
    signer, admin, locked, done = signing
    order: list[str] = []

    def sign() -> None:
        try:
            with transaction.atomic():
                policy.require_fresh(as_actor(signer), "review.sign.approver")
                locked.set()
                time.sleep(0.4)
                order.append("signed")
        finally:
            connections.close_all()

    def revoke() -> None:
        locked.wait(10)
        try:
            if act == "revoke":
                services.revoke_role(as_actor(admin), "approver", signer)
            elif act == "deactivate":
                services.deactivate_user(as_actor(admin), signer, reason="left")
            else:
                services.reset_password(as_actor(admin), signer, password="temporary-orchard-7")
            order.append("revoked")
            done.set()
        finally:
            connections.close_all()

    stale = as_actor(signer)
    threads = [threading.Thread(target=target, daemon=True) for target in (sign, revoke)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert order == ["signed", "revoked"]
    assert done.is_set()
    assert policy.can(stale, "review.sign.approver"), "the request's picture is old"
    with pytest.raises(Forbidden), transaction.atomic():
        policy.require_fresh(stale, "review.sign.approver")


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once() -> None:
    for trial in range(5):
        one, two = (hire(f"{name}{trial}", name, "administrator") for name in ("one", "two"))
        others = selectors.administrators().exclude(pk__in=[one.pk, two.pk])
        for other in others:
            services.revoke_role(SYSTEM, "administrator", other)
        results = at_once(
            partial(services.revoke_role, as_actor(one), "administrator", two),
            partial(services.deactivate_user, as_actor(two), one, reason="coup"),
        )
        assert sum(isinstance(result, Conflict | Forbidden) for result in results) == 1
        assert selectors.administrators().count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_right_to_sign_is_asked_inside_a_transaction_only() -> None:
    rui = hire("rui", "Rui Costa", "approver")
    with pytest.raises(RuntimeError, match="transaction"):
        policy.require_fresh(as_actor(rui), "review.sign.approver")


# --- the first administrator ---------------------------------------------------------------------


def test_the_printed_token_makes_the_first_administrator_once(db: None) -> None:
    out = StringIO()
    call_command("setup_token", stdout=out)
    token = out.getvalue().splitlines()[0].split()[-1]
    assert not SetupToken.objects.filter(digest__contains=token).exists()
    ada = services.set_up_first_administrator(token, "Ada", PASSWORD, "Ada Okafor")
    assert policy.can(as_actor(ada), "people.manage")
    assert services.authenticate_password("ada", PASSWORD) == ada
    with pytest.raises(Conflict):
        services.set_up_first_administrator(token, "eve", PASSWORD, "Eve")
    with pytest.raises(CommandError):
        call_command("setup_token", stdout=out)
    assert noted("setup")[0][0] == "refused"


@pytest.mark.parametrize("kind", ["wrong", "old", "replaced", "empty"])
def test_no_other_token_makes_an_administrator(kind: str, db: None) -> None:
    token = services.new_setup_token()
    if kind == "old":
        SetupToken.objects.update(created_at=clock.now() - dt.timedelta(hours=25))
    elif kind == "replaced":
        services.new_setup_token()
    else:
        token = "" if kind == "empty" else token[:-1]
    with pytest.raises(Forbidden):
        services.set_up_first_administrator(token, "eve", PASSWORD, "Eve")
    assert not User.objects.exists()
    assert not RoleAssignment.objects.exists()
    assert noted("setup")[0][0] == "refused"


def test_a_bad_password_does_not_spend_the_token(db: None) -> None:
    token = services.new_setup_token()
    with pytest.raises(Invalid):
        services.set_up_first_administrator(token, "ada", "short", "Ada")
    services.set_up_first_administrator(token, "ada", PASSWORD, "Ada")
    assert selectors.administrators().count() == 1


def test_everything_works_with_the_rights_of_the_sites_own_role(as_runtime_role: None) -> None:
    token = services.new_setup_token()
    ada = services.set_up_first_administrator(token, "ada", PASSWORD, "Ada")
    user = services.create_user(
        as_actor(ada), username="nell", display_name="Nell", password="temporary-orchard-7"
    )
    services.grant_role(as_actor(ada), "viewer", user)
    team = services.create_team(as_actor(ada), key="t", name="T")
    services.grant_role(as_actor(ada), "approver", user, on=team)
    services.change_password(as_actor(user), current="temporary-orchard-7", new=PASSWORD)
    with transaction.atomic():
        policy.require_fresh(as_actor(user), "review.sign.approver", team)
    services.revoke_role(as_actor(ada), "viewer", user)
    services.deactivate_user(as_actor(ada), user, reason="left")
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('accounts_roleverb', 'INSERT')")
        assert cursor.fetchone() == (False,)
