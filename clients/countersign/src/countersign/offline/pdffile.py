"""As much of PDF (ISO 32000-2) as a document of the site uses: objects, cross-reference streams, enclosed files, the signature.

Strict instead of helpful: where a reader would repair a file, this raises Wrong. Not read: encryption, and cross-reference
tables of the old form.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from countersign.offline.problems import Wrong

_SPACE = re.compile(rb"(?:[\x00\t\n\x0c\r ]|%[^\r\n]*)*")
_TOKEN = re.compile(
    rb"<<|>>|[\[\]()]|/[^\x00\t\n\x0c\r ()<>\[\]{}/%]*|<[0-9A-Fa-f\x00\t\n\x0c\r ]*>|[^\x00\t\n\x0c\r ()<>\[\]{}/%]+"
)
_REFERENCE = re.compile(
    rb"(\d+)[\x00\t\n\x0c\r ]+(\d+)[\x00\t\n\x0c\r ]+R(?![^\x00\t\n\x0c\r ()<>\[\]{}/%])"
)
_START = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_LARGEST = 256 * 1024 * 1024
_CLOSES = {b"]", b">>"}


class Name(str):
    """/Name"""


class Operator(bytes):
    """A bare word."""


@dataclass(frozen=True)
class Ref:
    """12 0 R"""

    number: int


@dataclass(frozen=True)
class Stream:
    """A dictionary with bytes, which are still encoded."""

    head: dict[str, Any]
    raw: bytes


class Reader:
    """Objects from bytes, one after the other."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def ended(self) -> bool:
        self._skip()
        return self.at >= len(self.data)

    def read(self) -> Any:
        """The next object, or an Operator."""
        self._skip()
        reference = _REFERENCE.match(self.data, self.at)
        if reference:
            self.at = reference.end()
            return Ref(int(reference[1]))
        token = self._token()
        if token == b"<<":
            return self._dictionary()
        if token == b"[":
            return self._until(b"]")
        if token == b"(":
            return self._string()
        return _simple(token)

    def _skip(self) -> None:
        found = _SPACE.match(self.data, self.at)
        self.at = found.end() if found else self.at

    def _token(self) -> bytes:
        found = _TOKEN.match(self.data, self.at)
        if not found:
            raise Wrong(f"the PDF cannot be read at byte {self.at}")
        self.at = found.end()
        return found[0]

    def _until(self, end: bytes) -> list[Any]:
        found: list[Any] = []
        while True:
            self._skip()
            if self.data.startswith(end, self.at):
                self.at += len(end)
                return found
            found.append(self.read())

    def _dictionary(self) -> dict[str, Any]:
        parts = self._until(b">>")
        keys = parts[::2]
        if (
            len(parts) % 2
            or not all(isinstance(key, Name) for key in keys)
            or len(set(keys)) < len(keys)
        ):
            raise Wrong(f"a dictionary of the PDF before byte {self.at} is broken")
        return dict(zip(keys, parts[1::2]))  # noqa: B905 -- Python 3.9 has no strict

    def _string(self) -> bytes:
        out, depth = bytearray(), 1
        while depth:
            piece = self.data[self.at : self.at + 1]
            self.at += 1
            if not piece:
                raise Wrong("a text of the PDF does not end")
            depth += {b"(": 1, b")": -1}.get(piece, 0)
            out += self._escaped() if piece == b"\\" else piece if depth else b""
        return bytes(out)

    def _escaped(self) -> bytes:
        octal = re.compile(rb"[0-7]{1,3}").match(self.data, self.at)
        if octal:
            self.at = octal.end()
            return bytes([int(octal[0], 8) & 255])
        piece = self.data[self.at : self.at + 1]
        self.at += 1
        return _ESCAPES.get(piece, b"" if piece in {b"\n", b"\r"} else piece)


def _simple(token: bytes) -> Any:
    if token[:1] == b"/":
        return Name(
            re.sub(rb"#([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), token[1:]).decode(
                "latin-1"
            )
        )
    if token[:1] == b"<":
        digits = b"".join(token[1:-1].split())
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
    if token in _CLOSES:
        raise Wrong("the PDF has a bracket where none was opened")
    try:
        return float(token) if b"." in token else int(token)
    except ValueError:
        return {b"true": True, b"false": False, b"null": None}.get(token, Operator(token))


