"""Regular checks set by programs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.checks import tasks
from apps.checks.models import DefinitionRevision, DefinitionRun
from apps.core.models import OutboxMessage
from tests.api_v1.conftest import Api, Cast, by_token
from tests.checks.flow import attach, work

pytestmark = pytest.mark.django_db

LIST = "models/credit/check-definitions"
ASKED = {"name": "On new data", "kind": "performance", "on_data": True}


@pytest.fixture
def ana(cast: Cast) -> Api:
    return by_token(cast.ana, "registry")


def test_it_is_set_started_by_data_and_tells_what_came_of_it(cast: Cast, ana: Api) -> None:
    made = ana.post(LIST, ASKED)
    assert made.status_code == 201
    assert (made.json()["revision"], made.json()["last_run"]) == (1, None)
    attach(cast.version, cast.ana)
    for row in OutboxMessage.objects.filter(task="apps.checks.tasks.start_on_data"):
        tasks.start_on_data(row.pk)
    work()
    found = ana.get(made["Location"].removeprefix("/api/v1/")).json()
    assert found["last_run"]["measurement"]
    assert (found["last_run"]["reason"], found["last_run"]["error"]) == ("data", "")
    assert found["saved_by"]["name"] == "Ana Silva"


def test_a_change_is_a_revision_on_what_was_read_and_retiring_ends_it(cast: Cast, ana: Api) -> None:
    where = ana.post(LIST, ASKED)["Location"].removeprefix("/api/v1/") + "/revisions"
    changed = ana.post(where, {**ASKED, "every_days": 7, "base": 1})
    assert (changed.status_code, changed.json()["revision"]) == (201, 2)
    assert ana.post(where, {**ASKED, "base": 1}).status_code == 409
    retired = ana.post(where, {**ASKED, "base": 2, "retired": True})
    assert retired.json()["retired"] is True
    attach(cast.version, cast.ana)
    for row in OutboxMessage.objects.filter(task="apps.checks.tasks.start_on_data"):
        tasks.start_on_data(row.pk)
    assert not DefinitionRun.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"on_data": False}, "on_data"),
        ({"every_days": 0}, "every_days"),
        ({"every_days": "7"}, "every_days"),
        ({"name": ""}, "name"),
        ({"kind": "fortune"}, "kind"),
        ({"params": {"odd": 1}}, "odd"),
        ({"odd": 1}, "odd"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    ana: Api, change: dict[str, object], field: str
) -> None:
    answer = ana.post(LIST, {**ASKED, **change})
    assert answer.status_code == 400
    assert field in answer.content.decode()
    assert not DefinitionRevision.objects.exists()


def test_the_list_asks_the_same_of_the_database_however_long_it_is(cast: Cast, ana: Api) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert ana.get(LIST).status_code == 200
        return len(seen)

    ana.post(LIST, ASKED)
    few = queries()
    for number in range(6):
        ana.post(LIST, {**ASKED, "name": f"Another {number}"})
    assert queries() == few
