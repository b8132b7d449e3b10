#!/usr/bin/env python3
"""Verify a bundle of Countersign without Countersign: everything about one version of a model, in one ZIP archive.

Python 3.9 or later, standard library only. `verify_bundle.pyz` is this file and `verify_ledger.py` in one. It shares nothing with the program that
wrote the bundle but the written formats (docs/how-to/verify-a-bundle.md):

    python3 verify_bundle.pyz income-v3-bundle.zip                       # as it lies in the bundle
    python3 verify_bundle.py income-v3-bundle.zip                        # as it lies in the source, beside verify_ledger.py
    python3 verify_bundle.py income-v3-bundle.zip --key 3fa9...          # the id of the site's key, from elsewhere
    python3 verify_bundle.py income-v3-bundle.zip --root 1200:9f3c...    # a root of the ledger that you kept

Each item is printed with `ok` or `WRONG`:

 1. The archive is one archive: nothing before or after it, no name twice, no name that leaves its folder.
 2. The index is signed by a key of the bundle (and by the one you named); each member has the size and SHA-256 of the index, and
    there are no others.
 3. Each key's id is the SHA-256 of the key; a key that replaced another is endorsed by it; nothing was signed by a key after it was
    compromised.
 4. The checkpoint is signed; the ledger's events lead to its root; personal data fit their commitments.
 5. Each round's evidence manifest has the digest that the ledger has; its policy, card, results and files are those in the bundle.
 6. Each decision's statement names its round's evidence and has the digest that the ledger has; the site's envelope around it is
    signed and is about exactly the files of the version.
 7. Each check result has the digest that it says and the ledger has, each card revision is of this version.
 8. Each document is, byte for byte, one that the ledger says was issued.
 9. Each model file, if the bundle has them, has the digest of the version's manifest.
10. Every round, decision, card revision and document that the ledger tells of is in the bundle.

What it cannot show: that what people wrote is true; that the quorum was what it should have been (the policies are in the bundle: read
them); that the key is the site's, unless you name it; that nothing was left out that the ledger does not tell of.

Exit status: 0 all right, 1 something is wrong (the first wrong thing is named at the end), 2 not run.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from verify_ledger import (
    Key,
    Wrong,
    check_checkpoint,
    check_extract,
    check_root,
    check_signature,
    hashed,
    member,
    parse,
    saved_root,
    statement_in,
)

INDEX, SEAL = "bundle.json", "bundle.dsse.json"
PAYLOAD_TYPE = "application/vnd.countersign.bundle+json"
IN_TOTO = "application/vnd.in-toto+json"
PREDICATE = "urn:countersign:decision:v1"
ENDORSES = b"countersign key endorsement v1\n"
MOST_MEMBERS = 100_000
LONGEST_RECORD = 256 << 20
CHUNK = 1 << 20
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)

Item = tuple[str, str]


class Bundle:
    """The archive with its index; members are read when they are asked for, and only if the index has them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = open_archive(path)
        self.index: dict[str, Any] = {}
        self.by = ""
        self.members: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, bytes] = {}
        self.known: list[dict[str, Any]] = []
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.version: dict[str, Any] = {}
        self.manifests: dict[str, tuple[str, dict[str, Any]]] = {}

    def read(self, name: str) -> bytes:
        """A record, whole. Raises Wrong where it is absent or far too large."""
        try:
            if self.archive.getinfo(name).file_size > LONGEST_RECORD:
                raise Wrong("it is too large for a record")
            return self.archive.read(name)
        except KeyError:
            raise Wrong("it is not in the archive") from None
        except UNREADABLE as error:
            raise Wrong(f"it cannot be read: {error}") from None

    def data(self, name: str) -> Any:
        return parse(self.read(name), "it")

    def named(self, kind: str) -> list[str]:
        """The members of a kind, in order."""
        return sorted(name for name, entry in self.members.items() if entry["kind"] == kind)

    def happened(self, kind: str) -> list[dict[str, Any]]:
        """What the ledger's events of a type say, oldest first."""
        return self.events.get(kind, [])


