"""That a document is pages and enclosed files and nothing else: nothing acts, nothing lies over the pages, nothing is enclosed apart.

A signature covers these too; this finds them in a document whose signer nobody vouches for yet, and in one that a program other
than ours made with the site's key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from countersign.offline.pdffile import Pdf
from countersign.offline.problems import Wrong

_ACTS = (
    "OpenAction",
    "AA",
    "OCProperties",
    "Collection",
    "Requirements",
    "NeedsRendering",
    "Threads",
)
_LINKS = {"URI", "GoTo"}
_REVISIONS = 2  # as it was rendered, and the signature


def require_plain(pdf: Pdf) -> str:
    """Raises Wrong with the first thing that does not belong."""
    root = pdf.root
    for name in _ACTS:
        if name in root:
            raise Wrong(
                f"the catalog has {name}: the document does something, or shows itself in several ways"
            )
    trees = pdf.get(root.get("Names", {}))
    if set(trees) - {"EmbeddedFiles", "Dests"}:
        raise Wrong("the catalog names something besides files and places, such as JavaScript")
    form = pdf.get(root.get("AcroForm", {}))
    if "XFA" in form or any(pdf.get(f).get("FT") != "Sig" for f in pdf.get(form.get("Fields", []))):
        raise Wrong("the document has a form, or a field that is no signature")
    if "Kids" in pdf.get(trees.get("EmbeddedFiles", {})):
        raise Wrong("its enclosed files are listed in several places")
    if pdf.revisions > _REVISIONS:
        raise Wrong(f"it has {pdf.revisions} revisions: it was changed after it was rendered")
    _require_same_files(pdf)
    count = sum(1 for page in pdf.pages() if _plain_page(pdf, page))
    return f"{count} pages with links only; no scripts, layers, forms or notes"


def _require_same_files(pdf: Pdf) -> None:
    """Every file that the catalog associates is one of the listed ones (ISO 32000-2, 14.13)."""
    trees = pdf.get(pdf.root.get("Names", {}))
    listed = pdf.get(pdf.get(trees.get("EmbeddedFiles", {})).get("Names", []))[1::2]
    for reference in pdf.get(pdf.root.get("AF", [])):
        if reference not in listed:
            raise Wrong("a file is enclosed that is not in the list of enclosed files")


def _plain_page(pdf: Pdf, page: dict[str, Any]) -> bool:
    if "AA" in page or "AF" in page:
        raise Wrong("a page does something when it is opened, or has files of its own")
    for note in _notes(pdf, page):
        action = pdf.get(note.get("A", {}))
        link = (
            note.get("Subtype") == "Link"
            and action.get("S", "URI") in _LINKS
            and "Next" not in action
        )
        if "AA" in note or not (link or _unseen_signature(pdf, note)):
            raise Wrong(f"a {note.get('Subtype')} lies over a page, or does something")
    return True


def _notes(pdf: Pdf, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for reference in pdf.get(page.get("Annots", [])):
        yield pdf.get(reference)


def _unseen_signature(pdf: Pdf, note: dict[str, Any]) -> bool:
    """The field of the signature, which shows nothing."""
    area = [pdf.get(each) for each in pdf.get(note.get("Rect", []))]
    return note.get("FT") == "Sig" and area[:2] == area[2:]
