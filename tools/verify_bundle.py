#!/usr/bin/env python3
"""Verify a bundle of Countersign without Countersign: everything about versions of models, in one ZIP archive.

Python 3.9 or later, standard library only. `verify_bundle.pyz` is this file and those that it imports in one. It shares nothing with the
program that wrote the bundle but the written formats (docs/how-to/verify-a-bundle.md):

    python3 verify_bundle.pyz income-v3-bundle.zip --key 3fa9...         # the site's key, from elsewhere
    python3 verify_bundle.pyz income-v3-bundle.zip --key ... --checkpoint kept.checkpoint     # and what you kept last year
    python3 verify_bundle.pyz income-v3-bundle.zip --key ... --export ledger.jsonl            # and the whole ledger
    python3 verify_bundle.py income-v3-bundle.zip --key ...              # as it lies in the source

Each item is printed with `ok`, `WRONG`, or `open` for what was not proven:

 1. The archive is one archive that no two programs read differently (verify_zip.py).
 2. The index is signed by a key of the bundle; each member has its place, and the size and SHA-256 of the index; there are no others.
 3. The checkpoint is signed; the ledger's events lead to its root; personal data fit their commitments.
 4. Each key's id is the SHA-256 of the key, and the ledger admitted it as what it is; a key that replaced another is endorsed by it;
    the key that signed the bundle is not retired; nothing was signed by a key after it was compromised. That key is one you named
    (--key), or one of those endorsed it, or one that was endorsed by it, and so on.
    A checkpoint or root that you kept (--checkpoint, --root) is the beginning of the bundle's ledger.
 5. Each round's evidence manifest has the digest that the ledger has; its policy, card, results and files are those in the bundle.
 6. Each decision's statement names its round's evidence and has the digest that the ledger has; the site's envelope around it is
    signed and is about exactly the files of the version.
 7. Each check result has the digest that it says and the ledger has; each uploaded result is one of the ledger's; each card
    revision is of this version.
 8. Each document is, byte for byte, one that the ledger says was issued.
 9. Each model file, if the bundle has them, has the digest of the version's manifest.
10. Every round, decision, result, card revision and document that the ledger's enclosed events tell of is in the bundle.
11. With --export: no event about these versions was left out of the enclosed ones.

What it cannot show: that what people wrote is true; that the quorum was what it should have been (the policies are in the bundle: read
them); that the key is the site's, unless you name it; that nothing happened after the bundle was made; without --export, that whoever
holds the site's key left no event out.

Exit status: 0 proven, 1 something is wrong (the first wrong thing is named at the end), 2 not run, 3 nothing is wrong, but something was not
proven: nobody vouches for the key (no --key), or nothing connects a checkpoint that you gave.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from verify_ledger import (
    HEX,
    Key,
    Wrong,
    body_of,
    check_checkpoint,
    check_consistent,
    check_export,
    check_extract,
    check_lines,
    check_signature,
    hashed,
    lines_of,
    member,
    parse,
    proof_of,
    read_note,
    saved_root,
    statement_in,
    unwrapped,
)
from verify_records import (
    FOLDER,
    INDEX,
    SEAL,
    Bundle,
    Event,
    Part,
    bytes_of_hex,
    digest,
    moment,
    opened,
    record,
    require_honest,
    require_place,
)
from verify_version import CHECKS, check_files, check_told, check_version

PAYLOAD_TYPE = "application/vnd.countersign.bundle+json"
ENDORSES = b"countersign key endorsement v1\n"
ONE, SEVERAL = "countersign.bundle/1", "countersign.bundle/2"
MOST_VERSIONS = 10_000
PROVEN, WRONG, NOT_RUN, OPEN = 0, 1, 2, 3
BROKEN = (KeyError, TypeError, AttributeError, IndexError, ValueError, RecursionError, OSError)


class NotProven(Exception):
    """Nothing is wrong, and nothing was shown either."""


@dataclass(frozen=True)
class Kept:
    """What the verifier's user brings: keys, and sizes of the ledger with roots that it must have had."""

    keys: list[str]
    names: list[str]
    notes: list[tuple[str, bytes]]
    roots: list[tuple[int, str]]
    proofs: list[Any]
    export: str = ""


