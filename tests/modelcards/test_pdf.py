"""The PDF itself: archival, complete, the same twice, closed to the outside, and legible."""

from __future__ import annotations

import functools
import hashlib
import io
import re
import subprocess
import sys
import time
from pathlib import Path

import html5lib
import msgspec
import pypdf
import pytest

from apps.core.parts import Bar, Chart
from apps.modelcards import dossier as dossiers
from apps.modelcards.attachments import attachments
from apps.modelcards.card import Computed
from apps.modelcards.dossier import Dossier
from apps.modelcards.renderers import pdf
from apps.modelcards.renderers.html import document_html
from tests.modelcards import samples

ARABIC = "هذا النموذج يتنبأ بالدخل"
HEBREW = "מודל זה חוזה הכנסה"
CHINESE = "该模型根据人口普查数据预测收入"
JAPANESE = "与信判断に使用してはなりません"
KOREAN = "이 모델은 소득을 예측합니다"


@pytest.fixture(scope="module")
def short() -> tuple[Dossier, pypdf.PdfReader]:
    dossier = samples.dossier()
    return dossier, read(render(dossier))


@functools.lru_cache(maxsize=20)
def rendered(stored: bytes) -> bytes:
    return pdf.render_pdf(dossiers.from_json(stored))


def render(dossier: Dossier) -> bytes:
    """Rendered once a run, however many tests look at it; from its stored form, as a worker does."""
    return rendered(dossiers.to_json(dossier))


def read(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data))


def text_of(reader: pypdf.PdfReader) -> str:
    return "\n".join(page.extract_text() for page in reader.pages)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_it_declares_pdf_a_4f_with_tags_language_and_title(
    short: tuple[Dossier, pypdf.PdfReader],
) -> None:
    _, reader = short
    root = reader.trailer["/Root"]
    xmp = root["/Metadata"].get_data().decode()
    assert reader.pdf_header == "%PDF-2.0"
    assert 'pdfaid:part="4"' in xmp
    assert 'pdfaid:conformance="F"' in xmp
    assert bool(root["/MarkInfo"]["/Marked"])
    assert root["/Lang"] == "en"
    assert "income v3 · Model card" in xmp
    assert "/StructTreeRoot" in root


def test_every_font_is_inside(short: tuple[Dossier, pypdf.PdfReader]) -> None:
    _, reader = short
    fonts = [
        font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()
    ]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor), font["/BaseFont"]


def test_every_chart_has_an_alternate_text(short: tuple[Dossier, pypdf.PdfReader]) -> None:
    _, reader = short
    figures = [
        f for f in _tagged(reader.trailer["/Root"]["/StructTreeRoot"]) if f["/S"] == "/Figure"
    ]
    assert len(figures) == 1
    assert "Selection rate per group" in figures[0]["/Alt"]
    assert "largest Group 01, 0.32; smallest Group 00, 0.31" in figures[0]["/Alt"]


def _tagged(node):
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        return [found for child in node for found in _tagged(child)]
    if not isinstance(node, dict):
        return []
    return ([node] if "/S" in node else []) + _tagged(node.get("/K", []))


def test_the_outline_leads_to_every_section(short: tuple[Dossier, pypdf.PdfReader]) -> None:
    dossier, reader = short
    titles = {item.title for item in _flat(reader.outline)}
    for section in dossier.card.sections:
        assert any(title.endswith(section.title) for title in titles), section.title
    assert any("Review and decisions" in title for title in titles)


def _flat(outline: list[object]) -> list[pypdf.generic.Destination]:
    return [x for item in outline for x in (_flat(item) if isinstance(item, list) else [item])]  # type: ignore[list-item]


def test_the_evidence_digest_and_the_page_number_are_on_every_page(
    short: tuple[Dossier, pypdf.PdfReader],
) -> None:
    dossier, reader = short
    for number, page in enumerate(reader.pages, start=1):
        text = squeezed(page.extract_text())
        assert f"sha256:{dossier.evidence_digest}" in text
        assert f"Page{number}of{len(reader.pages)}" in text


