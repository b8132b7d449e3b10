"""MRM-02: a model gets a lighter policy, by its risk tier, team or tags, only with somebody else's signature."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts import services as accounts
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Conflict, DomainError, Forbidden, Invalid
from apps.registry import services as registry
from apps.registry.models import ModelTag, RegisteredModel
from apps.registry.standing import Standing
from apps.reviews import evidence, in_force, selectors, services
from apps.reviews.coverage import let_go
from apps.reviews.models import ModelChange, ModelChangeSignature
from apps.reviews.reads import model_changes
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_forgery import differences, is_whole
from tests.reviews.test_policies import put_in_force
from tests.support.people import SYSTEM
from tests.support.races import at_once
from tests.support.triggers import triggers_off
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

LOW = {"exposure": "low", "purpose_class": "informational"}
EU = {"key": "eu", "applies_to": {"tags": {"EU-AI-Act": ["high-risk"]}}, "approval_days": 9}


def lower(cast: Cast, **changes: Any) -> ModelChange:
    found = services.change_settings(
        cast.omar, cast.model, **{"reason": "ten people use it", **LOW, **changes}
    )
    assert found is not None
    return found


def signs(actor: Actor, change: ModelChange, *, approves: bool = True) -> ModelChangeSignature:
    return services.sign_model_change(
        actor,
        change,
        approves=approves,
        digest=change.digest,
        comment="I know who uses it",
        proof=factories.proof(actor),
    )


def stands(cast: Cast) -> tuple[int, str, str]:
    model = RegisteredModel.objects.get(pk=cast.model.pk)
    return model.risk_tier, model.exposure, model.purpose_class


def test_mrm_02_a_lower_tier_is_applied_with_the_signature_and_not_before(cast: Cast) -> None:
    change = lower(cast)
    assert change.loosens == ["the risk tier falls from 1 to 3 (1 is the highest)"]
    assert stands(cast) == (1, "high", "decision")
    signs(cast.vera, change)
    assert stands(cast) == (3, "low", "informational")
    change.refresh_from_db()
    assert change.status == "applied"
    is_whole()


def test_mrm_02_nobody_lowers_the_tier_past_the_signature(cast: Cast) -> None:
    with nothing_written(), pytest.raises(Blocked, match="takes the signature"):
        registry.update_model(cast.omar, cast.model, **LOW)
    with nothing_written(), pytest.raises(Invalid) as refusal:
        services.change_settings(cast.omar, cast.model, **LOW)
    assert "reason" in refusal.value.fields
    with nothing_written(), pytest.raises(Forbidden):
        services.change_settings(cast.vera, cast.model, reason="so", **LOW)


def test_a_raise_counts_at_once_and_an_open_review_says_so(cast: Cast) -> None:
    signs(cast.vera, lower(cast))
    cast.model.refresh_from_db()
    review = cast.submit(PRODUCTION)
    round_ = selectors.live_round(review)
    assert round_ is not None
    told = evidence.read(round_)["version"]
    assert (told["risk_tier"], told["exposure"], told["purpose_class"]) == (3, "low", "informational")  # fmt: skip
    raised = services.change_settings(cast.omar, cast.model, exposure="high", purpose_class="decision")  # fmt: skip
    assert raised is None
    assert stands(cast)[0] == 1
    again = selectors.live_round(selectors.find_review(review.pk) or review)
    assert again is not None
    assert evidence.tier_since(again) == (3, 1)
    assert selectors.document(review).number == 1


def test_what_is_declared_before_the_first_version_takes_no_signature(cast: Cast) -> None:
    model = factories.model(cast.ana, "fresh")
    owner = factories.again(cast.ana)
    assert services.change_settings(owner, model, **LOW) is None
    factories.version(cast.ana, model)
    assert services.change_settings(owner, model, exposure="high") is None
    with pytest.raises(Blocked):
        registry.update_model(owner, model, exposure="low")
    is_whole()


BARRED = [
    ("omar", "You proposed it"),
    ("ana", "You own the model"),
    ("otto", "validator or an approver"),
    ("carl", "validator or an approver"),
]


@pytest.mark.parametrize(("who", "words"), BARRED)
def test_only_somebody_else_with_a_signing_role_signs(who: str, words: str, cast: Cast) -> None:
    change = lower(cast)
    signer = factories.person("carl", "contributor") if who == "carl" else getattr(cast, who)
    if who in {"omar", "ana"}:
        accounts.grant_role(SYSTEM, "approver", factories.user_of(signer))
        signer = factories.again(signer)
    with nothing_written(), pytest.raises(Forbidden, match=words):
        signs(signer, change)


def test_a_signature_is_about_what_was_shown_and_one_decides(cast: Cast) -> None:
    change = lower(cast)
    with nothing_written(), pytest.raises(Conflict, match="You were shown"):
        services.sign_model_change(
            cast.vera, change, approves=True, digest="0" * 64, comment="x", proof=factories.proof(cast.vera)
        )  # fmt: skip
    with nothing_written(), pytest.raises(AlreadyExists, match="waits for a signature already"):
        lower(cast, reason="once more")
    signs(cast.vera, change, approves=False)
    assert stands(cast)[0] == 1
    with pytest.raises(Conflict, match="closed"):
        signs(cast.rui, change)
    again = lower(cast)
    services.withdraw_model_change(cast.omar, again, reason="not yet")
    with pytest.raises(Conflict, match="closed"):
        signs(cast.rui, again)
    is_whole()


def test_a_model_that_changed_since_takes_a_new_proposal(cast: Cast) -> None:
    services.change_settings(cast.omar, cast.model, exposure="high")
    change = lower(cast, exposure="medium", purpose_class="operational")
    signs(cast.vera, change)
    second = lower(cast)
    services.change_settings(cast.omar, cast.model, exposure="high", purpose_class="decision")
    with pytest.raises(Conflict, match="changed since"):
        signs(cast.vera, second)


def test_a_tag_or_team_that_keeps_a_policy_takes_a_signature_to_drop(
    cast: Cast, adam: Actor
) -> None:
    put_in_force(adam, cast.vera, **EU)
    team = accounts.create_team(SYSTEM, key="risk", name="Risk")
    registry.set_model_tag(cast.omar, cast.model, key="eu-ai-act", value="high-risk")
    for act in (
        lambda: registry.delete_model_tag(cast.omar, cast.model, key="eu-ai-act"),
        lambda: registry.set_model_tag(cast.omar, cast.model, key="eu-ai-act", value="none"),
    ):
        with nothing_written(), pytest.raises(Blocked, match="counts no more for stage Production"):
            act()
    # A second spelling beside it takes nothing away.
    registry.set_model_tag(cast.omar, cast.model, key="EU-AI-act", value="none")
    assert "eu v1" in str(in_force.policy_for(cast.version, [PRODUCTION]))
    change = services.change_settings(
        cast.omar, cast.model, reason="not in scope", tags={"eu-ai-act": None}, purpose="mail"
    )
    assert change is not None
    assert RegisteredModel.objects.get(pk=cast.model.pk).purpose == "mail"
    assert any(said.startswith("an approval lives") for said in change.loosens)
    signs(cast.rui, change)
    assert "eu v1" not in str(in_force.policy_for(cast.version, [PRODUCTION]))
    put_in_force(adam, cast.vera, key="risk", applies_to={"teams": ["risk"]}, approval_days=5)
    assert services.change_settings(cast.omar, cast.model, team_id=team.pk) is None
    with pytest.raises(Blocked, match="risk v1"):
        registry.update_model(cast.omar, cast.model, team_id=None)
    is_whole()


FORGED = [
    "UPDATE registry_registeredmodel SET risk_tier = 3, exposure = 'low', purpose_class = 'informational'",
    "UPDATE registry_registeredmodel SET risk_tier = 2",
    "DELETE FROM registry_modeltag",
    "UPDATE registry_modeltag SET value = 'none'",
    "UPDATE registry_modeltag SET key = 'other'",
    "UPDATE reviews_modelchange SET status = 'applied', closed_at = now()",
    "UPDATE reviews_modelchange SET after = '{}'",
    "DELETE FROM reviews_modelchange",
    "TRUNCATE registry_modeltag",
]


@pytest.mark.parametrize("sql", FORGED)
def test_the_sites_own_role_lowers_nothing(
    sql: str, cast: Cast, adam: Actor, runtime_connection: psycopg.Connection[Any]
) -> None:
    put_in_force(adam, cast.vera, **EU)
    registry.set_model_tag(cast.omar, cast.model, key="eu-ai-act", value="high-risk")
    lower(cast)
    with pytest.raises(psycopg.Error) as refusal:
        runtime_connection.execute(sql)
    assert refusal.value.sqlstate == "42501"
    is_whole()


def test_a_signed_change_cannot_be_used_for_something_else_or_again(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    signs(cast.vera, lower(cast, exposure="medium", purpose_class="operational"))
    for tier, exposure, use in ((3, "low", "informational"), (3, "medium", "informational")):
        with pytest.raises(psycopg.Error, match="nobody signed"):
            runtime_connection.execute(
                "UPDATE registry_registeredmodel SET risk_tier = %s, exposure = %s, purpose_class = %s",
                [tier, exposure, use],
            )
    services.change_settings(cast.omar, cast.model, exposure="high", purpose_class="decision")
    with pytest.raises(psycopg.Error, match="nobody signed"):
        runtime_connection.execute(
            "UPDATE registry_registeredmodel SET risk_tier = 2, exposure = 'medium', purpose_class = 'operational'"
        )


def test_a_forged_signature_is_refused_in_sql(cast: Cast) -> None:
    change = lower(cast)
    for who, words in ((cast.omar, "not open"), (cast.vera, "not in the ledger")):
        with pytest.raises(DatabaseError, match=words), transaction.atomic(), connection.cursor() as cursor:  # fmt: skip
            statement = f'{{"digest": "{change.digest}", "approves": true}}'
            cursor.execute(
                "INSERT INTO reviews_modelchangesignature (change_id, user_id, approves, role, comment, statement,"
                " statement_digest, signer_name, method, reauthenticated_at, created_at)"
                " VALUES (%s, %s, true, 'validator', 'x', convert_to(%s, 'UTF8'),"
                " encode(sha256(convert_to(%s, 'UTF8')), 'hex'), 'x', 'password', now(), now())",
                [change.pk, who.user_id, statement, statement],
            )


def test_two_signatures_at_once_are_one(cast: Cast) -> None:
    for _ in range(10):
        change = lower(cast)
        answers = at_once(partial(signs, cast.vera, change), partial(signs, cast.rui, change))
        assert sum(isinstance(each, ModelChangeSignature) for each in answers) == 1, answers
        assert sum(isinstance(each, DomainError) for each in answers) == 1, answers
        services.change_settings(cast.omar, cast.model, exposure="high", purpose_class="decision")


TAMPERED = [
    ("UPDATE registry_registeredmodel SET risk_tier = 2", "says risk_tier 2"),
    ("UPDATE registry_modeltag SET value = 'none'", "tag eu-ai-act"),
    ("UPDATE reviews_modelchange SET status = 'withdrawn'", "the table says withdrawn"),
    ("UPDATE reviews_modelchange SET reason = 'x'", "is not what the ledger says"),
    ("UPDATE reviews_modelchangesignature SET comment = 'x'", "is not about this change"),
    ("DELETE FROM reviews_modelchangesignature", "in the ledger and not in the table"),
]


@pytest.mark.parametrize(("sql", "words"), TAMPERED)
def test_verify_ledger_names_what_was_edited(sql: str, words: str, cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, **EU)
    registry.set_model_tag(cast.omar, cast.model, key="eu-ai-act", value="high-risk")
    signs(cast.vera, lower(cast))
    is_whole()
    tables = ("registry_registeredmodel", "registry_modeltag", "reviews_modelchange", "reviews_modelchangesignature")  # fmt: skip
    with triggers_off(*tables), connection.cursor() as cursor:
        cursor.execute(sql)
    assert words in differences()


def test_the_database_and_the_rule_say_the_same(cast: Cast, adam: Actor) -> None:
    """Every pair of tag values and teams, asked of both."""
    put_in_force(adam, cast.vera, **EU)
    put_in_force(adam, cast.vera, key="risk", applies_to={"teams": ["risk"], "tiers": [1, 2]}, approval_days=5)  # fmt: skip
    put_in_force(adam, cast.vera, cast.rui, applies_to={"tiers": [2]})
    stands = [
        Standing("high", "decision", team, tags)
        for team in ("", "risk", "other")
        for tags in ((), (("eu-ai-act", "high-risk"),), (("EU-AI-ACT", "none"),))
    ]
    found = set()
    for one in stands:
        for other in stands:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT reviews_lets_go(1, %s, %s, %s, %s)",
                    [one.team, _folded(one), other.team, _folded(other)],
                )
                (said,) = cursor.fetchone() or (None,)
            assert said is bool(let_go(one, other)), (one, other)
            found.add(said)
    assert found == {True, False}


def _folded(standing: Standing) -> str:
    return json.dumps({key.lower(): [value] for key, value in standing.tags})


def test_who_can_sign_is_told_and_sees_it_at_home(cast: Cast) -> None:
    change = lower(cast)
    assert [str(user) for user in model_changes.may_sign(change)] == ["Remo", "Rui", "Vera"]
    assert model_changes.waiting_for(cast.vera) == [change]
    assert model_changes.waiting_for(cast.omar) == []
    assert change.proposed_at <= clock.now()
    assert not ModelTag.objects.exists()
