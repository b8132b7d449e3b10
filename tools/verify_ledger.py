#!/usr/bin/env python3
"""Verify an export of a Countersign ledger without Countersign.

One file, Python 3.9 or later, standard library only. It shares nothing with the program that wrote the
ledger but the written format (docs/events.md):

    python verify_ledger.py --export ledger.jsonl
    python verify_ledger.py --export ledger.jsonl --root 1200:9f3c...    # a root you kept elsewhere
    python verify_ledger.py --export ledger.jsonl --extract ledger-extract.json
    python verify_ledger.py --extract ledger-extract.json               # proofs only

For an export, line by line and in flat memory:

1. The events are numbered 1, 2, 3, ... without a gap.
2. Each body is canonical JSON (RFC 8785, no floats) with exactly the members an event has.
3. The Merkle tree (RFC 9162) of the bodies so far has the root written beside each event.
4. The file ends where its header says, with the root its header says.
5. The tree had every root you kept (--root) at that size.

For an extract (the events enclosed in a document):

6. Each event's inclusion proof leads to the extract's root.
7. Each opening (salt and value of personal data) fits a commitment in one of its events.
8. With --export: the same events stand at the same places, and the extract's root was the ledger's.

What it cannot show: that what the events say is true, that no event was withheld from the ledger, or
that the export is not of a ledger rewritten as a whole. Against the last, keep roots elsewhere and use --root.

Exit status: 0 verified, 1 something is wrong (the first wrong thing is printed), 2 not run.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

MAX_LINE = 4 << 20
MAX_INTEGER = 2**53 - 1
HEX = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
MEMBERS = {
    "v": int,
    "type": str,
    "schema": int,
    "subject": str,
    "scopes": list,
    "actor": dict,
    "door": str,
    "at": str,
    "request_id": str,
    "payload": dict,
}


# Sizes of the tree, each with the roots it must have had there and who says so.
Roots = dict[int, list[tuple[str, str]]]
Lines = Iterator[tuple[int, Any]]


class Wrong(Exception):
    """The first thing that does not verify."""


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """RFC 9162, 2.1.1: the complete subtrees of the leaves so far, largest first, with their sizes."""

    def __init__(self) -> None:
        self.subtrees: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        size, node = 1, leaf
        while self.subtrees and self.subtrees[-1][0] == size:
            node = node_hash(self.subtrees.pop()[1], node)
            size *= 2
        self.subtrees.append((size, node))

    def root(self) -> bytes:
        if not self.subtrees:
            return hashlib.sha256(b"").digest()
        root = self.subtrees[-1][1]
        for _size, node in reversed(self.subtrees[:-1]):
            root = node_hash(node, root)
        return root


def root_from_proof(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2, the algorithm as it is written there."""
    if index >= size:
        raise Wrong(f"it cannot be in a tree of {size}")
    fn, sn, node = index, size - 1, leaf
    for part in proof:
        if sn == 0:
            raise Wrong("its inclusion proof is too long")
        if fn & 1 or fn == sn:
            node = node_hash(part, node)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            node = node_hash(node, part)
        fn >>= 1
        sn >>= 1
    if sn:
        raise Wrong("its inclusion proof is too short")
    return node


def parse(data: bytes, what: str) -> Any:
    """JSON as RFC 8785 knows it: no floats, no repeated keys, no numbers beyond what doubles hold."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(sorted(items, key=lambda item: item[0].encode("utf-16-be")))
        if len(found) != len(items):
            raise Wrong(f"{what} repeats a key")
        return found

    def integer(text: str) -> int:
        if not -MAX_INTEGER <= int(text) <= MAX_INTEGER:
            raise Wrong(f"{what} holds a number out of range")
        return int(text)

    def refuse(text: str) -> NoReturn:
        raise Wrong(f"{what} holds the number {text}, which has no canonical form")

    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=pairs,
            parse_int=integer,
            parse_float=refuse,
            parse_constant=refuse,
        )
    except (ValueError, RecursionError) as error:
        raise Wrong(f"{what} is not JSON in UTF-8: {error}") from None


def statement_in(body: bytes) -> dict[str, Any]:
    """2. What the body says, if it is canonical and has exactly the members of an event."""
    said = parse(body, "the body")
    try:
        again = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except (ValueError, RecursionError):
        raise Wrong("the body is not Unicode text") from None
    if again != body:
        raise Wrong("the body is not in canonical form")
    if not isinstance(said, dict) or said.keys() != MEMBERS.keys():
        raise Wrong(f"the body must have exactly the members {', '.join(MEMBERS)}")
    for name, kind in MEMBERS.items():
        if type(said[name]) is not kind:
            raise Wrong(f"{name} must be {kind.__name__}, got {type(said[name]).__name__}")
    if said["v"] != 1:
        raise Wrong(f"format version {said['v']} is unknown to this program")
    if not TIME.fullmatch(said["at"]):
        raise Wrong(f"at = {said['at']!r} is not a time such as 2026-01-31T09:30:00.000000Z")
    return said


def member(found: Any, name: str, kind: type, what: str) -> Any:
    """A member of a line or an extract, of the right kind."""
    value = found.get(name) if isinstance(found, dict) else None
    if type(value) is not kind or (isinstance(value, int) and value < 0):
        raise Wrong(f"{what}: {name} is missing or not {kind.__name__}")
    return value


def hashed(found: Any, name: str, what: str) -> str:
    value: str = member(found, name, str, what)
    if not HEX.fullmatch(value):
        raise Wrong(f"{what}: {name} is not 64 lowercase hexadecimal characters")
    return value


def body_of(found: Any) -> bytes:
    try:
        return base64.b64decode(member(found, "body", str, "the line"), validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("the body is not base64") from None


def lines_of(stream: BinaryIO) -> Lines:
    """The file's lines, parsed, with their numbers."""
    number = 0
    while True:
        line = stream.readline(MAX_LINE)
        if not line:
            return
        number += 1
        if not line.endswith(b"\n"):
            raise Wrong(f"line {number} is cut off or longer than {MAX_LINE} bytes")
        yield number, parse(line, f"line {number}")


