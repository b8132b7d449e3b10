"""What WeasyPrint 70 leaves unsaid in the tags of a document, said by the rules of ISO 14289-2 (PDF/UA-2).

A head says whether it heads a row or a column; a list says how it is numbered; a list of facts is made of labels and bodies;
what stands above a chart is a paragraph, for the figure it would be the caption of is a tag of its own.
Not mended: links within the document lead to a place on a page and not to a tag (8.8), so a document does not claim to
be PDF/UA. Where the lists of the tags are not those of the pages, they stay as they are: no document fails for its tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from weasyprint.formatting_structure import boxes

_SCOPES: Final = {"/THead": "/Column", "/TBody": "/Row"}
_NUMBERING: Final = {"dl": "/Description", "ul": "/Unordered", "ol": "/Ordered"}


def mend(document: Any, pdf: Any) -> None:
    """Change the tags in place, before they are written."""
    found = [each for each in pdf.objects if isinstance(each, dict)]
    tags = [each for each in found if each.get("Type") == "/StructElem"]
    for tag in tags:
        if tag["S"] == "/TH":
            row = _at(pdf, tag["P"])
            tag["A"]["Scope"] = _SCOPES.get(_at(pdf, row["P"])["S"], "/Column")
        if tag["S"] == "/Caption" and _at(pdf, tag["P"])["S"] == "/NonStruct":
            tag["S"] = "/P"
        if tag["S"] == "/P" and _at(pdf, tag["P"])["S"] == "/LI":
            tag["S"] = "/LBody"
    _lists(document, pdf, [tag for tag in tags if tag["S"] == "/L"])


def _lists(document: Any, pdf: Any, lists: list[Any]) -> None:
    """Tags are made in the order of the boxes, so each list is that of the box in its place."""
    found = [box.element_tag for page in document.pages for box in _boxes(page._page_box)]  # noqa: SLF001 -- what the tags were made of
    names = [name for name in found if name in _NUMBERING]
    if len(names) != len(lists):
        return
    for tag, name in zip(lists, names, strict=True):
        tag["A"] = type(tag)({"O": "/List", "ListNumbering": _NUMBERING[name]})
        for row in _kids(pdf, tag) if name == "dl" else []:
            _fact(pdf, row)


def _fact(pdf: Any, row: Any) -> None:
    """A term and what is said of it: each came as an item of its own."""
    row["S"] = "/LI"
    for place, item in enumerate(_kids(pdf, row)):
        for body in _kids(pdf, item):
            body["S"] = "/NonStruct"
        item["S"] = "/LBody" if place else "/Lbl"


def _boxes(box: Any) -> Iterator[Any]:
    """Every box that has a tag, outer ones first; lines and texts bear the name of what they stand in."""
    box = getattr(box, "_box", box)
    if not isinstance(box, boxes.LineBox | boxes.TextBox):
        yield box
    for child in getattr(box, "children", ()):
        yield from _boxes(child)


def _kids(pdf: Any, tag: Any) -> list[Any]:
    """The tags directly inside."""
    kids = [_at(pdf, kid) for kid in tag["K"] if not isinstance(kid, int)]
    return [kid for kid in kids if kid.get("Type") == "/StructElem"]


def _at(pdf: Any, reference: Any) -> Any:
    return pdf.objects[int(reference.split()[0])]
