"""Impact assessments by programs: questionnaire, state, answers on the revision that was read; a signature takes a session."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import RoleAssignment
from apps.accounts.services import create_service
from apps.core import canonical, clock
from apps.impact import questionnaire
from apps.impact.models import AssessmentRevision, AssessmentSignature, AuthorityNotification
from tests.api_v1.conftest import Cast, by_session, by_token
from tests.impact.samples import moderate, save, sign, whole
from tests.support.people import PASSWORD, SYSTEM, as_actor, hire
from tests.support.races import at_once
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "models/credit/impact"


def signature(revision: dict[str, Any]) -> dict[str, str]:
    return {"digest": revision["digest"], "comment": "as I know it", "password": PASSWORD}


def test_questions_are_read_answered_signed_and_told(cast: Cast) -> None:
    api = by_token(cast.ana, "registry")
    (edition,) = api.get("questionnaires").json()["items"]
    asked = api.get(f"questionnaires/{edition['name']}").json()
    assert edition["current"]
    assert canonical.digest_of(asked) == edition["digest"]
    state = api.get(PATH).json()
    assert (state["latest"], state["in_force"], state["questionnaire"]) == (None, None, "eu-rights-1")  # fmt: skip
    made = api.post(f"{PATH}/revisions", {"base": 0, "answers": moderate()})
    assert made.status_code == 201, made.content
    said = made.json()
    assert (said["number"], said["score"]["level"], said["score"]["tier"]) == (1, "II", 2)
    assert said["score"]["missing"] == []
    assert "You gave some of its answers" in said["why_not_sign"]
    assert canonical.digest_of(said["document"]) == said["digest"]
    assert api.get(made["Location"].removeprefix("/api/v1/")).json() == said
    again = api.post(f"{PATH}/revisions", {"base": 1, "answers": said["answers"]})
    assert (again.status_code, again.json()) == (200, said)

    rui = by_session(cast.rui)
    assert rui.get(f"{PATH}/revisions/1").json()["why_not_sign"] == ""
    signed = rui.post(f"{PATH}/revisions/1/signatures", signature(said))
    assert signed.status_code == 201, signed.content
    found = signed.json()["signature"]
    assert (found["signer"]["name"], found["level"], found["tier"]) == ("Rui Costa", "II", 2)
    assert found["meaning"] == "the answers hold; level II, at least tier 2"
    assert json.loads(signed.json()["statement"])["digest"] == said["digest"]
    state = api.get(PATH).json()
    assert (state["in_force"]["number"], state["is_due"]) == (1, False)
    told = {"authority": "CNIL", "reference": "2026-7", "notified_on": f"{clock.now():%Y-%m-%d}"}
    assert api.post(f"{PATH}/notifications", told).status_code == 201
    assert api.get(PATH).json()["notifications"][0]["reference"] == "2026-7"


def test_a_save_on_an_older_revision_loses_nothing(cast: Cast) -> None:
    save(as_actor(cast.ana), cast.model)
    vera = by_token(cast.vera)
    for base in (0, 9):
        with nothing_written():
            answer = vera.post(f"{PATH}/revisions", {"base": base, "answers": {"purpose": "x"}})
        assert answer.status_code == 409, answer.content


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"horoscope": "yes"}, "horoscope"),
        ({"purpose": 7}, "purpose"),
        ({"purpose": "x" * 10_001}, "purpose"),
        ({"purpose": "a\x00b"}, "purpose"),
        ({"number": -1}, "number"),
        ({"number": "many"}, "number"),
        ({"wrong": {"likelihood": 9}}, "wrong"),
        ({"wrong": {"odds": 1}}, "wrong"),
        ({"frequency": "now and then"}, "frequency"),
        ({"groups": "all"}, "groups"),
        ({"\ud800": "x"}, "?"),
        ({}, "__all__"),
        ("all", "answers"),
    ],
)
def test_wrong_answers_are_named_and_nothing_is_kept(
    cast: Cast, answers: object, field: str
) -> None:
    answer = by_token(cast.ana).post(f"{PATH}/revisions", {"base": 0, "answers": answers})
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]
    assert not AssessmentRevision.objects.exists()


def test_who_may_not_answer_is_refused(cast: Cast) -> None:
    body = {"base": 0, "answers": whole()}
    assert by_token(cast.otto).post(f"{PATH}/revisions", body).status_code == 404
    assert by_token(cast.otto).get(PATH).status_code == 404
    auditor = by_session(hire("aud", "Aud Itor", "auditor"))
    assert auditor.get(PATH).status_code == 200
    assert auditor.post(f"{PATH}/revisions", body).status_code == 403
    assert by_token(cast.ana, "read").post(f"{PATH}/revisions", body).status_code == 403
    service = create_service(SYSTEM, username="ci", display_name="CI", owners=[cast.ana])
    RoleAssignment.objects.create(user=service, role_id="contributor")
    refused = by_token(service).post(f"{PATH}/revisions", body)
    assert (refused.status_code, "human authors" in refused.json()["detail"]) == (403, True)
    assert not AssessmentRevision.objects.exists()


def test_a_signature_takes_a_session_its_password_another_person_and_what_was_read(
    cast: Cast,
) -> None:
    row = save(as_actor(cast.ana), cast.model)
    path = f"{PATH}/revisions/1/signatures"
    right = {"digest": row.digest, "comment": "as I know it", "password": PASSWORD}
    assert by_token(cast.rui).post(path, right).status_code == 403
    rui = by_session(cast.rui)
    assert rui.post(path, right | {"password": "wrong"}).status_code in {400, 403}
    assert rui.post(path, right | {"digest": "0" * 64}).status_code == 409
    assert rui.post(path, right | {"comment": " "}).status_code == 400
    assert rui.post(f"{PATH}/revisions/2/signatures", right).status_code == 404
    assert by_session(cast.ana).post(path, right).status_code == 403
    assert by_session(cast.otto).post(path, right).status_code == 404
    assert not AssessmentSignature.objects.exists()
    assert rui.post(path, right).status_code == 201
    assert rui.post(path, right).status_code == 409  # the second time
    assert AssessmentSignature.objects.count() == 1


def test_an_incomplete_one_is_not_signed(cast: Cast) -> None:
    row = save(as_actor(cast.ana), cast.model, {"purpose": "To sort letters."})
    right = {"digest": row.digest, "comment": "as I know it", "password": PASSWORD}
    answer = by_session(cast.rui).post(f"{PATH}/revisions/1/signatures", right)
    assert answer.status_code == 400
    assert "not answered" in answer.json()["detail"]


def test_two_who_save_at_once_and_two_who_sign_at_once(cast: Cast) -> None:
    saves = [
        partial(by_token(user).post, f"{PATH}/revisions", {"base": 0, "answers": whole() | {"purpose": user.username}})
        for user in (cast.ana, cast.ana)
    ]  # fmt: skip
    assert sorted(answer.status_code for answer in at_once(*saves)) == [201, 409]
    row = AssessmentRevision.objects.get()
    right = {"digest": row.digest, "comment": "as I know it", "password": PASSWORD}
    second = hire("rosa", "Rosa Lind", "risk")
    signs = [
        partial(by_session(user).post, f"{PATH}/revisions/1/signatures", right)
        for user in (cast.rui, second)
    ]
    assert sorted(answer.status_code for answer in at_once(*signs)) == [201, 409]
    assert AssessmentSignature.objects.count() == 1


def test_a_notification_needs_one_in_force_and_a_day_that_can_be(cast: Cast) -> None:
    api = by_token(cast.ana)
    told = {"authority": "CNIL", "reference": "2026-7", "notified_on": f"{clock.now():%Y-%m-%d}"}
    assert api.post(f"{PATH}/notifications", told).status_code == 409
    sign(as_actor(cast.rui), save(as_actor(cast.ana), cast.model))
    for change in ({"notified_on": "2001-01-01"}, {"authority": ""}, {"notified_on": "soon"}):
        assert api.post(f"{PATH}/notifications", told | change).status_code == 400
    assert not AuthorityNotification.objects.exists()


def test_less_is_demanded_only_by_whoever_manages_the_model_and_where_less_is_said(
    cast: Cast,
) -> None:
    ana = as_actor(cast.ana)
    sign(as_actor(cast.rui), save(ana, cast.model, whole(worst=True)))
    assert by_session(cast.ana).post(f"{PATH}/lowering", {"reason": "x"}).status_code == 409
    sign(as_actor(cast.rui), save(ana, cast.model, whole()))
    assert by_session(cast.vera).post(f"{PATH}/lowering", {"reason": "x"}).status_code == 403
    assert by_token(cast.ana).post(f"{PATH}/lowering", {"reason": "x"}).status_code == 403
    answer = by_session(cast.ana).post(f"{PATH}/lowering", {"reason": "fewer people"})
    assert answer.status_code == 201, answer.content
    assert by_token(cast.ana).get(PATH).json()["demanded_tier"] == 3


def test_revisions_go_a_page_at_a_time_at_one_cost(cast: Cast) -> None:
    api = by_token(cast.ana)
    api.get(PATH)  # a token's first use is noted
    counted = []
    for number in range(5):
        save(as_actor(cast.ana), cast.model, whole() | {"purpose": f"Purpose {number}."})
        if number in {0, 4}:
            with CaptureQueriesContext(connection) as queries:
                assert api.get(f"{PATH}/revisions").status_code == 200
            counted.append(len(queries))
    assert counted[0] == counted[1]
    first = api.get(f"{PATH}/revisions", limit=3).json()
    rest = api.get(f"{PATH}/revisions", limit=3, cursor=first["next_cursor"]).json()
    assert [row["number"] for row in first["items"] + rest["items"]] == [5, 4, 3, 2, 1]


def test_what_is_not_there_is_told(cast: Cast) -> None:
    api = by_token(cast.ana)
    assert api.get(f"{PATH}/revisions/1").status_code == 404
    assert api.get("questionnaires/none-1").status_code == 404
    assert api.get("schemas/questionnaire.json").json() == json.loads(
        json.dumps(questionnaire.schema())
    )