def check_export(stream: BinaryIO, roots: Roots, leaves: dict[int, bytes]) -> tuple[int, str]:
    """1-5 and 8. `roots` maps sizes to roots that must have been, `leaves` maps seq to leaf hashes."""
    lines = lines_of(stream)
    size, root = check_header(lines, roots)
    tree = Tree()
    check_root(0, tree.root().hex(), roots)
    seq, last = check_events(lines, tree, roots, leaves)
    # 4. It ends where and how the header says.
    if seq != size or last != size:
        raise Wrong(f"event {seq + 1}: missing, the header says there are {size}")
    if tree.root().hex() != root:
        raise Wrong(f"the events give root {tree.root().hex()}, the header says {root}")
    if next(lines, None) is not None:
        raise Wrong("there is more after the last line")
    return size, root


def check_header(lines: Lines, roots: Roots) -> tuple[int, str]:
    header = next((line for _number, line in lines), None)
    if member(header, "format", str, "line 1") != "countersign-ledger-export":
        raise Wrong("line 1: this is not an export of a Countersign ledger")
    version = member(header, "version", int, "line 1")
    if version != 1:
        raise Wrong(f"line 1: export version {version} is unknown to this program")
    size, root = member(header, "size", int, "line 1"), hashed(header, "root", "line 1")
    for kept in sorted(roots):
        if kept > size:
            raise Wrong(f"event {size + 1}: missing, a root is known at size {kept}")
    return size, root


def check_events(
    lines: Lines, tree: Tree, roots: Roots, leaves: dict[int, bytes]
) -> tuple[int, Any]:
    """The events up to the last line; the last seq and what the last line says."""
    seq = 0
    for number, line in lines:
        if isinstance(line, dict) and "end" in line:
            return seq, line["end"]
        # 1. Numbered without a gap.
        found = member(line, "seq", int, f"line {number}")
        if found != seq + 1:
            raise Wrong(f"event {seq + 1}: missing, line {number} has event {found}")
        seq = found
        try:
            check_event(line, seq, tree, roots, leaves)
        except Wrong as wrong:
            raise Wrong(f"event {seq}: {wrong}") from None
    raise Wrong(f"event {seq + 1}: the file is cut off before it, or before its last line")


def check_event(line: Any, seq: int, tree: Tree, roots: Roots, leaves: dict[int, bytes]) -> None:
    body = body_of(line)
    # 2. The body is a canonical event.
    statement_in(body)
    # 3. The tree so far has the root written beside it.
    leaf = leaf_hash(body)
    tree.add(leaf)
    root = tree.root().hex()
    if root != hashed(line, "root", "the line"):
        raise Wrong(f"the events up to here give root {root}, written beside it is {line['root']}")
    # 5. The roots that were kept.
    check_root(seq, root, roots)
    # 8. The events of the extract.
    if leaves.get(seq, leaf) != leaf:
        raise Wrong("the extract holds another event at this place")


def check_root(size: int, root: str, roots: Roots) -> None:
    for kept, where in roots.get(size, ()):
        if kept != root:
            raise Wrong(f"the root at size {size} is {root}, {where} says {kept}")


