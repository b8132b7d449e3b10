"""What people may write into a card, and what becomes of it on a page."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Invalid
from apps.modelcards import content, schema


def refused(value: object) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        content.clean(value)
    return caught.value.fields


def test_text_is_kept_in_the_order_of_the_schema_with_one_form_of_line_ends() -> None:
    cleaned = content.clean({"limitations": "a\r\nb  \rc\n\n", "summary": " s "})
    assert list(cleaned.items()) == [("summary", "s"), ("limitations", "a\nb\nc")]


def test_a_block_of_blanks_is_no_answer() -> None:
    assert content.clean({"summary": " \n\t "}) == {}


@pytest.mark.parametrize("value", [None, "text", 7, ["summary"], b"x"])
def test_content_that_is_no_mapping_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        content.clean(value)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("nothing", "x", "no such block"),
        ("identity", "x", "computed"),
        ("summary", 7, "Expected text"),
        ("summary", None, "Expected text"),
        ("summary", ["x"], "Expected text"),
        ("summary", "x" * (content.MAX_BLOCK_CHARS + 1), "a block may hold"),
        ("summary", "x" * 1_000_000, "a block may hold"),
        ("summary", "a\x00b", "U+0000"),
        ("summary", "a\x1bb", "U+001B"),
        ("summary", "a\x85b", "U+0085"),
        ("summary", "pay \u202e001 ton\u202c", "U+202E"),
        ("summary", "half \ud83d", "surrogate"),
    ],
)
def test_a_bad_field_is_named_with_what_is_wrong(key: str, value: object, says: str) -> None:
    fields = refused({key: value})
    assert says in fields[key]


def test_a_key_that_is_no_text_is_refused() -> None:
    assert refused({7: "x"}) == {"7": "The card has no such block."}


def test_every_bad_field_is_named_and_the_good_ones_are_not() -> None:
    assert set(refused({"summary": 7, "ethics": "a\x00", "limitations": "fine"})) == {
        "summary",
        "ethics",
    }


def test_a_whole_card_has_a_limit_of_its_own() -> None:
    block = "x" * content.MAX_BLOCK_CHARS
    keys = schema.HUMAN_BLOCKS[: content.MAX_CARD_CHARS // content.MAX_BLOCK_CHARS + 1]
    assert "__all__" in refused(dict.fromkeys(keys, block))


def test_a_flood_of_wrong_keys_gives_a_short_answer() -> None:
    assert len(refused({f"key{i}": "x" for i in range(5000)})) <= content.MAX_FIELDS_NAMED


HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "![x](file:///etc/passwd)",
    "![x](http://169.254.169.254/latest/meta-data/)",
    "[x]: javascript:alert(1)\n\n[x]",
    '<a href="javascript:alert(1)">x</a>',
    '<p style="position:fixed;inset:0">x</p>',
    "<iframe src=//example.org></iframe>",
    "<link rel=attachment href=file:///etc/passwd>",
    "<style>@import url(http://example.org)</style>",
    "`<script>`",
    '[x](https://example.org "\\" onmouseover=\\"alert(1)")',
    "<!-- <script> -->",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_prose_loses_its_teeth(text: str) -> None:
    _assert_harmless(content.to_html(text))


@given(st.text(max_size=300))
def test_no_text_at_all_becomes_active_content(text: str) -> None:
    _assert_harmless(content.to_html(text))


@given(
    st.lists(
        st.sampled_from([*HOSTILE, "*", "_", "`", "\n\n", "> ", "|a|\n|-|\n|b|", "[", "]("]),
        max_size=8,
    )
)
def test_no_mixture_of_hostile_pieces_becomes_active_content(pieces: list[str]) -> None:
    _assert_harmless(content.to_html("".join(pieces)))


def _assert_harmless(html: str) -> None:
    tree = html5lib.parseFragment(html, namespaceHTMLElements=False)
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag == "DOCUMENT_FRAGMENT":
            continue
        assert element.tag in content.ALLOWED_TAGS, html
        assert set(element.attrib) <= {"href", "title", "rel", "start", "dir"}, html
        assert element.attrib.get("href", "https:").split(":")[0] in {"http", "https", "mailto"}


def test_prose_headings_stay_below_the_title_of_their_block() -> None:
    assert content.to_html("# One\n\n#### Four") == "<h4>One</h4>\n<h5>Four</h5>\n"


def test_each_paragraph_reads_in_its_own_direction() -> None:
    html = content.to_html("English\n\nעברית ואז English\n\n- نقطة")  # noqa: RUF001
    assert "<p>English</p>" in html
    assert '<p dir="rtl">עברית' in html


def test_deep_nesting_is_cut_off_and_not_followed() -> None:
    assert content.to_html("> " * 500 + "x").count("<blockquote>") <= 20
    assert "x" in content.to_html("[" * 3000 + "x")


@pytest.mark.parametrize("deep", [20, 30, 200, 9_000])
def test_what_would_vanish_from_the_page_is_refused(deep: int) -> None:
    """The parser stops at a depth; what lies deeper must not be kept, signed for and shown to nobody."""
    with pytest.raises(Invalid) as refused:
        content.clean({"summary": "> " * deep + "the risk"})
    assert "deep" in refused.value.fields["summary"]
    for text in ("> " * 19 + "the risk", "".join("  " * n + "- the risk\n" for n in range(9))):
        kept = content.clean({"summary": text})["summary"]
        assert content.to_html(kept).count("the risk") == text.count("the risk")
