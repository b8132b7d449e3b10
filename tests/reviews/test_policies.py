"""A policy is changed as a model is approved: proposed, signed by others, in force with the last signature."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts import services as accounts
from apps.audits import selectors as audits
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Blocked, Conflict, Forbidden, Invalid
from apps.registry import selectors as registry
from apps.registry import services as registry_services
from apps.registry.models import GovernedTarget
from apps.reviews import in_force, selectors, services
from apps.reviews.models import (
    Decision,
    PolicyActivation,
    PolicyChange,
    PolicySignature,
    PolicyVersion,
    Review,
)
from apps.reviews.policies import builtin, compare, files
from apps.reviews.policies.document import parse
from tests import factories
from tests.reviews.conftest import CHAMPION, PRODUCTION, STAGING, Cast
from tests.reviews.test_forgery import differences, is_whole
from tests.reviews.test_signing import sign
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "the committee of November asked for it"


def text(**changes: Any) -> str:
    """The standard policy as YAML with some of it changed; `__` goes deeper."""
    data = json.loads(json.dumps(builtin.standard()))
    for path, value in changes.items():
        *way, last = path.split("__")
        place = data
        for part in way:
            place = place.setdefault(part, {})
        place[last] = value
    return files.dump(parse(data))


def signs(actor: Actor, change: PolicyChange, *, approves: bool = True) -> PolicySignature:
    return services.sign_change(
        actor,
        change,
        approves=approves,
        digest=change.digest,
        comment="I read the redline",
        proof=factories.proof(actor),
    )


def put_in_force(adam: Actor, *signers: Actor, **changes: Any) -> PolicyChange:
    return activate(adam, text(**changes), *signers)


def activate(adam: Actor, yaml: str, *signers: Actor) -> PolicyChange:
    """Propose the document and have it signed by all of them, who are as many as it takes."""
    change = services.propose(adam, text=yaml, reason=WHY)
    for signer in signers:
        signs(signer, change)
    change.refresh_from_db()
    assert change.status == "activated"
    return change


STRICTER = {"gates__checks__performance__roc_auc": {"min": "0.80"}}
LOOSER = {"gates__checks__performance__roc_auc": {"min": "0.60"}}


def test_a_tightening_takes_one_signature_and_is_in_force_with_it(cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, **STRICTER)
    found = in_force.policy_for(cast.version)
    assert str(found) == "standard v2"
    assert found.document.gates.checks["performance"]["roc_auc"] == {"min": "0.80"}
    assert [e.type for e in audits.events(scopes=None, limit=4)][:2] == [
        "reviews.policy.activated",
        "reviews.policy.signed",
    ]
    is_whole()


def test_a_loosening_takes_two_and_says_what_it_loosens(cast: Cast, adam: Actor) -> None:
    change = services.propose(adam, text=text(**LOOSER), reason=WHY)
    assert change.needed == 2
    assert change.loosens == ["performance.roc_auc: min 0.70 becomes min 0.60"]
    signs(cast.vera, change)
    assert str(in_force.policy_for(cast.version)) == "standard v1"
    signs(cast.rui, change)
    assert str(in_force.policy_for(cast.version)) == "standard v2"
    is_whole()


def test_emptying_what_had_a_default_is_shown_and_is_a_loosening(cast: Cast, adam: Actor) -> None:
    change = services.propose(adam, text=text(rereview_on=[]), reason=WHY)
    assert change.needed == 2
    assert change.version is not None
    old, new = builtin.standard(), change.version.document
    [line] = compare.redline(parse(old), parse(new))
    assert (line.path, line.old, line.new) == (
        "rereview_on",
        "checks, finding, incident, recall",
        "",
    )


def test_a_rejection_closes_the_proposal_and_another_can_follow(cast: Cast, adam: Actor) -> None:
    change = services.propose(adam, text=text(**STRICTER), reason=WHY)
    signs(cast.vera, change, approves=False)
    assert PolicyChange.objects.get().status == "rejected"
    with pytest.raises(Conflict, match="closed"):
        signs(cast.rui, change)
    again = services.propose(adam, text=text(**STRICTER), reason=WHY)
    assert str(again.version) == "standard v3"
    services.withdraw_change(adam, again, reason="not this year")
    is_whole()


def test_who_may_not(cast: Cast, adam: Actor) -> None:
    with pytest.raises(Forbidden):
        services.propose(cast.vera, text=text(**STRICTER), reason=WHY)
    with pytest.raises(Forbidden):
        services.propose_retirement(cast.ana, key="standard", reason=WHY)
    change = services.propose(adam, text=text(**STRICTER), reason=WHY)
    for actor in (cast.ana, cast.omar, cast.otto, adam):
        with pytest.raises(Forbidden):
            signs(actor, change)
    with pytest.raises(Conflict, match="You were shown"):
        services.sign_change(
            cast.vera, change, approves=True, digest="0" * 64, comment="x", proof=factories.proof(cast.vera)
        )  # fmt: skip
    with pytest.raises(Forbidden):
        services.sign_change(
            cast.vera, change, approves=True, digest=change.digest, comment="x", proof=factories.proof(cast.rui)
        )  # fmt: skip
    assert not PolicySignature.objects.exists()


def test_the_proposer_never_signs_even_with_a_role_that_does(cast: Cast, adam: Actor) -> None:
    """Her administration was taken from her after she proposed; her proposal stays hers."""
    change = services.propose(adam, text=text(**STRICTER), reason=WHY)
    user = factories.user_of(adam)
    factories.person("ada", "administrator")
    accounts.revoke_role(factories.SYSTEM, "administrator", user)
    accounts.grant_role(factories.SYSTEM, "approver", user)
    with pytest.raises(Forbidden, match="You proposed this change"):
        signs(factories.again(adam), change)


def test_a_second_signature_of_the_same_person_counts_for_nothing(cast: Cast, adam: Actor) -> None:
    change = services.propose(adam, text=text(**LOOSER), reason=WHY)
    signs(cast.vera, change)
    with pytest.raises(Conflict, match="signed this change already"):
        signs(cast.vera, change)


def test_what_cannot_be_proposed(cast: Cast, adam: Actor) -> None:
    with pytest.raises(Invalid, match="same as the version in force"):
        services.propose(adam, text=text(), reason=WHY)
    with pytest.raises(Invalid, match="line 1"):
        services.propose(adam, text="key: x", reason=WHY)
    with pytest.raises(Invalid):
        services.propose(adam, text=text(**STRICTER), reason=" ")
    opposite = [
        {"key": "a", "title": "A", "role": "approver", "count": 1},
        {"key": "v", "title": "V", "role": "validator", "count": 1, "after": ["a"]},
    ]
    ordered = [
        {"key": "v", "title": "V", "role": "validator", "count": 1},
        {"key": "a", "title": "A", "role": "approver", "count": 1, "after": ["v"]},
    ]
    put_in_force(adam, cast.vera, steps=ordered)
    with pytest.raises(Invalid, match="contradict each other"):
        services.propose(adam, text=text(key="other", steps=opposite), reason=WHY)
    services.propose(adam, text=text(steps=ordered, **STRICTER), reason=WHY)
    with pytest.raises(AlreadyExists, match="waits for signatures"):
        services.propose(adam, text=text(steps=ordered, approval_days=30), reason=WHY)
    with pytest.raises(Blocked, match="last policy"):
        services.propose_retirement(adam, key="standard", reason=WHY)
    assert str(in_force.policy_for(cast.version)) == "standard v2"


def test_two_policies_over_one_model_ask_for_all_that_either_asks(cast: Cast, adam: Actor) -> None:
    two = [
        {"key": "legal", "title": "Legal approval", "role": "approver", "count": 2},
    ]
    put_in_force(adam, cast.vera, key="legal", steps=two, approval_days=30)
    review = cast.submit(PRODUCTION)
    assert str(review.policy_version) == "legal-1+standard-1 v1"
    sign(cast.vera, review)
    sign(cast.rui, review)
    review.refresh_from_db()
    assert review.status == "open"
    sign(cast.remo, review)
    review.refresh_from_db()
    assert review.status == "promoted"
    is_whole()
    assert cast.submit(CHAMPION).policy_version == review.policy_version
    assert PolicyVersion.objects.exclude(parts=[]).count() == 1


def test_a_policy_counts_only_for_the_models_and_targets_it_is_about(
    cast: Cast, adam: Actor
) -> None:
    carl = factories.person("carl", "contributor")
    put_in_force(
        adam,
        cast.vera,
        key="eu",
        applies_to={"tags": {"EU-AI-Act": ["high-risk"]}},
        approval_days=9,
    )
    put_in_force(adam, cast.vera, key="light", applies_to={"tiers": [3]}, approval_days=8)
    put_in_force(adam, cast.vera, key="stage", governs={"stages": ["staging"]}, approval_days=7)
    assert str(in_force.policy_for(cast.version, [PRODUCTION])) == "standard v1"
    assert str(in_force.policy_for(cast.version, [STAGING])) == "stage v1"
    registry_services.set_model_tag(cast.omar, cast.model, key="eu-ai-act", value="high-risk")
    assert str(in_force.policy_for(cast.version, [PRODUCTION])) == "eu v1 and standard v1"
    with pytest.raises(Forbidden):
        registry_services.delete_model_tag(carl, cast.model, key="eu-ai-act")
    registry_services.set_model_tag(carl, cast.model, key="note", value="free")


def test_a_model_that_no_policy_covers_falls_under_all(cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, key="light", applies_to={"tiers": [3]}, approval_days=8)
    put_in_force(adam, cast.vera, cast.rui, applies_to={"tiers": [2]})
    assert cast.model.risk_tier == 1
    assert str(in_force.policy_for(cast.version)) == "light v1 and standard v2"


def test_a_model_is_not_taken_out_of_the_others_by_one_signature(cast: Cast, adam: Actor) -> None:
    """Nobody covers tier 1, so it falls under all; a weak policy that begins to cover it would be the only one."""
    put_in_force(adam, cast.vera, cast.rui, applies_to={"tiers": [2]})
    weak = {"key": "weak", "applies_to": {"tiers": [1]}, "steps": builtin.standard()["steps"][:1]}
    change = services.propose(adam, text=text(**weak), reason=WHY)
    assert change.needed == 2
    assert "fell under all" in change.loosens[0]
    signs(cast.vera, change)
    assert str(in_force.policy_for(cast.version)) == "standard v2"
    widened = services.propose(adam, text=text(applies_to={"tiers": [2, 3]}), reason=WHY)
    assert widened.needed == 1, "no other policy governs what it governs, so nobody leaves one"


def test_what_a_change_loosens_is_asked_again_when_it_is_signed(cast: Cast, adam: Actor) -> None:
    early = services.propose(adam, text=text(key="weak", applies_to={"tiers": [1]}), reason=WHY)
    assert early.needed == 1, "the standard covers every model"
    put_in_force(adam, cast.vera, cast.rui, applies_to={"tiers": [2]})
    with pytest.raises(Conflict, match="Other policies changed since"):
        signs(cast.rui, early)
    assert in_force.of_key("weak") is None


def test_what_is_governed_follows_at_once(cast: Cast, adam: Actor) -> None:
    assert not registry.is_governed(cast.model, STAGING)
    put_in_force(adam, cast.vera, key="stage", governs={"stages": ["Staging"], "aliases": ["prod"]})
    assert registry.is_governed(cast.model, STAGING)
    with pytest.raises(Blocked):
        registry_services.set_stage(cast.ana, cast.version, stage="Staging")
    change = services.propose_retirement(adam, key="stage", reason=WHY)
    assert change.needed == 2
    signs(cast.vera, change)
    signs(cast.rui, change)
    assert not registry.is_governed(cast.model, STAGING)
    assert in_force.of_key("stage") is None
    is_whole()


def test_a_target_that_somebody_holds_unsigned_is_not_governed_behind_her_back(
    cast: Cast, adam: Actor
) -> None:
    registry_services.set_stage(cast.ana, cast.version, stage="Staging")
    change = services.propose(
        adam, text=text(key="stage", governs={"stages": ["staging"]}), reason=WHY
    )
    with pytest.raises(Blocked, match=r"credit \(stage staging\)"):
        signs(cast.vera, change)
    assert not PolicySignature.objects.exists()
    registry_services.set_stage(cast.ana, cast.version, stage="None")
    signs(cast.vera, change)
    assert registry.is_governed(cast.model, STAGING)


def test_an_open_review_keeps_its_policy_until_it_is_rebased(cast: Cast, adam: Actor) -> None:
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    put_in_force(adam, cast.vera, approval_days=30)
    assert str(selectors.get_review(cast.ana, review.pk).policy_version) == "standard v1"
    kept = services.new_round(cast.ana, review)
    assert json.loads(bytes(kept.manifest))["policy"]["number"] == 1
    with pytest.raises(DatabaseError, match="a round lives"), transaction.atomic():
        Review.objects.update(policy_version=PolicyVersion.objects.get(number=2))
    moved = services.new_round(cast.ana, review, rebase=True)
    assert json.loads(bytes(moved.manifest))["policy"]["number"] == 2
    assert str(Review.objects.get().policy_version) == "standard v2"


ORDERED = [
    {"key": "validation", "title": "Validation", "role": "validator", "count": 1},
    {"key": "approval", "title": "Approval", "role": "approver", "count": 1, "after": ["validation"]},
]  # fmt: skip


def test_p11_06_a_step_out_of_order_is_refused(cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, steps=ORDERED)
    review = cast.submit(PRODUCTION)
    assert "approver" not in {step.role for step in selectors.open_steps(cast.rui, review)}
    with pytest.raises(Conflict, match="comes after Validation"):
        sign(cast.rui, review)
    sign(cast.vera, review)
    sign(cast.rui, review)
    review.refresh_from_db()
    assert review.status == "promoted"


def test_p11_06_sql_counts_no_signature_that_came_too_early(cast: Cast, adam: Actor) -> None:
    """With the order forged in the table, the database still refuses the authorization."""
    put_in_force(adam, cast.vera, steps=ORDERED)
    review = cast.submit(PRODUCTION)
    first = sign(cast.vera, review)
    round_ = selectors.live_round(review)
    assert round_ is not None
    with triggers_off("reviews_decision"):
        late = Decision.objects.get(pk=first.pk)
        Decision.objects.filter(pk=first.pk).update(
            step="approval", role="approver", user_id=cast.rui.user_id
        )
        late.pk = first.pk + 1_000_000
        late.save(force_insert=True)
    with pytest.raises(DatabaseError, match="step approval has 0 of 1"):
        registry_services.authorize(
            cast.rui, review.version, target=PRODUCTION, review_id=review.pk, round_id=round_.pk,
            evidence_digest=round_.digest, terms={}, expires_at=clock.now() + clock.dt.timedelta(days=1),
        )  # fmt: skip


def test_the_owner_of_record_is_kept_out_where_the_policy_says_so(cast: Cast, adam: Actor) -> None:
    steps = [
        dict(builtin.standard()["steps"][0], exclude_owner=True),
        builtin.standard()["steps"][1],
    ]
    put_in_force(adam, cast.rui, steps=steps)
    registry_services.update_model(cast.omar, cast.model, owner_id=cast.vera.user_id)
    review = cast.submit(PRODUCTION)
    with pytest.raises(Forbidden, match="keeps the owner"):
        sign(cast.vera, review)
    assert "Vera" not in {str(u) for a in selectors.who_is_asked(review) for u in a.people}


def test_promotion_on_request_waits_for_somebody_to_ask(cast: Cast, adam: Actor) -> None:
    put_in_force(adam, cast.vera, promote="on_request")
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    sign(cast.rui, review)
    review.refresh_from_db()
    assert (review.status, review.note) == ("signed", "")
    services.promote_signed(cast.ana, review)
    review.refresh_from_db()
    assert review.status == "promoted"


# --- what plain SQL cannot do ------------------------------------------------------------------


SQL = [
    "UPDATE reviews_policyversion SET document = '{}'",
    "DELETE FROM reviews_policyversion",
    "UPDATE reviews_policychange SET needed = 1",
    "UPDATE reviews_policychange SET loosens = '[]'",
    "DELETE FROM reviews_policychange",
    "DELETE FROM reviews_policysignature",
    "UPDATE reviews_policyactivation SET version_id = NULL",
    "DELETE FROM reviews_policyactivation",
    "INSERT INTO registry_governedtarget (kind, name) VALUES ('stage', 'x')",
    "DELETE FROM registry_governedtarget",
    "UPDATE reviews_round SET owner_id = NULL",
    (
        "INSERT INTO reviews_policyactivation (key, version_id, change_id, activated_at)"
        " SELECT key, id, NULL, now() FROM reviews_policyversion WHERE number = 2"
    ),
    (
        "INSERT INTO reviews_policyactivation (key, version_id, change_id, activated_at)"
        " SELECT c.key, c.version_id, c.id, now() FROM reviews_policychange c"
    ),
    (
        "INSERT INTO reviews_policychange (key, version_id, replaces_id, reason, loosens, needed, manifest, digest, status,"
        " proposed_by_id, proposed_at, note) SELECT 'other', version_id, replaces_id, '', '[]', 1, '', encode(sha256(''), 'hex'),"
        " 'open', proposed_by_id, now(), '' FROM reviews_policychange"
    ),
    (
        "INSERT INTO reviews_policyversion (key, number, document, digest, parts, created_at)"
        " SELECT 'weak', 1, '{\"steps\": []}', repeat('1', 64), ARRAY[v.id, v.id + 1], now() FROM reviews_policyversion v"
    ),
]


@pytest.mark.parametrize("statement", SQL)
def test_the_site_s_role_cannot_change_a_policy(
    statement: str, cast: Cast, adam: Actor, runtime_connection: psycopg.Connection[tuple[Any, ...]]
) -> None:
    cast.submit(PRODUCTION)
    change = services.propose(adam, text=text(**LOOSER), reason=WHY)
    signs(cast.vera, change)
    with pytest.raises(psycopg.Error) as refused:
        runtime_connection.execute(statement)
    assert refused.value.sqlstate in {"42501"}, refused.value
    assert str(in_force.policy_for(cast.version)) == "standard v1"
    is_whole()


def test_a_review_cannot_be_asked_for_under_a_policy_that_is_not_in_force(
    cast: Cast, adam: Actor
) -> None:
    services.propose(adam, text=text(**LOOSER), reason=WHY)
    with pytest.raises(DatabaseError, match="is not in force"), transaction.atomic():
        Review.objects.create(
            version=cast.version, targets=["stage:production"], justification="x",
            policy_version=PolicyVersion.objects.get(number=2), submitted_by_id=cast.ana.user_id,
            created_at=clock.now(),
        )  # fmt: skip


def test_verify_ledger_names_what_a_superuser_changed(cast: Cast, adam: Actor) -> None:
    change = put_in_force(adam, cast.vera, **STRICTER)
    tables = (
        "reviews_policyactivation", "reviews_policysignature", "reviews_policychange", "reviews_policyversion",
    )  # fmt: skip
    with triggers_off(*tables):
        PolicySignature.objects.update(comment="never said")
        PolicyChange.objects.update(loosens=["everything"], manifest=b"{}")
        PolicyActivation.objects.create(
            key="standard", version=PolicyVersion.objects.get(number=1), activated_at=clock.now()
        )
        GovernedTarget.objects.filter(name="champion").delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE reviews_policyversion SET document = jsonb_set(document, '{approval_days}', '3660') WHERE number = 2"
            )
    found = differences()
    assert "its statement is not about this change" in found
    assert f"POL-{change.pk}: what was proposed is not what the ledger says" in found
    assert "of standard is not in the ledger" in found
    assert "standard v2: its document is not what its digest says" in found
    assert "alias champion is not governed" in found
