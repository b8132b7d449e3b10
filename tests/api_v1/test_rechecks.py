"""Having a measurement executed again, and reading what came of it, by programs."""

from __future__ import annotations

import uuid

import pytest

from apps.checks.models import Measurement, Recheck
from apps.checks.services import request_measurement
from tests.api_v1.conftest import Cast, by_token
from tests.checks.flow import attach, done
from tests.checks.test_rechecking import recheck, rework
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def measured(cast: Cast) -> Measurement:
    attach(cast.version, cast.ana)
    return done(cast.version, cast.ana)


def path_of(row: Measurement) -> str:
    return f"models/credit/versions/1/measurements/{row.uuid}/rechecks"


def test_it_is_asked_for_waits_and_has_an_outcome(cast: Cast, measured: Measurement) -> None:
    api = by_token(cast.vera, "registry")
    answer = api.post(path_of(measured))
    assert (answer.status_code, answer.json()["outcome"]) == (201, "waiting")
    assert api.post(path_of(measured)).json()["uuid"] == answer.json()["uuid"]
    where = answer["Location"].removeprefix("/api/v1/")
    assert api.get(where).json() == answer.json()
    rework()
    told = api.get(where).json()
    assert (told["outcome"], told["difference"], told["reason"]) == ("equal", None, "")
    assert told["found_digest"] == told["stored_digest"] == measured.result_digest
    assert told["requested_by"]["name"] == "Vera Lund"
    assert told["other_versions"] == []


def test_the_history_is_read_a_page_at_a_time(cast: Cast, measured: Measurement) -> None:
    for _ in range(3):
        recheck(cast.vera, measured)
    api = by_token(cast.ana, "read")
    first = api.get(path_of(measured), limit=2).json()
    rest = api.get(path_of(measured), limit=2, cursor=first["next_cursor"]).json()
    assert [row["number"] for row in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next_cursor"] is None


def test_who_lacks_the_right_or_the_scope_asks_in_vain(cast: Cast, measured: Measurement) -> None:
    assert by_token(cast.ana).post(path_of(measured)).status_code == 403
    assert by_token(cast.vera, "read").post(path_of(measured)).status_code == 403
    assert by_token(cast.otto).post(path_of(measured)).status_code == 404
    assert not Recheck.objects.exists()


def test_what_is_not_there_or_has_no_result_is_refused(cast: Cast, measured: Measurement) -> None:
    api = by_token(cast.vera)
    nowhere = f"models/credit/versions/1/measurements/{uuid.uuid4()}/rechecks"
    assert api.get(nowhere).status_code == api.post(nowhere).status_code == 404
    assert api.get(f"{path_of(measured)}/{uuid.uuid4()}").status_code == 404
    waiting = request_measurement(as_actor(cast.ana), cast.version, "fairness")
    answer = api.post(path_of(waiting))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert api.post(path_of(measured), {"odd": 1}).status_code == 400
    assert not Recheck.objects.exists()
