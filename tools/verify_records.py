"""A bundle in the memory of its verifier: the archive with its index, its keys and events, and the forms that its members have.

Python 3.9 or later, standard library only; a part of `verify_bundle.pyz`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from verify_ledger import Wrong, check_signature, hashed, member, parse
from verify_zip import Archive

INDEX, SEAL = "bundle.json", "bundle.dsse.json"
IN_TOTO = "application/vnd.in-toto+json"
LONGEST_RECORD = 256 << 20
NUMBER, UUID = "[1-9][0-9]{0,17}", "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FOLDER = re.compile(r"versions/[A-Za-z0-9_-][A-Za-z0-9._-]*/")
# Where a member of each kind stands: of the bundle, and of a version in its folder.
COMMON = {
    "text": r"README\.txt",
    "program": r"verify_bundle\.pyz|verify\.html",
    "keys": r"keys\.json",
    "checkpoint": r"checkpoint\.txt",
    "ledger": r"ledger-extract\.json",
    "consistency": r"consistency\.json",
}
OF_A_VERSION = {
    "version": r"version\.json",
    "policy": rf"reviews/{NUMBER}/policy\.json",
    "evidence": rf"reviews/{NUMBER}/round-{NUMBER}\.json",
    "statement": rf"reviews/{NUMBER}/decision-{NUMBER}\.json",
    "envelope": rf"reviews/{NUMBER}/decision-{NUMBER}\.dsse\.json",
    "check": rf"checks/{UUID}\.json",
    "uploaded": rf"uploaded/{UUID}",
    "card": rf"card/revision-{NUMBER}\.json",
    "document": rf"documents/{UUID}\.pdf",
    "file": r"files/.+",
}
MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?(?:Z|\+00:00)"
)


@dataclass(frozen=True)
class Event:
    """An event of the ledger as the extract has it."""

    seq: int
    type: str
    at: str
    scopes: list[str]
    payload: dict[str, Any]


@dataclass
class Part:
    """One version: what the index says of it, and what was found in its folder."""

    folder: str
    entry: dict[str, Any]
    said: dict[str, Any] = field(default_factory=dict)
    scope: str = ""
    manifests: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    results: set[str] = field(default_factory=set)

    @property
    def title(self) -> str:
        return f"{self.entry.get('model')} v{self.entry.get('version')}"

    def item(self, name: str) -> str:
        """How an item about the version as a whole is called."""
        return f"{name} {self.folder.rstrip('/')}".rstrip()


class Bundle:
    """Members are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.archive = Archive(path)
        self.index: dict[str, Any] = {}
        self.by = ""
        self.members: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, bytes] = {}
        self.known: list[dict[str, Any]] = []
        self.parts: list[Part] = []
        self.events: list[Event] = []
        self.leaves: dict[int, bytes] = {}
        self.size, self.root, self.origin = 0, "", ""

    def read(self, name: str) -> bytes:
        """A record, whole. Raises Wrong where it is absent, damaged or far too large."""
        return b"".join(self.archive.pieces(name, LONGEST_RECORD))

    def record(self, name: str) -> Any:
        return record(self.read(name), "it")

    def named(self, kind: str, folder: str = "") -> list[str]:
        """The members of a kind in a folder, in order."""
        return sorted(
            name
            for name, entry in self.members.items()
            if entry["kind"] == kind and name.startswith(folder)
        )

    def sum(self, name: str) -> str | None:
        return self.members.get(name, {}).get("sha256")

    def told(self, kind: str, part: Part | None = None) -> list[Event]:
        """The ledger's events of a type, of a version if one is said, oldest first."""
        return [
            each
            for each in self.events
            if each.type == kind and (part is None or part.scope in each.scopes)
        ]

    def happened(self, kind: str, part: Part | None = None) -> list[dict[str, Any]]:
        """What they say."""
        return [each.payload for each in self.told(kind, part)]


def record(data: bytes, what: str) -> Any:
    """JSON in its canonical form (RFC 8785): there is one way to write it, and one way to read it."""
    said = parse(data, what)
    if canonical(said) != data:
        raise Wrong(f"{what} is not in canonical form")
    return said


def canonical(value: Any) -> bytes:
    """RFC 8785 of what `parse` gave: it has sorted the members and refused floats."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except (ValueError, RecursionError):
        raise Wrong("it has no canonical form") from None


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def opened(data: bytes, keys: dict[str, bytes], kind: str) -> tuple[bytes, str]:
    """The payload of a DSSE envelope and the id of the key that signed it; nothing else may be in it."""
    found = record(data, "the envelope")
    if not isinstance(found, dict) or set(found) != {"payload", "payloadType", "signatures"}:
        raise Wrong("the envelope has other members than payload, payloadType and signatures")
    if member(found, "payloadType", str, "the envelope") != kind:
        raise Wrong(f"the envelope holds {found['payloadType']}, expected {kind}")
    payload = unwrapped(member(found, "payload", str, "the envelope"))
    signatures = member(found, "signatures", list, "the envelope")
    if len(signatures) != 1 or set(signatures[0]) != {"keyid", "sig"}:
        raise Wrong("the envelope has not exactly one signature of a key id and its value")
    by = hashed(signatures[0], "keyid", "the envelope")
    if by not in keys:
        raise Wrong(f"the key {by[:16]} that signed it is not in the bundle")
    signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)
    check_signature(keys[by], signed, unwrapped(member(signatures[0], "sig", str, "the envelope")))
    return payload, by


def unwrapped(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("it holds something that is not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise Wrong("it holds base64 that is not written in its one form")
    return data


def bytes_of_hex(text: str) -> bytes:
    if not re.fullmatch(r"(?:[0-9a-f]{2})*", text):
        raise Wrong("it holds something that is not lowercase hexadecimal")
    return bytes.fromhex(text)


def moment(text: str) -> str:
    """A time of UTC in the one form in which times compare as text."""
    found = MOMENT.fullmatch(text)
    if not found:
        raise Wrong(f"{text!r} is no time of UTC")
    return f"{found[1]}.{(found[2] or '').ljust(6, '0')}"


def require_honest(bundle: Bundle, key: str, *times: str) -> None:
    """Nothing counts that was signed after the key was in other hands."""
    for said in bundle.happened("audits.key.retired"):
        since = said["compromised_since"]
        if said["key"] == key and since and any(moment(at) >= moment(since) for at in times):
            raise Wrong(f"it was signed after the key {key[:16]} was compromised")


def require_place(bundle: Bundle, name: str, kind: str) -> None:
    """Each kind of member has its place: nothing is checked as less than it is, or as nothing."""
    for part in bundle.parts:
        if name.startswith(part.folder) and fits(OF_A_VERSION, kind, name[len(part.folder) :]):
            return
    if not fits(COMMON, kind, name):
        raise Wrong(f"{name} is no place for a member of the kind {kind}")


def fits(places: dict[str, str], kind: str, name: str) -> bool:
    return kind in places and re.fullmatch(places[kind], name) is not None
