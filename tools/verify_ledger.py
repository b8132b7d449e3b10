#!/usr/bin/env python3
"""Verify an export of a Countersign ledger without Countersign.

One file, Python 3.9 or later, standard library only. It shares nothing with the program that wrote the
ledger but the written format (docs/events.md):

    python verify_ledger.py --export ledger.jsonl
    python verify_ledger.py --export ledger.jsonl --root 1200:9f3c...    # a root you kept elsewhere
    python verify_ledger.py --export ledger.jsonl --extract ledger-extract.json
    python verify_ledger.py --extract ledger-extract.json               # proofs only
    python verify_ledger.py --export ledger.jsonl --checkpoint kept.txt --key NAME+HASH+BASE64
    python verify_ledger.py --checkpoint kept.txt --checkpoint new.txt --proof proof.json --key NAME+HASH+BASE64

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

For checkpoints (signed notes that say size and root, https://c2sp.org/tlog-checkpoint), with the keys you trust:

9. Each is signed by one of the keys (Ed25519, RFC 8032), and no signature by any of them is wrong. A key of a
   witness (https://c2sp.org/tlog-cosignature) must have cosigned at least one.
10. With --export: the tree had the checkpoint's root at the checkpoint's size.
11. Without: all checkpoints, and the extract, lie on one line of growth: of one size they have one root, and from
    each size to the next a --proof leads (consistency, RFC 9162, 2.1.4.2).

What it cannot show: that what the events say is true, that no event was withheld from the ledger, or
that the export is not of a ledger rewritten as a whole. Against the last, keep checkpoints (or roots) elsewhere.

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
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

MAX_LINE = 4 << 20
MAX_NOTE = 128 << 10
MAX_INTEGER = 2**53 - 1
HEX = re.compile(r"[0-9a-f]{64}")
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
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


def check_consistent(old: int, new: int, roots: tuple[bytes, bytes], proof: list[bytes]) -> None:
    """That the tree of `old` is the beginning of that of `new`; `roots` are theirs. Raises Wrong."""
    if not 0 < old <= new:
        raise Wrong(f"there is no consistency proof from size {old} to size {new}")
    if old == new:
        reached = (roots[0], roots[0])
        if proof:
            raise Wrong("the consistency proof is too long")
    else:
        reached = roots_from_proof(old, new, roots[0], proof)
    if reached != roots:
        raise Wrong(f"the consistency proof does not lead from size {old} to size {new}")


def roots_from_proof(old: int, new: int, root: bytes, proof: list[bytes]) -> tuple[bytes, bytes]:
    """RFC 9162, 2.1.4.2, the algorithm as it is written there."""
    path = list(proof) if old & (old - 1) else [root, *proof]
    if len(path) < 2:
        raise Wrong("the consistency proof is too short")
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for part in path[1:]:
        if sn == 0:
            raise Wrong("the consistency proof is too long")
        if fn & 1 or fn == sn:
            first, second = node_hash(part, first), node_hash(part, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, part)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Wrong("the consistency proof is too short")
    return first, second


# Ed25519 (RFC 8032, 5.1): the curve -x^2 + y^2 = 1 + d x^2 y^2 over the integers modulo P, its base point of order L.
# Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z. Nothing here is secret, so nothing is constant in time.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def added(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    result = NEUTRAL
    while number:
        if number & 1:
            result = added(result, point)
        point = added(point, point)
        number >>= 1
    return result


def point_of(data: bytes) -> Point:
    """RFC 8032, 5.1.3. Raises Wrong for what is no point, and for a second way to write one."""
    number = int.from_bytes(data, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    if len(data) != 32 or y >= P:
        raise Wrong("its key is not written in the one way RFC 8032 allows")
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if (x * x - squared) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - squared) % P or (x == 0 and odd):
        raise Wrong("its key is no point of the curve")
    if x & 1 != odd:
        x = P - x
    return x, y, 1, x * y % P


def bytes_of(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def base_point() -> Point:
    y = 4 * pow(5, P - 2, P) % P
    return point_of(y.to_bytes(32, "little"))


def check_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """RFC 8032, 5.1.7, without the cofactor, and strict: refuses S >= L, other ways to write a point, and keys of small
    order (which "sign" anything). Raises Wrong."""
    key = point_of(public)
    if bytes_of(times(8, key)) == bytes_of(NEUTRAL):
        raise Wrong("its key is of small order")
    s = int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or s >= L:
        raise Wrong("its signature is not written in the one way RFC 8032 allows")
    hashed = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(hashed, "little") % L
    negative = (P - key[0], key[1], 1, P - key[3])
    if bytes_of(added(times(s, base_point()), times(k, negative))) != signature[:32]:
        raise Wrong("its signature does not fit")


class Key:
    """A key you trust, as `name+hash+base64`: of a log (kind 1) or of a witness (kind 4)."""

    def __init__(self, text: str) -> None:
        self.name, _, rest = text.strip().partition("+")
        hashed, _, encoded = rest.partition("+")
        material = unwrapped(encoded)
        if not self.name or len(material) != 33 or material[0] not in (1, 4):
            raise ValueError("expected NAME+HASH+BASE64 of an Ed25519 key")
        self.kind, self.public = material[0], material[1:]
        self.hash = hashlib.sha256(self.name.encode() + b"\n" + material).digest()[:4]
        if self.hash.hex() != hashed:
            raise ValueError("the hash in it is not that of its name and key")
        self.used = False

    def check(self, text: bytes, value: bytes) -> str:
        """That the signature fits the text; what it says."""
        if self.kind == 1:
            check_signature(self.public, text, value)
            return f"signed by {self.name}"
        seconds = int.from_bytes(value[:8], "big")
        check_signature(self.public, b"cosignature/v1\ntime %d\n" % seconds + text, value[8:])
        return f"cosigned by {self.name} at {told(seconds)}"


def told(seconds: int) -> str:
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):
        raise Wrong("its time is none") from None


def unwrapped(text: str) -> bytes:
    """Base64 in its one form; nothing for anything else."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return value if base64.b64encode(value).decode("ascii") == text else b""


