"""The gates explain themselves: what each is made of, whose signature is void since when and why, the smallest fix."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.core.actor import Actor
from apps.registry import explain, gates
from apps.registry.gates import GateResult
from apps.reviews import admission, selectors, services
from apps.reviews.models import Review
from tests import factories
from tests.checks.flow import attach, done
from tests.reviews.conftest import PRODUCTION, Cast

pytestmark = pytest.mark.django_db(transaction=True)


def sign(review: Review, actor: Actor, outcome: str = "approve") -> None:
    round_ = selectors.live_round(review)
    assert round_ is not None
    services.decide(
        actor,
        review,
        outcome=outcome,
        evidence_digest=round_.digest,
        comment="looked at it",
        proof=factories.proof(actor),
        no_conflict=True,
    )


def acts(results: Sequence[GateResult]) -> list[str]:
    fixes = explain.smallest(results)
    assert fixes is not None
    return [fix.act for fix in fixes]


def gate(cast: Cast) -> list[GateResult]:
    return admission.gates_of(cast.version, [PRODUCTION])


def flat(results: Sequence[GateResult]) -> dict[str, GateResult]:
    found: dict[str, GateResult] = {}
    for each in results:
        found[each.key] = each
        found |= flat(each.children)
    return found


def test_without_a_review_somebody_asks_and_every_step_signs(cast: Cast) -> None:
    (found,) = gate(cast)
    assert found.state == "missing"
    assert acts([found]) == [
        "ask for a review",
        "somebody with the role validator signs",
        "somebody with the role approver signs",
    ]


def test_who_may_sign_is_named(cast: Cast) -> None:
    review = cast.submit()
    assert acts(gate(cast))[0] == "Vera signs as validator"
    sign(review, cast.vera)
    assert acts(gate(cast)) == ["Remo or Rui signs as approver"]
    told = flat(gate(cast))
    assert told["review.validation"].passes
    assert "1 of 1 approver signature is missing" in told["review.approval"].clause


def test_a_signature_of_an_ended_round_is_void_since_the_next_one(cast: Cast) -> None:
    review = cast.submit()
    sign(review, cast.vera)
    services.new_round(cast.ana, review, because="more data")
    sentence = explain.sentence(gate(cast))
    assert sentence.startswith(
        "Denied because 1 of 1 validator signature is void since round 2 (more data), and 1 of 1 approver"
    )
    assert acts(gate(cast)) == ["Vera signs again as validator", "Remo or Rui signs as approver"]
    sign(review, cast.vera)
    assert not any("void" in leaf.fact for leaf in flat(gate(cast)).values())


def test_who_lost_the_role_is_not_asked_to_sign_again(cast: Cast) -> None:
    from apps.accounts import services as accounts

    review = cast.submit()
    sign(review, cast.vera)
    services.new_round(cast.ana, review, because="more data")
    factories.person("vito", "validator")
    accounts.revoke_role(factories.SYSTEM, "validator", factories.user_of(cast.vera))
    told = flat(gate(cast))
    (void,) = [
        leaf
        for key, leaf in told.items()
        if "void" in leaf.fact and not leaf.children and leaf.title == "Vera"
    ]
    assert void.fixes == ()
    assert acts(gate(cast))[0] == "Vito signs as validator"


def test_changes_that_were_requested_take_a_new_round_and_all_signatures(cast: Cast) -> None:
    review = cast.submit()
    sign(review, cast.vera)
    sign(review, cast.rui, "request_changes")
    assert acts(gate(cast)) == [
        f"make a new round of {review.key}",
        "Vera signs again as validator",
        "Remo signs as approver",
    ]
    assert "Rui requested changes of round 1" in explain.sentence(gate(cast))


def test_evidence_that_was_signed_too_early_takes_a_new_round(
    cast: Cast, settings: Settings
) -> None:
    settings.PROMOTION_GATES = [
        "apps.reviews.gates.evidence_holds",
        "apps.reviews.gates.quorum_signed",
    ]
    review = cast.submit()
    sign(review, cast.vera)
    told = acts(gate(cast))
    assert told == [
        f"make a new round of {review.key}",
        "Vera signs again as validator",
        "Remo or Rui signs as approver",
    ]


def test_checks_are_told_limit_by_limit(cast: Cast, settings: Settings) -> None:
    settings.PROMOTION_GATES = ["apps.reviews.gates.checks_pass"]
    assert set(acts(gate(cast))) == {
        "attach the data that the performance check takes and run it",
        "attach the data that the fairness check takes and run it",
        "attach the data that the drift check takes and run it",
    }
    person = factories.user_of(cast.ana)
    attach(cast.version, person)
    assert "run the performance check" in acts(gate(cast))
    done(cast.version, person)
    told = flat(gate(cast))
    assert told["checks.performance.roc_auc"].state in {"pass", "fail"}
    assert "ROC AUC" in told["checks.performance.roc_auc"].title
    # A waiver is shown as a way and is never the smallest fix.
    assert any(key.endswith(".waiver") for key in told)
    assert not any(act.startswith("waive") for act in acts(gate(cast)))


def test_each_block_of_the_card_is_told(cast: Cast, settings: Settings) -> None:
    settings.PROMOTION_GATES = ["apps.reviews.gates.card_complete"]
    (found,) = gate(cast)
    assert found.needs == 1
    blocks, waiver = found.children
    assert waiver.state == "missing"
    assert len(acts([found])) == len(blocks.children) > 3
    assert all(act.endswith("in the card") for act in acts([found]))


def test_why_it_is_not_there_is_what_its_gates_say(cast: Cast) -> None:
    review = cast.submit()
    sign(review, cast.vera)
    found = admission.may_run(cast.version, PRODUCTION)
    assert acts(found) == ["Remo or Rui signs as approver"]
    sign(review, cast.rui)
    assert all(each.passes for each in admission.may_run(cast.version, PRODUCTION))


def test_a_used_up_approval_takes_a_new_review(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    sign(review, cast.vera)
    sign(review, cast.rui)
    newer = factories.version(cast.ana, cast.model)
    second = cast.submit(PRODUCTION, version=newer)
    sign(second, cast.vera)
    sign(second, cast.rui)
    told = acts(admission.may_run(cast.version, PRODUCTION))
    assert told[0].startswith("promote")
    assert told[1] == "ask for a review"
    assert len(told) == 4


def test_the_tree_agrees_with_the_states_of_its_parts(cast: Cast, settings: Settings) -> None:
    from config import settings as shipped

    settings.PROMOTION_GATES = shipped.PROMOTION_GATES
    cast.submit()
    for each in flat(admission.may_enter(cast.version, PRODUCTION)).values():
        if each.children:
            needs = len(each.children) if each.needs is None else each.needs
            assert each.passes == (sum(child.passes for child in each.children) >= needs)
        elif not each.passes:
            assert each.fixes, each


def test_queries_do_not_grow_with_rounds_and_signatures(cast: Cast, settings: Settings) -> None:
    from config import settings as shipped

    settings.PROMOTION_GATES = shipped.PROMOTION_GATES
    review = cast.submit()

    def count() -> int:
        terms = admission.policy_of(cast.version).document.terms()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            gates.evaluate(cast.version, [PRODUCTION], terms)
        return len(queries)

    sign(review, cast.vera)
    services.new_round(cast.ana, review, because="once")
    few = count()
    for number in range(6):
        sign(review, cast.vera)
        services.new_round(cast.ana, review, because=f"again {number}")
    assert count() == few


def test_a_void_since_an_end_without_a_new_round_names_the_day(cast: Cast) -> None:
    from apps.reviews.services import rounds

    review = cast.submit()
    sign(review, cast.vera)
    rounds.void_live_round(
        Actor.system("worker"), review, reason="the drift result was recalled: typo"
    )
    sentence = explain.sentence(gate(cast))
    day = f"{dt.datetime.now(dt.UTC):%d %b %Y}"
    assert f"the evidence of {review.key} is void (the drift result was recalled: typo)" in sentence
    assert f"1 of 1 validator signature is void since {day}" in sentence
    assert acts(gate(cast))[:2] == [
        f"make a new round of {review.key}",
        "Vera signs again as validator",
    ]