def check_extract(extract: Any) -> tuple[int, str, dict[int, bytes]]:
    """6 and 7. Returns the extract's size, root and leaf hashes by seq."""
    if member(extract, "format", str, "the extract") != "countersign-ledger-extract":
        raise Wrong("this is not an extract of a Countersign ledger")
    if member(extract, "version", int, "the extract") != 1:
        raise Wrong(f"extract version {extract['version']} is unknown to this program")
    size, root = member(extract, "size", int, "the extract"), hashed(extract, "root", "the extract")
    leaves: dict[int, bytes] = {}
    commitments: set[str] = set()
    for item in member(extract, "events", list, "the extract"):
        seq = member(item, "seq", int, "the extract")
        try:
            leaves[seq] = check_inclusion(item, seq, size, root, commitments)
        except Wrong as wrong:
            raise Wrong(f"event {seq}: {wrong}") from None
    for opening in member(extract, "openings", list, "the extract"):
        check_opening(opening, commitments)
    return size, root, leaves


def check_inclusion(item: Any, seq: int, size: int, root: str, commitments: set[str]) -> bytes:
    body = body_of(item)
    payload = statement_in(body)["payload"]
    commitments.update(
        value["commitment"]
        for value in payload.values()
        if isinstance(value, dict) and set(value) == {"commitment"}
    )
    proof = []
    for part in member(item, "proof", list, "the extract"):
        if not isinstance(part, str) or not HEX.fullmatch(part):
            raise Wrong("its inclusion proof is not a list of hashes")
        proof.append(bytes.fromhex(part))
    if seq < 1:
        raise Wrong("events are numbered from 1")
    # 6. The proof leads to the root.
    leaf = leaf_hash(body)
    if root_from_proof(leaf, seq - 1, size, proof).hex() != root:
        raise Wrong("its inclusion proof does not lead to the extract's root")
    return leaf


def check_opening(opening: Any, commitments: set[str]) -> None:
    # 7. The opening fits a commitment in one of the events.
    commitment = hashed(opening, "commitment", "an opening")
    try:
        salt = bytes.fromhex(member(opening, "salt", str, "an opening"))
        value = member(opening, "value", str, "an opening").encode("utf-8")
    except ValueError:
        raise Wrong(f"the opening of {commitment} cannot be read") from None
    if len(salt) != 16 or hashlib.sha256(salt + value).hexdigest() != commitment:
        raise Wrong(f"the opening of {commitment} does not fit it: value or salt was changed")
    if commitment not in commitments:
        raise Wrong(f"the opening of {commitment} belongs to no event of the extract")


def saved_root(text: str) -> tuple[int, str]:
    size, _, root = text.partition(":")
    if not size.isdigit() or not HEX.fullmatch(root):
        raise argparse.ArgumentTypeError(
            "expected SIZE:ROOT, the root in 64 hexadecimal characters"
        )
    return int(size), root


def run(options: argparse.Namespace) -> list[str]:
    """Everything asked for; the sentences to print. Raises Wrong."""
    roots: Roots = {}
    leaves: dict[int, bytes] = {}
    said: list[str] = []
    for size, root in options.root:
        roots.setdefault(size, []).append((root, "the root you gave"))
    if options.extract:
        with Path(options.extract).open("rb") as stream:
            size, root, leaves = check_extract(parse(stream.read(), "the extract"))
        roots.setdefault(size, []).append((root, "the extract"))
        said.append(f"extract: {len(leaves)} events proved under root {root} at size {size}")
    if options.export:
        with Path(options.export).open("rb") as stream:
            size, root = check_export(stream, roots, leaves)
        said.append(f"export: {size} events, root {root}")
        said += [f"export: the root at size {kept} is the one you gave" for kept, _ in options.root]
        if options.extract:
            said.append("extract: its events and its root are those of the export")
    return said


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Verify an export of a Countersign ledger, offline."
    )
    parser.add_argument(
        "--export", metavar="FILE", help="the export (manage.py verify_ledger --export)"
    )
    parser.add_argument("--extract", metavar="FILE", help="the extract enclosed in a document")
    parser.add_argument(
        "--root",
        metavar="SIZE:ROOT",
        type=saved_root,
        action="append",
        default=[],
        help="a root you kept, which the export must have had at that size",
    )
    options = parser.parse_args(arguments)
    if not options.export and (options.root or not options.extract):
        parser.error("name an --export (or an --extract alone)")
    try:
        said = run(options)
    except OSError as error:
        sys.stderr.write(f"cannot read {error.filename}: {error.strerror}\n")
        return 2
    except Wrong as wrong:
        sys.stdout.write(f"FAIL: {wrong}\n")
        return 1
    sys.stdout.write("\n".join([*said, "PASS"]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
