"""The card and the document as HTML, from the same parts for the page and for paper.

`card_html` is the nine sections; `document_body` adds title block, review, checks and ledger;
`document_html` wraps that into a page of its own (what WeasyPrint lays out, and what the archive of
the HTML form holds). Nothing in them is fetched: no image, no script, no remote style.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from apps.core import pictures
from apps.core.parts import Part
from apps.modelcards.attachments import Attached, attachments
from apps.modelcards.card import Card, Computed
from apps.modelcards.dossier import Dossier
from apps.modelcards.renderers import svg

MAX_ROWS = 500


def card_html(
    card: Card, *, palette: svg.Palette = "page", draw: svg.Draw = pictures.drawn
) -> SafeString:
    """The nine sections of a card, headings from h2 down. `draw` makes its charts; a page gives one that keeps them."""
    drawings = svg.drawings(_parts(card), palette, draw)
    context = {"card": card, "drawings": drawings, "max_rows": MAX_ROWS}
    return mark_safe(render_to_string("reports/_card.html", context))  # noqa: S308 -- our template, autoescaped


def computed_html(
    computed: Computed, *, palette: svg.Palette = "page", draw: svg.Draw = pictures.drawn
) -> SafeString:
    """The content of one computed block, for a page of its own."""
    drawings = svg.drawings(computed.parts, palette, draw)
    context = {"block": {"kind": "computed", "computed": computed}, "drawings": drawings}
    parts = render_to_string("reports/_parts.html", {**context, "max_rows": MAX_ROWS})
    return mark_safe(parts)  # noqa: S308 -- our template, autoescaped


def document_body(
    dossier: Dossier, *, palette: svg.Palette = "page", draw: svg.Draw = pictures.drawn
) -> SafeString:
    """The whole document without <html> and without its h1, for composing into a page."""
    context = _context(dossier, palette, draw)
    body = render_to_string(context["body"], context)
    return mark_safe(body)  # noqa: S308 -- our template, autoescaped


def document_html(
    dossier: Dossier,
    *,
    palette: svg.Palette = "print",
    attached: Sequence[Attached] | None = None,
) -> str:
    """A complete HTML page with its title, language and fixed dates. `attached`: the files it lists, if they are at hand."""
    context = _context(dossier, palette, pictures.drawn, attached)
    return render_to_string("reports/document.html", context)


def page_html(dossier: Dossier) -> str:
    """A complete web page in one file, for a public site: nothing in it is fetched and nothing leads into this site."""
    context = _context(dossier, "print", pictures.drawn)
    return render_to_string("reports/page.html", context | {"public": True, "style": _style()})


@lru_cache(maxsize=1)
def _style() -> SafeString:
    text = (Path(settings.BASE_DIR) / "templates" / "reports" / "page.css").read_text("utf-8")
    return mark_safe(text)  # noqa: S308 -- our own style sheet


def _parts(card: Card) -> Iterator[Part]:
    for block in card.blocks:
        if block.computed is not None:
            yield from block.computed.parts


def _drawn(dossier: Dossier) -> Iterator[Part]:
    return dossier.report.parts() if dossier.report else _parts(dossier.card)


def _context(
    dossier: Dossier,
    palette: svg.Palette,
    draw: svg.Draw,
    attached: Sequence[Attached] | None = None,
) -> dict[str, Any]:
    kind, digest = dossier.binding_digest
    return {
        "dossier": dossier,
        "card": dossier.card,
        "palette": palette,
        "report": dossier.report,
        "body": "reports/_report.html" if dossier.report else "reports/_document.html",
        "drawings": svg.drawings(_drawn(dossier), palette, draw),
        # On paper a link must say which site it leads to; on the site's own page it must not.
        "link_root": dossier.base_url if palette == "print" else "",
        "attached": attachments(dossier) if attached is None else attached,
        "binding_kind": kind,
        "binding_digest": digest,
        "max_rows": MAX_ROWS,
    }