@dataclass(frozen=True)
class Item:
    """One thing that was looked at. `part`: the version that it is about, "" for the bundle as a whole."""

    state: str
    name: str
    said: str
    part: str = ""


class Report:
    """What was found, item by item."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.about = ""

    def ask(self, name: str, check: Callable[..., str], *about: Any, part: str = "") -> bool:
        """One item. Whatever a check stumbles over is a wrong item, never a crash."""
        try:
            found = Item("ok", name, check(*about), part)
        except NotProven as gap:
            found = Item("open", name, str(gap), part)
        except Wrong as wrong:
            found = Item("wrong", name, str(wrong), part)
        except BROKEN as error:
            told = f"it is not what it should be ({type(error).__name__}: {error})"
            found = Item("wrong", name, told, part)
        self.items.append(found)
        return found.state == "ok"

    def having(self, state: str) -> list[Item]:
        return [item for item in self.items if item.state == state]

    @property
    def wrong(self) -> list[Item]:
        return self.having("wrong")

    @property
    def status(self) -> int:
        return WRONG if self.wrong else OPEN if self.having("open") else PROVEN

    @property
    def first(self) -> Item | None:
        """The first wrong thing, else the first that was not proven."""
        return next(iter(self.wrong or self.having("open")), None)


def check_index(bundle: Bundle) -> str:
    """2. The keys first: the index is signed by one of them."""
    read_keys(bundle)
    index = bundle.read(INDEX)
    payload, by = opened(bundle.read(SEAL), bundle.keys, PAYLOAD_TYPE)
    if payload != index:
        raise Wrong("what is signed is not this index")
    bundle.index, bundle.by = record(index, "it"), by
    moment(member(bundle.index, "made_at", str, "it"))
    read_versions(bundle)
    for entry in member(bundle.index, "members", list, "it"):
        list_member(bundle, entry)
    return f"{len(bundle.members)} members, signed by key {by}"


def read_versions(bundle: Bundle) -> None:
    """Of one version, which has no folder, or of several, each in its own."""
    schema = member(bundle.index, "schema", str, "it")
    if schema == ONE:
        bundle.parts = [Part("", bundle.index)]
        return
    if schema != SEVERAL:
        raise Wrong(f"the format {schema} is unknown to this program")
    for entry in member(bundle.index, "versions", list, "it"):
        folder = member(entry, "folder", str, "a version")
        if not FOLDER.fullmatch(folder) or folder.lower() in {
            p.folder.lower() for p in bundle.parts
        }:
            raise Wrong(f"the folder {folder} is no folder of a version, or there twice")
        bundle.parts.append(Part(folder, entry))
    if not 0 < len(bundle.parts) <= MOST_VERSIONS:
        raise Wrong("it is about no version, or far too many")


def read_keys(bundle: Bundle) -> None:
    """4. Each key is the one that its id says. Those of the ledger sign here, others do not."""
    bundle.known = member(bundle.record("keys.json"), "keys", list, "it")
    for entry in bundle.known:
        public = bytes_of_hex(member(entry, "public", str, "a key"))
        if digest(public) != hashed(entry, "key_id", "a key"):
            raise Wrong(f"the key {entry['key_id'][:16]} is not the one its id says")
        if (entry["algorithm"], entry["purpose"]) == ("ed25519", "ledger"):
            bundle.keys[entry["key_id"]] = public


def list_member(bundle: Bundle, entry: dict[str, Any]) -> None:
    name = member(entry, "name", str, "a member")
    if name in bundle.members:
        raise Wrong(f"it lists {name} twice")
    member(entry, "size", int, name)
    require_place(bundle, name, member(entry, "kind", str, name))
    hashed(entry, "sha256", name)
    bundle.members[name] = entry


def check_names(bundle: Bundle) -> str:
    """2. The members of the archive are those of the index."""
    there = set(bundle.archive.members) - {INDEX, SEAL}
    for name in sorted(bundle.members.keys() - there):
        raise Wrong(f"{name} is missing")
    for name in sorted(there - bundle.members.keys()):
        raise Wrong(f"{name} is not in the index")
    return "no member is missing, none was added"


def check_member(bundle: Bundle, name: str) -> str:
    """2. One member, in flat memory."""
    entry, sums, size = bundle.members[name], hashlib.sha256(), 0
    for piece in bundle.archive.pieces(name, entry["size"]):
        sums.update(piece)
        size += len(piece)
    if (size, sums.hexdigest()) != (entry["size"], entry["sha256"]):
        raise Wrong(f"its SHA-256 is {sums.hexdigest()}, the index says {entry['sha256']}")
    return f"{size} bytes, SHA-256 {entry['sha256']}"


def check_ledger(bundle: Bundle) -> str:
    """3."""
    extract = bundle.record("ledger-extract.json")
    bundle.size, bundle.root, bundle.leaves = check_extract(extract)
    for item in extract["events"]:
        said = statement_in(base64.b64decode(item["body"]))
        found = Event(item["seq"], said["type"], said["at"], said["scopes"], said["payload"])
        bundle.events.append(found)
    if len(bundle.leaves) != len(bundle.events):
        raise Wrong("it has an event twice")
    bundle.events.sort(key=lambda each: each.seq)
    note = bundle.read("checkpoint.txt")
    bundle.origin = origin_of(note)
    at, signed, by = check_checkpoint(note, notes_keys(bundle))
    if (at, signed) != (bundle.size, bundle.root) or bundle.index["ledger_size"] != at:
        raise Wrong(
            f"the checkpoint says root {signed} at size {at}, the events {bundle.root} at {bundle.size}"
        )
    return f"{len(bundle.leaves)} events lead to root {signed} at size {at}; checkpoint {', '.join(by)}"


def origin_of(note: bytes) -> str:
    return note.split(b"\n", 1)[0].decode("utf-8", "replace")


def notes_keys(bundle: Bundle) -> list[Key]:
    """The bundle's own keys under the name of its ledger, which is the first line of its checkpoint."""
    found = []
    for public in bundle.keys.values():
        material = b"\x01" + public
        short = hashlib.sha256(bundle.origin.encode() + b"\n" + material).digest()[:4].hex()
        found.append(Key(f"{bundle.origin}+{short}+{base64.b64encode(material).decode()}"))
    return found


