"""The HTML form: valid, in order, and the same for a page of the site and for paper."""

from __future__ import annotations

import re
from itertools import pairwise

import html5lib
import pytest

from apps.modelcards.renderers.html import card_html, document_body, document_html
from apps.modelcards.renderers.svg import Palette
from tests.modelcards import samples

PALETTES: tuple[Palette, ...] = ("print", "page")


def test_the_document_is_valid_html_with_its_language_and_title() -> None:
    html = document_html(samples.dossier())
    html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    assert '<html lang="en">' in html
    assert "<title>income v3 · Model card</title>" in html


@pytest.mark.parametrize("palette", PALETTES)
def test_headings_go_down_one_step_at_a_time(palette: Palette) -> None:
    texts = {"summary": "# A heading\n\ntext\n\n### Another\n\ntext"}
    body = document_body(samples.dossier(samples.card(texts=texts)), palette=palette)
    levels = [int(level) for level in re.findall(r"<h([1-6])", body)]
    assert levels[0] == (1 if palette == "print" else 2)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert levels.count(1) == (1 if palette == "print" else 0)


def test_ids_are_unique_and_every_link_inside_leads_somewhere() -> None:
    html = document_html(samples.dossier())
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


@pytest.mark.parametrize("palette", PALETTES)
def test_nothing_in_it_needs_the_network_inline_style_or_a_script(palette: Palette) -> None:
    body = document_body(samples.dossier(samples.card(groups=5)), palette=palette)
    tree = html5lib.parseFragment(body, namespaceHTMLElements=False)
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag.rpartition("}")[2] not in {
            "script",
            "style",
            "link",
            "img",
            "iframe",
            "object",
            "embed",
        }
        assert not {"style", "src", "srcset"} & set(element.attrib)
        assert not any(str(name).startswith("on") for name in element.attrib)


def test_on_the_site_links_are_paths_and_on_paper_whole_addresses() -> None:
    dossier = samples.dossier()
    assert 'href="/models/income/"' in document_body(dossier)
    assert 'href="http://localhost:8000/models/income/"' in document_html(dossier)
    assert 'href="/models/income/"' in card_html(dossier.card)


def test_a_gap_is_shown_in_its_place_and_an_optional_silence_is_said() -> None:
    html = card_html(samples.card(empty=("ethics", "recommendations")))
    gap = html[html.index('id="b-ethics"') : html.index('id="b-oversight"')]
    assert "Not answered." in gap
    assert 'class="gap"' in gap
    assert "Nothing stated." in html[html.index('id="b-recommendations"') :]


def test_names_and_texts_are_escaped_wherever_they_are_printed() -> None:
    evil = '<script>alert("x")</script>'
    dossier = samples.dossier(samples.card(texts={"summary": evil}))
    named = document_html(samples.renamed(dossier, evil))
    assert "<script" not in named
    assert "&lt;script&gt;" in named
