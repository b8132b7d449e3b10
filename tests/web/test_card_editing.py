"""The editor's doors without a browser's help: plain forms, refusals, drafts of one's own."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.modelcards import content, layouts, selectors, services
from apps.modelcards.models import CardDraft, CardRevision
from apps.registry.models import ModelVersion
from tests import factories
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)
CARD = "/models/credit/1/card/"


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


def test_a_draft_is_kept_and_forgotten_by_plain_forms(version, ana, omar) -> None:
    client = browser(ana)
    sent = {"block-summary": "half", "base_revision": "0", "do": "draft"}
    assert client.post(f"{CARD}edit/", sent).status_code == 302
    assert "This is your draft" in client.get(f"{CARD}edit/").content.decode()
    assert f"{ana} is writing too" in browser(omar).get(f"{CARD}edit/").content.decode()
    assert "half" not in browser(omar).get(f"{CARD}edit/").content.decode()
    assert client.post(f"{CARD}edit/", {"do": "discard"}).status_code == 302
    assert not CardDraft.objects.exists()


def test_a_clash_by_plain_forms_keeps_both_texts_on_the_page(version, ana, omar) -> None:
    services.save_card(as_actor(ana), version, {"summary": "old words"}, 0)
    services.save_card(as_actor(omar), version, {"summary": "his words", "ethics": "his ethics"}, 1)
    client = browser(ana)
    sent = {"block-summary": "her words", "base_revision": "1"}
    answer = client.post(f"{CARD}edit/", sent)
    page = answer.content.decode()
    assert answer.status_code == 409
    for words in ("her words", "his", "his ethics", 'name="pick-summary"', 'value="1"'):
        assert words in page, words
    assert client.post(f"{CARD}edit/", sent | {"read_revision": "2"}).status_code == 409
    assert CardRevision.objects.count() == 2
    picked = sent | {"read_revision": "2", "pick-summary": "mine", "block-ethics": "his ethics"}
    assert client.post(f"{CARD}edit/", picked).status_code == 302
    assert selectors.latest_revision(version).texts == {
        "summary": "her words",
        "ethics": "his ethics",
    }


def test_a_refused_text_stays_in_the_form(version, ana) -> None:
    huge = "x" * (content.MAX_BLOCK_CHARS + 1)
    answer = browser(ana).post(f"{CARD}edit/", {"block-summary": huge, "block-ethics": "kept", "base_revision": "0"})  # fmt: skip
    assert answer.status_code == 422
    assert "kept" in answer.content.decode()
    assert not CardRevision.objects.exists()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"block-summary": "x" * 300_000}, 422),
        ({"block-summary": "\u202e"}, 422),
        ({"block-Not a key": "x"}, 422),
        ({"block-summary": "x", "base_revision": "9" * 18}, 200),
        ({"block-summary": "x", "base_revision": "²"}, 200),
    ],
)
def test_a_draft_by_script_is_kept_or_refused(version, ana, data, status) -> None:
    answer = browser(ana).post(f"{CARD}draft/", data)
    assert answer.status_code == status
    assert CardDraft.objects.exists() == (status == 200)


def test_hostile_markdown_is_shown_as_words(version, ana) -> None:
    text = "<script>alert(1)</script> [x](javascript:y) ![z](http://internal/)"
    html = browser(ana).post(f"{CARD}preview/", {"block-ethics": text}).content.decode()
    assert "<script" not in html
    assert "javascript:" not in html.replace("[x](javascript:y)", "")
    assert "<img" not in html


def test_the_editor_asks_the_same_number_of_questions_for_many_blocks_and_drafts(
    version, ana, omar
) -> None:
    services.save_card(as_actor(ana), version, {"summary": "a"}, 0)
    client = browser(ana)
    client.get(f"{CARD}edit/")
    with CaptureQueriesContext(connection) as few:
        client.get(f"{CARD}edit/")
    texts = dict.fromkeys(layouts.given(version.model).human, "words") | {"summary": "b"}
    services.save_card(as_actor(omar), version, texts, 1)
    services.save_draft(as_actor(omar), version, texts, base=1, template="")
    with CaptureQueriesContext(connection) as many:
        client.get(f"{CARD}edit/")
    assert len(many) <= len(few) + 1