def check_keys(bundle: Bundle) -> str:
    """4. What the ledger says about the keys, and that each was endorsed by the one before."""
    added = {said["key"]: said for said in bundle.happened("audits.key.added")}
    retired = {said["key"] for said in bundle.happened("audits.key.retired")}
    words = []
    for entry in bundle.known:
        key = entry["key_id"]
        said = added.get(key)
        if said is None or any(said[n] != entry[n] for n in ("public", "purpose", "algorithm")):
            raise Wrong(f"the ledger does not say that the key {key[:16]} was admitted as that")
        if bool(entry.get("retired_at")) != (key in retired):
            raise Wrong(f"key {key[:16]}: retired in one of bundle and ledger only")
        words.append(f"{key[:16]} {entry['purpose']}{endorsed(bundle, said)}")
    if bundle.by in retired:
        raise Wrong(
            f"the bundle is signed by {bundle.by[:16]}, which its own ledger says was retired"
        )
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


def check_vouched(bundle: Bundle, kept: Kept) -> str:
    """4. From the key that signed the bundle, by endorsements, back to one that you named."""
    if kept.names and bundle.origin not in kept.names:
        raise Wrong(f"the ledger is {bundle.origin}, you named a key of {', '.join(kept.names)}")
    if not kept.keys:
        raise NotProven(
            f"nobody vouches for the key {bundle.by}: compare it with the one you were given, and name that with --key"
        )
    added = {each.payload["key"]: each for each in bundle.told("audits.key.added")}
    chain = [bundle.by]
    while chain[-1] not in kept.keys:
        event = added[chain[-1]]
        by = event.payload["endorsed_by"]
        if by not in bundle.keys or by in chain:
            told = " < ".join(key[:16] for key in chain)
            raise Wrong(
                f"it is signed by {bundle.by}; no key that you named is it or vouches for it ({told})"
            )
        endorsed(bundle, event.payload)
        require_honest(bundle, by, event.at)
        chain.append(by)
    told = " < ".join(key[:16] for key in chain)
    return f"{chain[-1]}, which you named, " + (
        "signed it" if len(chain) == 1 else f"endorsed the one that signed it: {told}"
    )


