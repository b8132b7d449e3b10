"""The pages of batches: asking for a stage or a list, following, cancelling, taking the zip."""

from __future__ import annotations

import io
import zipfile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.compliance.models import Batch, BatchItem
from tests import factories
from tests.compliance.conftest import Story, story
from tests.compliance.test_batches import work_off
from tests.support.people import as_actor

__all__ = ["story"]
pytestmark = pytest.mark.django_db(transaction=True)
BATCHES = "/documents/batches/"


@pytest.fixture
def client(client: Client, ana: User) -> Client:
    client.force_login(ana)
    return client


def ask(client: Client, listed: str, kind: str = "model_card") -> str:
    answer = client.post(BATCHES, {"kind": kind, "stage": "", "listed": listed})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def test_a_batch_is_asked_for_followed_and_taken(client: Client, story: Story) -> None:
    factories.version(as_actor(story.ana), story.version.model)
    address = ask(client, "income/1\n\n  income/2 ")
    page = client.get(address).content.decode()
    assert "0 of 2 documents done" in page
    assert "data-live" in page
    assert "Cancel the rest" in page
    assert client.get(f"{address}documents.zip").status_code == 409
    work_off()
    page = client.get(address).content.decode()
    assert "2 of 2 documents done" in page
    assert "data-live" not in page
    taken = b"".join(client.get(f"{address}documents.zip"))  # type: ignore[arg-type]
    names = zipfile.ZipFile(io.BytesIO(taken)).namelist()
    assert names == ["income-v1-model-card.pdf", "income-v2-model-card.pdf"]
    assert "Model card: from a list" in client.get(BATCHES).content.decode()


def test_what_failed_is_named_with_its_reason(client: Client, story: Story) -> None:
    address = ask(client, "income/1", "ll144_report")
    work_off()
    page = client.get(address).content.decode()
    assert "1 document could not be made" in page
    assert "No bias audit of this version was measured" in page


def test_cancelled_nothing_waits_any_more(client: Client, story: Story) -> None:
    address = ask(client, "income/1")
    assert client.post(f"{address}cancel/").status_code == 302
    assert list(BatchItem.objects.values_list("status", flat=True)) == ["cancelled"]
    assert client.post(f"{address}cancel/").status_code == 409


@pytest.mark.parametrize(
    "listed",
    [
        "",
        "income",
        "income/0",
        "income/99",
        "otto/1",
        "income/1\nincome/x",
        "/1",
        "income/\N{ARABIC-INDIC DIGIT ONE}",
        "a" * 99,
    ],
)
def test_a_list_with_a_slip_is_refused_and_nothing_is_asked_for(
    client: Client, story: Story, listed: str
) -> None:
    answer = client.post(BATCHES, {"kind": "model_card", "stage": "", "listed": listed})
    assert answer.status_code == 422
    assert not Batch.objects.exists()


def test_an_empty_stage_is_said(client: Client, story: Story) -> None:
    answer = client.post(BATCHES, {"kind": "model_card", "stage": "production"})
    assert answer.status_code == 422
    assert "no governed version in this stage" in answer.content.decode()


def test_the_page_takes_as_many_queries_for_many_items(client: Client, story: Story) -> None:
    few = ask(client, "income/1")
    for _ in range(8):
        factories.version(as_actor(story.ana), story.version.model)
    many = ask(client, "\n".join(f"income/{n}" for n in range(1, 10)))
    with CaptureQueriesContext(connection) as one:
        client.get(few)
    with CaptureQueriesContext(connection) as nine:
        client.get(many)
    assert len(nine) == len(one)
