"""A review page asks the database as often with 200 evidence items, 30 decisions and 100 comments as with 2, 3 and 1."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.models import User
from apps.core import clock
from apps.modelcards import services as cards
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import selectors, services
from apps.reviews.models import Review
from tests import factories
from tests.checks import flow
from tests.experiments import makers
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

PRODUCTION = Target("stage", "production")


@pytest.fixture(autouse=True)
def _checks_block(settings: Settings) -> None:
    """A gate that never passes here, so that every round stays open for another decision."""
    settings.PROMOTION_GATES = [
        "apps.reviews.gates.checks_pass",
        "apps.reviews.gates.quorum_signed",
    ]


def version(ana: User, model: RegisteredModel, *, items: int) -> ModelVersion:
    """With so many files, parameters and logged metrics, half of them other than in the last version."""
    actor = as_actor(ana)
    run = makers.run(
        actor,
        makers.experiment(actor),
        params={f"p{n}": str(n % 2 and model.versions.count()) for n in range(items)},
        metrics={f"m{n}": float(n) for n in range(items)},
    )
    files = {f"file-{n}.bin": f"{n}".encode() for n in range(items)}
    made = factories.version(actor, model, run=makers.ended(actor, run), files=files)
    flow.attach(made, ana)
    for kind in ("performance", "fairness"):
        flow.done(made, ana, kind)
    cards.save_card(actor, made, {"summary": "Words.\n\n" * items}, 0)
    return made


def sign(signer: User, review: Review) -> None:
    actor, live = as_actor(signer), selectors.live_round(review)
    assert live is not None
    services.decide(
        actor,
        review,
        outcome="approve",
        evidence_digest=live.digest,
        comment="read it",
        no_conflict=True,
        proof=factories.proof(actor),
    )


def promoted(ana: User, vera: User, rui: User, settings: Settings, made: ModelVersion) -> None:
    gates = settings.PROMOTION_GATES
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    review = services.submit(as_actor(ana), made, targets=[PRODUCTION], justification="first")
    sign(vera, review)
    sign(rui, review)
    settings.PROMOTION_GATES = gates


def filled(
    people: tuple[User, User, User], name: str, settings: Settings, *, items: int, decisions: int, comments: int
) -> Review:  # fmt: skip
    """A review of a version beside an incumbent, with that many of everything, findings and waived rounds too."""
    ana, vera, rui = people
    model = factories.model(as_actor(ana), name)
    promoted(ana, vera, rui, settings, version(ana, model, items=items))
    review = services.submit(
        as_actor(ana), version(ana, model, items=items), targets=[PRODUCTION], justification="next"
    )
    for number in range(decisions):
        sign(vera, review)
        if number < decisions - 1:
            services.new_round(as_actor(ana), review)
    for number in range(comments):
        services.start_thread(as_actor(rui), review, text=f"Why {number}?")
    for number in range(max(1, comments // 5)):
        given = services.NewFinding(
            title=f"Finding {number}",
            text="It drops.",
            severity="low",
            owner_id=ana.pk,
            due=clock.now().date() + dt.timedelta(days=14),
            blocking=False,
            clause="",
            reproduction="",
        )
        services.raise_finding(as_actor(rui), review.version, given, review=review)
    return review


def test_a_large_review_costs_as_many_queries_as_a_small_one(
    ana: User, vera: User, rui: User, aud: User, settings: Settings
) -> None:
    people = (ana, vera, rui)
    few = filled(people, "few", settings, items=1, decisions=3, comments=1)
    many = filled(people, "many", settings, items=100, decisions=30, comments=100)
    for reader in (ana, rui, vera, aud):
        client, counts = browser(reader), []
        for review in (few, many):
            client.get(
                f"/reviews/{review.pk}/"
            )  # what is remembered for a process is remembered now
            with CaptureQueriesContext(connection) as asked:
                answer = client.get(f"/reviews/{review.pk}/")
            assert answer.status_code == 200
            counts.append(len(asked))
        assert counts[0] == counts[1], f"{reader}: {counts}"
        shown = answer.content.decode()
        assert shown.count('id="decision-') == 30
        assert "file-99.bin" in shown
        # what is over is folded beyond the newest few, and does not look as if it counted
        assert "24 earlier decisions" in shown
        assert "24 earlier rounds" in shown
