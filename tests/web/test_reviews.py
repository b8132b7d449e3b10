"""The main path through the pages: submit, read, sign, promoted; and everything that may go wrong on it."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from apps.registry.models import ModelVersion
from apps.reviews import selectors, services
from apps.reviews.models import Decision, Review
from tests import factories
from tests.support.people import PASSWORD, as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db(transaction=True)

WHY = "replaces the scorecard"


@pytest.fixture(autouse=True)
def _only_the_quorum(settings: Settings) -> None:
    """These tests are about the pages of reviews; checks and card have gates and tests of their own."""
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor, "churn"))


@pytest.fixture
def review(ana: User, version: ModelVersion) -> Review:
    from apps.registry.targets import Target

    return services.submit(
        as_actor(ana), version, targets=[Target("stage", "production")], justification=WHY
    )


def digest_in(client: Client, url: str) -> str:
    """The evidence digest that the form at this address carries, as a browser would send it back."""
    html = client.get(url).content.decode()
    found = re.search(r'name="evidence_digest" value="([0-9a-f]{64})"', html)
    assert found, html
    return found[1]


def sign(user: User, review: Review, outcome: str = "approve", **changes: str) -> tuple[int, str]:
    client, url = browser(user), f"/reviews/{review.pk}/decide/"
    form = {
        "outcome": outcome,
        "comment": "looked at all of it",
        "no_conflict": "on",
        "password": PASSWORD,
        "evidence_digest": changes.pop("evidence_digest", "") or digest_in(client, url),
        **changes,
    }
    answer = client.post(url, form)
    return answer.status_code, answer.content.decode() or answer["Location"]


def test_submit_read_sign_promoted(ana: User, vera: User, rui: User, version: ModelVersion) -> None:
    trainer = browser(ana)
    assert b"Submit for review" in trainer.get("/models/churn/1/").content
    form = {"targets": ["stage:production", "alias:champion"], "justification": WHY}
    answer = trainer.post("/models/churn/1/submit/", form)
    review = Review.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/reviews/{review.pk}/")

    page = browser(vera).get(f"/reviews/{review.pk}/").content.decode()
    assert "May churn v1 enter stage Production and alias @champion?" in page
    assert WHY in page
    status, location = sign(vera, review)
    assert status == 302
    receipt = browser(vera).get(re.sub(r"^.*?(/reviews/)", r"\1", location)).content.decode()
    assert "Vera Lund approved churn v1" in receipt
    assert "EVT-" in receipt

    assert sign(rui, review)[0] == 302
    version.refresh_from_db()
    assert version.stage == "Production"
    page = browser(ana).get("/models/churn/1/").content.decode()
    assert "In stage Production and alias @champion" in page


def test_the_trainer_is_told_who_must_sign_instead(ana: User, vera: User, review: Review) -> None:
    page = browser(ana).get(f"/reviews/{review.pk}/").content.decode()
    assert (
        "You made part of this (registered the version, asked for this review), so others must sign: Vera Lund."
        in page
    )
    assert "Decide and sign" not in page


def test_somebody_without_a_signing_role_is_refused(ana: User, review: Review) -> None:
    with nothing_written():
        assert browser(ana).get(f"/reviews/{review.pk}/decide/").status_code == 403


def test_a_stranger_learns_nothing(otto: User, review: Review) -> None:
    for page in ("", "decide/", "withdraw/", "new-round/"):
        assert browser(otto).get(f"/reviews/{review.pk}/{page}").status_code == 404


def test_a_wrong_password_stays_in_the_form(vera: User, review: Review) -> None:
    with nothing_written():
        status, html = sign(vera, review, password="not hers")
    assert status == 422
    assert "That is not your password." in html
    assert "looked at all of it" in html, "what she wrote is still there"


@pytest.mark.parametrize("missing", ["outcome", "comment", "no_conflict", "password"])
def test_each_field_of_a_decision_is_needed(vera: User, review: Review, missing: str) -> None:
    with nothing_written():
        status, html = sign(vera, review, **{missing: ""})
    assert status == 422
    assert "This is needed." in html


def test_an_unknown_outcome_is_refused_beside_its_field(vera: User, review: Review) -> None:
    status, html = sign(vera, review, outcome="bless")
    assert (status, "Choose one of the list." in html) == (422, True)
    assert not Decision.objects.exists()


def test_evidence_that_moved_asks_again(ana: User, vera: User, review: Review) -> None:
    client, url = browser(vera), f"/reviews/{review.pk}/decide/"
    shown = digest_in(client, url)
    services.new_round(as_actor(ana), review)
    status, html = sign(vera, review, evidence_digest=shown)
    live = selectors.live_round(review)
    assert live is not None
    assert status == 409
    assert "Nothing was signed. The evidence moved" in html
    assert "looked at all of it" in html
    assert f'value="{live.digest}"' in html, "the form carries what she would sign now"
    assert not Decision.objects.exists()


def test_a_void_round_cannot_be_signed_and_says_why(vera: User, review: Review) -> None:
    shown = digest_in(browser(vera), f"/reviews/{review.pk}/decide/")
    services.void_live_round(
        factories.SYSTEM, review, reason="the fairness result was recalled: wrong column"
    )
    page = browser(vera).get(f"/reviews/{review.pk}/").content.decode()
    assert "The evidence of round 1 is void" in page
    assert "wrong column" in page
    status, html = sign(vera, review, evidence_digest=shown)
    assert status == 409
    assert "You cannot decide here now" in html


def test_the_dialog_and_the_page_are_one_form(vera: User, review: Review) -> None:
    url = f"/reviews/{review.pk}/decide/"
    fragment = browser(vera).get(url, headers={"HX-Request": "true"})
    assert b"<html" not in fragment.content
    assert b'hx-post="' + url.encode() in fragment.content
    whole = browser(vera).get(url).content
    assert b"<html" in whole
    assert b"hx-post" not in whole


def test_a_change_is_asked_for_and_answered_with_a_new_round(
    ana: User, vera: User, review: Review
) -> None:
    assert sign(vera, review, "request_changes")[0] == 302
    page = browser(ana).get(f"/reviews/{review.pk}/").content.decode()
    assert "Changes were asked for" in page
    assert "Make a new round" in page
    answer = browser(ana).post(f"/reviews/{review.pk}/new-round/")
    assert answer.status_code == 302
    page = browser(ana).get(f"/reviews/{review.pk}/").content.decode()
    assert "Rounds that ended" in page
    assert "Void with it: Vera Lund" in page
    assert "void with its round" in page


def test_a_rejection_ends_the_review(ana: User, rui: User, review: Review) -> None:
    assert sign(rui, review, "reject")[0] == 302
    assert Review.objects.get().status == "rejected"
    page = browser(ana).get(f"/reviews/{review.pk}/").content.decode()
    assert "looked at all of it" in page


def test_withdrawing_takes_a_reason(ana: User, review: Review) -> None:
    url = f"/reviews/{review.pk}/withdraw/"
    with nothing_written():
        assert browser(ana).post(url, {"reason": " "}).status_code == 422
    assert browser(ana).post(url, {"reason": "wrong data"}).status_code == 302
    assert Review.objects.get().status == "withdrawn"
    assert browser(ana).get(url).status_code == 409


def test_signed_but_held_back_is_promoted_later(
    ana: User, vera: User, rui: User, review: Review, settings: Settings
) -> None:
    settings.PROMOTION_GATES = [
        "apps.reviews.gates.quorum_signed",
        "apps.modelcards.gates.card_complete",
    ]
    sign(vera, review)
    sign(rui, review)
    assert Review.objects.get().status == "signed"
    page = browser(ana).get(f"/reviews/{review.pk}/").content.decode()
    assert "Signed, not promoted" in page
    assert "Promote now" in page
    refused = browser(ana).post(f"/reviews/{review.pk}/promote/")
    assert refused.status_code == 403
    assert b"required blocks missing" in refused.content
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    assert browser(ana).post(f"/reviews/{review.pk}/promote/").status_code == 302
    assert Review.objects.get().status == "promoted"


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"justification": WHY}, "This is needed."),
        ({"targets": ["stage:production"]}, "This is needed."),
        ({"targets": ["stage:staging"], "justification": WHY}, "Choose one of the list."),
        ({"targets": ["../etc"], "justification": WHY}, "Choose one of the list."),
        ({"targets": ["stage:production"], "justification": "x" * 10_001}, "at most 10000"),
    ],
)
def test_a_wrong_request_is_refused_beside_its_field(
    ana: User, version: ModelVersion, form: dict[str, object], words: str
) -> None:
    with nothing_written():
        answer = browser(ana).post("/models/churn/1/submit/", form)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_second_request_is_told_of_the_first(ana: User, review: Review) -> None:
    url = "/models/churn/1/submit/"
    page = browser(ana).get(url).content.decode()
    assert "is under review already" in page
    with nothing_written():
        answer = browser(ana).post(url, {"targets": ["alias:champion"], "justification": WHY})
    assert answer.status_code == 422


def test_the_list_shows_what_waits_first(vera: User, review: Review) -> None:
    page = browser(vera).get("/reviews/").content.decode()
    assert "Waiting for you" in page
    assert f"REV-{review.pk}" in page
    nothing = browser(vera).get("/reviews/?status=rejected").content.decode()
    assert "No review matches these filters" in nothing


def test_the_list_asks_as_much_for_a_hundred_reviews_as_for_ten(
    ana: User, vera: User, django_assert_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from apps.registry.targets import Target

    actor, client, counts = as_actor(ana), browser(vera), []
    for size in (5, 20):
        for number in range(size):
            model = factories.model(actor, f"m-{size}-{number}")
            made = factories.version(actor, model)
            services.submit(actor, made, targets=[Target("stage", "production")], justification=WHY)
        client.get("/reviews/")
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/reviews/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
