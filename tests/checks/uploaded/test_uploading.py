"""Attaching results of other tools through the services, recalling them, and what the record says of it."""

from __future__ import annotations

import datetime as dt
import io
import json
import threading

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from pytest_django.fixtures import Settings

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.checks import reconcile
from apps.checks.services import recall_uploaded, upload_result
from apps.checks.uploaded import selectors
from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.models import UploadedRecall, UploadedResult
from apps.core import blobs, clock
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.core.models import Blob
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks.uploaded.files import LAUGHS, PASSING, PYTEST, envelope, results, statement
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db


def upload(version: ModelVersion, user: User, data: bytes, **said: str) -> UploadedResult:
    given = {"name": "unit tests", "tool": "pytest"} | said
    return upload_result(as_actor(user), version, stream=io.BytesIO(data), **given)


def test_a_file_is_kept_as_bytes_with_what_it_says_and_who_said_so(
    version: ModelVersion, ana: User
) -> None:
    row = upload(version, ana, PYTEST, tool_version="9.1", file_name="out/junit.xml")
    assert b"".join(blobs.read(row.digest)) == PYTEST
    assert (row.outcome, row.tool, row.tool_version) == ("failed", "pytest", "9.1")
    assert (row.tool_named_by, row.file_name) == ("uploader", "junit.xml")
    assert (row.uploaded_by, row.ran_at) == (
        ana,
        dt.datetime(2024, 11, 1, 10, 0, 0, 500000, dt.UTC),
    )
    (event,) = audits.events(scopes=[f"version:{version.pk}"], types=["checks.uploaded.attached"])
    assert event.payload["digest"] == row.digest
    assert event.payload["reading"] == row.reading_digest
    assert list(reconcile.differences()) == []


def test_a_tool_that_the_file_names_counts_and_another_one_is_refused(
    version: ModelVersion, ana: User
) -> None:
    row = upload(version, ana, results(), name="", tool="")
    assert (row.name, row.tool, row.tool_named_by) == ("robustness", "art", "file")
    with pytest.raises(Invalid) as caught:
        upload(version, ana, results(name="other"), name="", tool="mine")
    assert "the file says 'art'" in caught.value.fields["tool"]


def test_name_and_tool_are_needed_where_the_file_has_none(version: ModelVersion, ana: User) -> None:
    nameless = b'<testsuite><testcase name="a"/></testsuite>'
    with pytest.raises(Invalid) as caught:
        upload(version, ana, nameless, name="", tool="")
    assert set(caught.value.fields) == {"name", "tool"}
    assert not UploadedResult.objects.exists()


@pytest.mark.parametrize(
    ("data", "said", "field"),
    [
        (LAUGHS, {}, "file"),
        (PASSING[:-5], {}, "file"),
        (PASSING, {"name": "x" * 101}, "name"),
        (PASSING, {"tool": "py\x07test"}, "tool"),
        (results(ran_at="2999-01-01T00:00:00Z"), {"tool": ""}, "file"),
    ],
)
def test_nothing_is_stored_of_what_is_refused(
    version: ModelVersion, ana: User, data: bytes, said: dict[str, str], field: str
) -> None:
    before = (Blob.objects.count(), audits.head().size)
    with pytest.raises(Invalid) as caught:
        upload(version, ana, data, **said)
    assert field in caught.value.fields
    assert (Blob.objects.count(), audits.head().size) == before
    assert not UploadedResult.objects.exists()


def test_a_file_of_fifty_megabytes_is_refused_by_its_size(version: ModelVersion, ana: User) -> None:
    data = b"<testsuite>" + b" " * (50 * 1024**2) + b"</testsuite>"
    with pytest.raises(Invalid) as caught:
        upload(version, ana, data)
    assert caught.value.fields == {"file": "more than 10485760 bytes"}


def test_the_limit_of_size_is_a_setting(
    version: ModelVersion, ana: User, settings: Settings
) -> None:
    settings.UPLOADED_RESULT_MAX_BYTES = len(PASSING)
    upload(version, ana, PASSING)
    with pytest.raises(Invalid):
        upload(version, ana, PASSING + b"\n")


def test_the_same_bytes_come_in_once_and_look_no_younger(
    version: ModelVersion, ana: User, vera: User
) -> None:
    first = upload(version, ana, PASSING)
    upload(version, ana, PYTEST)
    size = audits.head().size
    assert upload(version, vera, PASSING) == first
    assert audits.head().size == size
    assert [each.row.outcome for each in selectors.standing(version)] == ["failed"]
    assert upload(version, ana, PASSING, name="other").name == "other"


def test_two_at_once_upload_it_once(
    transactional_db: None, version: ModelVersion, ana: User
) -> None:
    done: list[UploadedResult] = []

    def run() -> None:
        try:
            done.append(upload(version, ana, PASSING))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 3
    assert len({row.pk for row in done}) == 1


def test_only_who_may_run_checks_uploads(
    version: ModelVersion, vera: User, rui: User, otto: User
) -> None:
    upload(version, vera, PASSING)
    for nobody in (rui, otto):
        with pytest.raises(Forbidden):
            upload(version, nobody, PASSING, name="another")


