"""The pages around a card as a reader meets them: what is wrong stands beside its field, what was typed stays."""

from __future__ import annotations

import re

import pytest

from apps.accounts.models import User
from apps.compliance import services as documents
from apps.modelcards import services
from apps.modelcards.models import CardTemplateVersion
from apps.registry.models import ModelVersion
from apps.web import words
from tests import factories
from tests.support.people import as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db(transaction=True)
CARD = "/models/credit/1/card/"
WAY = ["Models", "credit", "Version 1"]


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    made = factories.version(actor, factories.model(actor))
    services.save_card(actor, made, {"summary": "first words"}, 0)
    services.save_card(actor, made, {"summary": "second words"}, 1)
    return made


def crumbs(page: str) -> list[str]:
    (found,) = re.findall(r'<nav class="breadcrumb".*?</nav>', page, re.DOTALL)
    return re.findall(r">([^<>\s][^<>]*)</(?:a|span)>", found)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("yesterday", "&#x27;yesterday&#x27; is no day such as 2026-03-02"),
        ("2001-01-01", "before, it had no card"),
        ('"><b>', "is no day such as"),
    ],
)
def test_a_day_that_is_none_is_refused_beside_its_field_and_kept(version, ana, day, said) -> None:
    answer = browser(ana).get(CARD, {"at": day})
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "Model card, revision 2" in page
    field = page.split('id="card-at"', 1)[1].split("</div>", 1)[0]
    assert 'aria-invalid="true"' in field
    assert said in field
    assert "<b>" not in field
    if day == "yesterday":
        assert 'value="yesterday"' in field


def test_the_card_of_a_day_names_it_as_every_page_does_and_keeps_the_day(version, ana) -> None:
    day = version.created_at.date()
    page = browser(ana).get(CARD, {"at": str(day)}).content.decode()
    assert f"Model card as of {day.day} {day:%B %Y}, 23:59:59 UTC" in page
    assert f'value="{day}"' in page
    assert "Show today&#x27;s card" in page


def test_the_form_that_compares_starts_with_the_last_two_revisions(version, ana) -> None:
    page = browser(ana).get(CARD).content.decode()
    assert re.search(r'max="2" value="1" id="card-from"', page)
    assert re.search(r'max="2" value="2" id="card-to"', page)


@pytest.mark.parametrize(
    ("address", "rest"),
    [
        (f"{CARD}edit/", ["Card", "Edit"]),
        (f"{CARD}compare/?from=1&to=2", ["Card", "Compare"]),
        ("/models/credit/1/documents/annex_iv_dossier/statement/", ["Documents", "Statement"]),
    ],
)
def test_a_page_below_a_version_shows_the_way_to_it(version, ana, address, rest) -> None:
    assert crumbs(browser(ana).get(address).content.decode()) == WAY + rest


def test_an_optional_block_left_empty_does_not_make_its_section_empty(version, ana) -> None:
    page = browser(ana).get(f"{CARD}edit/").content.decode()
    line = page.split('<a href="#s-model_details">', 1)[1].split("</li>", 1)[0]
    assert "Written" in line


def test_a_clash_leads_to_the_first_block_that_both_changed(version, ana, omar) -> None:
    services.save_card(as_actor(omar), version, {"summary": "his words"}, 2)
    sent = {"block-summary": "her words", "base_revision": "2"}
    page = browser(ana).post(f"{CARD}edit/", sent).content.decode()
    assert '<a href="#b-summary">Go to What the model is</a>' in page


def test_a_template_that_is_no_yaml_is_refused_beside_its_text_with_the_line(vera) -> None:
    sent = {"text": "key: ours\nsections: [\n  - a", "after": "0"}
    with nothing_written():
        answer = browser(vera).post("/card-templates/define/", sent)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Line 3: " in page.split('id="id_text_error"', 1)[1].split("</div>", 1)[0]
    assert "sections: [\n  - a</textarea>" in page
    assert not CardTemplateVersion.objects.exists()


def test_statements_so_far_name_their_fields_as_the_form_does(version, ana) -> None:
    documents.record_statement(
        as_actor(ana), version, "annex_iv_dossier", {"provider": "A bank"}, 0
    )
    page = browser(ana).get("/models/credit/1/documents/annex_iv_dossier/statement/")
    shown = page.content.decode().split("Statements so far", 1)[1]
    assert ">Provider<" in shown
    assert ">provider<" not in shown


def test_moments_read_alike_on_a_card_and_on_its_pages(version, ana) -> None:
    page = browser(ana).get(CARD).content.decode()
    assert not re.search(r">[^<]*\b20\d\d-\d\d-\d\d \d\d:\d\d", page)
    assert words.utc(version.card_revisions.last().created_at) in page