def check_checkpoint(data: bytes, keys: list[Key]) -> tuple[int, str, list[str]]:
    """9. The size and the root that the note says, and who signed it."""
    text, size, root, lines = read_note(data)
    return size, root, check_lines(text, lines, keys)


def read_note(data: bytes) -> tuple[bytes, int, str, list[str]]:
    """9. The signed text, the size and the root in it, and the lines of signatures below it, none of them verified."""
    if len(data) > MAX_NOTE:
        raise Wrong("it is too long for a checkpoint")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong("it is not text in UTF-8") from None
    text, parted, below = note.rpartition("\n\n")
    lines = text.split("\n")
    if not parted or len(lines) < 3 or not all(lines) or not SIZE.fullmatch(lines[1]):
        raise Wrong("it is not a checkpoint: origin, size, root, an empty line, signatures")
    root = unwrapped(lines[2])
    if len(root) != 32 or not below.endswith("\n"):
        raise Wrong("it is not a checkpoint: its root or its last line is not whole")
    return (text + "\n").encode(), int(lines[1]), root.hex(), below[:-1].split("\n")


def check_lines(text: bytes, lines: list[str], keys: list[Key]) -> list[str]:
    said, signed = [], False
    for line in lines:
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        value = unwrapped(encoded)
        if dash != "\u2014" or not name or len(value) < 5:
            raise Wrong(f"it is not a checkpoint: {line[:60]!r} is no signature")
        for key in keys:
            if (key.name, key.hash) == (name, value[:4]):
                said.append(key.check(text, value[4:]))
                key.used, signed = True, signed or key.kind == 1
    if not signed:
        raise Wrong("it is not signed by any log's key you gave")
    return said


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


