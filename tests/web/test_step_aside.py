"""Stepping aside from a review: on its page and in the API, for whoever is asked, once and for good."""

from __future__ import annotations

import pytest

from apps.reviews.models import Recusal
from tests import factories
from tests.api_v1.conftest import by_session, by_token
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.conftest import cast as cast  # the fixture
from tests.reviews.test_signing import sign
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_signer_steps_aside_on_the_page_and_all_see_it(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    client = browser(factories.user_of(cast.rui))
    url = f"/reviews/{review.pk}/"
    assert f"{url}step-aside/" in client.get(url).content.decode()
    assert client.post(f"{url}step-aside/", {"reason": ""}).status_code == 422
    answer = client.post(f"{url}step-aside/", {"reason": "my sister wrote it"})
    assert answer.status_code in {302, 303}
    page = client.get(url).content.decode()
    assert "You stepped aside from" in page
    assert f"{url}step-aside/" not in page
    seen = browser(factories.user_of(cast.vera)).get(url).content.decode()
    assert "Rui stepped aside: my sister wrote it" in seen
    assert client.post(f"{url}step-aside/", {"reason": "again"}).status_code == 409
    assert Recusal.objects.count() == 1


def test_whoever_decided_or_is_not_asked_has_nothing_to_step_aside_from(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    sign(cast.vera, review)
    url = f"/reviews/{review.pk}/step-aside/"
    answer = browser(factories.user_of(cast.vera)).post(url, {"reason": "late"})
    assert answer.status_code == 409
    assert "a decision stays" in answer.content.decode()
    assert (
        browser(factories.user_of(cast.ana)).post(url, {"reason": "not asked"}).status_code == 403
    )
    assert not Recusal.objects.exists()


def test_the_api_takes_it_from_a_person_in_her_session_only(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    path, body = f"reviews/{review.pk}/recusals", {"reason": "my sister wrote it"}
    assert by_token(factories.user_of(cast.rui)).post(path, body).status_code == 403
    answer = by_session(factories.user_of(cast.rui)).post(path, body)
    assert answer.status_code == 201, answer.content
    [said] = answer.json()["stepped_aside"]
    assert (said["person"]["name"], said["reason"], said["round"]) == (
        "Rui",
        "my sister wrote it",
        1,
    )
    assert by_session(factories.user_of(cast.rui)).post(path, body).status_code == 409
    assert "stepped aside" in answer.json()["you"]["why_not"]
