"""The text of the pages, as their fonts' ToUnicode maps give it, without white space: to find what is known, not to read."""

from __future__ import annotations

import re
from typing import Any

from countersign.offline.pdffile import Name, Operator, Pdf, Reader, Stream

_CHARS = re.compile(rb"beginbfchar(.*?)endbfchar", re.DOTALL)
_RANGES = re.compile(rb"beginbfrange(.*?)endbfrange", re.DOTALL)
_PAIR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]*)>")
_SPAN = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]*)>")
Letters = dict[int, str]


def pages(pdf: Pdf) -> list[str]:
    """Each page's text in the order in which it is drawn."""
    known: dict[int, Letters] = {}
    return ["".join(_page(pdf, page, known)) for page in pdf.pages()]


def _page(pdf: Pdf, page: dict[str, Any], known: dict[int, Letters]) -> list[str]:
    contents = pdf.get(page.get("Contents"))
    streams = contents if isinstance(contents, list) else [contents]
    data = b"\n".join(pdf.decoded(pdf.get(one)) for one in streams)
    return _drawn(pdf, data, pdf.get(page.get("Resources", {})), known, 0)


def _drawn(
    pdf: Pdf, data: bytes, resources: dict[str, Any], known: dict[int, Letters], depth: int
) -> list[str]:
    fonts, forms = (pdf.get(resources.get(kind, {})) or {} for kind in ("Font", "XObject"))
    reader, operands, letters, out = Reader(data), [], {}, []
    while not reader.ended():
        one = reader.read()
        if not isinstance(one, Operator):
            operands.append(one)
            continue
        if one == b"Tf":
            letters = _letters(pdf, fonts.get(operands[0]), known)
        elif one in {b"Tj", b"TJ"}:
            out.append(_shown(operands[-1], letters))
        elif one == b"Do" and depth < 8:
            out += _form(pdf, forms.get(operands[-1]), known, depth)
        operands = []
    return out


def _form(pdf: Pdf, reference: Any, known: dict[int, Letters], depth: int) -> list[str]:
    form = pdf.get(reference)
    if not isinstance(form, Stream) or form.head.get("Subtype") != Name("Form"):
        return []
    resources = pdf.get(form.head.get("Resources", {}))
    return _drawn(pdf, pdf.decoded(form), resources, known, depth + 1)


def _shown(value: Any, letters: Letters) -> str:
    pieces = value if isinstance(value, list) else [value]
    codes = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    shown = (letters.get(codes[i] << 8 | codes[i + 1], "") for i in range(0, len(codes) - 1, 2))
    return "".join("".join(shown).split())


def _letters(pdf: Pdf, reference: Any, known: dict[int, Letters]) -> Letters:
    number = getattr(reference, "number", 0)
    if number not in known:
        font = pdf.get(reference) or {}
        known[number] = _map(pdf.decoded(pdf.get(font["ToUnicode"]))) if "ToUnicode" in font else {}
    return known[number]


def _map(data: bytes) -> Letters:
    found: Letters = {}
    for block in _CHARS.findall(data):
        found.update({int(code, 16): _text(to) for code, to in _PAIR.findall(block)})
    for block in _RANGES.findall(data):
        for first, last, to in _SPAN.findall(block):
            begin = int(to, 16) if to else 0
            found.update(
                {
                    c: chr(begin + c - int(first, 16))
                    for c in range(int(first, 16), int(last, 16) + 1)
                }
            )
    return found


def _text(digits: bytes) -> str:
    return bytes.fromhex(digits.decode("ascii")).decode("utf-16-be", "replace")