def open_archive(path: Path) -> zipfile.ZipFile:
    """1. One archive, from the first byte of the file to the last."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise Wrong(f"this is no ZIP archive: {error}") from None
    check_archive_names([info.filename for info in archive.infolist()])
    with path.open("rb") as stream:
        if stream.read(4) != b"PK\x03\x04" or archive.infolist()[0].header_offset:
            raise Wrong("there is something before the archive")
        stream.seek(-22, 2)
        if archive.comment or stream.read(4) != b"PK\x05\x06":
            raise Wrong("there is something after the archive")
    return archive


def check_archive_names(names: list[str]) -> None:
    if len(names) > MOST_MEMBERS:
        raise Wrong(f"it has more than {MOST_MEMBERS} members")
    if len(set(names)) != len(names):
        raise Wrong("it has a name twice")
    for name in names:
        if not safe(name):
            raise Wrong(f"the name {name!r} is not safe")


def safe(name: str) -> bool:
    parts = name.split("/")
    bad = "\\" in name or ":" in parts[0] or any(ord(char) < 32 for char in name)
    return bool(name) and not bad and all(part not in ("", ".", "..") for part in parts)


def opened(data: bytes, keys: dict[str, bytes], kind: str) -> tuple[bytes, str]:
    """The payload of a DSSE envelope and the id of the key that signed it."""
    found = parse(data, "the envelope")
    if member(found, "payloadType", str, "the envelope") != kind:
        raise Wrong(f"the envelope holds {found['payloadType']}, expected {kind}")
    payload = unwrapped(member(found, "payload", str, "the envelope"))
    signatures = member(found, "signatures", list, "the envelope")
    if len(signatures) != 1:
        raise Wrong(f"the envelope has {len(signatures)} signatures, expected 1")
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


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def canonical(value: Any) -> bytes:
    """RFC 8785 of what `parse` gave: it has sorted the members and refused floats."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def check_index(bundle: Bundle, trusted: list[str]) -> str:
    """2. and 3. The keys first: the index is signed by one of them."""
    read_keys(bundle)
    index = bundle.read(INDEX)
    payload, by = opened(bundle.read(SEAL), bundle.keys, PAYLOAD_TYPE)
    if payload != index:
        raise Wrong("what is signed is not this index")
    if trusted and by not in trusted:
        raise Wrong(f"it is signed by {by}, which is not a key you named")
    bundle.index, bundle.by = parse(index, "it"), by
    if member(bundle.index, "schema", str, "it") != "countersign.bundle/1":
        raise Wrong(f"the format {bundle.index['schema']} is unknown to this program")
    for entry in member(bundle.index, "members", list, "it"):
        list_member(bundle, entry)
    told = "a key you named" if trusted else "compare it with the one you were given"
    return f"{len(bundle.members)} members, signed by key {by} ({told})"


def read_keys(bundle: Bundle) -> None:
    """3. Each key is the one that its id says."""
    bundle.known = member(bundle.data("keys.json"), "keys", list, "it")
    for entry in bundle.known:
        public = bytes_of_hex(member(entry, "public", str, "a key"))
        if digest(public) != hashed(entry, "key_id", "a key"):
            raise Wrong(f"the key {entry['key_id'][:16]} is not the one its id says")
        if member(entry, "algorithm", str, "a key") == "ed25519":
            bundle.keys[entry["key_id"]] = public


def list_member(bundle: Bundle, entry: dict[str, Any]) -> None:
    name = member(entry, "name", str, "a member")
    if name in bundle.members:
        raise Wrong(f"it lists {name} twice")
    member(entry, "size", int, name)
    member(entry, "kind", str, name)
    hashed(entry, "sha256", name)
    bundle.members[name] = entry


def bytes_of_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Wrong("a key is not written in hexadecimal") from None


def check_names(bundle: Bundle) -> str:
    """2. The members of the archive are those of the index."""
    there = {info.filename for info in bundle.archive.infolist()} - {INDEX, SEAL}
    for name in sorted(bundle.members.keys() - there):
        raise Wrong(f"{name} is missing")
    for name in sorted(there - bundle.members.keys()):
        raise Wrong(f"{name} is not in the index")
    return "no member is missing, none was added"


