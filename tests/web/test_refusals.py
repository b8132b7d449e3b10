"""What goes wrong is a page that says why and what next; what was refused is on record; nothing leaks."""

from __future__ import annotations

import re

import pytest
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from pytest_django import Settings

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.core.errors import (
    AlreadyExists,
    Blocked,
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    Tampered,
)
from apps.web import urls as web_urls
from config import urls as site_urls
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db

ERRORS: dict[str, tuple[DomainError, int]] = {
    "not-found": (NotFound("There is no such model."), 404),
    "forbidden": (Forbidden("You may not.", hint="Ask Ada."), 403),
    "blocked": (
        Blocked("Not without signatures.", reasons=["Nobody signed."], url="/reviews/7/"),
        403,
    ),
    "conflict": (Conflict("Somebody was faster.", hint="Look again."), 409),
    "exists": (AlreadyExists("That name is taken."), 409),
    "invalid": (Invalid("That is not a number.", fields={"size": "Give a number."}), 422),
    "tampered": (Tampered("The bytes are not what they were."), 409),
}
RECORDED = {"forbidden": "refused", "blocked": "refused", "tampered": "failed"}


@login_not_required
def fail(request: HttpRequest, kind: str) -> HttpResponse:
    """Raises what a service would."""
    if kind == "fault":
        raise RuntimeError("secret detail of the fault")
    raise ERRORS[kind][0]


@login_not_required
def say(request: HttpRequest) -> HttpResponse:
    """An act that leaves a word for the next page."""
    messages.success(request, "It is done.")
    return HttpResponse(status=204)


class Urls:
    """The site's routes and, among the pages, one that fails as told."""

    app_name = "web"
    pages = [*web_urls.urlpatterns, path("fail/<kind>/", fail, name="fail"), path("say/", say)]
    urlpatterns = [path("", include((pages, "web")))]
    handler400 = site_urls.handler400
    handler500 = site_urls.handler500
    handler404 = site_urls.handler404


@pytest.fixture(autouse=True)
def _routes(settings: Settings) -> None:
    settings.ROOT_URLCONF = Urls


@pytest.mark.parametrize("kind", sorted(ERRORS))
def test_each_refusal_is_a_page_with_its_status_and_sentence(ana: User, kind: str) -> None:
    error, status = ERRORS[kind]
    answer = browser(ana).get(f"/fail/{kind}/")
    page = answer.content.decode()
    assert answer.status_code == status
    assert error.message in page
    assert error.hint in page
    assert page.count("<h1") == 1
    assert "<nav" in page


@pytest.mark.parametrize("kind", sorted(ERRORS))
def test_for_htmx_it_is_a_notice_in_place_of_the_answer(ana: User, kind: str) -> None:
    error, status = ERRORS[kind]
    answer = browser(ana).get(f"/fail/{kind}/", headers={"HX-Request": "true"})
    assert answer.status_code == status
    assert error.message in answer.content.decode()
    assert b"<html" not in answer.content
    assert "HX-Request" in answer["Vary"]


def test_what_blocks_is_listed_and_leads_on(ana: User) -> None:
    page = browser(ana).get("/fail/blocked/").content.decode()
    assert "<li>Nobody signed.</li>" in page
    assert 'href="/reviews/7/"' in page


@pytest.mark.parametrize("kind", sorted(ERRORS))
def test_acts_that_were_refused_are_attempts_and_mistakes_are_not(ana: User, kind: str) -> None:
    browser(ana).post(f"/fail/{kind}/")
    found = audits.attempts(act="POST web:fail")
    assert [attempt.outcome for attempt in found] == ([RECORDED[kind]] if kind in RECORDED else [])
    if found:
        assert (found[0].actor_id, found[0].reason) == (ana.pk, ERRORS[kind][0].message)


def test_a_fault_shows_the_requests_number_and_nothing_of_the_fault(ana: User) -> None:
    client = browser(ana)
    client.raise_request_exception = False
    answer = client.get("/fail/fault/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "secret detail" not in page
    assert answer["X-Request-ID"] in page


def test_a_page_that_is_not_there_says_so_to_strangers_and_members(ana: User) -> None:
    for client in (browser(), browser(ana)):
        answer = client.get("/nowhere/")
        assert answer.status_code == 404
        assert b"Nothing here" in answer.content


def test_every_answer_carries_the_policy_and_a_number(ana: User) -> None:
    answers = [browser().get("/sign-in/"), browser(ana).get("/account/"), browser().get("/gone/")]
    for answer in answers:
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "private" in answer["Cache-Control"]
    assert len({answer["X-Request-ID"] for answer in answers}) == 3


def test_the_theme_is_a_cookie_and_rendered_by_the_server(ana: User) -> None:
    client = browser(ana)
    assert 'data-theme="auto"' in client.get("/account/").content.decode()
    answer = client.post("/theme/", {"theme": "dark", "next": "/account/"})
    assert answer["Location"] == "/account/"
    assert 'data-theme="dark"' in client.get("/account/").content.decode()
    client.post("/theme/", {"theme": '"><script>'})
    assert 'data-theme="dark"' in client.get("/account/").content.decode()


def test_shortcuts_can_be_switched_off(ana: User) -> None:
    client = browser(ana)
    client.post("/shortcuts/", {"off": "1"})
    assert 'data-shortcuts="off"' in client.get("/account/").content.decode()


def test_help_is_a_page_and_for_the_dialog_a_fragment(ana: User) -> None:
    client = browser(ana)
    assert b"<html" in client.get("/help/").content
    fragment = client.get("/help/", headers={"HX-Request": "true"})
    assert b"<html" not in fragment.content
    assert b"go to experiments" in fragment.content


def test_a_session_that_ended_sends_the_whole_page_to_sign_in_and_back(ana: User) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/account/tokens/"}
    answer = browser().get("/account/", headers=headers)
    assert answer.status_code == 200
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Faccount%2Ftokens%2F"
    assert answer.content == b""


def test_a_request_for_another_host_is_a_plain_400(ana: User) -> None:
    for client in (browser(), browser(ana)):
        answer = client.get("/account/", headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert b"That request cannot be read" in answer.content
        assert b"evil.example" not in answer.content


@pytest.mark.parametrize(
    "path",
    ["/people/99999999999999999999/", "/people/0/", "/people/teams/%00/", "/search/?q=%ff%fe"],
)
def test_odd_addresses_never_break_a_page(ada: User, path: str) -> None:
    assert browser(ada).get(path).status_code in {200, 400, 404}


def test_an_error_page_leaves_what_the_next_page_is_to_say(ana: User) -> None:
    for client, where in ((browser(ana), "/account/"), (browser(), "/sign-in/")):
        client.post("/say/")
        assert "It is done." not in client.get("/nowhere/picture.png").content.decode()
        assert "It is done." not in client.get("/fail/forbidden/").content.decode()
        assert "It is done." in client.get(where).content.decode()
        assert "It is done." not in client.get(where).content.decode()