def check_proofs(bundle: Bundle) -> str:
    """4. The enclosed proofs of growth lead to this ledger, whatever checkpoints were kept."""
    found = bundle.record("consistency.json")["proofs"]
    for number, proof in enumerate(found, start=1):
        (old, root), new, path = ends_of(proof, f"proof {number}")
        if new != (bundle.size, bundle.root):
            raise Wrong(f"proof {number} leads to another ledger")
        check_consistent(old, new[0], (bytes.fromhex(root), bytes.fromhex(new[1])), path)
    return f"{len(found)} earlier checkpoints of the site are its beginning"


def ends_of(proof: Any, what: str) -> tuple[tuple[int, str], tuple[int, str], list[bytes]]:
    ends, path = proof_of(proof, what)
    return ends[0], ends[1], path


def check_kept(bundle: Bundle, data: bytes, proofs: list[Any]) -> str:
    """4. A checkpoint that you kept: of this ledger, signed by a key of it, and on one line of growth with the bundle's."""
    text, size, root, lines = read_note(data)
    origin = origin_of(data)
    if origin != bundle.origin:
        raise Wrong(f"it is of another ledger: {origin}; the bundle is of {bundle.origin}")
    known = {key.hash for key in notes_keys(bundle)}
    if size > bundle.size and not any(
        unwrapped(line.rpartition(" ")[2])[:4] in known for line in lines
    ):
        raise NotProven(newer(bundle, size) + ", and signed by a key that came after it")
    try:
        check_lines(text, lines, notes_keys(bundle))
    except Wrong as wrong:
        raise Wrong(f"no key of the bundle's ledger signed it: {wrong}") from None
    return check_growth(bundle, size, root, proofs)


def newer(bundle: Bundle, size: int) -> str:
    return f"it is newer, of {size} events, than the bundle, which shows nothing after event {bundle.size}"


def check_growth(bundle: Bundle, size: int, root: str, proofs: list[Any]) -> str:
    """4. One line of growth: the same root at one size, else a proof from the smaller to the larger."""
    if size == bundle.size:
        if root != bundle.root:
            raise Wrong(f"forked: at size {size} it has the root {root}, the bundle {bundle.root}")
        return f"it is of the same {size} events, and has the same root"
    ends = sorted([(size, root), (bundle.size, bundle.root)])
    enclosed = (
        bundle.record("consistency.json")["proofs"] if "consistency.json" in bundle.members else []
    )
    for proof in [*proofs, *enclosed]:
        old, new, path = ends_of(proof, "the proof")
        if (old[0], new[0]) == (ends[0][0], ends[1][0]):
            require_one_line(ends, (old, new), path)
            if size > bundle.size:
                return newer(bundle, size) + "; what it shows is the beginning of what you kept"
            return f"the ledger of {bundle.size} events begins with exactly its {size}"
    if size > bundle.size:
        raise NotProven(newer(bundle, size) + ": ask for a newer bundle, or give --proof")
    raise NotProven(
        f"nothing leads from its {size} events to the {bundle.size} of the bundle: have the bundle made with it (since), or give --proof"
    )


