"""Uploading results of other tools by programs: a token in a pipeline, and what it is told when a file is not whole."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from apps.checks.uploaded.models import UploadedResult
from tests.api_v1.conftest import Cast, by_session, by_token
from tests.checks.uploaded.files import LAUGHS, PASSING, PYTEST, results

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "models/credit/versions/1/uploaded-results"


def body(data: bytes = PASSING, **said: str) -> dict[str, str]:
    return {"content": base64.b64encode(data).decode(), "name": "unit", "tool": "pytest"} | said


def test_a_token_uploads_and_reads_it_with_its_origin(cast: Cast) -> None:
    api = by_token(cast.ana, "registry")
    answer = api.post(PATH, body(PYTEST, file_name="junit.xml", tool_version="9.1"))
    assert answer.status_code == 201
    said = answer.json()
    assert (said["outcome"], said["state"], said["tool_named_by"]) == (
        "failed",
        "stands",
        "uploader",
    )
    assert said["uploaded_by"]["name"] == "Ana Silva"
    assert said["digest"] == hashlib.sha256(PYTEST).hexdigest()
    assert said["reading"]["items"][0]["line"] == 5
    assert answer["Location"] == f"/api/v1/{PATH}/{said['uuid']}"
    assert api.get(f"{PATH}/{said['uuid']}").json() == said
    assert api.get(f"{PATH}/{said['uuid']}/file").content == PYTEST


def test_the_same_bytes_again_are_the_row_that_is_there(cast: Cast) -> None:
    api = by_token(cast.ana, "registry")
    first = api.post(PATH, body()).json()
    assert api.post(PATH, body()).json()["uuid"] == first["uuid"]
    assert UploadedResult.objects.count() == 1


def test_a_list_goes_a_page_at_a_time(cast: Cast) -> None:
    api = by_token(cast.ana, "registry")
    names = [api.post(PATH, body(PASSING + b" " * n)).json()["uuid"] for n in range(3)]
    first = api.get(PATH, limit=2).json()
    rest = api.get(PATH, limit=2, cursor=first["next_cursor"]).json()
    seen = [*first["items"], *rest["items"]]
    assert [each["uuid"] for each in seen] == names[::-1]
    assert [each["state"] for each in seen] == ["stands", "replaced", "replaced"]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        (body(LAUGHS), "file", "Line 2: a document type is not taken"),
        (body(PASSING[:-4]), "file", "Line 1: it is not well-formed"),
        (body(b'{"a": 1,\n"a": 2}'), "file", "Line 2: the key 'a' stands twice"),
        (body() | {"content": "%%%"}, "content", "not base64"),
        (body(tool=""), "tool", "the file names none"),
        (body(results()), "tool", "the file says 'art'"),
        (body() | {"extra": "x"}, "extra", "There is no such field."),
        ({"name": "x"}, "content", "required"),
    ],
)
def test_what_is_refused_names_field_line_and_reason(
    cast: Cast, asked: dict[str, str], field: str, words: str
) -> None:
    answer = by_token(cast.ana, "registry").post(PATH, asked)
    assert answer.status_code == 400
    assert words in answer.json()["fields"][field]
    assert not UploadedResult.objects.exists()


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(cast: Cast) -> None:
    api = by_token(cast.ana, "registry")
    inside = api.post(PATH, body(b" " * (11 * 1024**2)))
    assert (inside.status_code, inside.json()["fields"]["file"]) == (
        400,
        "more than 10485760 bytes",
    )
    assert api.post(PATH, body(b" " * (50 * 1024**2))).status_code == 413


def test_a_recall_takes_a_session_and_a_reason(cast: Cast) -> None:
    made = by_token(cast.ana, "registry").post(PATH, body()).json()
    path = f"{PATH}/{made['uuid']}/recall"
    assert by_token(cast.vera).post(path, {"reason": "wrong"}).status_code == 403
    session = by_session(cast.vera)
    assert session.post(path, {"reason": " "}).status_code == 400
    answer = session.post(path, {"reason": "of another model"})
    assert answer.status_code == 201
    assert answer.json()["recall"]["reason"] == "of another model"
    assert session.post(path, {"reason": "again"}).status_code == 409
    assert by_token(cast.ana, "registry").post(PATH, body()).status_code == 409


def test_the_schema_is_published(cast: Cast) -> None:
    schema = by_token(cast.otto).get("schemas/results.v1.json").json()
    assert schema["properties"]["type"] == {"const": json.loads(results())["type"]}
