"""Coming in and going out."""

from __future__ import annotations

import pytest
from django.contrib.auth import SESSION_KEY
from pytest_django import Settings

from apps.accounts import services
from apps.accounts.models import User
from apps.audits import selectors as audits
from tests.support.people import PASSWORD, SYSTEM, hire
from tests.web.browsing import browser, nothing_written, reload

pytestmark = pytest.mark.django_db

NEW = "a-sentence-nobody-would-guess-7"


def test_a_stranger_is_sent_to_sign_in_and_then_where_she_wanted(ana: User) -> None:
    client = browser()
    answer = client.get("/account/tokens/")
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in/?next=/account/tokens/"
    answer = client.post(
        "/sign-in/", {"username": "ANA", "password": PASSWORD, "next": "/account/tokens/"}
    )
    assert answer["Location"] == "/account/tokens/"
    assert client.session[SESSION_KEY] == str(ana.pk)


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(ana: User) -> None:
    client = browser()
    answers = [
        client.post("/sign-in/", {"username": name, "password": "wrong"})
        for name in ("ana", "nobody")
    ]
    assert [answer.status_code for answer in answers] == [422, 422]
    sentence = b"This username and password do not belong together."
    assert all(sentence in answer.content for answer in answers)
    assert SESSION_KEY not in client.session


def test_the_way_back_is_never_another_site(ana: User) -> None:
    form = {"username": "ana", "password": PASSWORD, "next": "https://evil.example/"}
    assert browser().post("/sign-in/", form)["Location"] == "/"


def test_too_many_wrong_passwords_lock_and_say_so(ana: User, settings: Settings) -> None:
    client = browser()
    for _ in range(settings.SIGN_IN_FAILURES):
        client.post("/sign-in/", {"username": "ana", "password": "wrong"})
    answer = client.post("/sign-in/", {"username": "ana", "password": PASSWORD})
    assert answer.status_code == 422
    assert b"Too many wrong passwords" in answer.content
    assert SESSION_KEY not in client.session


def test_signing_out_ends_the_session_and_takes_a_form(ana: User) -> None:
    client = browser(ana)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/account/").status_code == 302


def test_a_form_without_its_token_is_refused_as_a_page(ana: User) -> None:
    client = browser(enforce_csrf=True)
    answer = client.post("/sign-in/", {"username": "ana", "password": PASSWORD})
    assert answer.status_code == 403
    assert b"This form is out of date" in answer.content


def test_a_temporary_password_opens_only_the_page_that_changes_it() -> None:
    temporary = "temporary-of-the-tests-1"
    user = services.create_user(
        SYSTEM, username="nils", display_name="Nils Falk", password=temporary
    )
    client = browser(user)
    assert client.get("/account/")["Location"] == "/account/password/"
    assert client.get("/search/")["Location"] == "/account/password/"
    assert b"Choose a password of your own first" in client.get("/account/password/").content
    form = {"current": temporary, "new": NEW, "again": NEW}
    assert client.post("/account/password/", form)["Location"] == "/account/"
    assert client.get("/account/").status_code == 200


def test_the_first_administrator_is_made_with_the_printed_token() -> None:
    token = services.new_setup_token()
    client = browser()
    assert b"no administrator yet" in client.get("/sign-in/").content
    form = {
        "setup_token": token,
        "username": "ada",
        "display_name": "Ada Okafor",
        "password": NEW,
        "again": NEW,
    }
    assert client.post("/setup/", form)["Location"] == "/sign-in/"
    assert services.authenticate_password("ada", NEW) is not None
    assert client.get("/setup/").status_code == 409
    with nothing_written():
        assert client.post("/setup/", {**form, "username": "eve"}).status_code == 409


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"setup_token": "guessed"}, b"This is not the set-up token"),
        ({"again": "something-else-entirely"}, b"This is not the same password."),
        ({"password": "short", "again": "short"}, b"too short"),
        ({"username": "Ada Okafor!"}, b"2 to 150 of"),
        ({"display_name": ""}, b"This is needed."),
    ],
)
def test_a_wrong_set_up_form_says_what_is_wrong_and_makes_nobody(
    wrong: dict[str, str], sentence: bytes
) -> None:
    form = {
        "setup_token": services.new_setup_token(),
        "username": "ada",
        "display_name": "Ada Okafor",
        "password": NEW,
        "again": NEW,
    }
    with nothing_written():
        answer = browser().post("/setup/", {**form, **wrong})
    assert answer.status_code == 422
    assert sentence in answer.content


def test_the_provider_is_offered_only_when_there_is_one(settings: Settings) -> None:
    assert b"/sso/authenticate/" not in browser().get("/sign-in/").content
    settings.OIDC_ISSUER, settings.OIDC_RP_CLIENT_ID = "https://id.example", "countersign"
    settings.OIDC_PROVIDER_NAME = "Example Bank"
    page = browser().get("/sign-in/?next=/reviews/").content
    assert b"Sign in with Example Bank" in page
    assert b"/sso/authenticate/?next=%2Freviews%2F" in page


def test_a_refusal_of_the_provider_is_a_page_and_not_a_fault(settings: Settings) -> None:
    settings.OIDC_ISSUER, settings.OIDC_RP_CLIENT_ID = "https://id.example", "countersign"
    answer = browser().get("/sso/callback/?error=access_denied")
    assert answer.status_code == 403
    assert b"did not confirm the sign-in" in answer.content


def test_changing_the_password_keeps_this_session_and_ends_the_others(ana: User) -> None:
    here, elsewhere = browser(ana), browser(ana)
    form = {"current": PASSWORD, "new": NEW, "again": NEW}
    assert here.post("/account/password/", form)["Location"] == "/account/"
    assert here.get("/account/").status_code == 200
    assert elsewhere.get("/account/").status_code == 302
    assert reload(ana).password_version == ana.password_version + 1


def test_a_wrong_present_password_changes_nothing_and_says_so(ana: User) -> None:
    form = {"current": "wrong", "new": NEW, "again": NEW}
    with nothing_written():
        answer = browser(ana).post("/account/password/", form)
    assert answer.status_code == 422
    assert b"That is not your password." in answer.content
    assert reload(ana).password == ana.password


def test_sign_ins_right_and_wrong_are_attempts() -> None:
    hire("ana", "Ana Silva")
    client = browser()
    client.post("/sign-in/", {"username": "ana", "password": "wrong"})
    client.post("/sign-in/", {"username": "ana", "password": PASSWORD})
    outcomes = [row.outcome for row in audits.attempts(limit=50) if row.act == "sign-in"]
    assert outcomes == ["done", "failed"]
