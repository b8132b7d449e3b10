"""What the eye finds on paper: nothing torn, orphaned or alone on a page; and what a screen reader finds in its tags."""

from __future__ import annotations

import functools
import io
import itertools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pypdf
import pytest
import weasyprint

from apps.modelcards import dossier as dossiers
from apps.modelcards.renderers import pdf
from apps.modelcards.templatetags import cards
from tests import pdfa
from tests.modelcards import samples

FOOT = 297 - 23  # mm from the top, where the margin with the digest begins
LEAST_ROWS = 3
ARABIC = "هذا النموذج يتنبأ بالدخل\n\n> اقتباس قصير\n\n- النقطة الأولى"
NESTED = (
    "1. one\n   - inner\n     1. innermost\n   - second\n2. two\n\n> - quoted\n>\n>   1. deep\n\n"
    + "- long\n" * 90
)
DOSSIERS = {
    "short": samples.dossier,
    "long": lambda: samples.dossier(samples.card(groups=40, params=300), events=150),
    "gaps": lambda: samples.dossier(
        samples.card(empty=("summary", "ethics", "oversight")), reviewed=False
    ),
    "void": lambda: samples.dossier(void="measurement 13 was recalled"),
    "scripts": lambda: samples.dossier(
        samples.card(texts={"summary": ARABIC, "ethics": "该模型" * 60, "oversight": NESTED})
    ),
}
EVERY = pytest.mark.parametrize("name", DOSSIERS)


@dataclass(frozen=True, slots=True)
class Word:
    """A word on a page, in millimetres from the top left."""

    page: int
    left: float
    top: float
    bottom: float
    text: str


@functools.cache
def made(name: str) -> bytes:
    return pdf.render_pdf(dossiers.from_json(dossiers.to_json(DOSSIERS[name]())))


def read(name: str) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(made(name)))


@functools.cache
def words(name: str) -> tuple[Word, ...]:
    """The words between the margins."""
    command = ["pdftotext", "-bbox", "-", "-"]
    shown = subprocess.run(command, input=made(name), capture_output=True, check=True).stdout
    pages = shown.decode().split("<page ")[1:]
    pattern = r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">(.*?)</word>'
    found = [
        Word(number, *(float(each) * 25.4 / 72 for each in box[:3]), box[3])
        for number, page in enumerate(pages)
        for box in re.findall(pattern, page)
    ]
    return tuple(word for word in found if 16 < word.top < FOOT)


