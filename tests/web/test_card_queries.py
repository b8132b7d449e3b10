"""The pages around cards ask the database as often for many rows as for few."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.compliance import services as compliance
from apps.core import clock
from apps.modelcards import services as cards
from apps.registry.models import ModelVersion
from tests import factories
from tests.modelcards.test_card_templates import FLOOR
from tests.support.people import SYSTEM, as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)
CARD = "/models/credit/1/card/"


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    made = factories.version(actor, factories.model(actor))
    cards.save_card(actor, made, {"summary": "First."}, 0)
    return made


def asked(client: Client, url: str) -> int:
    """How many queries the page takes when everything that is kept between requests is there."""
    assert client.get(url).status_code == 200
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    return len(queries)


def same(client: Client, url: str, grow: Callable[[int], object], to: int = 8) -> None:
    """The page takes as many queries with one thing as with `to`; `grow` makes the one of a number."""
    grow(1)
    one = asked(client, url)
    for number in range(2, to + 1):
        grow(number)
    assert asked(client, url) == one


def test_the_list_of_card_templates(vera: User) -> None:
    def grow(number: int) -> None:
        text = FLOOR.replace("key: ours", f"key: ours-{number}")
        cards.define_template(as_actor(vera), text, after=0)

    same(browser(vera), "/card-templates/", grow)


def test_the_card_with_its_revisions(version: ModelVersion, ana: User) -> None:
    def grow(number: int) -> None:
        cards.save_card(as_actor(ana), version, {"summary": f"Wording {number}."}, number)

    same(browser(ana), CARD, grow)


def test_comparing_two_revisions(version: ModelVersion, ana: User) -> None:
    client, actor = browser(ana), as_actor(ana)
    cards.save_card(actor, version, {"summary": "Second."}, 1)
    few = asked(client, f"{CARD}compare/?from=1&to=2")
    keys = ("summary", "primary_uses", "out_of_scope", "ethics", "limitations", "oversight")
    cards.save_card(actor, version, {key: f"About {key}." for key in keys}, 2)
    assert asked(client, f"{CARD}compare/?from=1&to=3") == few


def test_comparing_the_cards_of_two_versions(version: ModelVersion, ana: User) -> None:
    client, actor = browser(ana), as_actor(ana)
    for files in (1, 60):
        contents = {f"part-{n}.bin": f"{files} {n}".encode() for n in range(files)}
        factories.version(actor, version.model, files=contents)
    few, many = (asked(client, f"/models/credit/{n}/card/compare/?with=1") for n in (2, 3))
    assert few == many


def test_the_list_of_batches(version: ModelVersion, ana: User) -> None:
    client = browser(ana)

    def grow(number: int) -> None:
        listed = {"kind": "model_card", "stage": "", "listed": "credit/1"}
        assert client.post("/documents/batches/", listed).status_code == 302

    same(client, "/documents/batches/", grow)


def test_the_documents_of_a_version(version: ModelVersion, ana: User) -> None:
    def grow(number: int) -> None:
        document = compliance.request_document(as_actor(ana), version, at=clock.now())
        document.status = "error"
        document.error = "No key."
        document.save(update_fields=["status", "error"])

    same(browser(ana), "/models/credit/1/documents/", grow)


def test_the_page_for_users_with_their_services(version: ModelVersion, ana: User, aud: User, settings: Settings) -> None:  # fmt: skip
    settings.USES_ACKNOWLEDGED_FIRST = True
    cards.save_card(as_actor(ana), version, {"primary_uses": "For credit."}, 1)

    def grow(number: int) -> None:
        name = f"ci-{number}"
        service = accounts.create_service(SYSTEM, username=name, display_name=name, owners=[aud])
        accounts.grant_role(SYSTEM, "viewer", service)

    client = browser(aud)
    same(client, "/models/credit/1/use/", grow)
    assert "I read both, for ci-8" in client.get("/models/credit/1/use/").content.decode()
