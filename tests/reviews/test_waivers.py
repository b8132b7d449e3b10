"""A requirement is put aside by the right signature only, for a while, and visibly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts import services as accounts
from apps.accounts.services import ReauthProof
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, DomainError, Forbidden, Invalid
from apps.reviews import evidence, gates, selectors, services
from apps.reviews.models import Waiver, WaiverRevocation
from apps.reviews.reads import waivers
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_forgery import differences, is_whole
from tests.support.people import as_actor
from tests.support.races import at_once
from tests.support.triggers import triggers_off
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("reviews_waiver", "reviews_waiverrevocation")


def today() -> dt.date:
    return clock.now().date()


def grant(cast: Cast, actor: Actor | None = None, **changes: Any) -> Waiver:
    who = actor or cast.rui
    values: dict[str, Any] = {
        "requirement": "checks.fairness",
        "reason": "No group data until the spring census.",
        "until": today() + dt.timedelta(days=90),
    }
    proof = changes.pop("proof", None) or factories.proof(who)
    return services.grant_waiver(who, cast.version, **{**values, **changes}, proof=proof)


def test_a_waiver_is_in_force_until_its_last_day_has_passed(cast: Cast) -> None:
    row = grant(cast)
    assert waivers.in_force(cast.version, clock.now()) == {"checks.fairness": row}
    last = row.expires_at - dt.timedelta(seconds=1)
    assert waivers.in_force(cast.version, last) == {"checks.fairness": row}
    assert waivers.in_force(cast.version, row.expires_at) == {}
    assert waivers.in_force(cast.version, row.created_at - dt.timedelta(seconds=1)) == {}
    assert waivers.in_force(factories.version(cast.ana, cast.model), clock.now()) == {}
    is_whole()


FAIRNESS = {
    "checks": {"fairness": {"demographic_parity_difference": {"max": "0.10"}}},
    "card_complete": True,
}


def test_a_gate_counts_a_waived_requirement_as_met_while_the_waiver_lives(cast: Cast) -> None:
    assert gates.checks_pass(cast.version, [PRODUCTION], FAIRNESS).state == "missing"
    assert gates.card_complete(cast.version, [PRODUCTION], FAIRNESS).state == "missing"
    row = grant(cast)
    found = gates.checks_pass(cast.version, [PRODUCTION], FAIRNESS)
    assert found.passes
    assert "Fairness check waived by Rui until" in found.fact
    both = {"checks": {**FAIRNESS["checks"], "drift": {"psi": {"max": "0.25"}}}}
    assert not gates.checks_pass(cast.version, [PRODUCTION], both).passes
    grant(cast, requirement="card")
    assert gates.card_complete(cast.version, [PRODUCTION], FAIRNESS).passes
    services.revoke_waiver(cast.rui, row, reason="the census came")
    assert not gates.checks_pass(cast.version, [PRODUCTION], FAIRNESS).passes


def test_evidence_lacks_nothing_that_is_waived(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    round_ = selectors.live_round(review)
    assert round_ is not None
    assert len(evidence.shortcomings(round_)) == 4
    grant(cast)
    grant(cast, requirement="card")
    assert [text.split()[0] for text in evidence.shortcomings(round_)] == ["performance", "drift"]


REFUSED: list[tuple[str, dict[str, Any], type[DomainError], str]] = [
    ("vera", {}, Forbidden, r"review\.sign\.approver"),
    ("ana", {}, Forbidden, r"review\.sign\.approver"),
    ("omar", {}, Forbidden, r"review\.sign\.approver"),
    ("otto", {}, Forbidden, r"review\.sign\.approver"),
    ("rui", {"requirement": "review"}, Invalid, "cannot be waived"),
    ("rui", {"requirement": "evidence"}, Invalid, "cannot be waived"),
    ("rui", {"requirement": "findings"}, Invalid, "cannot be waived"),
    ("rui", {"requirement": "checks.luck"}, Invalid, "cannot be waived"),
    ("rui", {"requirement": ""}, Invalid, "cannot be waived"),
    ("rui", {"reason": " "}, Invalid, "missing"),
    ("rui", {"reason": "x" * 1_000_000}, Invalid, "too long"),
    ("rui", {"reason": "a\x00b"}, Invalid, "cannot be kept"),
    ("rui", {"until": dt.date(2020, 1, 1)}, Invalid, "A waiver ends"),
    ("rui", {"until": dt.date(2999, 1, 1)}, Invalid, "A waiver ends"),
]


@pytest.mark.parametrize(("who", "changes", "error", "words"), REFUSED)
def test_what_cannot_be_waived_is_refused(
    who: str, changes: dict[str, Any], error: type[DomainError], words: str, cast: Cast
) -> None:
    with nothing_written(), pytest.raises(error, match=words):
        grant(cast, getattr(cast, who), **changes)


@pytest.mark.parametrize(("days", "fits"), [(-1, False), (0, True), (365, True), (366, False)])
def test_a_waiver_lasts_from_today_to_a_year(days: int, fits: bool, cast: Cast) -> None:
    until = today() + dt.timedelta(days=days)
    if fits:
        assert grant(cast, until=until).expires_at > clock.now()
        return
    with nothing_written(), pytest.raises(Invalid) as refusal:
        grant(cast, until=until)
    assert set(refusal.value.fields) == {"until"}


def test_an_author_with_the_role_never_waives(cast: Cast) -> None:
    accounts.grant_role(factories.SYSTEM, "approver", factories.user_of(cast.ana))
    author = factories.again(cast.ana)
    with nothing_written(), pytest.raises(Forbidden, match="You made part of this version"):
        grant(cast, author)
    cast.submit(PRODUCTION)
    with pytest.raises(DatabaseError, match="is an author"):
        _insert(cast, author)


def _insert(cast: Cast, actor: Actor) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO reviews_waiver (version_id, requirement, reason, expires_at, user_id, role,"
            " signer_name, statement, statement_digest, method, reauthenticated_at, created_at)"
            " VALUES (%s, 'card', 'forged', now() + interval '1 day', %s, 'approver', 'x', 'forged',"
            " encode(sha256('forged'), 'hex'), 'password', now(), now())",
            [cast.version.pk, actor.user_id],
        )


def test_a_waiver_without_its_event_is_refused_in_sql(cast: Cast) -> None:
    with pytest.raises(DatabaseError, match="not in the ledger"):
        _insert(cast, cast.rui)
    assert not Waiver.objects.exists()


@pytest.mark.parametrize(
    ("age", "of", "words"),
    [(301, "rui", "You confirmed who you are"), (0, "remo", "confirmed by somebody else")],
)
def test_a_waiver_takes_a_fresh_proof_of_ones_own(
    age: int, of: str, words: str, cast: Cast
) -> None:
    at = clock.now() - dt.timedelta(seconds=age)
    proof = ReauthProof(method="password", at=at, user_id=getattr(cast, of).user_id)
    with nothing_written(), pytest.raises(Forbidden, match=words):
        grant(cast, proof=proof)


def test_a_token_waives_nothing(cast: Cast) -> None:
    scopes = {"read", "tracking", "registry"}
    token = as_actor(factories.user_of(cast.rui), door="api", scopes=scopes)
    with nothing_written(), pytest.raises(Forbidden, match="No token carries this right"):
        grant(cast, token, proof=factories.proof(cast.rui))


def test_a_requirement_is_waived_once_at_a_time_also_by_two_at_once(cast: Cast) -> None:
    for requirement in ("checks.fairness", "checks.drift", "card"):
        answers = at_once(
            partial(grant, cast, cast.rui, requirement=requirement),
            partial(grant, cast, cast.remo, requirement=requirement),
        )
        assert sum(isinstance(answer, Waiver) for answer in answers) == 1, answers
        assert sum(isinstance(answer, AlreadyExists) for answer in answers) == 1, answers
    assert len(waivers.in_force(cast.version, clock.now())) == 3


def test_a_revoked_waiver_counts_no_more_and_makes_room(cast: Cast) -> None:
    row = grant(cast)
    for who, reason, error in (
        (cast.vera, "late", Forbidden),
        (cast.rui, "", Invalid),
        (cast.rui, "x" * 1_000_000, Invalid),
    ):
        with nothing_written(), pytest.raises(error):
            services.revoke_waiver(who, row, reason=reason)
    services.revoke_waiver(cast.remo, row, reason="the census came")
    assert waivers.in_force(cast.version, clock.now()) == {}
    assert waivers.standing(waivers.waivers_of(cast.version)[0]).reason == "the census came"
    with nothing_written(), pytest.raises(Conflict, match="not in force"):
        services.revoke_waiver(cast.rui, row, reason="again")
    assert grant(cast).pk != row.pk
    is_whole()


def test_two_revocations_at_once_are_one(cast: Cast) -> None:
    row = grant(cast)
    revoke: list[Callable[[], object]] = [
        partial(services.revoke_waiver, who, row, reason="late") for who in (cast.rui, cast.remo)
    ]
    answers = at_once(*revoke)
    assert sum(isinstance(answer, WaiverRevocation) for answer in answers) == 1
    assert sum(isinstance(answer, Conflict) for answer in answers) == 1


FORGED = [
    "UPDATE reviews_waiver SET expires_at = now() + interval '300 days'",
    "UPDATE reviews_waiver SET reason = 'x'",
    "DELETE FROM reviews_waiver",
    "DELETE FROM reviews_waiverrevocation",
    "TRUNCATE reviews_waiverrevocation",
]


@pytest.mark.parametrize("sql", FORGED)
def test_the_sites_own_role_cannot_change_a_waiver(
    sql: str, cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    services.revoke_waiver(cast.rui, grant(cast), reason="late")
    with pytest.raises(psycopg.Error) as refusal:
        runtime_connection.execute(sql)
    assert refusal.value.sqlstate == "42501"
    is_whole()


TAMPERED = [
    ("UPDATE reviews_waiver SET expires_at = now() + interval '9 years'", "is not what was signed"),
    ("UPDATE reviews_waiver SET requirement = 'card'", "is not what was signed"),
    ("UPDATE reviews_waiver SET statement_digest = repeat('0', 64)", "not the one in the ledger"),
    ("UPDATE reviews_waiverrevocation SET reason = 'x'", "differ about its revocation"),
    ("DELETE FROM reviews_waiverrevocation", "differ about its revocation"),
]


@pytest.mark.parametrize(("sql", "words"), TAMPERED)
def test_verify_ledger_names_an_edited_waiver(sql: str, words: str, cast: Cast) -> None:
    row = grant(cast)
    services.revoke_waiver(cast.rui, row, reason="late")
    is_whole()
    with triggers_off(*TABLES), connection.cursor() as cursor:
        cursor.execute(sql)
    found = differences()
    assert words in found
    assert f"waiver:{row.pk}" in found
