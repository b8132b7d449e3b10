"""Having checks run, and reading what came out, by programs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator

from apps.checks import kinds, services
from apps.checks.models import Measurement
from apps.core.models import OutboxMessage
from tests.api_v1.conftest import Api, Cast, by_token
from tests.checks.flow import attach, done, work
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db

LIST = "models/credit/versions/1/measurements"


@pytest.fixture
def ana(cast: Cast) -> Api:
    """Ana's token, with evaluation data attached to her version."""
    attach(cast.version, cast.ana)
    return by_token(cast.ana, "registry")


def test_every_kind_says_what_it_takes_and_its_schemas_are_its_own(cast: Cast) -> None:
    items = by_token(cast.otto, "read").get("check-kinds").json()["items"]
    assert [row["key"] for row in items] == list(kinds.registered())
    by_key = {row["key"]: row for row in items}
    for row in items:
        for schema in (row["params"], row["limits"]):
            Draft202012Validator.check_schema(schema)
        Draft202012Validator(row["params"]).validate({})
    fairness = Draft202012Validator(by_key["fairness"]["params"])
    assert fairness.is_valid({"confidence": "0.9", "draws": 0})
    assert not fairness.is_valid({"confidence": 0.9})
    assert not fairness.is_valid({"odd": 1})
    limits = Draft202012Validator(by_key["fairness"]["limits"])
    assert limits.is_valid({"demographic_parity_difference": {"max": "0.1"}})
    assert not limits.is_valid({"demographic_parity": {"max": "0.1"}})
    assert by_key["leakage"]["inputs"][1]["roles"] == ["reference"]
    assert by_key["files"]["of_files"] is True
    assert "roc_auc" in {each["key"] for each in by_key["performance"]["measures"]}


def test_it_is_asked_for_measured_read_and_judged(cast: Cast, ana: Api) -> None:
    answer = ana.post(LIST, {"kind": "performance", "params": {"confidence": "0.9"}})
    told = answer.json()
    assert (answer.status_code, told["status"], told["stored"]) == (201, "queued", False)
    where = answer["Location"].removeprefix("/api/v1/")
    waiting = ana.get(where).json()
    assert (waiting["result"], waiting["assessment"], waiting["progress"]) == (None, None, None)
    work()
    found = ana.get(where).json()
    row = Measurement.objects.get(uuid=told["uuid"])
    assert found["status"] == "done"
    assert (found["key"], found["result_digest"]) == (row.key, row.result_digest)
    assert (found["result"], found["statistics"]) == (row.result, row.statistics)
    assert found["params"]["confidence"] == "0.9"
    assert found["inputs"] == row.inputs
    assert set(found["timings"]) == {"verify_ms", "measure_ms"}
    assert found["asked_by"]["name"] == "Ana Silva"
    assert found["url"].endswith(f"/models/credit/1/checks/{row.uuid}/")


