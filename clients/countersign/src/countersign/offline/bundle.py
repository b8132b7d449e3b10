"""That a file was issued, by the part of a bundle about its ledger (docs/how-to/verify-a-bundle.md).

1. The index is signed by a ledger key of the bundle, and lists keys, checkpoint and events by their SHA-256.
2. The key is one you named, or one that it endorsed, and so on; its own ledger does not say that it was retired.
3. The checkpoint is signed, and the events lead to its root.
4. One of the events issued the file.

`verify_bundle.pyz` proves all of a bundle; this reads no more of it than the proof about one file takes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.offline import merkle
from countersign.offline.curves import ed25519_verifies
from countersign.offline.evidence import once, sha256
from countersign.offline.problems import Unread, Wrong

INDEX, SEAL, KEYS, NOTE, EVENTS = (
    "bundle.json",
    "bundle.dsse.json",
    "keys.json",
    "checkpoint.txt",
    "ledger-extract.json",
)
_KIND = b"application/vnd.countersign.bundle+json"
_ENDORSES = b"countersign key endorsement v1\n"
_LARGEST = 256 * 1024 * 1024


@dataclass(frozen=True)
class Ledger:
    """What a bundle proves of it: its size and root, the key that signed the bundle, and the events."""

    size: int
    root: str
    by: str
    keys: Mapping[str, bytes]
    events: Sequence[dict[str, Any]]

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [event["payload"] for event in self.events if event["type"] == kind]


def key_id(text: str) -> str:
    """The id of a key that is given as that or as NAME+HASH+BASE64. Raises ValueError."""
    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return text.lower()
    material = base64.b64decode(text.strip().partition("+")[2].partition("+")[2], validate=True)
    if len(material) != 33 or material[0] != 1:
        raise ValueError(text)
    return sha256(material[1:])


def ledger(path: str) -> Ledger:
    """Steps 1 and 3. Raises Wrong."""
    members = _members(Path(path))
    keys = {
        key["key_id"]: bytes.fromhex(key["public"])
        for key in json.loads(members[KEYS], object_pairs_hook=once)["keys"]
        if (key["algorithm"], key["purpose"]) == ("ed25519", "ledger")
    }
    if any(sha256(public) != name for name, public in keys.items()):
        raise Wrong("a key of the bundle is not the one its id says")
    by = _sealed(members[SEAL], members[INDEX], keys)
    listed = {
        m["name"]: m["sha256"]
        for m in json.loads(members[INDEX], object_pairs_hook=once)["members"]
    }
    for name in (KEYS, NOTE, EVENTS):
        if listed.get(name) != sha256(members[name]):
            raise Wrong(f"{name} of the bundle is not the one of its index")
    extract = json.loads(members[EVENTS], object_pairs_hook=once)
    size, root, _leaves = merkle.check_extract(extract)
    _noted(members[NOTE], keys, size, root)
    events = [
        {"seq": item["seq"], **json.loads(base64.b64decode(item["body"]))}
        for item in extract["events"]
    ]
    return Ledger(size, root, by, keys, events)


def vouched(found: Ledger, pinned: Sequence[str]) -> str:
    """2. Raises Wrong where no pinned key vouches for it, Unread where none was given."""
    if found.by in {said["key"] for said in found.told("audits.key.retired")}:
        raise Wrong(f"the bundle is signed by {found.by}, which its own ledger says was retired")
    if not pinned:
        raise Unread(
            f"{found.by} signed the bundle; whether it is the site's is not proven: compare it, or give --key"
        )
    stolen = {
        s["key"]: s["compromised_since"]
        for s in found.told("audits.key.retired")
        if s["compromised_since"]
    }
    added = {e["payload"]["key"]: e for e in found.events if e["type"] == "audits.key.added"}
    chain = [found.by]
    while chain[-1] not in pinned:
        event = added[chain[-1]]
        by = event["payload"]["endorsed_by"]
        if by in chain or not _endorsed(event, found.keys.get(by, b"")):
            raise Wrong(
                f"the bundle is signed by {found.by}; no key that you named is it or vouches for it"
            )
        if by in stolen and event["at"][:19] >= stolen[by][:19]:
            raise Wrong(f"the key {by} endorsed another after it was compromised")
        chain.append(by)
    return (
        " < ".join(key[:16] for key in chain)
        + ": the one you named"
        + (" vouches for it" if len(chain) > 1 else "")
    )


def issued(found: Ledger, digest: str) -> str:
    """4. Raises Wrong where no event issued a file with this SHA-256."""
    for event in found.events:
        if event["type"] == merkle.ISSUED and event["payload"]["digest"] == digest:
            return f"issued by event {event['seq']} of the {found.size} that the bundle proves, {event['at']}"
    raise Wrong(
        f"no event of the bundle issued a file with the SHA-256 {digest}: it was changed, or is of another version"
    )


def _members(path: Path) -> dict[str, bytes]:
    """The five. Whatever else the archive holds, these are what the index signs for."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _read(archive, name) for name in (INDEX, SEAL, KEYS, NOTE, EVENTS)}
    except KeyError as error:
        raise Wrong(f"this is no bundle: {error}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Wrong(f"the bundle cannot be unpacked: {error}") from None


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _LARGEST:
        raise Wrong(f"{name} of the bundle is too large for what it is")
    return archive.read(name)


def _sealed(seal: bytes, index: bytes, keys: Mapping[str, bytes]) -> str:
    """1. The id of the key that signed the index."""
    envelope = json.loads(seal, object_pairs_hook=once)
    (signature,) = envelope["signatures"]
    signed = b"DSSEv1 %d %b %d %b" % (len(_KIND), _KIND, len(index), index)
    by, value = signature["keyid"], base64.b64decode(signature["sig"], validate=True)
    same = (
        envelope["payloadType"].encode() == _KIND
        and base64.b64decode(envelope["payload"], validate=True) == index
    )
    if not same or not ed25519_verifies(keys.get(by, b""), signed, value):
        raise Wrong("the bundle's index is not signed by a ledger key of the bundle")
    return str(by)


def _noted(note: bytes, keys: Mapping[str, bytes], size: int, root: str) -> None:
    """3. The checkpoint says the same, and is signed (C2SP tlog-checkpoint)."""
    text, _, below = note.decode("utf-8").rpartition("\n\n")
    origin, told, encoded = text.split("\n")[:3]
    if (told, base64.b64decode(encoded, validate=True).hex()) != (str(size), root):
        raise Wrong("the bundle's checkpoint and its events are about different ledgers")
    for line in below.splitlines():
        for public in keys.values():
            if _signed_by(line, origin, public, (text + "\n").encode()):
                return
    raise Wrong("the bundle's checkpoint is signed by none of its keys")


def _signed_by(line: str, origin: str, public: bytes, text: bytes) -> bool:
    try:
        dash, name, encoded = line.split(" ")
        value = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return False
    short = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
    return (dash, name, value[:4]) == ("\u2014", origin, short) and ed25519_verifies(
        public, text, value[4:]
    )


def _endorsed(event: dict[str, Any], by: bytes) -> bool:
    said = event["payload"]
    return ed25519_verifies(
        by, _ENDORSES + bytes.fromhex(said["public"]), bytes.fromhex(said["endorsement"])
    )
