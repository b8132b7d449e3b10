"""The document as an archival PDF: PDF/A-4f with tags, language, bookmarks and the evidence attached.

Guarantee: same dossier, same bytes, within one set of fonts and libraries. The dates inside are the
dossier's `as_of`; the identifier is computed from the content.
Refuses: any attempt to fetch anything. The style sheet is handed over as text, pictures are inline,
so a fetch can only come from hostile content: it raises RenderError instead of leaving a hole.
One document at a time in a process: the fixed clock and the fonts belong to the process.
Not checked: conformance is declared; the tests put documents of each kind before a validator of PDF/A (tests/pdfa.py).
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Iterator, Set
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import weasyprint
from django.conf import settings
from weasyprint.text.ffi import ffi, fontconfig
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from apps.modelcards.attachments import Attached, attachments
from apps.modelcards.dossier import Dossier
from apps.modelcards.renderers import tags
from apps.modelcards.renderers.html import document_html

VARIANT = "pdf/a-4f"
MOST_NAMED = 12
_STYLE = Path("templates", "reports", "document.css")


class RenderError(Exception):
    """The document could not be made; the message is for people."""


class RefusedFetchError(FatalURLFetchingError):  # type: ignore[misc]  # WeasyPrint is untyped
    """Something in the document asked for an address. Fatal: WeasyPrint would else leave it out silently."""


class RefuseEverything(URLFetcher):  # type: ignore[misc]  # WeasyPrint is untyped
    """A fetcher that fetches nothing: no network, no file, no data URL."""

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> NoReturn:
        msg = f"the document asked for {url[:200]!r}; documents fetch nothing"
        raise RefusedFetchError(msg)


def render_pdf(dossier: Dossier) -> bytes:
    """The PDF's bytes; raises RenderError with the reason.

    Characters that no font of this machine has would be printed as empty boxes, which PDF/A forbids
    (ISO 19005-4, 6.2.10.9): they are printed as their numbers instead, and a note on the first page
    says so, and where the text is whole.
    """
    _require_fonts()
    files = attachments(dossier)
    with _listening() as missing:
        data = _rendered(dossier, files)
    if not missing:
        return data
    noted = msgspec.structs.replace(dossier, notes=(*dossier.notes, _note(missing)))
    return _rendered(noted, files, spelled=missing)


@lru_cache(maxsize=1)
def _require_fonts() -> None:
    """Raises RenderError on a machine without a single font: Pango would take the whole worker down."""
    config = ffi.gc(fontconfig.FcInitLoadConfigAndFonts(), fontconfig.FcConfigDestroy)
    if fontconfig.FcConfigGetFonts(config, fontconfig.FcSetSystem).nfont == 0:
        msg = "This machine has no fonts, so no document can be set: install fonts-dejavu-core and fonts-noto-core."
        raise RenderError(msg)


def _rendered(
    dossier: Dossier, files: tuple[Attached, ...], *, spelled: Set[str] = frozenset()
) -> bytes:
    html = document_html(dossier, attached=files)
    # Plain letters are the markup's own; a machine whose fonts lack them prints boxes.
    html = html.translate(
        {ord(char): f"[{_number(char)}]" for char in spelled if not char.isascii()}
    )
    when = dt.datetime.fromisoformat(dossier.as_of)
    fetcher = RefuseEverything()
    with _fixed_clock(when):
        try:
            return bytes(_write(html, files, when, fetcher))
        except RefusedFetchError as error:
            raise RenderError(str(error)) from error


def _number(char: str) -> str:
    return f"U+{ord(char):04X}"


def _note(missing: Set[str]) -> str:
    named = ", ".join(_number(char) for char in sorted(missing)[:MOST_NAMED])
    more = len(missing) - MOST_NAMED
    rest = f" and {more} more" if more > 0 else ""
    return (
        f"No font on the machine that made this document has the characters {named}{rest}: "
        "their numbers are printed in their place. The attached files hold the whole text."
    )


class _MissingGlyphs(logging.Filter):
    """WeasyPrint says in its log, and only there, that a character has no glyph. Its other warnings are
    about style, the same for every document, and go nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and str(record.msg).startswith(".notdef"):
            self.found.add(str(record.args[0]))
        return record.levelno >= logging.ERROR


@contextmanager
def _listening() -> Iterator[set[str]]:
    """The characters without a glyph that were met while this was open."""
    logger, listener = logging.getLogger("weasyprint"), _MissingGlyphs()
    level = logger.level
    logger.addFilter(listener)
    logger.setLevel(logging.WARNING)
    try:
        yield listener.found
    finally:
        logger.setLevel(level)
        logger.removeFilter(listener)


@lru_cache(maxsize=1)
def _fonts() -> FontConfiguration:
    """Loaded once: fontconfig keeps 0.3 MB of each configuration that it gave away. No style sheet here adds a font."""
    return FontConfiguration()


def _write(html: str, files: tuple[Attached, ...], when: dt.datetime, fetcher: URLFetcher) -> Any:
    document = weasyprint.HTML(string=html, base_url="about:blank", url_fetcher=fetcher).render(
        stylesheets=[weasyprint.CSS(string=_style(), url_fetcher=fetcher, base_url="about:blank")],
        font_config=_fonts(),
    )
    document.metadata.attachments = [
        weasyprint.Attachment(
            string=item.text,
            name=item.name,
            description=item.description,
            created=when,
            modified=when,
            relationship=item.relation,
            url_fetcher=fetcher,
        )
        for item in files
    ]

    def finish(laid_out: Any, pdf: Any) -> None:
        _name_each_file_once(pdf)
        _type_each_file(pdf, {item.name: item.media_type for item in files})
        tags.mend(laid_out, pdf)

    return document.write_pdf(pdf_variant=VARIANT, pdf_tags=True, finisher=finish)


def _name_each_file_once(pdf: Any) -> None:
    """WeasyPrint 70 lists each associated file twice in the catalog."""
    pdf.catalog["AF"][:] = list(dict.fromkeys(pdf.catalog["AF"]))


def _type_each_file(pdf: Any, types: dict[str, str]) -> None:
    """WeasyPrint guesses media types from names; here they are said."""
    for reference in pdf.catalog["AF"]:
        spec = pdf.objects[int(reference.split()[0])]
        stream = pdf.objects[int(spec["EF"]["F"].split()[0])]
        stream.extra["Subtype"] = "/" + types[spec["F"].string.decode()].replace("/", "#2f")


@lru_cache(maxsize=1)
def _style() -> str:
    return (Path(settings.BASE_DIR) / _STYLE).read_text(encoding="utf-8")


@contextmanager
def _fixed_clock(when: dt.datetime) -> Iterator[None]:
    """Font subsets carry the time they were written; SOURCE_DATE_EPOCH fixes it for this render."""
    name = "SOURCE_DATE_EPOCH"
    before = os.environ.get(name)
    os.environ[name] = str(int(when.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