def require_one_line(
    ends: list[tuple[int, str]], said: tuple[tuple[int, str], tuple[int, str]], path: list[bytes]
) -> None:
    for (size, root), (_, other) in zip(ends, said):  # noqa: B905 -- Python 3.9 has no strict
        if root != other:
            raise Wrong(
                f"forked: the root at size {size} is {root} in one place and {other} in another"
            )
    roots = bytes.fromhex(ends[0][1]), bytes.fromhex(ends[1][1])
    check_consistent(ends[0][0], ends[1][0], roots, path)


def check_complete(bundle: Bundle, name: str) -> str:
    """11. The export has the bundle's root at its size, and no other event about its versions or keys up to there."""
    wanted = {part.scope for part in bundle.parts}
    with Path(name).open("rb") as stream:
        check_export(stream, {bundle.size: [(bundle.root, "the bundle")]}, dict(bundle.leaves))
    with Path(name).open("rb") as stream:
        for _number, line in lines_of(stream):
            if "seq" in line and line["seq"] <= bundle.size and line["seq"] not in bundle.leaves:
                require_foreign(line, wanted)
    return f"no event about these versions or the keys was left out of the first {bundle.size}"


def require_foreign(line: Any, wanted: set[str]) -> None:
    said = parse(body_of(line), "the body")
    if wanted & set(said["scopes"]) or said["type"].startswith("audits.key."):
        raise Wrong(f"event {line['seq']}, {said['type']}, is about them and was left out")


def verify(path: Path, kept: Kept) -> Report:
    """Everything, in an order in which the first wrong thing is the one that explains the others."""
    report, found = Report(), []

    def begin() -> str:
        found.append(Bundle(path))
        return f"{len(found[0].archive.members)} members, one after the other"

    if not report.ask("archive", begin):
        return report
    bundle = found[0]
    try:
        if report.ask(INDEX, check_index, bundle) and check_bytes(bundle, report):
            report.about = about(bundle)
            check_meaning(bundle, report, kept)
    finally:
        bundle.archive.close()
    return report


def about(bundle: Bundle) -> str:
    """What the verdict is about, so that nobody takes it for one about something else."""
    titles = [part.title for part in bundle.parts]
    what = ", ".join(titles[:5]) + (f" and {len(titles) - 5} more" if len(titles) > 5 else "")
    return f"{what} of {bundle.index['site']} as of {bundle.index['made_at']}"


def check_bytes(bundle: Bundle, report: Report) -> bool:
    """2. Whether every byte is where the index says."""
    report.ask("members", check_names, bundle)
    for name in sorted(bundle.members):
        report.ask(name, check_member, bundle, name, part=folder_of(name))
    return not report.wrong


def folder_of(name: str) -> str:
    if name.startswith("versions/"):
        return name[: name.index("/", len("versions/")) + 1]
    return ""


def check_meaning(bundle: Bundle, report: Report, kept: Kept) -> None:
    """3. to 11. That the members belong together."""
    if not report.ask("ledger", check_ledger, bundle):
        return
    if report.ask("keys", check_keys, bundle):
        report.ask("key", check_vouched, bundle, kept)
    if "consistency.json" in bundle.members:
        report.ask("growth", check_proofs, bundle)
    for name, note in kept.notes:
        report.ask(f"checkpoint {name}", check_kept, bundle, note, kept.proofs)
    for size, root in kept.roots:
        report.ask(f"root {size}", check_growth, bundle, size, root, kept.proofs)
    for part in bundle.parts:
        check_part(bundle, report, part)
    if kept.export and not report.wrong:
        report.ask("export", check_complete, bundle, kept.export)


def check_part(bundle: Bundle, report: Report, part: Part) -> None:
    """5. to 10."""
    if not report.ask(part.item("version"), check_version, bundle, part, part=part.folder):
        return
    for kind, check in CHECKS:
        for name in bundle.named(kind, part.folder):
            report.ask(f"{kind} {name}", check, bundle, part, name, part=part.folder)
    report.ask(part.item("files"), check_files, bundle, part, part=part.folder)
    report.ask(part.item("whole"), check_told, bundle, part, part=part.folder)


