"""The pages of findings: raised in a form, answered, judged, settled; refused where the rules say so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.core import clock
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import services
from apps.reviews.models import Finding, Review
from apps.reviews.services import NewFinding
from tests import factories
from tests.support.people import PASSWORD, as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "/models/churn/1/findings/new/"
LINK = "https://example.org/notebooks/12"


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor, "churn"))


@pytest.fixture
def review(ana: User, version: ModelVersion) -> Review:
    why = "replaces the scorecard"
    return services.submit(
        as_actor(ana), version, targets=[Target("stage", "production")], justification=why
    )


def filled(answers: User, **changes: str) -> dict[str, str]:
    """The form as somebody fills it in."""
    return {
        "title": "Recall drops for the young",
        "text": "0.41 there, **0.63** elsewhere <script>alert(1)</script>",
        "severity": "high",
        "blocking": "on",
        "owner": str(answers.pk),
        "due": (clock.now().date() + dt.timedelta(days=7)).isoformat(),
        "clause": "SR 26-2",
        "reproduction": LINK,
        **changes,
    }


def raised(by: User, owner: User, version: ModelVersion, title: str = "Recall drops") -> Finding:
    new = NewFinding(
        title=title,
        text="0.41 there",
        severity="high",
        owner_id=owner.pk,
        due=clock.now().date(),
        blocking=True,
    )
    return services.raise_finding(as_actor(by), version, new)


def act(client: Client, row: Finding, name: str, form: Mapping[str, str]) -> int:
    return client.post(f"/findings/{row.pk}/{name}/", form).status_code


def test_a_finding_from_the_review_page_to_its_closure(
    ana: User, vera: User, review: Review
) -> None:
    page = browser(vera).get(f"/reviews/{review.pk}/").content.decode()
    assert f'href="{NEW}?review={review.pk}"' in page
    assert "Nothing was found" in page
    answer = browser(vera).post(NEW, filled(ana, review=str(review.pk)))
    row = Finding.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/findings/{row.pk}/")
    assert row.review_id == review.pk

    page = browser(ana).get(f"/findings/{row.pk}/").content.decode()
    assert "<strong>0.63</strong>" in page
    assert "<script>alert" not in page
    assert "Answer it" in page
    assert "Re-test the answer" not in page
    for name, who, form in (
        ("respond", ana, {"text": "Trained again", "evidence": LINK}),
        ("retest", vera, {"result": "passed", "text": "0.62 now"}),
        ("close", vera, {"text": "Held", "evidence": LINK}),
    ):
        assert act(browser(who), row, name, form) == 302, name
    row.refresh_from_db()
    assert row.state == "closed"
    page = browser(ana).get(f"/findings/{row.pk}/").content.decode()
    for words in ("Trained again", "0.62 now", "Held", "Closed"):
        assert words in page
    assert "F-1" in browser(ana).get(f"/reviews/{review.pk}/").content.decode()


def test_a_blocking_finding_stands_in_the_box_of_the_version(
    ana: User, vera: User, version: ModelVersion
) -> None:
    raised(vera, ana, version)
    page = browser(ana).get("/models/churn/1/").content.decode()
    assert "F-1 (high, open) blocks the promotion." in page
    assert 'href="/models/churn/1/findings/"' in page


def test_the_risk_is_signed_for_with_a_password(
    ana: User, vera: User, rui: User, version: ModelVersion
) -> None:
    row = raised(vera, ana, version)
    assert (
        "Accept the residual risk" not in browser(vera).get(f"/findings/{row.pk}/").content.decode()
    )
    form = {"reason": "Small exposure", "password": "not his"}
    with nothing_written():
        answer = browser(rui).post(f"/findings/{row.pk}/accept/", form)
    assert answer.status_code == 422
    assert "That is not your password." in answer.content.decode()
    assert "Small exposure" in answer.content.decode()
    assert act(browser(rui), row, "accept", {**form, "password": PASSWORD}) == 302
    assert Finding.objects.get().state == "accepted"
    assert act(browser(vera), row, "reopen", {"reason": "Exposure grew"}) == 302
    assert Finding.objects.get().state == "open"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "This is needed."),
        ({"severity": "grave"}, "Choose one of the list."),
        ({"owner": "999999"}, "Choose one of the list."),
        ({"due": "soon"}, "A date such as"),
        ({"due": "2020-01-01"}, "Today or later"),
        ({"reproduction": "javascript:alert(1)"}, "begins with http"),
        ({"text": "x" * 1_000_000}, "at most 10000"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    ana: User, vera: User, version: ModelVersion, changes: dict[str, str], words: str
) -> None:
    with nothing_written():
        answer = browser(vera).post(NEW, filled(ana, **changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()


@pytest.mark.parametrize("asked", ["9999", "x", "1" * 40, "٣"])
def test_a_review_that_is_not_open_here_is_refused(
    ana: User, vera: User, version: ModelVersion, asked: str
) -> None:
    with nothing_written():
        assert browser(vera).post(NEW, filled(ana, review=asked)).status_code == 409


def test_each_act_asks_for_its_words(ana: User, vera: User, version: ModelVersion) -> None:
    row = raised(vera, ana, version)
    with nothing_written():
        assert act(browser(ana), row, "respond", {"text": ""}) == 422
        assert act(browser(ana), row, "respond", {"text": "x", "evidence": "a word"}) == 422
    act(browser(ana), row, "respond", {"text": "Trained again"})
    with nothing_written():
        assert act(browser(vera), row, "retest", {"text": "no result"}) == 422
    act(browser(vera), row, "retest", {"result": "passed", "text": "ok"})
    with nothing_written():
        assert act(browser(vera), row, "close", {"text": "ok", "evidence": ""}) == 422


def test_a_reader_who_may_not_is_refused_and_a_stranger_learns_nothing(
    ana: User, vera: User, otto: User, version: ModelVersion
) -> None:
    row = raised(vera, ana, version)
    with nothing_written():
        assert act(browser(vera), row, "respond", {"text": "mine"}) == 403
        assert act(browser(ana), row, "accept", {"reason": "mine"}) == 403
        assert act(browser(otto), row, "respond", {"text": "mine"}) == 404
    assert browser(otto).get(f"/findings/{row.pk}/").status_code == 404
    assert browser(otto).get("/models/churn/1/findings/").status_code == 404


def test_home_shows_what_is_to_be_answered_and_what_one_raised(
    ana: User, vera: User, version: ModelVersion
) -> None:
    raised(vera, ana, version)
    page = browser(ana).get("/").content.decode()
    assert "Findings to answer" in page
    assert "F-1 of churn v1, high, blocks the promotion." in page
    page = browser(vera).get("/").content.decode()
    assert "Findings you raised" in page
    assert "Findings to answer" not in page


def test_the_lists_cost_as_many_queries_for_a_hundred_findings_as_for_ten(
    ana: User, vera: User, review: Review
) -> None:
    pages = {"/models/churn/1/findings/": ana, "/": ana, f"/reviews/{review.pk}/": vera}
    counts = []
    for size in (10, 90):
        for number in range(size):
            raised(vera, ana, review.version, f"finding {number}")
        counts.append({url: _queries(browser(who), url) for url, who in pages.items()})
    assert counts[0] == counts[1]
    assert browser(ana).get("/models/churn/1/findings/").content.count(b"/findings/") > 100


def _queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200
    return len(asked)
