"""One pass over the bytes of a part: is it text, does it hold a secret, a YAML tag that makes objects?

The patterns are few on purpose: keys whose form is fixed by who issues them, so that random bytes do not match.
Not found: passwords, keys without a form of their own, keys that are encoded or compressed in a way not unpacked here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Final

CHUNK: Final = 1024 * 1024
_OVERLAP: Final = 512
# What stands in front, what the whole looks like, what it is called.
_SECRETS: Final = (
    (b"-----BEGIN ", rb"-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----", "a private key"),
    (b"AKIA", rb"(?<![A-Z0-9])AKIA[A-Z2-7]{16}(?![A-Z0-9])", "an AWS access key"),
    (b"ASIA", rb"(?<![A-Z0-9])ASIA[A-Z2-7]{16}(?![A-Z0-9])", "an AWS session key"),
    (b"AIza", rb"(?<![\w-])AIza[\w-]{35}(?![\w-])", "a Google API key"),
    (b"ghp_", rb"\bghp_[A-Za-z0-9]{36}\b", "a GitHub token"),
    (b"github_pat_", rb"\bgithub_pat_\w{60,90}\b", "a GitHub token"),
    (b"glpat-", rb"\bglpat-[\w-]{20}", "a GitLab token"),
    (b"hf_", rb"\bhf_[A-Za-z]{34}\b", "a Hugging Face token"),
    (b"xox", rb"\bxox[abprs]-[A-Za-z0-9-]{20,}", "a Slack token"),
    (b"AccountKey=", rb"AccountKey=[A-Za-z0-9+/]{86}==", "an Azure storage key"),
    (b"dapi", rb"\bdapi[0-9a-f]{32}\b", "a Databricks token"),
)  # fmt: skip
_COMPILED: Final = tuple((lead, re.compile(full), what) for lead, full, what in _SECRETS)
_TAG: Final = re.compile(rb"!!python/[\w/.:]{1,120}|tag:yaml\.org,2002:python/[\w/.:]{1,120}")
_CONTROL: Final = bytes(set(range(32)) - {9, 10, 12, 13, 27}) + b"\x7f"


@dataclass(slots=True)
class Bytes:
    """What the pass found; places are bytes from the start. `text` holds for UTF-8 without control characters."""

    text: bool = True
    secrets: list[tuple[str, int]] = field(default_factory=list)
    tags: list[tuple[str, int]] = field(default_factory=list)


def look(file: BinaryIO, tick: Callable[[], None] = lambda: None) -> Bytes:
    """Read all of it, 1 MiB at a time; matches across two pieces are found."""
    found, decoder = Bytes(), codecs.getincrementaldecoder("utf-8")()
    file.seek(0)
    rest, at = b"", 0
    while piece := file.read(CHUNK):
        found.text = found.text and _is_text(piece, decoder)
        window = rest + piece
        _match(window, at - len(rest), len(rest), found)
        rest = window[-_OVERLAP:]
        at += len(piece)
        tick()
    found.text = found.text and _ends(decoder)
    return found


def _match(window: bytes, start: int, known: int, found: Bytes) -> None:
    for lead, pattern, what in _COMPILED:
        if lead in window:
            for match in pattern.finditer(window):
                if match.end() > known and b"EXAMPLE" not in match.group():
                    _add(found.secrets, (what, start + match.start()))
    if b"python/" in window:
        for match in _TAG.finditer(window):
            if match.end() > known:
                _add(found.tags, (match.group().decode("ascii"), start + match.start()))


def _add(found: list[tuple[str, int]], entry: tuple[str, int]) -> None:
    if len(found) < 100 and all(at != entry[1] for _, at in found):
        found.append(entry)


def _is_text(piece: bytes, decoder: codecs.IncrementalDecoder) -> bool:
    if piece.translate(None, _CONTROL) != piece:
        return False
    try:
        decoder.decode(piece)
    except UnicodeDecodeError:
        return False
    return True


def _ends(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
