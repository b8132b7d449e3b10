"""Proofs about the stored tree, each from a handful of rows (`Event.nodes`), whatever its size."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from apps.audits import commitments, tree
from apps.audits.models import Event, Head, Opening
from apps.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_AT_ONCE = 500
EXTRACT_FORMAT = "countersign-ledger-extract"


def inclusion(seqs: Collection[int], size: int) -> dict[int, list[bytes]]:
    """For each event: the hashes proving that it stands at its place in the tree of `size`."""
    wanted = {seq: tree.inclusion_ranges(seq - 1, size) for seq in seqs}
    hashes = _hashes(span for ranges in wanted.values() for span in ranges)
    return {seq: [hashes[span] for span in ranges] for seq, ranges in wanted.items()}


def consistency(old: int, new: int) -> list[bytes]:
    """The hashes proving that the first `old` events of the tree of `new` are the tree of `old`."""
    ranges = tree.consistency_ranges(old, new)
    hashes = _hashes(ranges)
    return [hashes[span] for span in ranges]


def consistencies(olds: Collection[int], new: int) -> dict[int, list[bytes]]:
    """The same for several sizes, with one query."""
    wanted = {old: tree.consistency_ranges(old, new) for old in olds}
    hashes = _hashes(span for ranges in wanted.values() for span in ranges)
    return {old: [hashes[span] for span in ranges] for old, ranges in wanted.items()}


def extract(
    seqs: Collection[int], *, size: int | None = None, reveal: bool = True
) -> dict[str, Any]:
    """These events with their proofs under the present head, or under the root at an earlier `size`:
    complete in itself, ready for JSON, the same for the same arguments as long as nothing is erased.

    With `reveal`, the openings of their personal fields are enclosed where they still exist. Refuses
    a seq that is not in the ledger of that size. The format is described in docs/events.md.
    """
    size, root = _place(size)
    rows = list(Event.objects.filter(seq__in=set(seqs), seq__lte=size).order_by("seq"))
    missing = sorted(set(seqs) - {row.seq for row in rows})
    if missing:
        msg = f"There is no event {missing[0]} in the ledger of size {size}."
        raise NotFound(msg)
    proofs = inclusion([row.seq for row in rows], size)
    return {
        "format": EXTRACT_FORMAT,
        "version": 1,
        "size": size,
        "root": root.hex(),
        "events": [
            {
                "seq": row.seq,
                "body": base64.b64encode(bytes(row.body)).decode("ascii"),
                "proof": [part.hex() for part in proofs[row.seq]],
            }
            for row in rows
        ],
        "openings": _openings(rows) if reveal else [],
    }


def written_extract(seqs: Collection[int], *, size: int) -> Iterator[bytes]:
    """`extract` in canonical JSON, a piece at a time: memory follows the openings, not the events."""
    ordered, openings = sorted(set(seqs)), []
    yield b'{"events":['
    for at in range(0, len(ordered), _AT_ONCE):
        found = extract(ordered[at : at + _AT_ONCE], size=size)
        openings += found["openings"]
        yield (b"," if at else b"") + b",".join(map(_written, found["events"]))
    _, root = _place(size)
    openings.sort(key=lambda each: each["commitment"])
    last = {"format": EXTRACT_FORMAT, "openings": openings, "root": root.hex(), "size": size}
    yield b"]," + _written({**last, "version": 1})[1:]


def _written(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _place(size: int | None) -> tuple[int, bytes]:
    """A size of the ledger and the root it had there."""
    if size is None:
        head = Head.objects.get()
        return head.size, bytes(head.root)
    last = Event.objects.filter(seq=size).only("root").first()
    if last is None:
        msg = f"The ledger never had size {size}."
        raise NotFound(msg)
    return size, bytes(last.root)


def _openings(rows: Iterable[Event]) -> list[dict[str, str]]:
    wanted = [
        bytes.fromhex(commitment)
        for row in rows
        for commitment in commitments.commitments_in(row.payload).values()
    ]
    return [
        {
            "commitment": bytes(opening.commitment).hex(),
            "salt": bytes(opening.salt).hex(),
            "value": opening.value,
        }
        for opening in Opening.objects.filter(commitment__in=wanted).order_by("commitment")
    ]


def _hashes(ranges: Iterable[tree.Range]) -> dict[tree.Range, bytes]:
    """The hash of every range, with one query for all the complete subtrees they consist of."""
    spans = set(ranges)
    names = {name for span in spans for name in tree.complete_subtrees(*span)}
    closing = {(index + 1) << height for height, index in names}
    rows = {
        seq: bytes(leaf) + bytes(nodes)
        for seq, leaf, nodes in Event.objects.filter(seq__in=closing).values_list(
            "seq", "leaf_hash", "nodes"
        )
    }

    def node(name: tree.Node) -> bytes:
        height, index = name
        stored = rows[(index + 1) << height]
        return stored[height * tree.HASH_SIZE : (height + 1) * tree.HASH_SIZE]

    return {span: tree.range_hash(span, node) for span in spans}