def test_the_attachments_are_the_evidence_byte_for_byte(
    short: tuple[Dossier, pypdf.PdfReader],
) -> None:
    dossier, reader = short
    inside = {name: contents[0] for name, contents in reader.attachments.items()}
    assert set(inside) == {
        "evidence-manifest.json",
        "card.json",
        "card.md",
        "mlbom.cdx.json",
        "check-results.json",
        "decisions.json",
        "ledger-extract.json",
        "keys.json",
    }
    assert hashlib.sha256(inside["evidence-manifest.json"]).hexdigest() == dossier.evidence_digest
    for item in attachments(dossier):
        assert inside[item.name] == item.text.encode()


def test_each_file_is_associated_once_with_relation_type_description_and_fixed_dates(
    short: tuple[Dossier, pypdf.PdfReader],
) -> None:
    _, reader = short
    associated = reader.trailer["/Root"]["/AF"]
    expected = {item.name: item for item in attachments(samples.dossier())}
    assert len(associated) == len({reference.idnum for reference in associated}) == len(expected)
    for reference in associated:
        spec = reference.get_object()
        stream = spec["/EF"]["/F"].get_object()
        item = expected[spec["/F"]]
        assert spec["/Desc"] == item.description
        assert spec["/AFRelationship"] == "/" + item.relation
        assert stream["/Subtype"] == "/" + item.media_type
        assert stream["/Params"]["/ModDate"] == "D:20260302140511Z"


def test_the_document_lists_the_digest_of_each_file_inside(
    short: tuple[Dossier, pypdf.PdfReader],
) -> None:
    dossier, reader = short
    text = squeezed(text_of(reader))
    for item in attachments(dossier):
        assert item.digest in text


def test_the_same_dossier_gives_the_same_bytes_later_and_in_another_process() -> None:
    dossier = samples.dossier()
    first = render(dossier)
    time.sleep(1.1)  # a clock that crept in would have moved by a second
    assert pdf.render_pdf(dossier) == first
    program = (
        "import django, hashlib, sys; django.setup();"
        "from apps.modelcards import dossier; from apps.modelcards.renderers import pdf;"
        "d = dossier.from_json(sys.stdin.buffer.read());"
        "print(hashlib.sha256(pdf.render_pdf(d)).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=dossiers.to_json(dossier),
        capture_output=True,
        check=True,
        env={**_environment(), "PYTHONHASHSEED": "4711", "SOURCE_DATE_EPOCH": "7"},
    )
    assert done.stdout.decode().strip() == hashlib.sha256(first).hexdigest()


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}


def test_one_changed_fact_changes_the_bytes() -> None:
    assert render(samples.dossier()) != render(samples.dossier(reviewed=False))


@pytest.mark.parametrize("name", ["short", "gaps", "void"])
def test_the_page_says_what_the_paper_says(name: str) -> None:
    dossier = {
        "short": samples.dossier,
        "gaps": lambda: samples.dossier(samples.card(empty=("summary", "ethics")), reviewed=False),
        "void": lambda: samples.dossier(void="measurement 13 was recalled"),
    }[name]()
    paper = squeezed(text_of(read(render(dossier))))
    missing = [piece for piece in _visible(document_html(dossier)) if squeezed(piece) not in paper]
    # A piece may be broken by a page's margin: then its words are there, if not in a row.
    lost = [piece for piece in missing if not all(word in paper for word in piece.split())]
    assert lost == []


def _visible(html: str) -> list[str]:
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    body = tree.find("body")
    drawings = list(body.iter("{http://www.w3.org/2000/svg}svg"))
    assert drawings
    drawn = {id(part) for drawing in drawings for part in drawing.iter()}
    pieces = []
    for element in body.iter():
        if id(element) in drawn or not isinstance(element.tag, str):
            continue
        pieces += [element.text or "", element.tail or ""]
    return [piece.strip() for piece in pieces if piece.strip()]


def test_a_version_without_review_says_so_and_carries_no_manifest() -> None:
    dossier = samples.dossier(reviewed=False)
    reader = read(render(dossier))
    text = " ".join(text_of(reader).split())
    assert (
        "This version has not been submitted for review. Nobody has signed anything about it."
        in text
    )
    assert "No evidence has been frozen" in text
    assert "evidence-manifest.json" not in reader.attachments
    assert squeezed(f"Card revision sha256:{dossier.card.digest}") in squeezed(text)


