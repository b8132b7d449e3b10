"""What a review page says of the card: the words that changed since the approved one, and a newer revision than is signed for."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from apps.accounts.models import User
from apps.modelcards import services as cards
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import services
from apps.reviews.models import Review
from tests import factories
from tests.support.people import as_actor
from tests.web.browsing import browser
from tests.web.test_reviews import sign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _only_the_quorum(settings: Settings) -> None:
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]


@pytest.fixture
def first(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor, "churn"))


def write(ana: User, version: ModelVersion, **texts: str) -> None:
    cards.save_card(as_actor(ana), version, texts, version.card_revisions.count())


def submit(ana: User, version: ModelVersion) -> Review:
    production = Target("stage", "production")
    return services.submit(as_actor(ana), version, targets=[production], justification="why")


def changes(user: User, review: Review) -> str:
    """The part of the page about what changed since the incumbent."""
    page = browser(user).get(f"/reviews/{review.pk}/").content.decode()
    start = page.index('id="changes"')
    return page[start : page.index("</details>", start)]


@pytest.fixture
def second(ana: User, vera: User, rui: User, first: ModelVersion) -> ModelVersion:
    """v1 was approved with revision 1 of its card and edited since; v2 has a card of its own."""
    write(ana, first, summary="Ranks customers by churn.", limitations="Untested abroad.")
    approved = submit(ana, first)
    for user in (vera, rui):
        assert sign(user, approved)[0] == 302
    write(ana, first, summary="Ranks unapproved customers.", limitations="Untested abroad.")
    version = factories.version(as_actor(ana), first.model)
    write(ana, version, summary="Ranks suppliers by churn.", limitations="Untested abroad.")
    return version


def test_the_card_is_compared_with_the_one_that_was_approved(ana: User, vera: User, second: ModelVersion) -> None:  # fmt: skip
    shown = changes(vera, submit(ana, second))
    assert "card in 1 block" in shown
    assert "<del>customers" in shown
    assert "<ins>suppliers" in shown
    assert "unapproved" not in shown
    assert "Untested abroad" not in shown


def test_a_newer_revision_than_the_pinned_one_is_newer_evidence(ana: User, vera: User, second: ModelVersion) -> None:  # fmt: skip
    review = submit(ana, second)
    url = f"/reviews/{review.pk}/"
    before = browser(vera).get(url).content.decode()
    assert "Newer evidence exists" not in before
    write(ana, second, summary="Ranks planets by churn.", limitations="Untested abroad.")
    after = browser(vera).get(url).content.decode()
    assert "Newer evidence exists" in after
    assert "Changed since round 1: the card." in after
    assert "planets" not in after  # what is signed for stays what it was
    assert "<ins>suppliers" in changes(vera, review)
    services.new_round(as_actor(ana), review)
    again = browser(vera).get(url).content.decode()
    assert "Newer evidence exists" not in again
    assert "<ins>planets" in changes(vera, review)
