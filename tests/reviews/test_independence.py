"""Stepping aside, conflicts of interest and delegations: each rule with its refusal, in Python and in SQL."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from apps.accounts import services as accounts
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, Forbidden, Invalid
from apps.registry.models import Authorization
from apps.reviews import quorum, selectors, services
from apps.reviews.models import Conflict as Declaration
from apps.reviews.models import Decision, Delegation, Recusal, Review
from apps.reviews.reads import inbox, independence
from apps.reviews.services import Scope
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_forgery import as_owner_of_the_server, differences, is_whole
from tests.reviews.test_signing import sign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def dora() -> Actor:
    """Dora reads everything and signs nothing of her own."""
    return factories.person("dora", "viewer")


def lend(by: Actor, to: Actor, role: str, scope: Scope, days: int = 10) -> Delegation:
    return services.delegate(
        by,
        to=factories.user_of(to),
        role=role,
        scope=scope,
        until=clock.now().date() + dt.timedelta(days=days),
        reason="on holiday",
    )


def asked(review: Review) -> dict[str, set[str]]:
    return {
        each.step.role: {user.username for user in each.people}
        for each in selectors.who_is_asked(review)
    }


def raw_decision(review: Review, **columns: object) -> None:
    """A decision written past the service, with a statement that says what one must say."""
    round_ = selectors.live_round(review)
    assert round_ is not None
    statement = json.dumps({"no_conflict": True}).encode()
    values = {
        "review": review,
        "round": round_,
        "step": "approval",
        "role": "approver",
        "outcome": "approve",
        "meaning": "approved",
        "comment": "x",
        "evidence_digest": round_.digest,
        "statement": statement,
        "statement_digest": hashlib.sha256(statement).hexdigest(),
        "signer_name": "X",
        "method": "password",
        "reauthenticated_at": clock.now(),
        "created_at": clock.now(),
        **columns,
    }
    if "statement" in columns:
        digest = hashlib.sha256(values["statement"]).hexdigest()  # type: ignore[arg-type]
        values["statement_digest"] = digest
    Decision.objects.create(**values)


# --- stepping aside ---


def test_who_steps_aside_is_asked_no_more_and_decides_nothing(cast: Cast) -> None:
    review = cast.submit()
    assert asked(review)["approver"] == {"rui", "remo"}
    services.recuse(cast.rui, review, reason="my brother trained it")
    assert asked(review)["approver"] == {"remo"}
    assert "stepped aside" in selectors.why_not(cast.rui, review)
    assert not inbox.of(cast.rui).needs_you
    with pytest.raises(Forbidden, match="stepped aside"):
        sign(cast.rui, review)
    assert not Decision.objects.exists()
    sign(cast.vera, review)
    sign(cast.remo, review)
    assert Review.objects.get().status == "promoted"
    is_whole()


def test_a_recusal_holds_for_every_later_round(cast: Cast) -> None:
    review = cast.submit()
    services.recuse(cast.rui, review, reason="my brother trained it")
    services.new_round(cast.ana, review)
    with pytest.raises(Forbidden, match="stepped aside"):
        sign(cast.rui, review)
    with pytest.raises(AlreadyExists):
        services.recuse(cast.rui, review, reason="again")
    assert Recusal.objects.count() == 1


def test_who_has_decided_does_not_step_aside(cast: Cast) -> None:
    review = cast.submit()
    sign(cast.vera, review)
    with pytest.raises(Conflict, match="decided about this round already"):
        services.recuse(cast.vera, review, reason="late")
    services.new_round(cast.ana, review)
    services.recuse(cast.vera, review, reason="late, but of the next round")
    assert Recusal.objects.count() == 1


def test_only_who_is_asked_steps_aside(cast: Cast) -> None:
    review = cast.submit()
    for who in (cast.omar, cast.otto):
        with pytest.raises(Forbidden):
            services.recuse(who, review, reason="why not")
    with pytest.raises(Invalid):
        services.recuse(cast.rui, review, reason=" ")
    services.withdraw(cast.ana, review, reason="no more")
    with pytest.raises(Conflict, match="withdrawn"):
        services.recuse(cast.rui, review, reason="late")
    assert not Recusal.objects.exists()


# --- conflicts of interest ---


def declare(by: Actor, cast: Cast, about: Actor, review: Review | None = None) -> Declaration:
    person = factories.user_of(about)
    return services.declare_conflict(
        by, cast.model, person=person, reason="owns shares", review=review
    )


def test_signing_asks_whether_there_is_a_conflict(cast: Cast) -> None:
    review = cast.submit()
    round_ = selectors.live_round(review)
    assert round_ is not None
    with pytest.raises(Invalid, match="no conflict of interest") as refusal:
        services.decide(
            cast.vera,
            review,
            outcome="approve",
            evidence_digest=round_.digest,
            comment="fine",
            proof=factories.proof(cast.vera),
            no_conflict=False,
        )
    assert "no_conflict" in refusal.value.fields
    assert not Decision.objects.exists()
    with pytest.raises(DatabaseError, match="no conflict of interest"):
        raw_decision(review, user_id=cast.rui.user_id, statement=b"{}")
    statement = json.loads(bytes(sign(cast.vera, review).statement))
    assert statement["no_conflict"] is True


@pytest.mark.parametrize("whole", [True, False])
def test_a_declared_conflict_keeps_out(cast: Cast, whole: bool) -> None:
    review = cast.submit()
    row = declare(cast.rui, cast, cast.rui, None if whole else review)
    assert asked(review)["approver"] == {"remo"}
    assert "conflict of interest" in selectors.why_not(cast.rui, review)
    with pytest.raises(Forbidden, match="conflict of interest"):
        sign(cast.rui, review)
    with pytest.raises(DatabaseError, match="conflict of interest"):
        raw_decision(review, user_id=cast.rui.user_id)
    services.withdraw_conflict(cast.rui, row, reason="sold them")
    with pytest.raises(Forbidden):
        sign(cast.rui, review)
    services.new_round(cast.ana, review)
    sign(cast.rui, review)
    assert Decision.objects.count() == 1
    is_whole()


def test_a_conflict_in_one_review_does_not_reach_the_next(cast: Cast) -> None:
    first = cast.submit(PRODUCTION)
    declare(cast.rui, cast, cast.rui, first)
    second = cast.submit(PRODUCTION, version=factories.version(cast.ana, cast.model))
    sign(cast.rui, second)
    with pytest.raises(Forbidden):
        sign(cast.rui, first)


def test_who_may_declare_it_about_another(cast: Cast) -> None:
    declare(cast.vera, cast, cast.rui)
    with pytest.raises(AlreadyExists):
        declare(cast.omar, cast, cast.rui)
    declare(cast.omar, cast, cast.vera)
    with pytest.raises(Forbidden, match="manages the model or signs"):
        declare(factories.person("carl", "contributor"), cast, cast.remo)
    with pytest.raises(Forbidden):
        declare(cast.otto, cast, cast.otto)
    with pytest.raises(Invalid, match="does not see"):
        declare(cast.vera, cast, cast.otto)
    assert Declaration.objects.count() == 2


def test_who_it_is_about_does_not_withdraw_what_another_declared(cast: Cast) -> None:
    row = declare(cast.vera, cast, cast.rui)
    with pytest.raises(Forbidden, match="not the person it is about"):
        services.withdraw_conflict(cast.rui, row, reason="nonsense")
    with pytest.raises(Forbidden):
        services.withdraw_conflict(cast.remo, row, reason="nonsense")
    services.withdraw_conflict(cast.omar, row, reason="checked: she sold them")
    row = Declaration.objects.select_related("withdrawal").get()
    assert not independence.stands(row)
    with pytest.raises(Conflict, match="withdrawn already"):
        services.withdraw_conflict(cast.vera, row, reason="too")


def test_a_conflict_declared_after_a_signature_opens_what_it_had_completed(
    cast: Cast, settings: Settings
) -> None:
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    settings.PROMOTION_GATES = [
        "apps.checks.gates.required_checks_pass",
        "apps.reviews.gates.quorum_signed",
    ]
    sign(cast.rui, review)
    assert Review.objects.get().status == "signed"
    declare(cast.omar, cast, cast.rui)
    assert Review.objects.get().status == "open"
    assert Authorization.objects.get().revoked_at is not None
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    sign(cast.remo, review)
    assert Review.objects.get().status == "promoted"
    is_whole()


# --- delegations ---


def test_a_delegate_signs_in_her_own_name_for_the_delegator(cast: Cast, dora: Actor) -> None:
    review = cast.submit()
    row = lend(cast.rui, dora, "approver", Scope(model=cast.model))
    assert asked(review)["approver"] == {"rui", "remo", "dora"}
    assert [each.act for each in inbox.of(dora).needs_you] == ["sign"]
    decision = sign(dora, review)
    assert decision.user_id == dora.user_id
    assert (decision.on_behalf_of_id, decision.delegation_id) == (cast.rui.user_id, row.pk)
    statement = json.loads(bytes(decision.statement))
    assert statement["on_behalf_of"] == str(factories.user_of(cast.rui).uuid)
    assert "decided about this round for you" in selectors.why_not(cast.rui, review)
    sign(cast.vera, review)
    assert Review.objects.get().status == "promoted"
    is_whole()


def test_delegator_and_delegate_are_one_person(cast: Cast, dora: Actor) -> None:
    review = cast.submit()
    row = lend(cast.rui, dora, "approver", Scope(review=review))
    sign(dora, review)
    with pytest.raises(Conflict, match="or somebody for you"):
        sign(cast.rui, review)
    with pytest.raises(DatabaseError, match="by herself or through another"):
        raw_decision(review, user_id=cast.rui.user_id)
    assert row.pk
    other = cast.submit(version=factories.version(cast.ana, cast.model))
    sign(cast.rui, other)
    with pytest.raises(Forbidden):
        sign(dora, other)


def test_a_signer_with_two_roles_cannot_sign_both_steps_through_another(
    cast: Cast, dora: Actor
) -> None:
    accounts.grant_role(factories.SYSTEM, "approver", factories.user_of(cast.vera))
    review = cast.submit()
    vera = factories.again(cast.vera)
    lend(vera, dora, "approver", Scope(model=cast.model))
    sign(vera, review)
    with pytest.raises(Forbidden):
        sign(dora, review)
    with pytest.raises(DatabaseError, match="by herself or through another"):
        raw_decision(
            review,
            user_id=dora.user_id,
            on_behalf_of_id=vera.user_id,
            delegation=Delegation.objects.get(),
        )


def test_a_delegation_ends_with_the_role_and_at_once_when_taken_back(
    cast: Cast, dora: Actor
) -> None:
    review = cast.submit()
    row = lend(cast.rui, dora, "approver", Scope(model=cast.model))
    services.end_delegation(cast.rui, row, reason="back again")
    with pytest.raises(Forbidden):
        sign(dora, review)
    with pytest.raises(DatabaseError, match="nothing delegates"):
        raw_decision(review, user_id=dora.user_id, on_behalf_of_id=cast.rui.user_id, delegation=row)
    with pytest.raises(Conflict, match="ended already"):
        services.end_delegation(dora, row, reason="too")
    second = lend(cast.rui, dora, "approver", Scope(model=cast.model))
    accounts.revoke_role(factories.SYSTEM, "approver", factories.user_of(cast.rui))
    assert not inbox.of(dora).needs_you
    with pytest.raises(Forbidden):
        sign(dora, review)
    services.end_orphaned(factories.SYSTEM, second)
    assert Delegation.objects.get(pk=second.pk).end.user_id is None
    assert not Decision.objects.exists()
    is_whole()


def test_a_delegation_ends_by_its_time(
    cast: Cast, dora: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = cast.submit()
    row = lend(cast.rui, dora, "approver", Scope(model=cast.model), days=3)
    later = row.ends_at + dt.timedelta(seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(Forbidden):
        sign(dora, review)
    with pytest.raises(DatabaseError, match="nothing delegates"):
        raw_decision(review, user_id=dora.user_id, on_behalf_of_id=cast.rui.user_id, delegation=row)


def test_what_cannot_be_delegated(cast: Cast, dora: Actor) -> None:
    review = cast.submit()
    scope = Scope(model=cast.model)
    with pytest.raises(Forbidden):  # not a role of hers
        lend(cast.rui, dora, "validator", scope)
    with pytest.raises(Forbidden):  # a delegate has no role of her own to give on
        lend(cast.rui, dora, "approver", scope)
        lend(dora, cast.omar, "approver", scope)
    for days in (-1, 90):
        with pytest.raises(Invalid, match="ends"):
            lend(cast.remo, dora, "approver", scope, days=days)
    with pytest.raises(Invalid, match="somebody else"):
        lend(cast.rui, cast.rui, "approver", scope)
    with pytest.raises(Invalid, match="does not see"):
        lend(cast.rui, cast.otto, "approver", scope)
    ada = factories.person("ada", "administrator", "viewer")
    with pytest.raises(Invalid, match="cannot sign for anybody"):
        lend(cast.rui, ada, "approver", scope)
    with pytest.raises(Invalid, match="Name one"):
        lend(cast.rui, dora, "approver", Scope())
    with pytest.raises(AlreadyExists):
        lend(cast.rui, dora, "approver", scope)
    with pytest.raises(Invalid, match="no signing role"):
        lend(cast.rui, dora, "barber", scope)
    with pytest.raises(Forbidden, match="kept out"):  # an author
        lend(cast.remo, cast.ana, "approver", Scope(review=review))
    declare(cast.omar, cast, cast.remo)
    with pytest.raises(Forbidden, match="conflict of interest"):
        lend(cast.remo, dora, "approver", scope)
    assert Delegation.objects.count() == 1


def test_nobody_who_is_kept_out_signs_for_another_nor_through_another(
    cast: Cast, dora: Actor
) -> None:
    lend(cast.rui, cast.ana, "approver", Scope(model=cast.model))
    lend(cast.rui, dora, "approver", Scope(model=cast.model))
    review = cast.submit()
    assert asked(review)["approver"] == {"rui", "remo", "dora"}
    with pytest.raises(Forbidden, match="made part"):
        sign(cast.ana, review)
    services.recuse(cast.rui, review, reason="too near")
    with pytest.raises(Forbidden):
        sign(dora, review)
    with pytest.raises(DatabaseError, match="stepped aside"):
        raw_decision(
            review,
            user_id=dora.user_id,
            on_behalf_of_id=cast.rui.user_id,
            delegation=Delegation.objects.get(delegate_id=dora.user_id),
        )
    assert asked(review)["approver"] == {"remo"}


def test_a_team_scope_reaches_the_models_of_the_team(cast: Cast, dora: Actor) -> None:
    team = accounts.create_team(factories.SYSTEM, key="risk", name="Risk")
    review = cast.submit()
    lend(cast.rui, dora, "approver", Scope(team=team))
    with pytest.raises(Forbidden):
        sign(dora, review)
    cast.model.team = team
    cast.model.save(update_fields=["team"])
    sign(dora, review)
    assert Decision.objects.get().on_behalf_of_id == cast.rui.user_id


def test_sql_and_python_count_the_same(cast: Cast, dora: Actor) -> None:
    review = cast.submit(PRODUCTION)
    lend(cast.rui, dora, "approver", Scope(model=cast.model))
    sign(dora, review)
    assert _counted(review) == {"approval": 1}
    declare(cast.omar, cast, cast.rui)
    assert _counted(review) == {}
    round_ = selectors.live_round(review)
    assert round_ is not None
    assert cast.rui.user_id in quorum.barred(round_)
    sign(cast.vera, review)
    sign(cast.remo, review)
    assert Review.objects.get().status == "promoted"


def _counted(review: Review) -> dict[str, int]:
    """What SQL counts; fails where Python counts otherwise."""
    round_ = selectors.live_round(review)
    assert round_ is not None
    states = quorum.steps(selectors.document(review), round_, quorum.decisions_of(round_))
    python = {state.step.key: len(state.signed) for state in states if state.signed}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT reviews_counted(%s, document) FROM reviews_policyversion WHERE id = %s",
            [round_.pk, review.policy_version_id],
        )
        row = cursor.fetchone()
    sql = json.loads(row[0]) if row and isinstance(row[0], str) else row[0] if row else {}
    assert sql == python
    return python


def test_rows_stand_only_with_their_event(cast: Cast, dora: Actor) -> None:
    review = cast.submit()
    round_ = selectors.live_round(review)
    now = clock.now()
    user = cast.rui.user_id
    makers = [
        lambda: Recusal.objects.create(
            review=review, round=round_, user_id=user, reason="x", created_at=now
        ),
        lambda: Declaration.objects.create(
            model=cast.model, person_id=user, reason="x", declared_by_id=user, created_at=now
        ),
        lambda: Delegation.objects.create(
            delegator_id=user,
            delegate_id=dora.user_id,
            role="approver",
            model=cast.model,
            reason="x",
            created_at=now,
            ends_at=now + dt.timedelta(days=1),
        ),
    ]
    for make in makers:
        with pytest.raises(DatabaseError, match="not in the ledger"), transaction.atomic():
            make()
    assert not Recusal.objects.exists()
    assert not Declaration.objects.exists()


def test_a_delegation_is_bounded_in_sql_too(cast: Cast, dora: Actor) -> None:
    now = clock.now()
    with pytest.raises(DatabaseError, match="within 90 days"):
        Delegation.objects.create(
            delegator_id=cast.rui.user_id,
            delegate_id=dora.user_id,
            role="approver",
            model=cast.model,
            reason="x",
            created_at=now,
            ends_at=now + dt.timedelta(days=91),
        )


def test_verify_ledger_names_what_was_edited(cast: Cast, dora: Actor) -> None:
    review = cast.submit()
    services.recuse(cast.remo, review, reason="too near")
    row = declare(cast.rui, cast, cast.rui)
    lent = lend(cast.vera, dora, "validator", Scope(model=cast.model))
    is_whole()
    as_owner_of_the_server(lambda: _tamper(row, lent))
    found = differences()
    assert f"conflict {row.pk}: the table says" in found
    assert f"delegation {lent.pk}: the table says" in found
    assert "recusal" in found
    assert "in the ledger and not in the table" in found


def _tamper(row: Declaration, lent: Delegation) -> None:
    tables = ["reviews_conflict", "reviews_delegation", "reviews_recusal"]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        Declaration.objects.filter(pk=row.pk).update(reason="none")
        Delegation.objects.filter(pk=lent.pk).update(role="approver")
        Recusal.objects.all().delete()
        for table in tables:
            cursor.execute(
                "SELECT quote_ident(tgname) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = %s::regclass",
                [table],
            )
            for (trigger,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
