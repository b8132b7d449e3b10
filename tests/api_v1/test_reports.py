"""Documents by programs: which kinds can be made, asking, following, taking the file; refusals in words."""

from __future__ import annotations

import hashlib

import pytest

from apps.compliance import services
from apps.compliance.models import Document
from tests.api_v1.conftest import Cast, by_token
from tests.compliance.conftest import work

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "models/credit/versions/1"


def test_a_token_asks_follows_and_takes_the_file(cast: Cast) -> None:
    api = by_token(cast.ana, "read")
    answer = api.post(f"{PATH}/documents", {"kind": "model_card"})
    assert answer.status_code == 201, answer.content
    said = answer.json()
    assert (said["status"], said["step"], said["digest"]) == ("queued", "", "")
    where = answer["Location"].removeprefix("/api/v1/")
    assert api.get(f"{where}/file.pdf").status_code == 409
    work("compliance", lambda message: services.make(message.payload["document"]))
    ready = api.get(where).json()
    assert ready["status"] == "ready"
    data = b"".join(api.get(f"{where}/file.pdf"))
    assert hashlib.sha256(data).hexdigest() == ready["digest"]
    assert len(data) == ready["size"]
    assert api.get(f"{where}/page.html").status_code == 404
    assert api.post(f"{PATH}/documents", {"kind": "model_card"}).json()["uuid"] == ready["uuid"]
    assert [each["uuid"] for each in api.get(f"{PATH}/documents").json()["items"]] == [
        ready["uuid"]
    ]


def test_a_kind_that_cannot_be_made_says_why_before_and_when_it_is_asked_for(cast: Cast) -> None:
    api = by_token(cast.ana, "read")
    kinds = {each["kind"]: each for each in api.get(f"{PATH}/document-kinds").json()["kinds"]}
    assert kinds["model_card"]["why_not"] == ""
    assert "No bias audit" in kinds["ll144_report"]["why_not"]
    refused = api.post(f"{PATH}/documents", {"kind": "ll144_report"})
    assert refused.status_code == 409
    assert "No bias audit" in refused.json()["detail"]
    for wrong in ({"kind": "horoscope"}, {}, {"kind": 7}, {"kind": "model_card", "x": 1}):
        assert api.post(f"{PATH}/documents", wrong).status_code in {400, 404}
    assert not Document.objects.exists()


def test_an_outsider_learns_nothing(cast: Cast) -> None:
    made = by_token(cast.ana, "read").post(f"{PATH}/documents", {"kind": "model_card"}).json()
    api = by_token(cast.otto, "read")
    for path in (f"{PATH}/documents", f"{PATH}/document-kinds", f"documents/{made['uuid']}"):
        assert api.get(path).status_code == 404
