"""What a policy names and nothing acts on yet is said where it is read, and before it is signed."""

from __future__ import annotations

import pytest

from apps.core.actor import Actor
from apps.reviews import services
from tests import factories
from tests.reviews.conftest import Cast
from tests.reviews.conftest import adam as adam  # the fixtures
from tests.reviews.conftest import cast as cast
from tests.reviews.test_policies import text
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)

SAID = "not acted on yet"


def test_the_page_that_is_signed_names_what_nothing_acts_on(cast: Cast, adam: Actor) -> None:
    client = browser(factories.user_of(cast.vera))
    assert SAID not in client.get("/policies/of/standard/").content.decode()
    written = text(governs__environments=["eu"], rereview_on=["vendor"])
    change = services.propose(adam, text=written, reason="the board asks for it")
    shown = client.get(f"/policies/changes/{change.pk}/").content.decode()
    assert SAID in shown
    assert "nvironments" in shown