def test_a_token_uploads_with_the_scope_of_the_registry_only(
    version: ModelVersion, ana: User
) -> None:
    given = {"name": "unit", "tool": "pytest"}
    with pytest.raises(Forbidden):
        actor = as_actor(ana, door="api", scopes={"read"})
        upload_result(actor, version, stream=io.BytesIO(PASSING), **given)
    actor = as_actor(ana, door="api", scopes={"registry"})
    assert upload_result(actor, version, stream=io.BytesIO(PASSING), **given).uploaded_by == ana


def test_a_statement_has_to_be_about_a_file_of_the_version(
    version: ModelVersion, ana: User
) -> None:
    entry = next(each for each in version.manifest if each["path"] == "model.bin")
    row = upload(version, ana, envelope(statement(entry["digest"])))
    (subject,) = selectors.reading_of(row).subjects
    assert subject.file == "model.bin"
    manifest = upload(version, ana, statement(version.manifest_digest), name="of all")
    assert selectors.reading_of(manifest).subjects[0].file == "the manifest of all files"
    other = json.loads(statement(entry["digest"]))
    other["subject"].append({"name": "other.bin", "digest": {"sha256": "cd" * 32}})
    with pytest.raises(Malformed) as caught:
        upload(version, ana, json.dumps(other, indent=1).encode(), name="third")
    assert "'other.bin' has the SHA-256 cdcdcdcdcdcd" in str(caught.value)
    assert caught.value.line > 4


def test_a_recalled_result_is_kept_and_counts_no_more(
    version: ModelVersion, ana: User, vera: User
) -> None:
    older, newer = upload(version, ana, PASSING), upload(version, ana, PYTEST)
    with pytest.raises(Forbidden):
        recall_uploaded(as_actor(ana), newer, reason="it fails")
    with pytest.raises(Invalid):
        recall_uploaded(as_actor(vera), newer, reason="  ")
    assert not UploadedRecall.objects.exists()
    recalled = recall_uploaded(as_actor(vera), newer, reason="of another model")
    assert selectors.recall_of(recalled) is not None
    assert [each.row for each in selectors.standing(version)] == [older]
    with pytest.raises(Conflict, match="recalled already"):
        recall_uploaded(as_actor(vera), newer, reason="again")
    with pytest.raises(Conflict, match="of another model"):
        upload(version, ana, PYTEST)
    assert list(reconcile.differences()) == []


def test_the_newest_of_a_name_stands_and_says_what_it_replaces(
    version: ModelVersion, ana: User
) -> None:
    upload(version, ana, PYTEST)
    upload(version, ana, PYTEST + b"\n")
    newest = upload(version, ana, PASSING)
    (found,) = selectors.standing(version)
    assert (found.row, found.before, found.wrong_before) == (newest, 2, 2)
    assert selectors.standing_rows(version) == [newest]


def test_a_result_is_as_old_as_it_says_and_never_younger_than_its_upload(
    version: ModelVersion, ana: User
) -> None:
    old = upload(version, ana, results(ran_at="2020-01-01T00:00:00Z"), tool="")
    plain = upload(version, ana, PASSING, name="plain")
    found = selectors.facts([old, plain], clock.now() + dt.timedelta(days=3))
    assert found["unit tests"]["age_days"] > 2000
    assert found["plain"] == {"outcome": "passed", "tool": "pytest", "age_days": 3}


def test_whoever_uploads_what_stands_is_among_the_authors(
    version: ModelVersion, ana: User, vera: User
) -> None:
    upload(version, vera, PYTEST)
    assert selectors.uploaders(version) == {vera.pk}
    upload(version, ana, PASSING)
    assert selectors.uploaders(version) == {ana.pk}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE checks_uploadedresult SET id = id",
        "DELETE FROM checks_uploadedresult",
        "UPDATE checks_uploadedrecall SET id = id",
        "DELETE FROM checks_uploadedrecall",
    ],
)
def test_rows_are_never_changed_nor_removed(
    version: ModelVersion, ana: User, vera: User, sql: str
) -> None:
    row = upload(version, ana, PASSING)
    recall_uploaded(as_actor(vera), row, reason="wrong")
    with (
        pytest.raises(ProgrammingError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)


def test_a_row_that_the_ledger_does_not_tell_of_is_refused(
    version: ModelVersion, ana: User
) -> None:
    row = upload(version, ana, PASSING)
    with pytest.raises(ProgrammingError, match="does not tell of it"), transaction.atomic():
        row.pk, row.uuid, row.name = None, "7d9b58a8-27c5-4cdc-a2b8-000000000001", "smuggled"
        row.save(force_insert=True)
        connection.check_constraints()
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_selectors_ask_as_often_for_many_as_for_few(
    version: ModelVersion, ana: User, django_assert_num_queries: object
) -> None:
    for number in range(12):
        upload(version, ana, PASSING + b" " * number, name=f"n{number % 4}")
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = selectors.standing(version)
    assert [each.before for each in found] == [2, 2, 2, 2]
    with django_assert_num_queries(1):  # type: ignore[operator]
        selectors.standing_rows(version)


def test_of_another_version_nothing_is_seen(version: ModelVersion, ana: User) -> None:
    other = factories.version(as_actor(ana), version.model)
    upload(other, ana, PASSING)
    assert selectors.standing(version) == []