def test_the_same_question_is_answered_by_its_key_and_says_so(cast: Cast, ana: Api) -> None:
    first = ana.post(LIST, {"kind": "performance"})
    again = ana.post(LIST, {"kind": "performance", "params": {}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["stored"], again.json()["stored"]) == (False, True)
    assert again.json()["uuid"] == first.json()["uuid"]
    assert again["Location"] == first["Location"]
    assert OutboxMessage.objects.filter(task__endswith="run_measurement").count() == 1
    other = ana.post(LIST, {"kind": "performance", "params": {"confidence": "0.9"}})
    assert other.status_code == 201
    assert other.json()["key"] != first.json()["key"]


def test_what_the_pages_asked_for_is_the_same_question(cast: Cast, ana: Api) -> None:
    row = done(cast.version, cast.ana)
    answer = ana.post(LIST, {"kind": "performance"})
    assert (answer.status_code, answer.json()["uuid"]) == (200, str(row.uuid))
    assert answer.json()["status"] == "done"


def test_the_assessment_is_that_of_the_page(cast: Cast, ana: Api) -> None:
    row = done(cast.version, cast.ana)
    found = ana.get(f"{LIST}/{row.uuid}").json()["assessment"]
    assert found["demanded"] is True
    assert found["policy"]["key"] == "standard"
    ana.http.force_login(cast.ana)
    page = ana.http.get(f"/models/credit/1/checks/{row.uuid}/").content.decode()
    assert found["sentence"] in page
    assert found["rows"]
    assert all(limit["sentence"] in page for limit in found["rows"])


def test_a_kind_that_no_policy_asks_for_is_not_judged(cast: Cast, ana: Api) -> None:
    row = done(cast.version, cast.ana, "quality")
    found = ana.get(f"{LIST}/{row.uuid}").json()
    assert (found["status"], found["assessment"]) == ("done", None)


def test_it_is_cancelled_once_and_can_be_asked_again(cast: Cast, ana: Api) -> None:
    made = ana.post(LIST, {"kind": "performance"}).json()
    answer = ana.post(f"{LIST}/{made['uuid']}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    again = ana.post(f"{LIST}/{made['uuid']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert ana.post(LIST, {"kind": "performance"}).status_code == 201


def test_one_that_is_done_is_not_cancelled(cast: Cast, ana: Api) -> None:
    row = done(cast.version, cast.ana)
    assert ana.post(f"{LIST}/{row.uuid}/cancel").status_code == 409
    row.refresh_from_db()
    assert row.status == "done"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"kind": "fairnes"}, "kind"),
        ({}, "kind"),
        ({"kind": "performance", "odd": 1}, "odd"),
        ({"kind": "performance", "params": {"odd": 1}}, "params"),
        ({"kind": "performance", "params": {"confidence": 0.9}}, "params"),
        ({"kind": "performance", "params": {"confidence": "2"}}, "confidence"),
        ({"kind": "performance", "params": []}, "params"),
        ({"kind": "performance", "params": None}, "params"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(
    ana: Api, asked: dict[str, Any], field: str
) -> None:
    answer = ana.post(LIST, asked)
    assert (answer.status_code, field in answer.json()["fields"]) == (400, True), answer.content
    assert not Measurement.objects.exists()


def test_data_that_are_not_attached_are_named(cast: Cast) -> None:
    answer = by_token(cast.ana).post(LIST, {"kind": "performance"})
    assert answer.status_code == 400
    assert "No evaluation data" in answer.json()["detail"]


def test_who_may_not_is_told_as_on_the_pages(cast: Cast, ana: Api) -> None:
    made = ana.post(LIST, {"kind": "performance"}).json()
    there = f"{LIST}/{made['uuid']}"
    asked = {"kind": "quality"}
    assert by_token(cast.rui).post(LIST, asked).status_code == 403
    assert by_token(cast.rui).post(f"{there}/cancel").status_code == 403
    assert by_token(cast.ana, "read").post(LIST, asked).status_code == 403
    stranger = by_token(cast.otto)
    for answer in (
        stranger.get(LIST), stranger.get(there), stranger.post(LIST, asked), stranger.post(f"{there}/cancel"),
    ):  # fmt: skip
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    hidden = stranger.get(LIST).json()
    nowhere = stranger.get(LIST.replace("credit", "nothing")).json()
    assert hidden["detail"].replace("credit", "nothing") == nowhere["detail"]
    assert Measurement.objects.count() == 1


def test_a_measurement_of_another_version_is_not_there(cast: Cast, ana: Api) -> None:
    from tests import factories

    factories.version(as_actor(cast.ana), cast.model)
    made = ana.post(LIST, {"kind": "performance"}).json()
    other = LIST.replace("versions/1", "versions/2")
    assert ana.get(f"{other}/{made['uuid']}").status_code == 404
    assert ana.post(f"{other}/{made['uuid']}/cancel").status_code == 404
    assert ana.get(f"{LIST}/{uuid.uuid4()}").status_code == 404


def test_the_list_is_filtered_and_read_a_page_at_a_time(cast: Cast, ana: Api) -> None:
    done(cast.version, cast.ana)
    for confidence in ("0.9", "0.8"):
        ana.post(LIST, {"kind": "performance", "params": {"confidence": confidence}})
    ana.post(LIST, {"kind": "quality"})
    first = ana.get(LIST, limit=3).json()
    rest = ana.get(LIST, limit=3, cursor=first["next_cursor"]).json()
    rows = first["items"] + rest["items"]
    assert [row["kind"] for row in rows] == ["quality", *["performance"] * 3]
    assert rest["next_cursor"] is None
    assert "result" not in rows[0]
    assert len(ana.get(LIST, kind="performance", status="queued").json()["items"]) == 2
    assert ana.get(LIST, kind="drift").json()["items"] == []
    assert "kind" in ana.get(LIST, kind="odd").json()["fields"]
    assert "status" in ana.get(LIST, status="odd").json()["fields"]


def test_the_list_and_one_measurement_cost_the_same_however_many_there_are(
    cast: Cast, ana: Api
) -> None:
    row = done(cast.version, cast.ana)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert ana.get(path).status_code == 200
        return len(asked)

    paths = [LIST, f"{LIST}/{row.uuid}"]
    queries(LIST)  # the first use of a token is noted
    few = [queries(path) for path in paths]
    for number in range(20):
        seed = {"seed": number, "draws": 10}
        services.request_measurement(as_actor(cast.ana), cast.version, "performance", seed)
    assert len(ana.get(LIST).json()["items"]) == 21
    assert [queries(path) for path in paths] == few


def test_the_files_are_those_of_the_page(cast: Cast, ana: Api) -> None:
    row = done(cast.version, cast.ana)
    ana.http.force_login(cast.ana)
    for ending, kind in (("json", "application/json"), ("csv", "text/csv")):
        answer = ana.get(f"{LIST}/{row.uuid}/result.{ending}")
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert answer["Content-Disposition"].endswith(f'filename="credit-v1-performance.{ending}"')
        page = ana.http.get(f"/models/credit/1/checks/{row.uuid}/result.{ending}")
        assert answer.getvalue() == page.getvalue()


def test_a_file_is_no_way_round_the_rights(cast: Cast, ana: Api) -> None:
    row = done(cast.version, cast.ana)
    for ending in ("json", "csv"):
        there = f"{LIST}/{row.uuid}/result.{ending}"
        answer = by_token(cast.otto).get(there)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert by_token(cast.ana, "tracking").get(there).status_code == 403
        assert ana.get(f"{LIST}/{uuid.uuid4()}/result.{ending}").status_code == 404
        assert ana.get(there, odd=1).status_code == 400


def test_without_a_result_there_is_no_table(ana: Api) -> None:
    made = ana.post(LIST, {"kind": "performance"}).json()
    answer = ana.get(f"{LIST}/{made['uuid']}/result.csv")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert ana.get(f"{LIST}/{made['uuid']}/result.json").status_code == 200