class Pdf:
    """A file with its objects, each as its newest revision says."""

    def __init__(self, data: bytes) -> None:
        if not data.startswith(b"%PDF-"):
            raise Wrong("this is not a PDF")
        self.data = data
        self._places: dict[int, tuple[int, int, int]] = {}
        self._packed: dict[int, tuple[bytes, list[tuple[int, int]]]] = {}
        self._known: dict[int, Any] = {}
        self.revisions = 0
        self.trailer: dict[str, Any] = {}
        self._find_objects()

    def _find_objects(self) -> None:
        start = _START.search(self.data[-64:])
        if not start:
            raise Wrong("the PDF does not end as one: it is cut off, or something was added")
        at: Any = int(start[1])
        while at is not None:
            self.revisions += 1
            if self.revisions > 8:
                raise Wrong("the PDF has too many revisions")
            table = self._indirect(at, None)
            if not isinstance(table, Stream) or table.head.get("Type") != "XRef":
                raise Wrong("the PDF's cross-reference is not where it says")
            self.trailer = self.trailer or table.head
            self._add_places(table)
            at = table.head.get("Prev")

    def _add_places(self, table: Stream) -> None:
        widths = table.head["W"]
        entries = self.decoded(table)
        index = table.head.get("Index", [0, table.head["Size"]])
        numbers = [
            n
            for first, count in zip(index[::2], index[1::2])  # noqa: B905 -- as above
            for n in range(first, first + count)
        ]
        if len(entries) != len(numbers) * sum(widths):
            raise Wrong("the PDF's cross-reference has another length than it says")
        for place, number in enumerate(numbers):
            row = entries[place * sum(widths) : (place + 1) * sum(widths)]
            kind, one, two = _fields(row, widths)
            self._places.setdefault(number, (kind, one, two))

    def get(self, value: Any) -> Any:
        """The value, or what it refers to."""
        for _ in range(16):
            if not isinstance(value, Ref):
                return value
            value = self._object(value.number)
        raise Wrong("references of the PDF go round in circles")

    def _object(self, number: int) -> Any:
        if number not in self._known:
            kind, one, two = self._places.get(number, (0, 0, 0))
            self._known[number] = (
                self._indirect(one, number)
                if kind == 1
                else self._unpacked(one, two, number)
                if kind == 2
                else None
            )
        return self._known[number]

    def _indirect(self, at: int, number: Any) -> Any:
        reader = Reader(self.data, at)
        head = [reader.read(), reader.read(), reader.read()]
        if head[2] != b"obj" or (number is not None and head[0] != number):
            raise Wrong(f"object {number} of the PDF is not where the cross-reference says")
        value = reader.read()
        if not isinstance(value, dict):
            return value
        after = re.compile(rb"\s*stream\r?\n").match(self.data, reader.at)
        if not after:
            return value
        length = self.get(value["Length"])
        raw = self.data[after.end() : after.end() + length]
        if not re.compile(rb"\s*endstream").match(self.data, after.end() + length):
            raise Wrong(f"object {number} of the PDF has another length than it says")
        return Stream(value, raw)

    def _unpacked(self, holder: int, place: int, number: int) -> Any:
        if holder not in self._packed:
            stream = self.get(Ref(holder))
            data = self.decoded(stream)
            reader = Reader(data)
            pairs = [(reader.read(), reader.read()) for _ in range(stream.head["N"])]
            self._packed[holder] = data[stream.head["First"] :], pairs
        data, pairs = self._packed[holder]
        if place >= len(pairs) or pairs[place][0] != number:
            raise Wrong(f"object {number} of the PDF is not where the cross-reference says")
        return Reader(data, pairs[place][1]).read()

    def decoded(self, stream: Any) -> bytes:
        """A stream's bytes; Wrong where they cannot be unpacked to the last one."""
        if not isinstance(stream, Stream):
            raise Wrong("the PDF has something else where a stream should be")
        kind = self.get(stream.head.get("Filter"))
        kind = kind[0] if isinstance(kind, list) and len(kind) == 1 else kind
        if kind is None:
            return stream.raw
        if kind != "FlateDecode" or "DecodeParms" in stream.head:
            raise Wrong(f"the PDF packs something by {kind}, which is not read here")
        unpacker = zlib.decompressobj()
        try:
            data = unpacker.decompress(stream.raw, _LARGEST)
        except zlib.error as error:
            raise Wrong(f"a stream of the PDF is broken: {error}") from None
        if not unpacker.eof or unpacker.unused_data.strip(b"\r\n"):
            raise Wrong("a stream of the PDF is cut off or too long")
        return data

    @property
    def root(self) -> dict[str, Any]:
        found = self.get(self.trailer.get("Root"))
        if not isinstance(found, dict):
            raise Wrong("the PDF has no catalog")
        return found

    def pages(self) -> Iterator[dict[str, Any]]:
        """Every page, in order."""
        waiting = [self.root.get("Pages")]
        for _ in range(100_000):
            if not waiting:
                return
            node = self.get(waiting.pop(0))
            if not isinstance(node, dict):
                raise Wrong("the PDF's pages are broken")
            if node.get("Type") == "Pages":
                waiting = list(self.get(node["Kids"])) + waiting
            else:
                yield node
        raise Wrong("the PDF has too many pages")

    def files(self) -> dict[str, bytes]:
        """The enclosed files by name."""
        names = self.get(self.get(self.root.get("Names", {})).get("EmbeddedFiles", {}))
        found: dict[str, bytes] = {}
        for reference in self.get(names.get("Names", []))[1::2]:
            spec = self.get(reference)
            name = text(self.get(spec["F"]))
            if name in found:
                raise Wrong(f"two enclosed files are called {name}")
            found[name] = self.decoded(self.get(self.get(spec["EF"])["F"]))
        return found

    def signature(self) -> Any:
        """The dictionary of the only signature; None where there is none."""
        fields = self.get(self.get(self.root.get("AcroForm", {})).get("Fields", []))
        if not fields:
            return None
        if len(fields) != 1:
            raise Wrong(f"the PDF has {len(fields)} form fields, expected one signature")
        return self.get(self.get(fields[0])["V"])


def _fields(row: bytes, widths: list[int]) -> tuple[int, int, int]:
    first, second, _third = widths
    kind = int.from_bytes(row[:first], "big") if first else 1
    return (
        kind,
        int.from_bytes(row[first : first + second], "big"),
        int.from_bytes(row[first + second :], "big"),
    )


def text(value: bytes) -> str:
    """A text string: UTF-16 with its mark, else Latin-1 (of which names of files use the plain part)."""
    return (
        value[2:].decode("utf-16-be") if value.startswith(b"\xfe\xff") else value.decode("latin-1")
    )
