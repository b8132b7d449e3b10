"""Access tokens through the account pages."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest

from apps.accounts import services
from apps.accounts.models import AccessToken, User
from apps.core import clock
from tests.support.people import SYSTEM, token_for
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db

FORM = {"name": "laptop", "scopes": ["read", "tracking"], "expires_in": "30"}


def test_a_token_is_shown_once_with_the_lines_a_client_needs(ana: User) -> None:
    client = browser(ana)
    answer = client.post("/account/tokens/", FORM)
    page = answer.content.decode()
    raw = re.search(r'id="raw-token">(cs_[^<]+)<', page)
    assert raw is not None
    assert f"export MLFLOW_TRACKING_TOKEN={raw[1]}" in page
    assert f"export MLFLOW_TRACKING_PASSWORD={raw[1]}" in page
    assert "no-store" in answer["Cache-Control"]
    actor = services.authenticate_token(raw[1])
    assert actor is not None
    assert (actor.user_id, actor.scopes) == (ana.pk, frozenset({"read", "tracking"}))
    later = client.get("/account/tokens/").content.decode()
    assert "laptop" in later
    assert raw[1] not in later


def test_a_revoked_token_lets_nobody_in(ana: User) -> None:
    raw = token_for(ana)
    token = AccessToken.objects.get()
    assert browser(ana).post(f"/account/tokens/{token.uuid}/revoke/").status_code == 302
    assert services.authenticate_token(raw) is None


def test_nobody_revokes_what_is_not_hers(ana: User, otto: User) -> None:
    token_for(ana)
    token = AccessToken.objects.get()
    with nothing_written():
        assert browser(otto).post(f"/account/tokens/{token.uuid}/revoke/").status_code == 404
        assert browser(ana).post(f"/account/tokens/{uuid.uuid4()}/revoke/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": ""}, "This is needed."),
        ({"scopes": []}, "This is needed."),
        ({"scopes": ["sign"]}, "Choose one of the list."),
        ({"expires_in": "100000"}, "Choose one of the list."),
        ({"name": "x" * 101}, "at most 100 characters"),
    ],
)
def test_a_wrong_token_form_makes_no_token(
    ana: User, wrong: dict[str, object], sentence: str
) -> None:
    with nothing_written():
        answer = browser(ana).post("/account/tokens/", {**FORM, **wrong})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_whoever_answers_for_a_service_makes_its_tokens(ana: User, otto: User) -> None:
    service = services.create_service(
        SYSTEM, username="ci", display_name="CI of churn", owners=[ana]
    )
    form = {**FORM, "service": str(service.pk)}
    assert browser(ana).post("/account/tokens/", form).status_code == 200
    assert AccessToken.objects.get().user == service
    assert b"CI of churn" in browser(ana).get("/account/tokens/").content
    browser(otto).post("/account/tokens/", form)  # nobody offered it to him: the token is his own
    assert set(AccessToken.objects.filter(user=otto).values_list("name", flat=True)) == {"laptop"}
    assert AccessToken.objects.filter(user=service).count() == 1


def test_an_expired_token_says_so(ana: User) -> None:
    token_for(ana)
    AccessToken.objects.update(expiry=clock.now() - dt.timedelta(days=1))
    assert b"Expired" in browser(ana).get("/account/tokens/").content