def test_gaps_are_printed_and_counted() -> None:
    card = samples.card(empty=("summary", "ethics"))
    text = " ".join(text_of(read(render(samples.dossier(card)))).split())
    assert "2 required blocks of the card are not answered:" in text
    assert text.count("Not answered.") == 2


def test_a_void_signature_says_void_and_why() -> None:
    text = text_of(read(render(samples.dossier(void="measurement 13 was recalled"))))
    assert text.count("measurement 13 was recalled") == 2
    assert text.count("Void because") == 2


def test_chinese_japanese_korean_arabic_and_hebrew_are_set_in_fonts_that_have_them() -> None:
    texts = {
        "summary": ARABIC,
        "primary_uses": CHINESE,
        "out_of_scope": JAPANESE,
        "ethics": HEBREW,
        "oversight": KOREAN,
    }
    data = render(samples.dossier(samples.card(texts=texts)))
    shown = subprocess.run(
        ["pdftotext", "-", "-"], input=data, capture_output=True, check=True
    ).stdout.decode()
    for text in (CHINESE, JAPANESE, KOREAN, HEBREW):
        assert squeezed(text) in squeezed(shown), text
    assert ARABIC.split()[0] in shown
    used = subprocess.run(
        ["pdffonts", "-"], input=data, capture_output=True, check=True
    ).stdout.decode()
    assert "CJK" in used
    assert "Arabic" in used or "Naskh" in used


def long_dossier() -> Dossier:
    return samples.dossier(samples.card(groups=40, params=300), events=150)


def test_forty_groups_and_three_hundred_parameters_stay_inside_the_margins() -> None:
    data = render(long_dossier())
    boxes = subprocess.run(
        ["pdftotext", "-bbox", "-", "-"], input=data, capture_output=True, check=True
    ).stdout.decode()
    words = re.findall(
        r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)"', boxes
    )
    assert len(words) > 3000
    left, right, bottom = 17 / 25.4 * 72, (210 - 17) / 25.4 * 72, 297 / 25.4 * 72
    outside = [
        w
        for w in words
        if float(w[0]) < left - 1 or float(w[2]) > right + 1 or float(w[3]) > bottom
    ]
    assert outside == []
    text = text_of(read(data))
    assert "parameter_299__with_a_long_name" in text
    assert "Group 39" in text


def test_the_head_of_a_long_table_repeats_on_each_page_it_runs_over() -> None:
    reader = read(render(long_dossier()))
    pages = [page.extract_text() for page in reader.pages if "parameter_" in page.extract_text()]
    assert len(pages) >= 4
    for page in pages:
        assert re.search(r"Name\s+Value", page)


def test_a_word_without_a_break_and_a_very_long_name_do_not_leave_the_page() -> None:
    card = samples.card(
        texts={"summary": "x" * 3000, "ethics": f"[{'y' * 400}](https://example.org/{'z' * 400})"}
    )
    data = render(samples.dossier(card))
    boxes = subprocess.run(
        ["pdftotext", "-bbox", "-", "-"], input=data, capture_output=True, check=True
    )
    rights = [float(x) for x in re.findall(r'xMax="([\d.]+)"', boxes.stdout.decode())]
    assert max(rights) <= (210 - 17) / 25.4 * 72 + 1


def test_a_character_that_no_font_has_is_named_on_the_first_page() -> None:
    card = samples.card(texts={"summary": "a private sign: \U000f1234, twice \U000f1234"})
    command = ["pdftotext", "-l", "1", "-", "-"]
    data = render(samples.dossier(card))
    first = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
    assert "has the characters U+F1234: their numbers are printed" in " ".join(first.split())
    assert "a private sign: [U+F1234], twice [U+F1234]" in " ".join(text_of(read(data)).split())


HOSTILE = "<img src='file:///etc/passwd'><script>1</script> ![x](http://127.0.0.1:1/x) <link rel=attachment href='file:///etc/hostname'>"


