"""A policy demands an impact assessment by tier: in its document, at the gate, in the simulation, in a combination."""

from __future__ import annotations

import json
from typing import Any

import pytest

from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.registry import explain
from apps.reviews import services
from apps.reviews.gates import quorum_signed
from apps.reviews.policies import builtin, combine, compare
from apps.reviews.policies.document import parse
from tests.impact.samples import moderate, save, sign
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.conftest import adam as adam
from tests.reviews.conftest import cast as cast
from tests.reviews.test_policies import put_in_force
from tests.reviews.test_simulating import decided, labels, propose, tried
from tests.reviews.test_simulating import plain as plain

pytestmark = pytest.mark.django_db(transaction=True)


def document(**asked: Any) -> Any:
    data = json.loads(json.dumps(builtin.standard()))
    data["gates"]["impact_assessment"] = asked
    return parse(data)


def test_two_policies_ask_for_what_each_asks() -> None:
    one, two = document(tiers=[1], max_age_days=300), document(tiers=[2, 1], max_age_days=90)
    both = combine.combine([one, two.model_copy(update={"key": "other"})]).gates.impact_assessment
    assert (both.tiers, both.max_age_days) == ((1, 2), 90)


def test_what_loosens_it_is_named_and_its_reverse_is_none() -> None:
    old, fewer, older = (
        document(tiers=[1, 2], max_age_days=90),
        document(tiers=[1], max_age_days=90),
        document(tiers=[1, 2]),
    )
    assert compare.loosenings(old, fewer) == ["tier 2 needs no impact assessment any more"]
    assert compare.loosenings(old, older) == ["an impact assessment may be older"]
    assert compare.loosenings(fewer, old) == compare.loosenings(older, old) == []


@pytest.mark.parametrize("asked", [{"tiers": [4]}, {"max_age_days": 9}, {"tiers": [1], "forms": 1}])
def test_what_asks_for_nothing_or_is_no_tier_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        document(**asked)


def test_the_explanation_names_the_act_that_helps(cast: Cast) -> None:
    from apps.impact.gates import assessed

    terms = {"checks": {}, "impact_assessment": {"tiers": [1], "max_age_days": None}}
    found = assessed(cast.version, [], terms)
    [fix] = explain.smallest([found]) or ()
    assert fix.act == "answer the impact assessment and have it signed"
    assert fix.url == "/models/credit/impact/"
    assert explain.why([found], "Held back") == "Held back because no impact assessment was signed"


@pytest.mark.usefixtures("plain")
def test_a_draft_that_demands_one_asks_for_it_and_not_where_it_was_signed(
    cast: Cast, adam: Actor
) -> None:
    first = decided(cast, cast.vera, cast.rui)
    sign(cast.remo, save(cast.omar, cast.model, moderate()))
    second = decided(cast, cast.vera, cast.rui)
    found = tried(adam, propose(adam, gates__impact_assessment={"tiers": [1]}))
    assert labels(found.asked) == [first.key]
    assert found.asked.seen[0].reasons == ("no impact assessment was signed",)
    assert second.key not in labels(found.asked)
    assert not found.blocked.total


def test_mrm_02_a_raised_tier_demands_one_more_signature(cast: Cast, adam: Actor) -> None:
    """Tier 3 takes a validator; from tier 2 on an approver signs as well."""
    alone = [{"key": "check", "title": "Check", "role": "validator", "count": 1}]
    more = [*alone, {"key": "risk", "title": "Risk", "role": "approver", "count": 1}]
    put_in_force(adam, cast.vera, cast.rui, steps=alone, approval_days=90)
    put_in_force(
        adam, cast.vera, key="grave", title="Grave", steps=more, applies_to={"tiers": [1, 2]}
    )
    lowered = services.change_settings(
        cast.omar, cast.model, reason="ten people", exposure="low", purpose_class="informational"
    )
    assert lowered is not None
    from tests.reviews.test_standing import signs

    signs(cast.vera, lowered)
    review = cast.submit(PRODUCTION)
    assert [step.role for step in steps(review)] == ["validator"]
    sign(cast.remo, save(cast.omar, cast.model, moderate()))
    review.refresh_from_db()
    assert [step.role for step in steps(review)] == ["validator"]
    services.new_round(cast.ana, review, rebase=True)
    review.refresh_from_db()
    assert [step.role for step in steps(review)] == ["validator", "approver"]
    found = quorum_signed(cast.version, [PRODUCTION], {})
    assert not found.passes


def steps(review: Any) -> Any:
    from apps.reviews import selectors

    return selectors.document(review).steps
