"""Acts on reviews: the services' rules hold here too, and a token never signs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.audits.selectors import attempts
from apps.reviews import selectors
from apps.reviews.models import Decision, Review
from tests import factories
from tests.api_v1.conftest import PRODUCTION, Api, Cast, by_session, by_token
from tests.support.people import PASSWORD, as_actor

pytestmark = pytest.mark.django_db

WANTED = {
    "model": "credit",
    "version": 1,
    "targets": ["stage:production", "alias:champion"],
    "justification": "replaces the scorecard",
}


def signature(review: Review, **changed: Any) -> dict[str, Any]:
    round_ = selectors.live_round(review)
    assert round_ is not None
    return {
        "outcome": "approve",
        "evidence_digest": round_.digest,
        "comment": "looked at all of it",
        "no_conflict": True,
        "password": PASSWORD,
        **changed,
    }


def test_a_version_is_submitted_signed_and_promoted(cast: Cast) -> None:
    answer = by_token(cast.ana, "registry").post("reviews", WANTED)
    assert answer.status_code == 201, answer.content
    review = Review.objects.get(pk=answer.json()["id"])
    assert answer["Location"] == f"/api/v1/reviews/{review.pk}"
    for person in (cast.vera, cast.rui):
        told = by_session(person).post(f"reviews/{review.pk}/decisions", signature(review))
        assert told.status_code == 201, told.content
        assert told.json()["printed_name"] == str(person)
        assert told.json()["meaning"] == "approved"
        assert told.json()["method"] == "password"
    assert by_token(cast.ana).get(f"reviews/{review.pk}").json()["status"] == "promoted"


def test_the_day_by_which_it_is_wanted_is_read_back(cast: Cast) -> None:
    api = by_token(cast.ana, "registry")
    answer = api.post("reviews", {**WANTED, "wanted_by": "2999-01-31"})
    assert (answer.status_code, answer.json()["wanted_by"]) == (201, "2999-01-31")
    assert api.get("reviews").json()["items"][0]["wanted_by"] == "2999-01-31"


@pytest.mark.parametrize("none", [{}, {"wanted_by": None}])
def test_no_day_is_needed(cast: Cast, none: dict[str, None]) -> None:
    answer = by_token(cast.ana, "registry").post("reviews", {**WANTED, **none})
    assert (answer.status_code, answer.json()["wanted_by"]) == (201, None)


@pytest.mark.parametrize("day", ["2020-01-31", "31.1.2999", "2999-02-30", "", 20990131, True])
def test_a_day_that_is_over_or_none_is_refused_by_name(cast: Cast, day: object) -> None:
    answer = by_token(cast.ana, "registry").post("reviews", {**WANTED, "wanted_by": day})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["fields"]) == ["wanted_by"]
    assert not Review.objects.exists()


def test_a_token_does_not_sign_however_right_the_password(cast: Cast) -> None:
    review = cast.submit()
    answer = by_token(cast.vera).post(f"reviews/{review.pk}/decisions", signature(review))
    assert answer.status_code == 403
    assert "A token does not sign" in answer.json()["detail"]
    assert Decision.objects.count() == 0
    assert ("POST /api/v1/reviews/<int:review_id>/decisions", "refused") in {
        (row.act, row.outcome) for row in attempts()
    }


def test_basic_authentication_with_the_real_password_does_not_sign_either(cast: Cast) -> None:
    from tests.api.wire import basic

    review = cast.submit()
    api = Api({"Authorization": basic("vera", PASSWORD)})
    assert api.get(f"reviews/{review.pk}").status_code == 200
    answer = api.post(f"reviews/{review.pk}/decisions", signature(review))
    assert (answer.status_code, Decision.objects.count()) == (403, 0)


def test_a_wrong_password_signs_nothing_and_is_counted(cast: Cast) -> None:
    review = cast.submit()
    answer = by_session(cast.vera).post(
        f"reviews/{review.pk}/decisions", signature(review, password="not hers")
    )
    assert answer.status_code == 403
    assert Decision.objects.count() == 0
    assert ("reauthenticate", "failed") in {(row.act, row.outcome) for row in attempts()}


def test_evidence_that_moved_is_a_conflict(cast: Cast) -> None:
    review = cast.submit()
    shown = signature(review)
    made = by_token(cast.ana).post(f"reviews/{review.pk}/rounds", {"because": "newer data"})
    assert made.status_code == 201
    assert [row["live"] for row in made.json()["rounds"]] == [True, False]
    answer = by_session(cast.vera).post(f"reviews/{review.pk}/decisions", shown)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "evidence moved" in answer.json()["detail"]
    assert Decision.objects.count() == 0


def test_who_made_it_does_not_sign_it(cast: Cast) -> None:
    from apps.accounts import services as accounts
    from tests.support.people import SYSTEM

    accounts.grant_role(SYSTEM, "validator", cast.ana)
    review = cast.submit()
    answer = by_session(cast.ana).post(f"reviews/{review.pk}/decisions", signature(review))
    assert answer.status_code == 403
    assert Decision.objects.count() == 0
    assert ("POST /api/v1/reviews/<int:review_id>/decisions", f"review:{review.pk}") in {
        (row.act, row.subject) for row in attempts()
    }


def test_a_session_without_the_header_against_cross_site_requests_does_nothing(cast: Cast) -> None:
    http = Client(enforce_csrf_checks=True)
    http.force_login(cast.ana)
    answer = Api({}, http).post("reviews", WANTED)
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
    assert Review.objects.count() == 0


def test_a_bad_token_does_not_fall_back_on_the_session(cast: Cast) -> None:
    api = by_session(cast.ana)
    api.headers["Authorization"] = "Bearer cs_nothing"
    assert api.get("reviews").status_code == 401


def test_a_token_without_the_scope_is_told_which_it_needs(cast: Cast) -> None:
    answer = by_token(cast.ana, "read").post("reviews", WANTED)
    assert answer.status_code == 403
    assert "needs the scope registry" in answer.json()["detail"]
    assert by_token(cast.ana, "tracking").get("reviews").status_code == 403


def test_a_review_is_withdrawn_with_a_reason(cast: Cast) -> None:
    review = cast.submit()
    api = by_token(cast.ana)
    blank = api.post(f"reviews/{review.pk}/withdraw", {"reason": " "})
    assert (blank.status_code, "reason" in blank.json()["fields"]) == (400, True)
    answer = api.post(f"reviews/{review.pk}/withdraw", {"reason": "a bug in the features"})
    assert (answer.status_code, answer.json()["status"]) == (200, "withdrawn")
    again = api.post(f"reviews/{review.pk}/withdraw", {"reason": "once more"})
    assert again.status_code == 409


def test_what_a_gate_held_back_is_promoted_when_it_passes(cast: Cast, settings: Any) -> None:
    review = cast.submit(PRODUCTION)
    gates = settings.PROMOTION_GATES
    settings.PROMOTION_GATES = [*gates, "apps.modelcards.gates.card_complete"]
    cast.sign(cast.vera, review)
    cast.sign(cast.rui, review)
    api = by_token(cast.ana)
    held = api.post(f"reviews/{review.pk}/promote")
    assert (held.status_code, held.json()["code"]) == (403, "blocked")
    assert len(held.json()["reasons"]) == 1
    settings.PROMOTION_GATES = gates
    answer = api.post(f"reviews/{review.pk}/promote")
    assert (answer.status_code, answer.json()["status"]) == (200, "promoted")


def test_a_version_under_review_is_not_submitted_twice(cast: Cast) -> None:
    cast.submit()
    answer = by_token(cast.ana).post("reviews", WANTED)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**WANTED, "extra": 1}, "extra"),
        ({**WANTED, "version": "1"}, "version"),
        ({**WANTED, "version": True}, "version"),
        ({**WANTED, "targets": []}, "targets"),
        ({**WANTED, "targets": "stage:production"}, "targets"),
        ({**WANTED, "targets": [3]}, "targets.0"),
        ({**WANTED, "justification": None}, "justification"),
        ({**WANTED, "justification": "\x00"}, "justification"),
        ({**WANTED, "justification": "\ud800"}, "justification"),
        ({"model": "credit"}, "version"),
        ([WANTED], "non_field_errors"),
    ],
)
def test_a_body_that_is_not_understood_is_refused_by_field(
    cast: Cast, body: Any, field: str
) -> None:
    answer = by_token(cast.ana).post("reviews", body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert Review.objects.count() == 0


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b'{"version": NaN}', "application/json", 400),
        (b'{"version": 1, "version": 2}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"model=credit", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
    ],
)
def test_what_is_not_strict_json_is_refused(
    cast: Cast, data: bytes, kind: str, status: int
) -> None:
    answer = by_token(cast.ana).post("reviews", data, content_type=kind)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_refused(cast: Cast, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2_000
    answer = by_token(cast.ana).post("reviews", {**WANTED, "justification": "x" * 3_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_stranger_is_told_there_is_nothing(cast: Cast) -> None:
    review = cast.submit()
    for path, body in (
        (f"reviews/{review.pk}/rounds", {}),
        (f"reviews/{review.pk}/withdraw", {"reason": "x"}),
        (f"reviews/{review.pk}/promote", {}),
        (f"reviews/{review.pk}/decisions", signature(review)),
        ("reviews", WANTED),
    ):
        answer = by_session(cast.otto).post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    review.refresh_from_db()
    assert review.status == "open"


def test_whoever_holds_an_administrators_password_chooses_her_own_first(cast: Cast) -> None:
    from apps.accounts import services as accounts
    from tests.support.people import SYSTEM

    api = by_session(cast.vera)
    accounts.reset_password(SYSTEM, cast.vera, password="temporary-of-the-tests-2")
    cast.vera.refresh_from_db()
    api.http.force_login(cast.vera)
    assert api.get("reviews").status_code == 403


def test_other_addresses_and_methods_are_problems_too(cast: Cast) -> None:
    api = by_token(cast.ana)
    answer = api.get("nothing")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_endpoint")
    answer = api.http.delete("/api/v1/reviews", headers=api.headers)
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, POST"
    assert api.post("models").status_code == 405


def test_the_review_made_here_is_the_one_the_pages_show(cast: Cast) -> None:
    version = factories.version(as_actor(cast.ana), cast.model)
    made = by_token(cast.ana).post("reviews", {**WANTED, "version": version.number}).json()
    page = by_session(cast.vera).http.get(f"/reviews/{made['id']}/")
    assert made["key"] in page.content.decode()