def check_member(bundle: Bundle, name: str) -> str:
    """2. One member, in flat memory."""
    entry = bundle.members[name]
    try:
        size, found = summed(bundle, name, entry["size"])
    except Exception as error:  # noqa: BLE001 - zipfile and zlib raise a dozen kinds on damaged bytes
        raise Wrong(f"it cannot be unpacked: {error}") from None
    if size > entry["size"]:
        raise Wrong(f"it is longer than the {entry['size']} bytes of the index")
    if (size, found) != (entry["size"], entry["sha256"]):
        raise Wrong(f"its SHA-256 is {found}, the index says {entry['sha256']}")
    return f"{size} bytes, SHA-256 {entry['sha256']}"


def summed(bundle: Bundle, name: str, most: int) -> tuple[int, str]:
    """Size and SHA-256 of a member, read no further than it may be long."""
    sums, size = hashlib.sha256(), 0
    with bundle.archive.open(name) as stream:
        while size <= most and (piece := stream.read(CHUNK)):
            sums.update(piece)
            size += len(piece)
    return size, sums.hexdigest()


def check_ledger(bundle: Bundle, roots: list[tuple[int, str]]) -> str:
    """4."""
    extract = bundle.data("ledger-extract.json")
    size, root, leaves = check_extract(extract)
    for item in extract["events"]:
        said = statement_in(base64.b64decode(item["body"]))
        bundle.events.setdefault(said["type"], []).append(said["payload"])
    at, signed, by = check_checkpoint(bundle.read("checkpoint.txt"), notes_keys(bundle))
    if (at, signed) != (size, root) or bundle.index["ledger_size"] != size:
        raise Wrong(f"the checkpoint says root {signed} at size {at}, the events {root} at {size}")
    for kept, value in roots:
        if kept != size:
            raise Wrong(
                f"a root at size {kept} needs a consistency proof to {size}: see verify_ledger.py --proof"
            )
        check_root(size, root, {kept: [(value, "the root you gave")]})
    return f"{len(leaves)} events lead to root {root} at size {size}; checkpoint {', '.join(by)}"


def notes_keys(bundle: Bundle) -> list[Key]:
    """The bundle's own keys under the name that the checkpoint has: its first line."""
    origin = bundle.read("checkpoint.txt").split(b"\n", 1)[0].decode("utf-8", "replace")
    found = []
    for public in bundle.keys.values():
        material = b"\x01" + public
        short = hashlib.sha256(origin.encode() + b"\n" + material).digest()[:4].hex()
        found.append(Key(f"{origin}+{short}+{base64.b64encode(material).decode()}"))
    return found


def check_keys(bundle: Bundle) -> str:
    """3. What the ledger says about the keys, and that each was endorsed by the one before."""
    added = {said["key"]: said for said in bundle.happened("audits.key.added")}
    retired = {said["key"]: said for said in bundle.happened("audits.key.retired")}
    words = []
    for entry in bundle.known:
        key = entry["key_id"]
        said = added.get(key)
        if said is None or said["public"] != entry["public"]:
            raise Wrong(f"the ledger does not say that the key {key[:16]} was admitted")
        if bool(entry.get("retired_at")) != (key in retired):
            raise Wrong(f"key {key[:16]}: retired in one of bundle and ledger only")
        words.append(f"{key[:16]} {entry['purpose']}{endorsed(bundle, said)}")
    require_honest(bundle, bundle.by, bundle.index["made_at"])
    return "; ".join(words)


def endorsed(bundle: Bundle, said: dict[str, Any]) -> str:
    by = said["endorsed_by"]
    if not by:
        return ", endorsed by none"
    if by not in bundle.keys:  # P-256: the standard library cannot verify it
        return f", said to be endorsed by {by[:16]} (not checked)"
    check_signature(
        bundle.keys[by], ENDORSES + bytes_of_hex(said["public"]), bytes_of_hex(said["endorsement"])
    )
    return f", endorsed by {by[:16]}"