def tags(node: Any) -> Iterator[Any]:
    """Every element of the structure tree, in reading order."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for child in node:
            yield from tags(child)
    elif isinstance(node, dict):
        if "/S" in node:
            yield node
        yield from tags(node.get("/K", []))


def tagged(name: str, *kinds: str) -> list[Any]:
    root = read(name).trailer["/Root"]["/StructTreeRoot"]
    return [tag for tag in tags(root) if tag["/S"] in kinds]


def headings(name: str) -> list[tuple[str, int, float]]:
    """Each bookmark: its words, page and how far down that page it stands."""
    reader = read(name)

    def flat(items: list[Any]) -> Iterator[Any]:
        for item in items:
            yield from flat(item) if isinstance(item, list) else [item]

    return [
        (item.title, reader.get_destination_page_number(item), 297 - item.top * 25.4 / 72)
        for item in flat(reader.outline)
    ]


@EVERY
def test_no_heading_is_the_last_line_of_its_page(name: str) -> None:
    alone = [
        title
        for title, page, top in headings(name)
        if not any(word.page == page and word.bottom > top + 7 for word in words(name))
    ]
    assert alone == []


@EVERY
def test_no_page_but_the_last_is_half_empty(name: str) -> None:
    last = max(word.page for word in words(name))
    lowest = {
        page: max(word.bottom for word in words(name) if word.page == page) for page in range(last)
    }
    assert {page: y for page, y in lowest.items() if y < FOOT * 0.55} == {}


@EVERY
def test_a_table_that_runs_over_has_three_rows_on_each_page(name: str) -> None:
    """A table without a caption is the rest of the one before it."""
    tables = [
        ([tag["/S"] for tag in tags(table)].count("/Caption"), _rows(table))
        for table in tagged(name, "/Table")
    ]
    torn = [
        (before, rest)
        for (_, before), (captions, rest) in itertools.pairwise(tables)
        if not captions
    ]
    assert [pair for pair in torn if min(pair) < LEAST_ROWS] == []
    assert torn or name != "long"


def _rows(table: Any) -> int:
    bodies = [tag for tag in tags(table) if tag["/S"] == "/TBody"]
    return sum(tag["/S"] == "/TR" for body in bodies for tag in tags(body))


@EVERY
def test_a_digest_stands_on_one_line_or_breaks_in_its_middle(name: str) -> None:
    pieces = [run for word in words(name) for run in re.findall(r"\b[0-9a-f]{9,}\b", word.text)]
    assert {len(piece) for piece in pieces} <= {32, 64}
    assert pieces


def test_a_number_of_rows_is_not_torn_from_its_n() -> None:
    shown = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=made("short"), capture_output=True, check=True
    ).stdout.decode()
    assert "n = 35" in shown.replace("\N{NO-BREAK SPACE}", " ")
    assert not re.search(r"\bn( =)?\s*$", shown, re.MULTILINE)


@EVERY
def test_every_link_is_in_the_tag_of_a_link(name: str) -> None:
    inside = [
        kid
        for tag in tagged(name, "/Link")
        for kid in tag["/K"]
        if not isinstance(kid, int) and kid.get_object().get("/Type") == "/OBJR"
    ]
    links = [
        each
        for page in read(name).pages
        for each in page.get("/Annots", [])
        if each.get_object()["/Subtype"] == "/Link"
    ]
    assert len(inside) == len(links) > 10


@EVERY
def test_every_head_of_a_table_says_whether_it_heads_a_row_or_a_column(name: str) -> None:
    scopes = [tag["/A"].get("/Scope") for tag in tagged(name, "/TH")]
    assert set(scopes) == {"/Row", "/Column"}


@EVERY
def test_the_tags_are_read_in_the_order_of_the_pages(name: str) -> None:
    pages = {page.indirect_reference.idnum: at for at, page in enumerate(read(name).pages)}
    order = [
        pages[tag.raw_get("/Pg").idnum] for tag in tagged(name, "/H1", "/H2", "/H3", "/Table", "/P")
    ]
    assert order == sorted(order)


def test_the_tags_break_no_rule_of_pdf_ua_but_the_two_that_are_known() -> None:
    """8.8: links within lead to places, not to tags; so 5: no document claims to be PDF/UA."""
    found = pdfa.problems({name: made(name) for name in ("short", "scripts", "void")}, "ua2")
    assert {name: {line.split(":")[0] for line in said} for name, said in found.items()} == (
        {key: {"5", "8.8"} for key in found}
    )


def test_a_fact_is_a_label_and_its_body_and_a_list_says_how_it_is_numbered() -> None:
    numbering = {tag["/A"]["/ListNumbering"] for tag in tagged("scripts", "/L")}
    assert numbering == {"/Description", "/Unordered", "/Ordered"}
    described = [
        tag for tag in tagged("short", "/L") if tag["/A"]["/ListNumbering"] == "/Description"
    ]
    items = [[kid["/S"] for kid in tags(item)] for each in described for item in each["/K"]]
    assert items
    assert all("/Lbl" in item and "/LBody" in item for item in items)


def test_each_signature_has_a_bookmark_with_its_signer() -> None:
    titles = [title for title, _, _ in headings("short")]
    assert "Vera Lind: Approved for stage:Production" in titles
    assert "Rui Costa: Approved for stage:Production" in titles


def sheet(body: str) -> list[list[str]]:
    """The words of each page of some markup in the style of documents."""
    html = weasyprint.HTML(string=f"<!doctype html><html lang=en><body>{body}")
    data = html.write_pdf(stylesheets=[weasyprint.CSS(string=pdf._style())])
    shown = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True)
    return [page.split() for page in shown.stdout.decode().split("\f")[:-1]]


def table(rows: int, word: str, kind: str = "") -> str:
    lines = f"<tr><th>{word}<td>1</tr>" * rows
    return f"<table class='{kind}'><thead><tr><th>Name<th>Value</thead><tbody>{lines}</table>"


@pytest.mark.parametrize("rows", range(44, 53))
def test_no_row_of_a_table_is_left_alone_on_its_last_page(rows: int) -> None:
    counts = [page.count("row") for page in sheet(table(rows, "row"))]
    assert sum(counts) == rows
    assert min(counts) >= LEAST_ROWS


def test_a_short_table_does_not_go_to_the_next_page_with_the_one_after_it() -> None:
    spacer = "<div style='height: 150mm'></div>"
    pages = sheet(
        f"{spacer}<h3>One</h3>{table(2, 'first')}<h3>Two</h3>{table(14, 'second', 'short')}"
    )
    assert [page.count("first") for page in pages] == [2, 0]
    assert [page.count("second") for page in pages] == [0, 14]


@pytest.mark.parametrize("height", range(205, 235, 5))
def test_no_fact_is_left_alone_on_a_page(height: int) -> None:
    facts = "<div><dt>fact</dt><dd>1</dd></div>" * 6
    pages = sheet(f"<div style='height: {height}mm'></div><dl class='facts'>{facts}</dl>")
    assert 1 not in [page.count("fact") for page in pages]


def test_right_to_left_prose_stands_at_the_right_edge() -> None:
    arabic = [
        word for word in words("scripts") if re.search(r"[\u0600-\u06ff\ufb50-\ufefc]", word.text)
    ]
    assert arabic
    assert min(word.left for word in arabic) > 100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" * 64, f"{'a' * 32}<wbr>{'a' * 32}"),
        (f"sha256:{'0' * 64}", f"sha256:{'0' * 32}<wbr>{'0' * 32}"),
        ("a" * 63, "a" * 63),
        ("<b>", "&lt;b&gt;"),
    ],
)
def test_only_a_digest_is_halved_and_all_is_escaped(text: str, shown: str) -> None:
    assert cards.halved(text) == shown
