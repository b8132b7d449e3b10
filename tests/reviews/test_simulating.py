"""A proposed policy is tried on what was decided and on what is in use before anybody signs it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.audits import selectors as audits
from apps.checks import services as checks
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden
from apps.reviews import services, tasks
from apps.reviews.models import PolicyChange, PolicySimulation, Review
from apps.reviews.policies import builtin
from apps.reviews.reads import simulations
from apps.reviews.reads.simulations import Changes, Simulation
from tests import factories
from tests.checks.flow import attach, done
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_explained import sign
from tests.reviews.test_forgery import is_whole
from tests.reviews.test_policies import WHY, activate, signs, text
from tests.web.browsing import _sizes

pytestmark = pytest.mark.django_db(transaction=True)

# What the demo data of a credit model measure: ROC AUC 0.786 (0.754 to 0.814).
HELD = {
    "gates__checks": {"performance": {"roc_auc": {"min": "0.70"}}},
    "gates__card_complete": False,
}


@pytest.fixture
def plain(adam: Actor, cast: Cast) -> None:
    """A policy in force that asks for one number and two signatures."""
    activate(adam, text(**HELD), cast.vera, cast.rui)


def propose(adam: Actor, **changes: Any) -> PolicyChange:
    return services.propose(adam, text=text(**{**HELD, **changes}), reason=WHY)


def decided(cast: Cast, *signers: Actor, kinds: tuple[str, ...] = ("performance",)) -> Review:
    """A new version with its results, asked for and signed by these."""
    version = factories.version(cast.ana, cast.model)
    person = factories.user_of(cast.ana)
    attach(version, person)
    for kind in kinds:
        done(version, person, kind)
    review = cast.submit(PRODUCTION, version=version)
    for signer in signers:
        sign(review, signer)
    review.refresh_from_db()
    return review


def tried(actor: Actor, change: PolicyChange) -> Simulation:
    services.simulate(actor, change)
    found = simulations.read(actor, change)
    assert found is not None
    return found


def labels(changes: Changes) -> list[str]:
    assert changes.total == len(changes.seen) + changes.hidden
    return [each.label for each in changes.seen]


@pytest.mark.usefixtures("plain")
def test_a_stricter_limit_blocks_what_was_let_in_and_what_is_in_use(
    cast: Cast, adam: Actor
) -> None:
    review = decided(cast, cast.vera, cast.rui)
    change = propose(adam, gates__checks={"performance": {"roc_auc": {"min": "0.90"}}})
    found = tried(adam, change)
    assert (found.reviews, found.versions) == (1, 1)
    seen = simulations.read(cast.vera, change)
    assert seen is not None
    assert labels(seen.blocked) == [review.key, "credit v2"]
    assert "below 0.90" in seen.blocked.seen[0].reasons[0]
    assert not seen.let_through.total
    assert not seen.asked.total


@pytest.mark.usefixtures("plain")
def test_what_was_refused_and_would_pass_is_let_through(cast: Cast, adam: Actor) -> None:
    activate(
        adam,
        text(**{**HELD, "gates__checks": {"performance": {"roc_auc": {"min": "0.90"}}}}),
        cast.vera,
    )
    review = decided(cast, cast.vera, cast.rui)
    assert review.status == "promoted"  # only the signatures are asked here
    change = propose(adam)
    assert change.loosens
    found = tried(cast.vera, change)
    assert labels(found.let_through)[0] == review.key
    assert "below 0.90" in found.let_through.seen[0].reasons[0]
    assert not found.blocked.total


@pytest.mark.usefixtures("plain")
def test_a_new_step_is_asked_in_addition(cast: Cast, adam: Actor) -> None:
    review = decided(cast, cast.vera, cast.rui)
    legal = {"key": "legal", "title": "Legal", "role": "legal", "count": 1}
    found = tried(cast.vera, propose(adam, steps=[*builtin.standard()["steps"], legal]))
    assert labels(found.asked) == [review.key, "credit v2"]
    assert found.asked.seen[0].reasons == ("1 of 1 legal signature is missing",)
    assert not found.blocked.total


@pytest.mark.usefixtures("plain")
def test_a_check_that_was_never_run_is_asked_in_addition(cast: Cast, adam: Actor) -> None:
    decided(cast, cast.vera, cast.rui)
    drift = {"performance": {"roc_auc": {"min": "0.70"}}, "drift": {"psi": {"max": "0.2"}}}
    found = tried(cast.vera, propose(adam, gates__checks=drift))
    assert found.asked.total == 2
    assert "Drift was not measured" in found.asked.seen[0].reasons[0]


@pytest.mark.usefixtures("plain")
def test_a_check_that_nobody_demanded_counts_as_it_was_measured_then(
    cast: Cast, adam: Actor
) -> None:
    decided(cast, cast.vera, cast.rui, kinds=("performance", "fairness"))
    fair = {"demographic_parity_difference": {"max": "0.001"}, "features": ["sex"]}
    limits = {"performance": {"roc_auc": {"min": "0.70"}}, "fairness": fair}
    found = tried(cast.vera, propose(adam, gates__checks=limits))
    assert found.blocked.total == 2
    assert not found.asked.total


@pytest.mark.usefixtures("plain")
def test_what_happened_later_does_not_change_what_was(cast: Cast, adam: Actor) -> None:
    review = decided(cast, cast.vera, cast.rui)
    change = propose(adam, gates__checks={"performance": {"roc_auc": {"min": "0.75"}}})
    before = tried(cast.vera, change)
    assert not before.differs
    person = factories.user_of(cast.ana)
    measured = review.version.measurements.get()
    checks.recall_measurement(cast.vera, measured, reason="the file was mixed up")
    services.declare_conflict(
        cast.rui, cast.model, person=factories.user_of(cast.rui), reason="shares"
    )
    after = tried(cast.vera, change)
    of_reviews = [each for each in after.asked.seen if each.what == "review"]
    assert of_reviews == []
    assert not after.blocked.total
    del person


@pytest.mark.usefixtures("plain")
def test_a_retired_policy_lets_through_only_what_the_others_do(cast: Cast, adam: Actor) -> None:
    second = text(
        **{**HELD, "key": "second", "title": "Second", "gates__checks": {"performance": {"roc_auc": {"min": "0.95"}}}}
    )  # fmt: skip
    activate(adam, second, cast.vera)
    review = decided(cast, cast.vera, cast.rui)
    change = services.propose_retirement(adam, key="second", reason=WHY)
    found = tried(cast.vera, change)
    assert review.key in labels(found.let_through)


@pytest.mark.usefixtures("plain")
def test_nothing_decided_is_nothing_replayed(cast: Cast, adam: Actor) -> None:
    cast.submit()
    found = tried(cast.vera, propose(adam, gates__card_complete=True))
    assert (found.reviews, found.versions, found.differs) == (0, 0, False)


@pytest.mark.usefixtures("plain")
def test_only_the_result_and_its_event_are_written(cast: Cast, adam: Actor) -> None:
    decided(cast, cast.vera, cast.rui)
    change = propose(adam, gates__card_complete=True)
    size, rows = audits.head().size, _sizes()
    row = services.simulate(adam, change)
    now = _sizes()
    assert {name: now[name] - rows[name] for name in now if now[name] != rows[name]} == {
        "reviews_policysimulation": 1,
        "audits_event": 1,
    }
    assert audits.head().size == size + 1
    told = json.loads(bytes(row.result))
    assert told["counts"]["asked"] == 2
    is_whole()


@pytest.mark.usefixtures("plain")
def test_the_worker_tries_a_proposal_once(cast: Cast, adam: Actor) -> None:
    from apps.core.models import OutboxMessage

    change = propose(adam, gates__card_complete=True)
    waiting = OutboxMessage.objects.filter(task="apps.reviews.tasks.simulate_change")
    message = waiting.latest("pk")
    assert message.payload["change"] == change.pk
    for _ in range(2):
        tasks.simulate_change(message.pk)
        OutboxMessage.objects.filter(pk=message.pk).update(finished_at=None, claimed_until=None)
    assert PolicySimulation.objects.filter(change=change).count() == 1


@pytest.mark.usefixtures("plain")
def test_signing_names_the_simulation_and_makes_one_if_there_is_none(
    cast: Cast, adam: Actor
) -> None:
    change = propose(adam, gates__checks={"performance": {"roc_auc": {"min": "0.75"}}})
    signed = signs(cast.vera, change)
    row = PolicySimulation.objects.get(change=change)
    assert json.loads(bytes(signed.statement))["simulation"] == row.digest
    is_whole()


@pytest.mark.usefixtures("plain")
def test_who_was_shown_another_simulation_does_not_sign(cast: Cast, adam: Actor) -> None:
    decided(cast, cast.vera, cast.rui)
    change = propose(adam, gates__card_complete=True)
    first = services.simulate(adam, change)
    decided(cast, cast.vera, cast.rui)
    services.simulate(adam, change)
    with pytest.raises(Conflict, match="shown the simulation"):
        services.sign_change(
            cast.vera,
            change,
            approves=True,
            digest=change.digest,
            comment="read it",
            proof=factories.proof(cast.vera),
            simulation=first.digest,
        )
    assert not change.signatures.exists()


@pytest.mark.usefixtures("plain")
def test_what_is_in_force_since_makes_it_out_of_date(cast: Cast, adam: Actor) -> None:
    change = propose(adam, gates__card_complete=True)
    found = tried(adam, change)
    assert found.is_current
    second = text(**{**HELD, "key": "second", "title": "Second", "approval_days": 30})
    activate(adam, second, cast.vera)
    assert simulations.current(change) is None
    signed = signs(cast.vera, change)
    named = json.loads(bytes(signed.statement))["simulation"]
    assert (
        named
        == PolicySimulation.objects.filter(change=change).latest("pk").digest
        != found.row.digest
    )


@pytest.mark.usefixtures("plain")
def test_who_neither_proposes_nor_signs_may_not_run_it(cast: Cast, adam: Actor) -> None:
    change = propose(adam, gates__card_complete=True)
    with pytest.raises(Forbidden):
        services.simulate(cast.otto, change)
    services.withdraw_change(adam, change, reason="a mistake")
    with pytest.raises(Conflict):
        services.simulate(adam, change)
    assert not PolicySimulation.objects.filter(change=change).exists()


@pytest.mark.usefixtures("plain")
def test_whoever_may_not_see_a_model_is_told_only_numbers(cast: Cast, adam: Actor) -> None:
    decided(cast, cast.vera, cast.rui)
    change = propose(adam, gates__card_complete=True)
    services.simulate(adam, change)
    found = simulations.read(cast.otto, change)
    assert found is not None
    assert (found.asked.total, found.asked.hidden, found.asked.seen) == (2, 2, ())


@pytest.mark.usefixtures("plain")
def test_a_manifest_that_was_changed_is_named_and_not_replayed(cast: Cast, adam: Actor) -> None:
    from apps.reviews.models import Round
    from tests.support.triggers import triggers_off

    review = decided(cast, cast.vera, cast.rui)
    with triggers_off("reviews_round"):
        Round.objects.filter(review=review).update(manifest=b"{}")
    found = tried(cast.vera, propose(adam, gates__card_complete=True))
    assert [text.startswith(f"{review.key} round 1") for text in found.unreadable] == [True]
    assert [each.what for each in found.asked.seen] == ["version"]


@pytest.mark.usefixtures("plain")
def test_rules_are_judged_on_the_day_of_the_decision(cast: Cast, adam: Actor) -> None:
    review = decided(cast, cast.vera, cast.rui)
    today = clock.now().date()
    window = {"title": "Year end", "first": str(today), "last": str(today)}
    found = tried(cast.vera, propose(adam, freeze_windows=[window]))
    assert labels(found.blocked) == [review.key, "credit v2"]
    services.withdraw_change(adam, PolicyChange.objects.latest("pk"), reason="no")
    later = window | {"first": str(today + dt.timedelta(days=3)), "last": "2099-01-01"}
    assert not tried(cast.vera, propose(adam, freeze_windows=[later])).differs
    services.withdraw_change(adam, PolicyChange.objects.latest("pk"), reason="no")
    condition = {"key": "own", "title": "Ours", "expression": "version.number > 5"}
    found = tried(cast.vera, propose(adam, gates__conditions=[condition], gates__clean_commit=True))
    assert "Ours does not hold" in found.blocked.seen[0].reasons


@pytest.mark.usefixtures("plain")
def test_queries_do_not_grow_with_reviews(cast: Cast, adam: Actor, settings: Settings) -> None:
    change = propose(
        adam,
        gates__card_complete=True,
        gates__clean_commit=True,
        gates__against_incumbent={"max_loss": {"roc_auc": "0.01"}},
    )
    decided(cast, cast.vera, cast.rui)
    decided(cast, cast.vera, cast.rui)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            services.simulate(adam, change)
        return len(queries)

    few = count()
    for _ in range(4):
        decided(cast, cast.vera, cast.rui)
    assert count() == few


@pytest.mark.usefixtures("plain")
def test_a_draft_that_names_a_card_template_tells_which_cards_do_not_follow_it(
    cast: Cast, adam: Actor
) -> None:
    from apps.modelcards import layouts
    from apps.modelcards import services as cards

    answers = dict.fromkeys(layouts.get("standard/2").required, "Words.")
    review = decided(cast, cast.vera, cast.rui)
    cards.save_card(cast.ana, review.version, answers, 0)
    found = tried(adam, propose(adam, gates__card_templates=["standard/2"]))
    assert labels(found.asked) == [
        review.key
    ]  # the card that it was decided on; the version in use has one by now
    assert found.asked.seen[0].reasons == ("the card does not follow the template standard/2",)
