"""What a policy names and nothing acts on yet is said where it is read, and before it is signed."""

from __future__ import annotations

import pytest

from apps.core.actor import Actor
from apps.reviews import services
from apps.reviews.policies import files
from tests import factories
from tests.reviews.conftest import Cast
from tests.reviews.conftest import adam as adam  # the fixtures
from tests.reviews.conftest import cast as cast
from tests.reviews.test_policies import put_in_force, text
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)

SAID = "not acted on yet"


def test_the_page_that_is_signed_names_what_nothing_acts_on(cast: Cast, adam: Actor) -> None:
    ready = next(each for each in files.packs() if each.key == "model-risk")
    change = services.propose(adam, text=files.dump(ready), reason="the board asks for it")
    page = browser(factories.user_of(cast.vera)).get(f"/policies/changes/{change.pk}/")
    shown = page.content.decode()
    assert SAID in shown
    assert "emergency path" in shown
    for acted_on in ("eadlines of steps", "expiry of requests"):
        assert acted_on not in shown


def test_a_policy_that_names_none_of_it_says_nothing(cast: Cast, adam: Actor) -> None:
    client = browser(factories.user_of(cast.vera))
    assert SAID in client.get("/policies/of/standard/").content.decode()
    change = services.propose(adam, text=text(rereview_on=[]), reason="nothing is promised")
    assert SAID not in client.get(f"/policies/changes/{change.pk}/").content.decode()
    services.withdraw_change(adam, change, reason="never mind")
    emergency = {"roles": ["on_call"], "review_within_days": 5}
    put_in_force(adam, cast.vera, cast.rui, rereview_on=[], emergency=emergency)
    shown = client.get("/policies/of/standard/").content.decode()
    assert "mergency path" in shown
    assert "new review" not in shown