def check_version(bundle: Bundle) -> str:
    """The version is the one of the index, and its manifest has the digest that is its name."""
    said = bundle.version = bundle.data("version.json")
    manifest = member(said, "manifest", list, "it")
    if digest(canonical(manifest)) != hashed(said, "manifest_digest", "it"):
        raise Wrong("its manifest is not what its digest says")
    for name in ("model", "version", "manifest_digest"):
        if said[name] != bundle.index[name]:
            raise Wrong(f"its {name} is {said[name]}, the index says {bundle.index[name]}")
    return f"{said['model']} v{said['version']}, {len(manifest)} files, manifest {said['manifest_digest']}"


def check_round(bundle: Bundle, name: str) -> str:
    """5."""
    data = bundle.read(name)
    said, own = parse(data, "it"), digest(data)
    if own not in {each["digest"] for each in bundle.happened("reviews.round.made")}:
        raise Wrong(f"the ledger has no round of evidence with the digest {own}")
    if said["version"]["manifest_digest"] != bundle.version["manifest_digest"]:
        raise Wrong("it is about other files than the version's")
    if said["files"] != bundle.version["manifest"]:
        raise Wrong("the files that it lists are not the version's")
    policy = digest(bundle.read(folder(name) + "policy.json"))
    if policy != said["policy"]["digest"]:
        raise Wrong(
            f"the policy beside it has the digest {policy}, it names {said['policy']['digest']}"
        )
    check_card_named(bundle, said["card"])
    for entry in said["checks"]:
        check_result_named(bundle, entry)
    for entry in said.get("uploaded", []):
        if bundle.members.get(f"uploaded/{entry['result']}", {}).get("sha256") != entry["digest"]:
            raise Wrong(f"the uploaded result {entry['name']} is not the one it names")
    bundle.manifests[own] = (name, said)
    return f"evidence {own}: policy, card, {len(said['checks'])} checks and files are those in the bundle"


def folder(name: str) -> str:
    return name.rpartition("/")[0] + "/"


def check_card_named(bundle: Bundle, card: dict[str, Any] | None) -> None:
    if card is None:
        return
    found = bundle.members.get(f"card/revision-{card['revision']}.json", {}).get("sha256")
    if found != card["digest"]:
        raise Wrong(f"card revision {card['revision']} is not the one it names")


def check_result_named(bundle: Bundle, entry: dict[str, Any]) -> None:
    if entry["measurement"] is None or entry["result_digest"] is None:
        return
    said = bundle.data(f"checks/{entry['measurement']}.json")
    if said["result_digest"] != entry["result_digest"]:
        raise Wrong(f"the result of {entry['kind']} is not the one it names")


def check_statement(bundle: Bundle, name: str) -> str:
    """6."""
    data = bundle.read(name)
    said, own = parse(data, "it"), digest(data)
    told = [e for e in bundle.happened("reviews.decision.recorded") if e["statement_digest"] == own]
    if not told:
        raise Wrong(f"the ledger has no decision with the statement {own}")
    if (
        said["evidence_digest"] not in bundle.manifests
        or told[0]["evidence_digest"] != said["evidence_digest"]
    ):
        raise Wrong("the evidence that it names is not in the bundle")
    where = bundle.manifests[said["evidence_digest"]][0]
    if folder(where) != folder(name):
        raise Wrong(f"it is about the evidence of another review, {where}")
    for key in ("outcome", "meaning", "role", "step", "signer"):
        if said[key] != told[0][key]:
            raise Wrong(f"its {key} is {said[key]!r}, the ledger says {told[0][key]!r}")
    sealed = check_envelope(bundle, name, said, own, told[0].get("envelope", ""))
    return f"{said['meaning']} as {said['role']} on {said['signed_at']}, by {said['method']}, statement {own}; {sealed}"


