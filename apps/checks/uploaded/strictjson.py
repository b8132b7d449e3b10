"""JSON that means one thing only (RFC 8259 without its loose ends), with the line of every value.

Refused with the line: bytes that are not UTF-8, a key that stands twice in one object, numbers that no double holds,
NaN and Infinity, control characters and lone surrogates in text, more than MAX_DEPTH levels, more than MAX_VALUES
values, anything behind the end. The standard library's reader takes most of these and knows no lines.

Whole numbers become `int`, others `Decimal` with the digits that are written.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from apps.checks.uploaded.malformed import Malformed

MAX_DEPTH: Final = 24
MAX_VALUES: Final = 300_000
LONGEST_NUMBER: Final = 40

Path = tuple[str | int, ...]

_SPACE: Final = re.compile(r"[ \t\r\n]*")
# Possessive, so that a text without an end costs one pass.
_STRING: Final = re.compile(r'"((?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+)"')
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: Final[Mapping[str, Any]] = {"true": True, "false": False, "null": None}


class Document:
    """The value, and where each part of it begins."""

    def __init__(self, value: Any, places: Mapping[Path, int], text: str) -> None:
        self.value = value
        self._places = places
        self._ends = [found.start() for found in re.finditer("\n", text)]

    def line(self, path: Sequence[str | int]) -> int:
        """The line on which the value at `path` begins; for a path that is not there, that of its nearest parent."""
        where = tuple(path)
        while where not in self._places:
            where = where[:-1]
        return bisect_right(self._ends, self._places[where] - 1) + 1


def read(data: bytes) -> Document:
    """The document in these bytes; raises Malformed with the line."""
    text = decoded(data)
    reader = _Reader(text)
    value = reader.whole()
    return Document(value, reader.places, text)


def decoded(data: bytes) -> str:
    """The text; a byte order mark before it is passed over."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # `error.start` counts from behind a byte order mark; the lines are the same.
        line = data.count(b"\n", 0, error.start) + 1
        found = error.object[error.start]
        raise Malformed(
            f"the byte 0x{found:02x} is not UTF-8; save the file as UTF-8", line
        ) from None


class _Reader:
    """One pass over the text. Recursion is as deep as the document, which MAX_DEPTH bounds."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.places: dict[Path, int] = {}

    def whole(self) -> Any:
        self.skip()
        value = self.value((), 1)
        self.skip()
        if self.at < len(self.text):
            raise self.wrong("something stands behind the end of the document")
        return value

    def wrong(self, reason: str, at: int | None = None) -> Malformed:
        place = self.at if at is None else at
        return Malformed(reason, self.text.count("\n", 0, place) + 1)

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def value(self, path: Path, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise self.wrong(f"nested deeper than {MAX_DEPTH} levels")
        if len(self.places) >= MAX_VALUES:
            raise self.wrong(f"more than {MAX_VALUES} values")
        self.places[path] = self.at
        first = self.text[self.at : self.at + 1]
        if first == "{":
            return self.object(path, depth)
        if first == "[":
            return self.array(path, depth)
        if first == '"':
            return self.string()
        if first == "-" or first.isdigit():
            return self.number()
        return self.word()

    def object(self, path: Path, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        self.skip()
        while not self.taken("}"):
            self.separated("{", empty=not found)
            at = self.at
            if self.text[at : at + 1] != '"':
                raise self.wrong(self.expected("a key in quotation marks"))
            key = self.string()
            if key in found:
                raise self.wrong(f"the key {_quoted(key)} stands twice in one object", at)
            self.skip()
            if not self.taken(":"):
                raise self.wrong(self.expected("a colon"))
            self.skip()
            found[key] = self.value((*path, key), depth + 1)
            self.skip()
        return found

    def array(self, path: Path, depth: int) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        self.skip()
        while not self.taken("]"):
            self.separated("[", empty=not found)
            found.append(self.value((*path, len(found)), depth + 1))
            self.skip()
        return found

    def separated(self, what: str, *, empty: bool) -> None:
        """Step over the comma before any but the first; another one before the end is none."""
        if empty:
            return
        if not self.taken(","):
            raise self.wrong(self.expected(f"a comma or the end of {what}"))
        self.skip()

    def taken(self, char: str) -> bool:
        if self.text.startswith(char, self.at):
            self.at += 1
            return True
        return False

    def expected(self, what: str) -> str:
        if self.at >= len(self.text):
            return f"the document breaks off; expected {what}"
        return f"expected {what}, found {_quoted(self.text[self.at])}"

    def string(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise self.wrong(
                "a text that does not end, or holds a control character or an unknown escape"
            )
        text: str = json.loads(found.group()) if "\\" in found.group() else found.group(1)
        if _UNSTORABLE.search(text):
            raise self.wrong("a text holds NUL or half of a surrogate pair")
        self.at = found.end()
        return text

    def number(self) -> int | Decimal:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            raise self.wrong(self.expected("a number"))
        text = found.group()
        if len(text) > LONGEST_NUMBER:
            raise self.wrong(f"a number of more than {LONGEST_NUMBER} characters")
        if math.isinf(float(text)):
            raise self.wrong(f"the number {text} is too large")
        self.at = found.end()
        return Decimal(text) if found.group(1) or found.group(2) else int(text)

    def word(self) -> bool | None:
        for word, value in _WORDS.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                found: bool | None = value
                return found
        for word in ("NaN", "Infinity", "-Infinity"):
            if self.text.startswith(word, self.at):
                raise self.wrong(f"{word} is no number in JSON; leave the metric out or say null")
        raise self.wrong(self.expected("a value"))


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")
