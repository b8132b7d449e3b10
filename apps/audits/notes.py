"""Signed notes, checkpoints and cosignatures in the forms of C2SP. Pure: no settings, no tables, no clock.

- signed-note: a text, an empty line, and lines `— <name> <base64(4 bytes of key hash || signature)>`;
- tlog-checkpoint: a note whose text is origin, size and root, a line each;
- tlog-cosignature (Ed25519, `cosignature/v1`): a witness's statement that it saw a checkpoint, with the time.

The specifications: https://c2sp.org/signed-note, /tlog-checkpoint, /tlog-cosignature; Ed25519 is RFC 8032.
`tools/verify_ledger.py` reads the same forms with code of its own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from apps.core.errors import Invalid, Tampered

PLAIN: Final = 0x01
WITNESS: Final = 0x04
LONGEST: Final = 128 * 1024
MOST_SIGNATURES: Final = 64

_KINDS: Final = {PLAIN: "the log's", WITNESS: "a witness's"}
_DASH: Final = "\N{EM DASH} "
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
NAME: Final = re.compile(r"[^\s+]+")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public Ed25519 key with its name and what it signs: notes (0x01), or cosignatures (0x04)."""

    name: str
    kind: int
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """SHA-256(name || "\\n" || kind || public key), its first four bytes."""
        told = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(told).digest()[:4]

    def __str__(self) -> str:
        """`name+hash+base64(kind || public key)`: how keys are handed out."""
        return f"{self.name}+{self.key_hash.hex()}+{_encoded(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True, slots=True)
class Signature:
    """One line below a note."""

    name: str
    key_hash: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{_DASH}{self.name} {_encoded(self.key_hash + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, its last newline included, and the signatures below it, none of them verified."""

    text: str
    signatures: tuple[Signature, ...]

    def dump(self) -> bytes:
        """As it is sent."""
        return (self.text + "\n" + "".join(map(str, self.signatures))).encode()

    def signed_by(self, key: Verifier) -> Signature | None:
        """The key's signature, verified; None where there is none. Raises Tampered for one that does not fit the text."""
        found = None
        for each in self.signatures:
            if (each.name, each.key_hash) == (key.name, key.key_hash):
                _verify(self.text, each, key)
                found = found or each
        return found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says it is: so many events, with this root."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        lines = (self.origin, str(self.size), _encoded(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def verifier(text: str) -> Verifier:
    """The key of `name+hash+base64`. Raises Invalid for what is malformed, of another kind, or whose hash does not fit."""
    name, plus, rest = text.strip().partition("+")
    hashed, plus, encoded = rest.partition("+")
    material = _decoded(encoded, "a verifier key") if plus else b""
    if not NAME.fullmatch(name) or len(material) != 33:
        raise Invalid(f"Not a verifier key such as name+0123abcd+base64: {text[:80]!r}.")
    if material[0] not in _KINDS:
        raise Invalid(f"The key {name} is of kind {material[0]:#04x}, which is not known here.")
    key = Verifier(name, material[0], material[1:])
    if key.key_hash.hex() != hashed:
        raise Invalid(f"The hash of the key {name} is {key.key_hash.hex()}, it says {hashed}.")
    return key


def parse(data: bytes) -> Note:
    """The note in these bytes. Raises Invalid for anything that is not one; verifies nothing."""
    text = _text(data)
    said, parted, below = text.rpartition("\n\n")
    lines = below.splitlines(keepends=True)
    if not parted or not said or not lines:
        raise Invalid("Not a signed note: no text, an empty line, and signatures below it.")
    if len(lines) > MOST_SIGNATURES:
        raise Invalid(f"The note has more than {MOST_SIGNATURES} signatures.")
    return Note(said + "\n", tuple(map(signature, lines)))


def signature(line: str) -> Signature:
    """The signature in a line with its newline. Raises Invalid."""
    name, _, encoded = line.removeprefix(_DASH).removesuffix("\n").partition(" ")
    framed = line.startswith(_DASH) and line.endswith("\n") and NAME.fullmatch(name)
    value = _decoded(encoded, "a signature") if framed else b""
    if len(value) < 5:
        raise Invalid(f"Not a signature line of a note: {line[:80]!r}.")
    return Signature(name, value[:4], value[4:])


def checkpoint(text: str) -> Checkpoint:
    """What a note's text says, if it is a checkpoint. Raises Invalid."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise Invalid("Not a checkpoint: its lines must be origin, size and root.")
    root = _decoded(lines[2], "the root")
    if len(root) != 32:
        raise Invalid("Not a checkpoint: its root must have 32 bytes.")
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:]))


def cosigned(text: str, seconds: int) -> bytes:
    """What a witness signs."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def cosignature(key: Verifier, seconds: int, value: bytes) -> Signature:
    """The line of a witness who signed `cosigned(text, seconds)`."""
    return Signature(key.name, key.key_hash, seconds.to_bytes(8, "big") + value)


def time_of(each: Signature) -> int:
    """When a cosignature was given, in seconds since 1970."""
    return int.from_bytes(each.value[:8], "big")


def _verify(text: str, each: Signature, key: Verifier) -> None:
    message, value = text.encode(), each.value
    if key.kind == WITNESS:
        message, value = cosigned(text, time_of(each)), each.value[8:]
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(value, message)
    except (InvalidSignature, ValueError) as error:
        raise Tampered(f"The signature of {key.name} does not fit the text.") from error


def _text(data: bytes) -> str:
    if len(data) > LONGEST:
        raise Invalid(f"The note has more than {LONGEST} bytes.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("The note is not text in UTF-8.") from error
    if any(each < " " and each != "\n" for each in text):
        raise Invalid("The note holds control characters.")
    return text


def _encoded(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _decoded(text: str, what: str) -> bytes:
    """Base64 in its one canonical form. Raises Invalid."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(f"What stands for {what} is not base64.") from error
    if _encoded(value) != text:
        raise Invalid(f"What stands for {what} is not canonical base64.")
    return value
