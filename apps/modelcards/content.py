"""What people write into a card: validation, and Markdown to safe HTML.

Guarantee: what `clean` returns can be stored, digested and rendered everywhere. Refuses with one
sentence per field: unknown or computed blocks, anything but text, too much text, characters that
PostgreSQL, XML or a reader's eye cannot take (NUL, controls, lone surrogates, bidirectional
overrides that would show a sentence in another order than it is stored).
Not checked: whether the prose is true or useful; that is what reviewers are for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.core.errors import Invalid
from apps.modelcards.templating import shipped_templates
from apps.modelcards.templating.document import CardTemplate

MAX_BLOCK_CHARS = 20_000
MAX_CARD_CHARS = 120_000
MAX_FIELDS_NAMED = 40
MOST_NESTED = 20  # levels of the parser: one for each quotation, two for each list

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")

ALLOWED_TAGS = {
    "p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li",
    "table", "thead", "tbody", "tr", "th", "td", "a", "h4", "h5",
}  # fmt: skip
_READS = {"dir"}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}} | dict.fromkeys(
    ("p", "h4", "h5", "td", "th"), _READS
)


def clean(
    content: object,
    template: CardTemplate = shipped_templates.FIRST,
    kept: Collection[str] = (),
) -> dict[str, str]:
    """The human blocks that have text, in the order of the template; raises Invalid naming each bad field.

    `kept` are blocks with text that the template does not have.
    """
    if not isinstance(content, Mapping):
        raise Invalid(
            f"A card's content is a mapping of block to text, got {type(content).__name__}."
        )
    errors: dict[str, str] = {}
    texts: dict[str, str] = {}
    for key, value in content.items():
        problem = _problem(key, value, template, kept)
        if problem and len(errors) < MAX_FIELDS_NAMED:
            errors[str(key)[:100]] = problem
        elif not problem:
            texts[key] = normalise(value)
    if sum(len(text) for text in texts.values()) > MAX_CARD_CHARS:
        errors["__all__"] = f"The whole card may hold {MAX_CARD_CHARS:,} characters of prose."
    if errors:
        raise Invalid("The card was not saved.", fields=errors, hint="Nothing was changed.")
    return {key: texts[key] for key in (*template.human, *kept) if texts.get(key)}


def normalise(text: str) -> str:
    """One form of line ends, no trailing blanks: two saves that look the same are the same."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def _problem(key: object, value: object, template: CardTemplate, kept: Collection[str]) -> str:
    block = template.blocks.get(key) if isinstance(key, str) else None
    if block is None and key not in kept:
        return "The card has no such block."
    if block is not None and block.kind == "computed":
        return "This block is computed from the record and cannot be typed."
    return problem_of(value)


def problem_of(value: object, most: int = MAX_BLOCK_CHARS, what: str = "a block") -> str:
    """What is wrong with a text, in a sentence; "" if it can be kept."""
    if not isinstance(value, str):
        return f"Expected text, got {type(value).__name__}."
    if len(value) > most:
        return f"{len(value):,} characters; {what} may hold {most:,}."
    if _SURROGATE.search(value):
        return "The text holds half a character (a lone surrogate); it is not valid Unicode."
    if bad := _FORBIDDEN.search(value.replace("\r", "\n")):
        return f"The text holds the control character U+{ord(bad.group()):04X}; remove it."
    if _too_deep(value):
        return "Lists or quotations lie too deep in each other; no page could show what is in them."
    return ""


def _too_deep(text: str) -> bool:
    """Whether something lies where the parser of the pages stops: it would be kept, signed for, and shown to nobody."""
    found = _markdown(2 * MOST_NESTED).parse(text)
    return any(token.level >= MOST_NESTED and token.type != "inline" for token in found)


@lru_cache(maxsize=2)
def _markdown(nesting: int = MOST_NESTED) -> MarkdownIt:
    """CommonMark and tables; no raw HTML, no images (a document fetches nothing)."""
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": nesting})
    return parser.enable(["table", "strikethrough"]).disable("image")


def direction(text: str) -> str:
    """ "rtl" or "ltr", by the first character with a strong direction."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in {"R", "AL"}:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


def _arrange(tokens: list[Token]) -> list[Token]:
    """Headings go below the block's own title (the outline of the page stays true), and each
    paragraph, heading and cell reads in its own direction."""
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "h4" if token.tag in {"h1", "h2"} else "h5"
    for opening, inline in pairwise(tokens):
        if inline.type == "inline" and direction(inline.content) == "rtl":
            opening.attrSet("dir", "rtl")
    return tokens


def parsed(text: str) -> list[Token]:
    """A block's Markdown as tokens, arranged as every form shows it."""
    return _arrange(_markdown().parse(text, {}))


def to_html(text: str) -> str:
    """Sanitised HTML of a block's Markdown: no scripts, styles, images, or links but http(s) and mailto.

    Two walls: raw HTML is escaped by the parser, and what the parser makes goes through nh3.
    """
    parser = _markdown()
    env: dict[str, object] = {}
    tokens = _arrange(parser.parse(text, env))
    html = parser.renderer.render(tokens, parser.options, env)
    return nh3.clean(
        html,
        tags=ALLOWED_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )
