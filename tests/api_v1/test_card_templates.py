"""Card templates by programs: read, define the next version, choose one for a model; judges of models only, in a session."""

from __future__ import annotations

import json
from functools import partial

import pytest

from apps.modelcards.models import CardTemplateChoice, CardTemplateVersion
from apps.modelcards.templating import document
from apps.modelcards.templating.shipped_templates import shipped, shipped_source
from tests.api_v1.conftest import Cast, by_session, by_token
from tests.support.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = shipped_source(shipped()["mrm/1"]).replace("key: mrm\n", "key: our-mrm\n", 1)
PATH = "models/credit/card-template"


def test_templates_are_read_by_everybody(cast: Cast) -> None:
    api = by_token(cast.otto, "read")
    items = {row["key"]: row for row in api.get("card-templates").json()["items"]}
    assert items["mrm"]["ships"]
    one = api.get(f"card-templates/mrm/{items['mrm']['number']}").json()
    assert one["digest"] == items["mrm"]["digest"]
    assert one["yaml"].startswith("key: mrm")
    assert "sections" in one["document"]
    assert api.get("card-templates/mrm/99").status_code == 404
    assert api.get("schemas/card-template.json").json() == json.loads(
        json.dumps(document.json_schema())
    )


def test_a_validator_defines_the_next_version_once(cast: Cast) -> None:
    vera = by_session(cast.vera)
    made = vera.post("card-templates", {"text": TEXT})
    assert made.status_code == 201, made.content
    assert (made.json()["name"], made.json()["ships"]) == ("our-mrm/1", False)
    assert vera.get(made["Location"].removeprefix("/api/v1/")).json() == made.json()
    assert vera.post("card-templates", {"text": TEXT}).status_code == 409  # after is 0, there is 1
    assert vera.post("card-templates", {"text": TEXT, "after": 1}).status_code == 200
    changed = TEXT.replace("title: Model risk management", "title: Our risk management", 1)
    again = vera.post("card-templates", {"text": changed, "after": 1})
    assert (again.status_code, again.json()["number"]) == (201, 2)
    assert vera.get("card-templates/our-mrm/1").json()["newest"] == 2


@pytest.mark.parametrize("text", ["", "key: [", "key: our\ntitle: x\n", TEXT.replace("our-mrm", "mrm")])  # fmt: skip
def test_what_is_no_template_is_refused(cast: Cast, text: str) -> None:
    answer = by_session(cast.vera).post("card-templates", {"text": text})
    assert answer.status_code == 400, answer.content
    assert not CardTemplateVersion.objects.exists()


def test_whoever_is_asked_the_questions_does_not_choose_them(cast: Cast) -> None:
    body = {"key": "mrm", "reason": "a bank's model"}
    assert by_session(cast.ana).post("card-templates", {"text": TEXT}).status_code == 403
    assert by_session(cast.ana).post(PATH, body).status_code == 403
    assert by_token(cast.vera).post(PATH, body).status_code == 403
    assert by_session(cast.otto).post(PATH, body).status_code == 404
    assert by_session(cast.otto).get(PATH).status_code == 404
    assert not CardTemplateChoice.objects.exists()


def test_a_choice_is_made_kept_and_taken_back(cast: Cast) -> None:
    vera = by_session(cast.vera)
    assert vera.get(PATH).json()["chosen"] == ""
    made = vera.post(PATH, {"key": "mrm", "reason": "a bank's model"})
    assert made.status_code == 201, made.content
    assert (made.json()["chosen"], made.json()["follows"]["key"]) == ("mrm", "mrm")
    assert vera.post(PATH, {"key": "mrm", "reason": "again"}).status_code == 200
    assert vera.post(PATH, {"key": "", "reason": "no bank"}).json()["chosen"] == ""
    assert CardTemplateChoice.objects.count() == 2


@pytest.mark.parametrize(
    "body",
    [{"key": "none", "reason": "x"}, {"key": "mrm", "reason": " "}, {"key": "mrm"}, {"reason": "x"}, {"key": 1, "reason": "x"}],
)  # fmt: skip
def test_a_choice_of_nothing_or_without_a_reason_is_refused(
    cast: Cast, body: dict[str, object]
) -> None:
    assert by_session(cast.vera).post(PATH, body).status_code == 400
    assert not CardTemplateChoice.objects.exists()


def test_two_definitions_at_once_are_two_versions_or_one(cast: Cast) -> None:
    other = TEXT.replace("title: Model risk management", "title: Another", 1)
    calls = [
        partial(by_session(cast.vera).post, "card-templates", {"text": text})
        for text in (TEXT, other)
    ]
    assert sorted(answer.status_code for answer in at_once(*calls)) == [201, 409]
    assert CardTemplateVersion.objects.count() == 1