def test_hostile_prose_fetches_nothing_and_attaches_nothing() -> None:
    texts = dict.fromkeys(("summary", "ethics", "limitations"), HOSTILE)
    reader = read(render(samples.dossier(samples.card(texts=texts))))
    assert set(reader.attachments) == {item.name for item in attachments(samples.dossier())}
    assert "<script>" in text_of(reader)  # shown as the letters that were typed


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://127.0.0.1:1/x.png",
        "https://example.org/x",
        "data:image/png;base64,AA==",
        "asset:x",
    ],
)
def test_the_fetcher_refuses_every_address(url: str) -> None:
    with pytest.raises(pdf.RefusedFetchError, match="documents fetch nothing"):
        pdf.RefuseEverything().fetch(url)


def test_a_document_that_tries_to_fetch_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a wall in front of it ever falls, the last one turns the document into an error."""
    monkeypatch.setattr(
        pdf,
        "document_html",
        lambda *_, **__: "<!doctype html><title>x</title><img src='file:///etc/passwd'>",
    )
    with pytest.raises(pdf.RenderError, match="file:///etc/passwd"):
        pdf.render_pdf(samples.dossier())


LINKS = (
    "[a](file:///etc/passwd) [b](javascript:alert(1)) [c](data:text/html,x) "
    "[d](http://169.254.169.254/latest/meta-data) ![e](http://127.0.0.1:1/x.png) ![f](file:///etc/hostname)"
)


def test_links_to_files_and_scripts_are_no_links_and_internal_addresses_are_not_asked() -> None:
    """The fetcher raises on any request, so a document that is made asked for nothing."""
    reader = read(render(samples.dossier(samples.card(texts={"summary": LINKS}))))
    leads = {
        str(annotation.get_object().get("/A", {}).get("/URI", ""))
        for page in reader.pages
        for annotation in page.get("/Annots", [])
    }
    assert not [to for to in leads if to.startswith(("file:", "javascript:", "data:"))]


def test_a_huge_and_a_deeply_nested_text_do_not_break_the_worker() -> None:
    texts = {
        "summary": "word " * 3_900,
        "ethics": "> " * 400 + "deep",
        "limitations": "- " * 300 + "x",
    }
    text = text_of(read(render(samples.dossier(samples.card(texts=texts)))))
    assert text.count("word") >= 3_900


def test_charts_with_nothing_in_them_say_so() -> None:
    card = samples.card()
    empty = Chart("Nobody", "rate", (), empty="there were no rows")
    broken = Chart("Not numbers", "rate", (Bar("a", "NaN", "x", "y"), Bar("b", "")))
    sections = tuple(
        msgspec.structs.replace(
            section,
            blocks=tuple(
                msgspec.structs.replace(block, computed=Computed((empty, broken)))
                if block.key == "fairness"
                else block
                for block in section.blocks
            ),
        )
        for section in card.sections
    )
    shown = msgspec.structs.replace(card, sections=sections)
    text = " ".join(text_of(read(render(samples.dossier(shown)))).split())
    assert "Nothing to draw: there were no rows" in text
    assert "Not numbers Nothing to draw" in text


FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{}</dir><cachedir>{}</cachedir></fontconfig>"""
PROGRAM = """
import django, sys; django.setup()
from apps.modelcards import dossier; from apps.modelcards.renderers import pdf
d = dossier.from_json(sys.stdin.buffer.read())
try:
    sys.stdout.buffer.write(pdf.render_pdf(d))
except pdf.RenderError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("fonts", ["none", "dejavu"])
def test_on_a_machine_without_the_fonts_it_says_so_and_nobody_crashes(
    tmp_path: Path, fonts: str
) -> None:
    folder = Path("/usr/share/fonts/truetype/dejavu") if fonts == "dejavu" else tmp_path / "none"
    (tmp_path / "fonts.conf").write_text(FONTS.format(folder, tmp_path / "cache"))
    dossier = samples.dossier(samples.card(texts={"summary": CHINESE}))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        input=dossiers.to_json(dossier),
        capture_output=True,
        check=False,
        env={**_environment(), "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")},
    )
    if fonts == "none":
        assert done.returncode == 1
        assert b"This machine has no fonts" in done.stderr
    else:
        command = ["pdftotext", "-l", "1", "-", "-"]
        first = subprocess.run(command, input=done.stdout, capture_output=True, check=True).stdout
        assert b"No font on the machine that made this document has" in b" ".join(first.split())
