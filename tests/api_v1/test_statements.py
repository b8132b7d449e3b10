"""Statements for reports by programs: read what is asked, state it by the base that was read, never over somebody else's."""

from __future__ import annotations

from functools import partial

import pytest

from apps.accounts.models import RoleAssignment
from apps.accounts.services import create_service
from apps.compliance.models import ReportStatement
from tests.api_v1.conftest import Cast, by_session, by_token
from tests.support.people import SYSTEM, hire
from tests.support.races import at_once
from tests.web.browsing import nothing_written

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "models/credit/versions/1/statements/ll144_report"
WORDS = {"auditor": "Ada Audit Ltd", "data_kind": "historical"}


def test_what_is_asked_is_read_and_stated_by_a_persons_token(cast: Cast) -> None:
    api = by_token(cast.ana, "registry")
    asked = api.get(PATH).json()
    fields = {field["key"]: field for field in asked["fields"]}
    assert asked["latest"] is None
    assert fields["distribution_date"]["kind"] == "date"
    assert {each["value"] for each in fields["data_kind"]["choices"]} == {"historical", "test"}
    made = api.post(PATH, {"base": 0, "texts": WORDS})
    assert made.status_code == 201, made.content
    assert made.json()["author"]["name"] == "Ana Silva"
    assert api.get(PATH).json()["latest"] == made.json()
    again = api.post(PATH, {"base": 1, "texts": WORDS})
    assert (again.status_code, again.json()) == (200, made.json())
    more = api.post(PATH, {"base": 1, "texts": WORDS | {"tool": "Sorter"}}).json()
    listed = api.get(f"{PATH}/recorded", limit=1).json()
    assert listed["items"] == [more]
    rest = api.get(f"{PATH}/recorded", limit=1, cursor=listed["next_cursor"]).json()
    assert (rest["items"], rest["next_cursor"]) == ([made.json()], None)


def test_a_base_that_is_not_the_latest_is_a_conflict(cast: Cast) -> None:
    api = by_token(cast.ana)
    api.post(PATH, {"base": 0, "texts": WORDS})
    for base in (0, 7):
        with nothing_written():
            answer = api.post(PATH, {"base": base, "texts": {"auditor": "Somebody else"}})
        assert answer.status_code == 409
    assert ReportStatement.objects.get().texts == WORDS


@pytest.mark.parametrize(
    ("texts", "field"),
    [
        ({"nothing_like_it": "x"}, "nothing_like_it"),
        ({"distribution_date": "yesterday"}, "distribution_date"),
        ({"data_kind": "guessed"}, "data_kind"),
        ({"auditor": "two\nlines"}, "auditor"),
        ({"auditor": 7}, "texts.auditor"),
        ({"auditor": "a\x00b"}, "texts.auditor"),
        ({"independence": "x" * 10_001}, "independence"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(
    cast: Cast, texts: dict[str, object], field: str
) -> None:
    answer = by_token(cast.ana).post(PATH, {"base": 0, "texts": texts})
    assert answer.status_code == 400, answer.content
    assert field in answer.json()["fields"]
    assert not ReportStatement.objects.exists()


def test_an_empty_one_and_a_kind_that_asks_nothing(cast: Cast) -> None:
    api = by_token(cast.ana)
    assert api.post(PATH, {"base": 0, "texts": {}}).status_code == 400
    for kind in ("model_card", "horoscope"):
        other = PATH.replace("ll144_report", kind)
        assert api.get(other).status_code == 404
        assert api.post(other, {"base": 0, "texts": {}}).status_code == 404


def test_who_may_not_write_about_it_and_who_is_nobody_are_refused(cast: Cast) -> None:
    assert by_token(cast.otto).get(PATH).status_code == 404
    assert by_token(cast.otto).post(PATH, {"base": 0, "texts": WORDS}).status_code == 404
    auditor = by_session(hire("aud", "Aud Itor", "auditor"))
    assert auditor.get(PATH).status_code == 200
    assert auditor.post(PATH, {"base": 0, "texts": WORDS}).status_code == 403
    assert by_token(cast.ana, "read").post(PATH, {"base": 0, "texts": WORDS}).status_code == 403
    assert not ReportStatement.objects.exists()


def test_a_service_states_nothing_whatever_its_rights(cast: Cast) -> None:
    service = create_service(SYSTEM, username="ci", display_name="CI", owners=[cast.ana])
    RoleAssignment.objects.create(user=service, role_id="contributor")
    answer = by_token(service).post(PATH, {"base": 0, "texts": WORDS})
    assert answer.status_code == 403
    assert "by a person" in answer.json()["detail"]
    assert not ReportStatement.objects.exists()


def test_two_at_once_make_one_statement_and_one_conflict(cast: Cast) -> None:
    first, second = by_token(cast.ana), by_token(cast.ana)
    states = [
        partial(api.post, PATH, {"base": 0, "texts": {"auditor": name}})
        for api, name in ((first, "Ada"), (second, "Bo"))
    ]
    assert sorted(answer.status_code for answer in at_once(*states)) == [201, 409]
    assert ReportStatement.objects.count() == 1
