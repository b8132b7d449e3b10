"""Batches by programs: asking by list and by stage, following, cancelling, the zip; nobody else's, nothing half asked for."""

from __future__ import annotations

import io
import uuid
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import RoleAssignment
from apps.compliance.models import Batch, BatchItem
from apps.core.models import OutboxMessage
from tests import factories
from tests.api_v1.conftest import Api, Cast, by_session, by_token
from tests.compliance.test_batches import work_off
from tests.support.people import as_actor
from tests.support.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def named(*numbers: int) -> dict[str, object]:
    return {
        "kind": "model_card",
        "versions": [{"model": "credit", "version": number} for number in numbers],
    }


def ask(api: Api, *numbers: int) -> str:
    answer = api.post("batches", named(*numbers))
    assert answer.status_code == 201, answer.content
    return str(answer["Location"]).removeprefix("/api/v1/")


def test_a_token_asks_follows_and_takes_all(cast: Cast) -> None:
    factories.version(as_actor(cast.ana), cast.model)
    api = by_token(cast.ana, "read")
    where = ask(api, 1, 2)
    before = api.get(where).json()
    assert (before["about"], before["progress"]["total"], before["progress"]["is_open"]) == (
        "from a list", 2, True,
    )  # fmt: skip
    assert api.get(f"{where}/documents.zip").status_code == 409
    work_off()
    progress = api.get(where).json()["progress"]
    assert (progress["ready"], progress["failed"], progress["is_open"]) == (2, 0, False)
    first = api.get(f"{where}/items", limit=1).json()
    rest = api.get(f"{where}/items", limit=1, cursor=first["next_cursor"]).json()
    assert [row["version"] for row in first["items"] + rest["items"]] == [1, 2]
    assert rest["next_cursor"] is None
    assert all(len(row["document"]["digest"]) == 64 for row in first["items"] + rest["items"])
    assert api.get(f"{where}/items", status="error").json()["items"] == []
    taken = b"".join(api.get(f"{where}/documents.zip"))
    assert zipfile.ZipFile(io.BytesIO(taken)).namelist() == [
        "credit-v1-model-card.pdf", "credit-v2-model-card.pdf",
    ]  # fmt: skip
    assert api.post(f"{where}/cancel").status_code == 409  # nothing waits
    assert [row["uuid"] for row in api.get("batches").json()["items"]] == [before["uuid"]]


def test_the_second_batch_of_the_same_facts_has_the_same_documents(cast: Cast) -> None:
    api = by_token(cast.ana, "read")
    first, second = ask(api, 1), ask(api, 1)
    work_off()
    found = [api.get(f"{where}/items").json()["items"][0]["document"] for where in (first, second)]
    assert first != second
    assert found[0] == found[1]


def test_a_stage_is_all_governed_versions_there(cast: Cast) -> None:
    body = {"kind": "model_card", "stage": "production"}
    api = by_token(cast.ana, "read")
    refused = api.post("batches", body)
    assert refused.status_code == 400
    assert refused.json()["fields"] == {"stage": "You see no governed version in this stage."}
    cast.promote()
    made = api.post("batches", body).json()
    assert (made["about"], made["progress"]["total"]) == ("in stage Production", 1)


def test_what_cannot_be_made_says_why_and_cancelling_keeps_what_is_made(cast: Cast) -> None:
    api = by_token(cast.ana, "read")
    where = api.post("batches", named(1) | {"kind": "ll144_report"}).json()["uuid"]
    work_off()
    (item,) = api.get(f"batches/{where}/items", status="error").json()["items"]
    assert "No bias audit" in item["error"]
    assert item["document"] is None
    waiting = ask(api, 1)
    cancelled = api.post(f"{waiting}/cancel", {})
    assert cancelled.status_code == 200
    assert cancelled.json()["cancelled_at"]
    assert cancelled.json()["progress"]["cancelled"] == 1
    assert api.post(f"{waiting}/cancel", {}).status_code == 409


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"kind": "horoscope"}, 404),
        ({"versions": []}, 400),
        ({"versions": [{"model": "credit", "version": 1}, {"model": "credit", "version": 9}]}, 404),
        ({"versions": [{"model": "credit", "version": "1"}]}, 400),
        ({"versions": [{"model": "credit", "version": 1, "x": 1}]}, 400),
        ({"versions": [{"model": "a\x00b", "version": 1}]}, 400),
        ({"versions": [{"model": "credit", "version": 10**30}]}, 400),
        ({"versions": "credit/1"}, 400),
        ({"stage": "production"}, 400),
        ({"stage": "archived"}, 400),
        ({"unknown": 1}, 400),
    ],
)
def test_wrong_input_asks_for_nothing(cast: Cast, change: dict[str, object], status: int) -> None:
    answer = by_token(cast.ana, "read").post("batches", named(1) | change)
    assert answer.status_code == status, answer.content
    assert not Batch.objects.exists()
    assert not OutboxMessage.objects.filter(task__contains="batch").exists()


def test_neither_list_nor_stage_and_too_many_are_refused(cast: Cast) -> None:
    api = by_token(cast.ana, "read")
    assert "versions" in api.post("batches", {"kind": "model_card"}).json()["fields"]
    assert api.post("batches", named(*range(1, 502))).status_code == 400
    assert not Batch.objects.exists()


def test_an_outsider_learns_nothing_and_nobody_sees_anothers_batch(cast: Cast) -> None:
    assert by_token(cast.otto).post("batches", named(1)).status_code == 404
    where = ask(by_token(cast.ana), 1)
    work_off()
    for user in (cast.vera, cast.otto):
        api = by_session(user)
        for path in (where, f"{where}/items", f"{where}/documents.zip"):
            assert api.get(path).status_code == 404
        assert api.post(f"{where}/cancel", {}).status_code == 404
        assert api.get("batches").json()["items"] == []
    assert by_token(cast.ana).get(f"batches/{uuid.uuid4()}").status_code == 404


def test_a_right_that_is_lost_meanwhile_makes_no_document(cast: Cast) -> None:
    where = ask(by_token(cast.vera), 1)
    RoleAssignment.objects.filter(user=cast.vera).delete()
    work_off()
    (item,) = BatchItem.objects.all()
    assert (item.status, item.document) == ("error", None)
    assert by_token(cast.vera).get(f"{where}/documents.zip").status_code == 409


def test_two_who_cancel_at_once_cancel_once(cast: Cast) -> None:
    where = ask(by_token(cast.ana), 1)
    calls = [by_token(cast.ana), by_token(cast.ana)]
    got = at_once(*[lambda api=api: api.post(f"{where}/cancel", {}).status_code for api in calls])
    assert sorted(got) == [200, 409]


def test_a_list_of_items_costs_the_same_however_long(cast: Cast) -> None:
    for _ in range(6):
        factories.version(as_actor(cast.ana), cast.model)
    api = by_token(cast.ana)
    counted = []
    for where in (ask(api, 1), ask(api, 1, 2, 3, 4, 5, 6)):
        with CaptureQueriesContext(connection) as queries:
            assert api.get(f"{where}/items").status_code == 200
        counted.append(len(queries))
    assert counted[0] == counted[1]
