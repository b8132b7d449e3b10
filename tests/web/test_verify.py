"""The page that says whether a file was issued here."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import User
from apps.compliance import selectors, services
from apps.compliance.models import Document
from apps.registry.models import ModelVersion
from apps.web.views import verifying
from tests import factories
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/documents/verify/"


@pytest.fixture
def document(ana: User) -> Document:
    version: ModelVersion = factories.version(
        as_actor(ana), factories.model(as_actor(ana), name="income")
    )
    document = services.request_document(as_actor(ana), version)
    services.make(document.pk)
    document.refresh_from_db()
    return document


def send(user: User, data: bytes) -> tuple[int, str]:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    client.get(PATH)
    token = client.cookies["countersign_csrf"].value
    answer = client.post(
        PATH,
        {"file": SimpleUploadedFile("card.pdf", data), "csrfmiddlewaretoken": token},
    )
    return answer.status_code, " ".join(answer.content.decode().split())


def test_a_document_is_recognised_to_the_last_byte(ana: User, document: Document):
    data = b"".join(selectors.read_pdf(document))
    status, page = send(ana, data)
    assert status == 200
    assert "This file was issued here" in page
    assert f"/documents/{document.uuid}/" in page
    status, page = send(ana, data[:-1] + b" ")
    assert status == 200
    assert "No document that you may see is this file" in page
    assert str(document.uuid) not in page


def test_whoever_may_not_see_the_model_learns_nothing(otto: User, document: Document):
    _, page = send(otto, b"".join(selectors.read_pdf(document)))
    assert "No document that you may see is this file" in page
    assert "income" not in page


def test_no_file_an_empty_one_and_one_too_large_are_told_apart(
    ana: User, monkeypatch: pytest.MonkeyPatch
):
    status, page = send(ana, b"")
    assert (status, "card.pdf is empty." in page) == (422, True)
    monkeypatch.setattr(verifying, "MOST_BYTES", 1000)
    status, page = send(ana, b"x" * 1001)
    assert (status, "card.pdf is larger than" in page) == (422, True)


def test_nothing_of_the_file_is_kept(ana: User, settings):
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    before = set(folder.iterdir())
    assert send(ana, b"x" * 8_000_000)[0] == 200  # more than Django keeps in memory
    assert set(folder.iterdir()) == before


def test_the_form_is_protected_against_other_sites(ana: User):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    assert client.post(PATH, {"file": SimpleUploadedFile("x", b"x")}).status_code == 403
