"""Tells what a results file is, from its content, and has it read."""

from __future__ import annotations

from typing import Final

from apps.checks.uploaded import intoto, junit, results, strictjson
from apps.checks.uploaded.malformed import Malformed
from apps.checks.uploaded.reading import Reading, clipped
from apps.checks.uploaded.strictjson import Document

_TAKEN: Final = (
    "JUnit XML, results as JSON (countersign.results.v1), an in-toto statement or its DSSE envelope"
)
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_SPACE: Final = b" \t\r\n"


def read(data: bytes) -> Reading:
    """What the file says; raises Malformed with line and reason for one that is none of the formats, or not whole."""
    if not data.strip(_SPACE):
        raise Malformed("the file is empty")
    if _is_xml(data):
        return junit.read(data)
    if data[:2] in _MARKS or b"\x00" in data[:4]:
        raise Malformed("it is neither XML nor UTF-8; save the file as UTF-8", 1)
    document = strictjson.read(data)
    return _of_json(document)


def _is_xml(data: bytes) -> bool:
    """Whether the first character is `<`, in any of the encodings that XML names by its first bytes."""
    start = data[:4096]
    for mark in _MARKS:
        start = start.removeprefix(mark)
    return start.replace(b"\x00", b"").lstrip(_SPACE).startswith(b"<")


def _of_json(document: Document) -> Reading:
    said = document.value
    if not isinstance(said, dict):
        raise Malformed(f"expected an object: {_TAKEN}", document.line(()))
    if "payloadType" in said:
        return intoto.read_envelope(document)
    if "_type" in said:
        return intoto.read(document)
    if said.get("type") == results.TYPE:
        return results.read(document)
    keys = clipped(", ".join(map(str, said)), 200) or "none"
    raise Malformed(f"expected {_TAKEN}; found an object with the keys {keys}", document.line(()))
