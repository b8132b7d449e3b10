"""Documents of a card as it stood on a day: what they say, what they leave out, and which days there are none of."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pypdf
import pytest

from apps.audits.selectors import events
from apps.compliance import forms, selectors, services, uses
from apps.compliance.models import Document
from apps.core import clock
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.modelcards import dossier as dossiers
from apps.modelcards import moments
from tests.api_v1.conftest import by_token
from tests.compliance.conftest import Story, work
from tests.compliance.test_documents import inside, pdf_of, words
from tests.support.people import as_actor
from tests.web.browsing import browser

pytestmark = pytest.mark.django_db(transaction=True)
CLIENT = Path(__file__).resolve().parents[2] / "clients" / "countersign"
PAGE = "/models/income/1/documents/"
API = "models/income/versions/1/documents"


@dataclass
class Past:
    """A story with two revisions of the card; `then` lies between them."""

    story: Story
    then: dt.datetime


@pytest.fixture
def past(story: Story) -> Past:
    story.write(summary="The first words.")
    then = clock.now()
    story.measure().write(summary="Other words.")
    return Past(story, then)


def made(past: Past) -> Document:
    document = services.request_document(as_actor(past.story.ana), past.story.version, at=past.then)
    work("compliance", lambda message: services.make(message.payload["document"]))
    document.refresh_from_db()
    assert document.status == "ready", document.error
    return document


def test_it_says_on_its_first_page_and_in_its_digest_which_day_it_shows(past: Past):
    document = made(past)
    text, said = words(pdf_of(document)), moments.spoken(past.then)
    first = " ".join(pypdf.PdfReader(io.BytesIO(pdf_of(document))).pages[0].extract_text().split())
    assert "model card as it stood" in first.lower()
    assert f"as it stood at {said}: revision 1" in first
    assert "not the card of today" in first
    assert "The first words." in text
    assert "Other words." not in text
    assert "has not been submitted for review" not in text  # nothing is said of reviews
    dossier = selectors.read_dossier(document)
    assert dossier.at == past.then.isoformat()
    assert dossiers.card_digest(dossier) == document.input_digest
    card = dossiers.from_json(inside(pdf_of(document))["card.json"])
    assert card.at == past.then.isoformat()
    assert card.ledger is not None
    assert max(line.at for line in card.ledger.events) < past.then.isoformat()
    (event,) = events(scopes=[f"document:{document.uuid}"], types=["compliance.document.issued"])
    assert event.payload["at"] == past.then.isoformat()
    assert event.payload["card_revision"] == 1


def test_it_verifies_offline_and_has_its_forms(past: Past, tmp_path: Path):
    document = made(past)
    forms.make(document.pk)
    markdown = b"".join(forms.read(forms.find(document, "card.md"))).decode()
    assert "not the card of today" in markdown
    assert document.input_digest in markdown
    (tmp_path / "card.pdf").write_bytes(pdf_of(document))
    run = [sys.executable, "-m", "countersign", "verify", str(tmp_path / "card.pdf")]
    verified = subprocess.run(
        run, cwd=CLIENT / "src", capture_output=True, text=True, timeout=60, check=False
    )
    assert verified.returncode == 3, verified.stdout + verified.stderr
    assert "NOT PROVEN, nothing wrong found" in verified.stdout


def test_the_page_that_follows_a_document_ends_with_its_downloads(past: Past):
    document = services.request_document(as_actor(past.story.ana), past.story.version, at=past.then)
    client, url = browser(past.story.rui), f"/documents/{document.uuid}/"

    def polled() -> str:
        return client.get(url, headers={"HX-Request": "true"}).content.decode()

    assert "data-live" in polled()
    assert "Download the PDF" not in polled()
    services.make(document.pk)
    page = polled()
    assert "Download the PDF" in page  # in what is swapped in, not only on a page loaded anew
    assert "data-live" in page  # its other forms follow
    assert "Other forms" not in page
    forms.make(document.pk)
    assert "Other forms" in polled()
    assert "data-live" not in polled()


def test_a_document_that_never_got_forms_is_not_followed_for_ever(past: Past):
    document = made(past)
    past_minute = clock.now() - dt.timedelta(minutes=2)
    Document.objects.filter(pk=document.pk).update(finished_at=past_minute)
    page = browser(past.story.rui).get(f"/documents/{document.uuid}/").content.decode()
    assert "data-live" not in page


def test_the_same_day_is_the_same_document_and_another_day_another(past: Past):
    first = made(past)
    assert made(past).pk == first.pk
    later = services.request_document(
        as_actor(past.story.ana), past.story.version, at=past.then + dt.timedelta(microseconds=1)
    )
    today = services.request_document(as_actor(past.story.ana), past.story.version)
    assert len({first.input_digest, later.input_digest, today.input_digest}) == 3
    assert (first.as_of, today.as_of) == (past.then, None)
    day = f"{past.then:%Y-%m-%d}"
    assert selectors.file_name(first) == f"income-v1-as-of-{day}-model-card.pdf"
    assert selectors.file_name(today) == "income-v1-model-card.pdf"


def test_a_day_before_the_first_revision_or_not_over_is_refused(past: Past, story: Story):
    actor, version = as_actor(story.ana), story.version
    first = version.card_revisions.get(number=1).created_at
    for at, why in (
        (first - dt.timedelta(microseconds=1), "there was none before"),
        (version.created_at - dt.timedelta(days=1), "there was none before"),
        (clock.now() + dt.timedelta(minutes=1), "not over yet"),
        (moments.asked(clock.now().date().isoformat()), "not over yet"),
    ):
        with pytest.raises(Invalid, match=why):
            services.request_document(actor, version, at=at)
    with pytest.raises(Conflict, match="only the model card"):
        services.request_document(actor, version, "annex_iv_dossier", past.then)
    assert not Document.objects.exists()
    assert services.request_document(actor, version, at=first).as_of == first


def test_a_card_that_nobody_wrote_stood_on_no_day(story: Story):
    with pytest.raises(Invalid, match="Nobody wrote the card yet"):
        services.request_document(as_actor(story.ana), story.version, at=clock.now())


def test_a_stranger_gets_none(past: Past, otto):
    with pytest.raises(Forbidden):
        services.request_document(as_actor(otto), past.story.version, at=past.then)


def test_the_page_offers_it_beside_the_card_of_that_day(past: Past):
    client, at = browser(past.story.rui), past.then.isoformat()
    shown = client.get("/models/income/1/card/", {"at": at}).content.decode()
    assert "Make a document of it" in shown
    today = client.get("/models/income/1/card/", {"at": clock.now().date().isoformat()})
    assert "Make a document of it" not in today.content.decode()  # it is not over
    for wrong, why in (("2001-01-01", "there was none before"), ("soon", "is no day such as")):
        answer = client.post(PAGE, {"kind": "model_card", "at": wrong}, follow=True)
        assert why in answer.content.decode()
    assert not Document.objects.exists()
    assert client.post(PAGE, {"kind": "model_card", "at": at}).status_code == 302
    assert f"Model card as of {past.then:%Y-%m-%d %H:%M}" in client.get(PAGE).content.decode()


def test_a_token_asks_for_it(past: Past):
    api, at = by_token(past.story.ana, "read"), past.then.isoformat()
    said = api.post(API, {"kind": "model_card", "at": at})
    assert said.status_code == 201, said.content
    assert dt.datetime.fromisoformat(said.json()["as_of"]) == past.then
    for wrong in ("2001-01-01", "9999-12-31", "soon", ""):
        assert api.post(API, {"kind": "model_card", "at": wrong}).status_code == 400
    assert Document.objects.count() == 1


def test_users_of_the_model_are_offered_the_card_of_today(past: Past):
    story = past.story
    story.submit()
    story.sign(story.vera)
    story.sign(story.rui)
    today = story.issue()
    made(past)
    page = browser(story.rui).get("/models/income/1/use/").content.decode()
    assert f"/documents/{today.uuid}/card.pdf" in page
    assert uses.uses_of(story.version).revision == 2
