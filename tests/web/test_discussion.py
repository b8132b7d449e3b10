"""Comments on the review page, and waivers on the page of findings."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts.models import User
from apps.core import clock
from apps.registry.targets import Target
from apps.reviews import selectors, services
from apps.reviews.models import Comment, Review, Thread, Waiver
from tests import factories
from tests.support.people import PASSWORD, as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _only_the_quorum(settings: Settings) -> None:
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]


@pytest.fixture
def review(ana: User) -> Review:
    actor = as_actor(ana)
    version = factories.version(actor, factories.model(actor, "churn"))
    why = "replaces the scorecard"
    return services.submit(
        actor, version, targets=[Target("stage", "production")], justification=why
    )


def html(user: User, url: str) -> str:
    return browser(user).get(url).content.decode()


def say(user: User, review: Review, text: str, about: str = "review") -> int:
    url = f"/reviews/{review.pk}/comments/new/"
    return browser(user).post(url, {"about": about, "text": text}).status_code


def test_a_question_is_asked_answered_and_resolved(ana: User, vera: User, review: Review) -> None:
    url = f"/reviews/{review.pk}/"
    assert "Nobody has said anything yet." in html(vera, url)
    assert say(vera, review, "Why **2018** only? <script>alert(1)</script>", "data") == 302
    thread = Thread.objects.get()
    page = html(ana, url)
    assert "Why <strong>2018</strong> only?" in page
    assert "<script>alert" not in page
    assert 'href="#data"' in page
    answer = browser(ana).post(f"/threads/{thread.pk}/reply/", {"text": "2019 is on its way"})
    comment = Comment.objects.get(number=2)
    assert (answer.status_code, answer["Location"]) == (302, f"{url}#comment-{comment.pk}")
    assert browser(vera).post(f"/threads/{thread.pk}/resolve/").status_code == 302
    page = html(ana, url)
    assert "2019 is on its way" in page
    assert "Resolved" in page
    assert "Open again" in page
    assert browser(vera).post(f"/threads/{thread.pk}/resolve/").status_code == 409


def test_a_finding_can_be_talked_about(ana: User, vera: User, review: Review) -> None:
    new = services.NewFinding(
        title="Recall drops",
        text="x",
        severity="low",
        owner_id=ana.pk,
        due=clock.now().date(),
        blocking=False,
    )
    row = services.raise_finding(as_actor(vera), review.version, new)
    assert say(ana, review, "Where?", f"finding:{row.pk}") == 302
    assert f'href="/findings/{row.pk}/"' in html(ana, f"/reviews/{review.pk}/")
    with nothing_written():
        assert say(ana, review, "Where?", "finding:999") == 422
        assert say(ana, review, "Where?", "finding:x") == 422
        assert say(ana, review, "", "review") == 422
        assert say(ana, review, "x" * 1_000_000) == 422


def test_whoever_cannot_see_the_model_is_not_told_and_the_writer_is(
    vera: User, otto: User, review: Review
) -> None:
    client = browser(vera)
    form = {"about": "review", "text": "@otto and @nobody, look"}
    client.post(f"/reviews/{review.pk}/comments/new/", form)
    page = client.get(f"/reviews/{review.pk}/").content.decode()
    assert "Nobody was told by @otto, @nobody: no such person may see churn." in page


def test_ones_own_comment_is_corrected_until_somebody_signs(
    ana: User, vera: User, rui: User, review: Review
) -> None:
    say(vera, review, "Why 2018 only?")
    comment = Comment.objects.get()
    url = f"/comments/{comment.pk}/edit/"
    assert "Why 2018 only?" in html(vera, url)
    assert browser(ana).get(url).status_code == 403
    assert browser(vera).post(url, {"text": ""}).status_code == 422
    assert browser(vera).post(url, {"text": "Why only 2018?"}).status_code == 302
    page = html(vera, f"/reviews/{review.pk}/")
    assert "Why only 2018?" in page
    assert "edited" in page
    assert url in page

    round_ = selectors.live_round(review)
    assert round_ is not None
    services.decide(
        as_actor(rui),
        review,
        outcome="approve",
        evidence_digest=round_.digest,
        comment="read it all",
        proof=factories.proof(as_actor(rui)),
        no_conflict=True,
    )
    assert url not in html(vera, f"/reviews/{review.pk}/")
    with nothing_written():
        assert browser(vera).get(url).status_code == 409
        assert browser(vera).post(url, {"text": "other"}).status_code == 409


def test_a_reader_sees_the_discussion_and_takes_no_part(
    vera: User, aud: User, review: Review
) -> None:
    say(vera, review, "Why 2018 only?")
    page = html(aud, f"/reviews/{review.pk}/")
    assert "Why 2018 only?" in page
    assert "Your roles read the discussion" in page
    assert "Start a thread" not in page


def test_a_closed_review_is_not_talked_about_any_more(
    ana: User, vera: User, review: Review
) -> None:
    say(vera, review, "Why 2018 only?")
    services.withdraw(as_actor(ana), review, reason="no longer")
    page = html(vera, f"/reviews/{review.pk}/")
    assert "its discussion is closed" in page
    assert "Start a thread" not in page
    assert say(vera, review, "and now?") == 409


def test_a_review_with_a_hundred_comments_costs_as_many_queries_as_one_with_one(
    ana: User, vera: User, review: Review
) -> None:
    counts = []
    actors = [as_actor(ana), as_actor(vera)]
    for size in (1, 99):
        for number in range(size):
            posted = services.start_thread(
                actors[number % 2], review, text=f"@rui, question {number}"
            )
            if number % 10 == 5:
                services.resolve_thread(actors[0], posted.comment.thread)
                services.reply(actors[1], posted.comment.thread, text="seen")
        counts.append(_queries(browser(vera), f"/reviews/{review.pk}/"))
    assert counts[0] == counts[1]
    assert html(vera, f"/reviews/{review.pk}/").count("question ") == 100


def _queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)


def test_a_requirement_is_waived_and_the_waiver_revoked(
    ana: User, vera: User, rui: User, review: Review
) -> None:
    url, new = "/models/churn/1/findings/", "/models/churn/1/waivers/new/"
    assert "Nothing is waived" in html(rui, url)
    assert "Waive a requirement" not in html(vera, url)
    assert "waived by somebody with the role approver" in html(vera, url)
    form = {
        "requirement": "checks.fairness",
        "reason": "No group data until the spring census",
        "until": (clock.now().date() + dt.timedelta(days=30)).isoformat(),
        "password": "not his",
    }
    with nothing_written():
        answer = browser(rui).post(new, form)
    assert answer.status_code == 422
    assert "That is not your password." in answer.content.decode()
    for wrong in ({"requirement": "findings"}, {"until": "2020-01-01"}, {"reason": ""}):
        with nothing_written():
            assert (
                browser(rui).post(new, {**form, "password": PASSWORD, **wrong}).status_code == 422
            )
    assert browser(rui).post(new, {**form, "password": PASSWORD}).status_code == 302
    page = html(rui, url)
    for said in ("Fairness check", "In force", "No group data", "Revoke"):
        assert said in page
    row = Waiver.objects.get()
    revoke = f"/waivers/{row.pk}/revoke/"
    with nothing_written():
        assert browser(vera).post(revoke, {"reason": "x"}).status_code == 403
        assert browser(rui).post(revoke, {"reason": ""}).status_code == 422
        assert browser(rui).post(new, {**form, "password": PASSWORD}).status_code == 422
    assert browser(rui).post(revoke, {"reason": "the census came"}).status_code == 302
    assert "the census came" in html(ana, url)
    assert browser(rui).get(revoke).status_code == 409


def test_the_forms_of_waivers_are_one_for_dialog_and_page(rui: User, review: Review) -> None:
    url = "/models/churn/1/waivers/new/"
    fragment = browser(rui).get(url, headers={"HX-Request": "true"}).content
    assert b"<html" not in fragment
    assert b'hx-post="' + url.encode() in fragment
    assert b"<html" in browser(rui).get(url).content