def trusted(text: str) -> tuple[str, str]:
    """A key as its id or as NAME+HASH+BASE64: its id, and the ledger's name where it is said."""
    if HEX.fullmatch(text.lower()):
        return text.lower(), ""
    try:
        key = Key(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"neither 64 hexadecimal characters nor a key: {error}"
        ) from None
    if key.kind != 1:
        raise argparse.ArgumentTypeError("that is the key of a witness, not of a ledger")
    return digest(key.public), key.name


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify a bundle of Countersign, offline.", epilog="Exit status: 0 proven, 1 wrong, 2 not run, 3 nothing wrong but not proven.")  # fmt: skip
    parser.add_argument("bundle", metavar="BUNDLE.zip")
    parser.add_argument("--key", type=trusted, action="append", default=[], help="the site's key that you have from elsewhere: its id (64 characters) or NAME+HASH+BASE64")  # fmt: skip
    parser.add_argument("--checkpoint", metavar="FILE", action="append", default=[], help="a checkpoint that you kept")  # fmt: skip
    parser.add_argument("--root", metavar="SIZE:ROOT", type=saved_root, action="append", default=[], help="a root of the ledger that you kept")  # fmt: skip
    parser.add_argument("--proof", metavar="FILE", action="append", default=[], help="a consistency proof between a size you kept and the bundle's")  # fmt: skip
    parser.add_argument("--export", metavar="FILE", default="", help="an export of the whole ledger: was an event left out?")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the items as JSON")
    options = parser.parse_args(arguments)
    try:
        report = verify(Path(options.bundle), kept_by(options))
    except (OSError, Wrong) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return NOT_RUN
    say(report, as_json=options.json)
    return report.status


def kept_by(options: argparse.Namespace) -> Kept:
    """What was given; Wrong or OSError for what cannot be read."""
    Path(options.bundle).open("rb").close()
    if options.export:
        Path(options.export).open("rb").close()
    return Kept(
        keys=[key for key, _ in options.key],
        names=[name for _, name in options.key if name],
        notes=[(name, Path(name).read_bytes()) for name in options.checkpoint],
        roots=options.root,
        proofs=[parse(Path(name).read_bytes(), name) for name in options.proof],
        export=options.export,
    )


def say(report: Report, *, as_json: bool) -> None:
    first = report.first
    if as_json:
        told = {
            "status": report.status,
            "about": report.about,
            "first": [first.name, first.said] if first else None,
            "items": [vars(item) for item in report.items],
        }
        print(json.dumps(told, indent=1))  # noqa: T201
        return
    for item in report.items:
        print(f"{coloured(item.state)} {printable(item.name)}: {printable(item.said)}")  # noqa: T201
    for line in by_version(report):
        print(line)  # noqa: T201
    print(verdict(report))  # noqa: T201


def by_version(report: Report) -> list[str]:
    """One line for each version of several."""
    found: dict[str, list[Item]] = {}
    for item in report.items:
        if item.part:
            found.setdefault(item.part, []).append(item)
    lines = []
    for part, items in found.items():
        wrong = next((item for item in items if item.state == "wrong"), None)
        told = f"{len(items)} items" if wrong is None else f"{wrong.name}: {wrong.said}"
        lines.append(f"{coloured('wrong' if wrong else 'ok')} {printable(part)} {printable(told)}")
    return lines


def verdict(report: Report) -> str:
    first = report.first
    if first is None:
        return f"PASS: {printable(report.about)}"
    told = f"{printable(first.name)}: {printable(first.said)}"
    if first.state == "wrong":
        return f"FAIL: {told}"
    return f"NOT PROVEN: nothing is wrong with {printable(report.about)}, but: {told}"


def coloured(state: str) -> str:
    word = {"ok": "ok   ", "wrong": "WRONG", "open": "open "}[state]
    colour = {"ok": 32, "wrong": 31, "open": 33}[state]
    return f"\x1b[{colour}m{word}\x1b[0m" if sys.stdout.isatty() else word


def printable(text: str) -> str:
    """Nothing that moves a terminal's cursor."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


if __name__ == "__main__":
    sys.exit(main())