def check_envelope(bundle: Bundle, name: str, said: dict[str, Any], own: str, digest_: str) -> str:
    """6. The site's signature around the statement."""
    if not digest_:
        return "no envelope (decided before the site had a key)"
    data = bundle.read(name[: -len(".json")] + ".dsse.json")
    if digest(data) != digest_:
        raise Wrong("its envelope is not the one that the ledger has")
    payload, by = opened(data, bundle.keys, IN_TOTO)
    found = parse(payload, "the envelope")
    subjects = {each["name"]: each["digest"]["sha256"] for each in found["subject"]}
    wanted = {f"files/{each['path']}": each["digest"] for each in bundle.version["manifest"]}
    wanted["evidence-manifest.json"] = said["evidence_digest"]
    if subjects != wanted or found["predicateType"] != PREDICATE:
        raise Wrong("its envelope is not about the files of this version")
    predicate = found["predicate"]
    if predicate.pop("statement") != own or any(
        said[key] != value for key, value in predicate.items()
    ):
        raise Wrong("its envelope says something else than the statement")
    require_honest(bundle, by, said["signed_at"])
    return f"envelope signed by {by[:16]}"


def require_honest(bundle: Bundle, key: str, at: str) -> None:
    """3. Nothing counts that was signed after the key was in other hands."""
    for said in bundle.happened("audits.key.retired"):
        if said["key"] == key and said["compromised_since"] and at >= said["compromised_since"]:
            raise Wrong(f"it was signed after the key {key[:16]} was compromised")


def check_check(bundle: Bundle, name: str) -> str:
    """7."""
    said = bundle.data(name)
    own = digest(canonical({key: said[key] for key in ("key", "result", "statistics")}))
    if own != said["result_digest"]:
        raise Wrong(f"its result has the digest {own}, it says {said['result_digest']}")
    if own not in {each["result_digest"] for each in bundle.happened("checks.measurement.done")}:
        raise Wrong(f"the ledger has no result with the digest {own}")
    return f"{said['kind']}, result {own}"


def check_card(bundle: Bundle, name: str) -> str:
    """7."""
    data = bundle.read(name)
    said = parse(data, "it")
    if said["version"] != bundle.version["uuid"] or name != f"card/revision-{said['number']}.json":
        raise Wrong("it is of another version, or another revision")
    if digest(data) not in {each["digest"] for each in bundle.happened("modelcards.card.saved")}:
        raise Wrong("the ledger has no card revision with its digest")
    return f"{len(said['blocks'])} blocks written by people"


def check_document(bundle: Bundle, name: str) -> str:
    """8."""
    own = bundle.members[name]["sha256"]
    for each in bundle.happened("compliance.document.issued"):
        if f"documents/{each['uuid']}.pdf" == name and each["digest"] == own:
            return f"issued as the ledger says, {each['size']} bytes"
    raise Wrong("the ledger does not say that this file was issued")


def check_file(bundle: Bundle, name: str) -> str:
    """9."""
    wanted = {f"files/{each['path']}": each["digest"] for each in bundle.version["manifest"]}
    if wanted.get(name) != bundle.members[name]["sha256"]:
        raise Wrong("it is not a file of the version's manifest")
    return "as in the version's manifest"


def check_files(bundle: Bundle) -> str:
    """9. All of them or none."""
    there, wanted = bundle.named("file"), bundle.version["manifest"]
    if not bundle.index["with_files"]:
        if there:
            raise Wrong("the index says that there are none")
        return "not in this bundle: compare yours with version.json"
    if len(there) != len(wanted):
        raise Wrong(f"{len(wanted) - len(there)} of {len(wanted)} files are missing")
    return f"all {len(wanted)} files of the version"


CHECKS: list[tuple[str, Callable[[Bundle, str], str]]] = [
    ("check", check_check),
    ("card", check_card),
    ("evidence", check_round),
    ("statement", check_statement),
    ("document", check_document),
    ("file", check_file),
]


# What the ledger tells of, under which name it has the digest, and the kind of member that must have it.
TOLD = [
    ("reviews.round.made", "digest", "evidence"),
    ("reviews.decision.recorded", "statement_digest", "statement"),
    ("modelcards.card.saved", "digest", "card"),
    ("compliance.document.issued", "digest", "document"),
]


def check_told(bundle: Bundle) -> str:
    """10. Nothing that the ledger tells of was left out, such as a decision against the version."""
    count = 0
    for event, field, kind in TOLD:
        there = {bundle.members[name]["sha256"] for name in bundle.named(kind)}
        for said in bundle.happened(event):
            count += 1
            if said[field] not in there:
                raise Wrong(
                    f"the ledger tells of {event} {said[field]}, which is not in the bundle"
                )
    return f"the {count} rounds, decisions, card revisions and documents of the ledger are in the bundle"


