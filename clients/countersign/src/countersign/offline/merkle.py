"""The ledger's formats (docs/events.md): proofs of inclusion in an extract, and a whole export. RFC 9162, 2.1."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

from countersign.offline.problems import Wrong

ISSUED = "compliance.document.issued"


def leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + body).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _body(line: dict[str, Any]) -> bytes:
    try:
        return base64.b64decode(line["body"], validate=True)
    except (binascii.Error, KeyError, TypeError, ValueError):
        raise Wrong("an event of the ledger has no body") from None


def bodies(extract: Any) -> list[bytes]:
    """The bytes of the events of an extract."""
    return [_body(item) for item in extract["events"]]


def check_extract(extract: Any) -> tuple[int, str, dict[int, str]]:
    """Each event's path leads to the extract's root; each opening fits a commitment. Size, root, leaves by seq."""
    if not isinstance(extract, dict) or extract.get("format") != "countersign-ledger-extract":
        raise Wrong("ledger-extract.json is no extract of a ledger")
    size, root, leaves, commitments = extract["size"], extract["root"], {}, set()
    for item in extract["events"]:
        body, seq = _body(item), item["seq"]
        path = [bytes.fromhex(part) for part in item["proof"]]
        if _root(leaf_hash(body), seq - 1, size, path).hex() != root:
            raise Wrong(f"event {seq}: its path does not lead to the extract's root")
        leaves[seq] = leaf_hash(body).hex()
        payload = json.loads(body)["payload"].values()
        commitments |= {
            v["commitment"] for v in payload if isinstance(v, dict) and "commitment" in v
        }
    for opening in extract["openings"]:
        salted = bytes.fromhex(opening["salt"]) + opening["value"].encode("utf-8")
        fits = hashlib.sha256(salted).hexdigest() == opening["commitment"]
        if not fits or opening["commitment"] not in commitments:
            raise Wrong(f"the opening of {opening['commitment']} fits no commitment")
    return size, root, leaves


def _root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2."""
    last, node = size - 1, leaf
    if not 0 <= index < size:
        raise Wrong(f"event {index + 1} cannot be in a ledger of {size}")
    for part in path:
        if last == 0:
            raise Wrong(f"event {index + 1}: its path is too long")
        if index & 1 or index == last:
            node = _node(part, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = _node(node, part)
        index, last = index >> 1, last >> 1
    if last:
        raise Wrong("a path of the extract is too short")
    return node


class _Tree:
    """The complete subtrees of the leaves so far, largest first."""

    def __init__(self) -> None:
        self.subtrees: list[tuple[int, bytes]] = []

    def add(self, node: bytes) -> None:
        size = 1
        while self.subtrees and self.subtrees[-1][0] == size:
            node, size = _node(self.subtrees.pop()[1], node), size * 2
        self.subtrees.append((size, node))

    def root(self) -> str:
        if not self.subtrees:
            return hashlib.sha256(b"").hexdigest()
        root = self.subtrees[-1][1]
        for _size, node in reversed(self.subtrees[:-1]):
            root = _node(node, root)
        return root.hex()


def search_export(
    lines: Iterable[bytes], digest: str, seen: Callable[[int, str, str], None]
) -> dict[str, Any] | None:
    """The event that issued the file with this digest, in an export that is whole; None if there is none.

    `seen` gets size, leaf and root after each event, to compare with what is known from elsewhere.
    """
    tree, found, rows = _Tree(), None, iter(lines)
    header = _line(next(rows, b""))
    if header.get("format") != "countersign-ledger-export":
        raise Wrong("this is no export of a Countersign ledger")
    for seq, row in enumerate(rows, start=1):
        line = _line(row)
        if "end" in line:
            if (line["end"], seq - 1, tree.root()) != (seq - 1, header["size"], header["root"]):
                raise Wrong("the export does not end as its first line says")
            return found
        body = _body(line)
        tree.add(leaf_hash(body))
        if line.get("seq") != seq or line.get("root") != tree.root():
            raise Wrong(f"event {seq} of the export is missing or was changed")
        seen(seq, leaf_hash(body).hex(), tree.root())
        event = json.loads(body)
        if event["type"] == ISSUED and event["payload"]["digest"] == digest:
            found = {"seq": seq, **event}
    raise Wrong("the export is cut off")


def _line(row: bytes) -> dict[str, Any]:
    try:
        value = json.loads(row)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Wrong("a line of the export is not JSON")
    return value
