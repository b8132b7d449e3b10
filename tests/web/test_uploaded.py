"""The pages of results of other tools: uploading, reading whose word it is, recalling; on the review too."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.checks.services import upload_result
from apps.checks.uploaded import selectors
from apps.checks.uploaded.models import UploadedResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import services as reviews
from tests import factories
from tests.checks.uploaded.files import LAUGHS, PASSING, PYTEST, envelope, results, statement
from tests.support.people import as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


def of(version: ModelVersion, route: str, *more: object) -> str:
    return reverse(route, args=[version.model.name, version.number, *more])


def send(client: Client, version: ModelVersion, data: bytes, **said: str) -> Any:
    file = SimpleUploadedFile("junit.xml", data)
    return client.post(of(version, "web:uploaded-new"), {"file": file, **said})


def put(version: ModelVersion, user: User, data: bytes, name: str = "unit") -> UploadedResult:
    stream = io.BytesIO(data)
    return upload_result(as_actor(user), version, stream=stream, name=name, tool="pytest")


def read(client: Client, version: ModelVersion, row: UploadedResult) -> str:
    return client.get(of(version, "web:uploaded", row.uuid)).content.decode()


def test_an_upload_stands_on_the_page_of_checks_with_who_and_from_which_tool(
    version: ModelVersion, vera: User
) -> None:
    client = browser(vera)
    page = client.get(of(version, "web:version-checks")).content.decode()
    assert "No result of another tool was uploaded" in page
    answer = send(client, version, PYTEST, name="unit tests", tool="pytest", tool_version="9.1")
    assert answer.status_code == 302
    page = client.get(answer["Location"]).content.decode()
    for words in ("unit tests", "pytest 9.1", "said by the uploader", "Vera", "1 failed, 1 skipped, 1 passed", "Uploaded, not measured here"):  # fmt: skip
        assert words in page


def test_its_page_says_that_it_was_not_measured_and_what_did_not_pass(
    version: ModelVersion, vera: User, ana: User
) -> None:
    row = put(version, vera, PYTEST)
    page = read(browser(ana), version, row)
    assert "Countersign did not measure this" in page
    assert "an author of the version uploaded it" not in page
    for words in ("pytest reported: 1 failed, 1 skipped, 1 passed.", "assert 0.61 &lt;= 0.60", "no GPU", "The file names nothing", row.digest):  # fmt: skip
        assert words in page
    own = read(browser(vera), version, put(version, ana, PASSING, "own"))
    assert "an author of the version uploaded it" in own


def test_a_signature_in_an_envelope_is_shown_as_not_checked(
    version: ModelVersion, ana: User
) -> None:
    digest = next(each["digest"] for each in version.manifest if each["path"] == "model.bin")
    page = read(browser(ana), version, put(version, ana, envelope(statement(digest))))
    for words in (
        "signature not checked",
        "ci-key-1",
        "model.bin",
        "https://ci.example.org/runs/7",
    ):
        assert words in page
    other = statement(digest, predicateType="https://slsa.dev/provenance/v1", predicate={})
    page = read(browser(ana), version, put(version, ana, other, "slsa"))
    assert "kept and not understood" in page
    assert "No verdict in it" in page


def test_numbers_are_shown_as_they_were_written(version: ModelVersion, ana: User) -> None:
    row = upload_result(as_actor(ana), version, stream=io.BytesIO(results()))
    page = read(browser(ana), version, row)
    for words in ("accuracy under noise", "0.871", "0.85 to 0.89", "level 0.95", "at least 0.80", "said by the file"):  # fmt: skip
        assert words in page


@pytest.mark.parametrize(
    ("data", "said", "words"),
    [
        (LAUGHS, {"name": "n", "tool": "t"}, "Line 2: a document type is not taken"),
        (PASSING[:-3], {"name": "n", "tool": "t"}, "Line 1: it is not well-formed"),
        (b"", {"name": "n", "tool": "t"}, "The file is empty"),
        (PASSING, {"name": "n"}, "the file names none: say which tool it is from"),
        (results(), {"tool": "mine"}, "the file says &#x27;art&#x27;"),
        (statement("ab" * 32), {"tool": "t", "name": "n"}, "which no file of"),
    ],
)
def test_a_file_that_is_refused_says_where_and_why_and_leaves_nothing(
    version: ModelVersion, ana: User, data: bytes, said: dict[str, str], words: str
) -> None:
    client = browser(ana)
    with nothing_written():
        answer = send(client, version, data, **said)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_without_a_file_the_form_says_so(version: ModelVersion, ana: User) -> None:
    answer = browser(ana).post(of(version, "web:uploaded-new"), {"name": "n", "tool": "t"})
    assert answer.status_code == 422
    assert "This is needed." in answer.content.decode()


def test_who_may_only_read_has_no_button_and_is_refused(version: ModelVersion, rui: User) -> None:
    client = browser(rui)
    assert "Upload a result" not in client.get(of(version, "web:version-checks")).content.decode()
    with nothing_written():
        assert send(client, version, PASSING, name="n", tool="t").status_code == 403


def test_the_file_comes_back_byte_for_byte_and_never_as_a_page(
    version: ModelVersion, ana: User
) -> None:
    row = put(version, ana, PYTEST)
    answer = browser(ana).get(of(version, "web:uploaded-file", row.uuid))
    assert answer.content == PYTEST
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


def test_a_recalled_one_says_by_whom_and_why(version: ModelVersion, ana: User, vera: User) -> None:
    row = put(version, ana, PASSING)
    client = browser(vera)
    assert "Recall…" in read(client, version, row)
    url = of(version, "web:uploaded-recall", row.uuid)
    with nothing_written():
        assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "of another model"}).status_code == 302
    page = read(client, version, row)
    assert "It counts no more" in page
    assert "of another model" in page
    assert "Recall…" not in page
    assert client.post(url, {"reason": "again"}).status_code == 409
    assert selectors.standing(version) == []


def test_a_result_of_another_version_is_not_there(version: ModelVersion, ana: User) -> None:
    row = put(version, ana, PASSING)
    other = factories.version(as_actor(ana), version.model)
    client = browser(ana)
    for route in ("web:uploaded", "web:uploaded-file"):
        assert client.get(of(other, route, row.uuid)).status_code == 404


def test_a_review_shows_what_its_round_pinned_apart_from_the_checks(
    version: ModelVersion, ana: User, vera: User
) -> None:
    put(version, ana, PYTEST)
    put(version, ana, PASSING)
    review = reviews.submit(
        as_actor(ana), version, targets=[Target("stage", "production")], justification="better"
    )
    page = browser(vera).get(f"/reviews/{review.pk}/").content.decode()
    section = page[page.index('id="checks"') : page.index('id="card"')]
    for words in ("Reported by other tools", "Countersign did not measure these", "Passed", "Ana", "1 before it", "1 of them did not pass", "pytest"):  # fmt: skip
        assert words in section


def test_the_pages_take_as_many_queries_for_many_results(version: ModelVersion, ana: User) -> None:
    client = browser(ana)
    row = put(version, ana, PYTEST)
    paths = [of(version, "web:version-checks"), of(version, "web:uploaded", row.uuid), of(version, "web:uploaded-new")]  # fmt: skip

    def counted() -> list[int]:
        found = []
        for path in paths:
            with CaptureQueriesContext(connection) as seen:
                assert client.get(path).status_code == 200
            found.append(len(seen))
        return found

    counted()
    few = counted()
    for number in range(12):
        put(version, ana, PASSING + b" " * number, f"n{number % 5}")
    assert counted() == few