class Report:
    """What was found, item by item."""

    def __init__(self) -> None:
        self.items: list[tuple[bool, str, str]] = []

    def ask(self, name: str, check: Callable[[], str]) -> bool:
        """One item. Whatever a check stumbles over is a wrong item, never a crash."""
        try:
            self.items.append((True, name, check()))
        except Wrong as wrong:
            self.items.append((False, name, str(wrong)))
        except (
            KeyError,
            TypeError,
            AttributeError,
            IndexError,
            ValueError,
            RecursionError,
        ) as error:
            self.items.append(
                (False, name, f"it is not what it should be ({type(error).__name__}: {error})")
            )
        return self.items[-1][0]

    @property
    def wrong(self) -> list[Item]:
        return [(name, said) for good, name, said in self.items if not good]


def verify(path: Path, trusted: list[str], roots: list[tuple[int, str]]) -> Report:
    """Everything, in an order in which the first wrong thing is the one that explains the others."""
    report, found = Report(), []

    def begin() -> str:
        found.append(Bundle(path))
        return f"{len(found[0].archive.infolist())} members"

    if not report.ask("archive", begin):
        return report
    bundle = found[0]
    if report.ask(INDEX, lambda: check_index(bundle, trusted)) and check_bytes(bundle, report):
        check_meaning(bundle, report, roots)
    return report


def check_bytes(bundle: Bundle, report: Report) -> bool:
    """2. Whether every byte is where the index says."""
    report.ask("members", lambda: check_names(bundle))
    for name in sorted(bundle.members):
        report.ask(name, lambda name=name: check_member(bundle, name))  # type: ignore[misc]
    return not report.wrong


def check_meaning(bundle: Bundle, report: Report, roots: list[tuple[int, str]]) -> None:
    """3. to 9. That the members belong together."""
    if not report.ask("version", lambda: check_version(bundle)):
        return
    report.ask("ledger", lambda: check_ledger(bundle, roots))
    report.ask("keys", lambda: check_keys(bundle))
    for kind, check in CHECKS:
        for name in bundle.named(kind):
            report.ask(f"{kind} {name}", lambda check=check, name=name: check(bundle, name))  # type: ignore[misc]
    report.ask("files", lambda: check_files(bundle))
    report.ask("whole", lambda: check_told(bundle))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify a bundle of Countersign, offline.")
    parser.add_argument("bundle", metavar="BUNDLE.zip")
    parser.add_argument("--key", metavar="ID", action="append", default=[], help="the id (64 hexadecimal characters) of a key you trust")  # fmt: skip
    parser.add_argument("--root", metavar="SIZE:ROOT", type=saved_root, action="append", default=[], help="the ledger's root at the bundle's size, from elsewhere")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the items as JSON")
    options = parser.parse_args(arguments)
    try:
        report = verify(Path(options.bundle), [key.lower() for key in options.key], options.root)
    except OSError as error:
        sys.stderr.write(f"cannot read {options.bundle}: {error.strerror or error}\n")
        return 2
    say(report, as_json=options.json)
    return 1 if report.wrong else 0


def say(report: Report, *, as_json: bool) -> None:
    first = report.wrong[0] if report.wrong else None
    if as_json:
        items = [{"ok": good, "item": name, "said": said} for good, name, said in report.items]
        print(json.dumps({"ok": first is None, "first_wrong": first, "items": items}, indent=1))  # noqa: T201
        return
    colour = sys.stdout.isatty()
    for good, name, said in report.items:
        word = "ok   " if good else "WRONG"
        mark = f"\x1b[{32 if good else 31}m{word}\x1b[0m" if colour else word
        print(f"{mark} {printable(name)}: {printable(said)}")  # noqa: T201
    print("PASS" if first is None else f"FAIL: {printable(first[0])}: {printable(first[1])}")  # noqa: T201


def printable(text: str) -> str:
    """Nothing that moves a terminal's cursor."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


if __name__ == "__main__":
    sys.exit(main())