def check_growth(roots: Roots, proofs: list[Any]) -> list[str]:
    """11. All sizes known are on one line of growth. The sentences to print."""
    for size, known in roots.items():
        check_root(size, known[0][0], roots)
    steps = {}
    for number, proof in enumerate(proofs, start=1):
        ends, path = proof_of(proof, f"proof {number}")
        for size, root in ends:
            check_root(size, root, roots)
        steps[ends[0][0], ends[1][0]] = (ends, path)
    sizes = sorted(roots)
    said = []
    for old, new in [(sizes[at], sizes[at + 1]) for at in range(len(sizes) - 1)]:
        if (old, new) not in steps:
            raise Wrong(
                f"nothing leads from size {old} to size {new}: give an --export, or a --proof"
            )
        ends, path = steps[old, new]
        check_consistent(old, new, (bytes.fromhex(ends[0][1]), bytes.fromhex(ends[1][1])), path)
        said.append(f"proof: the ledger of {new} events begins with the ledger of {old}")
    return said


def proof_of(proof: Any, what: str) -> tuple[list[tuple[int, str]], list[bytes]]:
    if member(proof, "format", str, what) != "countersign-ledger-consistency":
        raise Wrong(f"{what}: this is not a consistency proof of a Countersign ledger")
    if member(proof, "version", int, what) != 1:
        raise Wrong(f"{what}: version {proof['version']} is unknown to this program")
    ends = [
        (member(end, "size", int, what), hashed(end, "root", what))
        for end in (member(proof, name, dict, what) for name in ("old", "new"))
    ]
    path = []
    for part in member(proof, "proof", list, what):
        if not isinstance(part, str) or not HEX.fullmatch(part):
            raise Wrong(f"{what}: it is not a list of hashes")
        path.append(bytes.fromhex(part))
    return ends, path


def trusted_key(text: str) -> Key:
    try:
        return Key(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


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
    for name in options.checkpoint:
        said += read_checkpoint(name, options.key, roots)
    for key in options.key:
        if not key.used:
            raise Wrong(f"no checkpoint is signed by {key.name}")
    if options.extract:
        size, root, leaves = check_extract(parse(Path(options.extract).read_bytes(), "the extract"))
        roots.setdefault(size, []).append((root, "the extract"))
        said.append(f"extract: {len(leaves)} events proved under root {root} at size {size}")
    proofs = [parse(Path(name).read_bytes(), name) for name in options.proof]
    if not options.export:
        return said + check_growth(roots, proofs)
    with Path(options.export).open("rb") as stream:
        size, root = check_export(stream, roots, leaves)
    said.append(f"export: {size} events, root {root}")
    said += [f"export: the root at size {kept} is the one you gave" for kept, _ in options.root]
    said += [
        f"export: its root at size {kept} is that of the checkpoint"
        for kept in sorted(roots)
        if any(why.startswith("the checkpoint") for _, why in roots[kept])
    ]
    if options.extract:
        said.append("extract: its events and its root are those of the export")
    return said


def read_checkpoint(name: str, keys: list[Key], roots: Roots) -> list[str]:
    try:
        size, root, signers = check_checkpoint(Path(name).read_bytes(), keys)
    except Wrong as wrong:
        raise Wrong(f"checkpoint {name}: {wrong}") from None
    roots.setdefault(size, []).append((root, f"the checkpoint {name}"))
    return [f"checkpoint {name}: {size} events, root {root}, {', '.join(signers)}"]


def complain(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Exit with status 2 where what is asked makes no sense together."""
    if not (options.export or options.extract or options.checkpoint):
        parser.error("name an --export (or an --extract or a --checkpoint alone)")
    if options.root and not (options.export or options.checkpoint):
        parser.error("a --root is compared with an --export or a --checkpoint")
    if bool(options.checkpoint) != bool(options.key):
        parser.error("a --checkpoint needs the --key you trust, and a --key a --checkpoint")


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
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        action="append",
        default=[],
        help="a checkpoint, kept or new",
    )
    parser.add_argument(
        "--key",
        metavar="NAME+HASH+BASE64",
        type=trusted_key,
        action="append",
        default=[],
        help="a key you trust to sign checkpoints, from a place that is not the file's",
    )
    parser.add_argument(
        "--proof",
        metavar="FILE",
        action="append",
        default=[],
        help="a consistency proof from the size of one checkpoint to that of the next",
    )
    options = parser.parse_args(arguments)
    complain(parser, options)
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
