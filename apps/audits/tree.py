"""The Merkle tree of RFC 9162, section 2.1, as pure functions.

A *range* [start, end) of leaves is hashed from its complete subtrees; a complete subtree is named
(height, index) and covers the leaves index * 2**height up to (index + 1) * 2**height. The frontier of
a tree is the list of the complete subtrees that make it up, largest first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]
Range = tuple[int, int]


def leaf_hash(body: bytes) -> bytes:
    """The hash of a leaf: prefix 0x00, so that no leaf can pass for a node."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: prefix 0x01."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees given largest (leftmost) first."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree with these leaf hashes."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


@dataclass(slots=True)
class Frontier:
    """A tree that can grow: its size and its peaks."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    @classmethod
    def load(cls, size: int, stored: bytes) -> Frontier:
        """Read back what `dump` wrote. Refuses bytes that cannot be the frontier of `size` leaves."""
        expected = size.bit_count() * HASH_SIZE
        if len(stored) != expected:
            msg = f"frontier of {size} leaves: got {len(stored)} bytes, expected {expected}"
            raise ValueError(msg)
        return cls(size, [stored[i : i + HASH_SIZE] for i in range(0, expected, HASH_SIZE)])

    def dump(self) -> bytes:
        return b"".join(self.peaks)

    def root(self) -> bytes:
        return fold(self.peaks)

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf hash. Returns the subtrees it completes, of height 1, 2, ... in this order."""
        closed: list[bytes] = []
        node = leaf
        # As many peaks merge as the old size has trailing ones: a binary counter that carries.
        size = self.size
        while size & 1:
            node = node_hash(self.peaks.pop(), node)
            closed.append(node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1
        return closed


def complete_subtrees(start: int, end: int) -> list[Node]:
    """The complete subtrees that make up a range RFC 9162 splits off, largest first."""
    nodes: list[Node] = []
    while start < end:
        height = (end - start).bit_length() - 1
        if start:
            height = min(height, (start & -start).bit_length() - 1)
        nodes.append((height, start >> height))
        start += 1 << height
    return nodes


def range_hash(span: Range, node: Callable[[Node], bytes]) -> bytes:
    """The hash of a range, given the hashes of complete subtrees."""
    return fold([node(name) for name in complete_subtrees(*span)])


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The ranges whose hashes prove that leaf `index` is in the tree of `size` (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        msg = f"leaf {index} is not in a tree of {size}"
        raise ValueError(msg)
    path: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start = split
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The ranges that prove the tree of `old` to be a prefix of the tree of `new` (RFC 9162, 2.1.4.1)."""
    if not 0 < old <= new:
        msg = f"no consistency proof from size {old} to size {new}"
        raise ValueError(msg)
    path: list[Range] = []
    start, end, whole = 0, new, True
    while old != end:
        split = start + _split(end - start)
        if old <= split:
            path.append((split, end))
            end = split
        else:
            path.append((start, split))
            start, whole = split, False
    if not whole:
        path.append((start, end))
    return path[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that `proof` leads to. Raises ValueError when its length does not fit."""
    ranges = inclusion_ranges(index, size)
    if len(ranges) != len(proof):
        msg = f"inclusion proof: got {len(proof)} hashes, expected {len(ranges)}"
        raise ValueError(msg)
    node = leaf
    for (start, _end), sibling in zip(ranges, proof, strict=True):
        node = node_hash(node, sibling) if start > index else node_hash(sibling, node)
    return node


def require_consistent(
    old: int, new: int, roots: tuple[bytes, bytes], proof: Sequence[bytes]
) -> None:
    """Whether the tree of `old` leaves is the beginning of that of `new` (RFC 9162, 2.1.4.2): `roots` are theirs.

    Raises ValueError where the proof's length or its hashes do not fit.
    """
    ranges = consistency_ranges(old, new)
    if len(ranges) != len(proof):
        msg = f"consistency proof: got {len(proof)} hashes, expected {len(ranges)}"
        raise ValueError(msg)
    # The ranges left of `old` add up to the old tree, which is its own first part where `old` is a power of two.
    given = list(zip(ranges, proof, strict=True))
    if not given or given[0][0][0] >= old:
        given.insert(0, ((0, old), roots[0]))
    (_span, first), second = given[0], given[0][1]
    for (start, _end), part in given[1:]:
        if start < old:
            first, second = node_hash(part, first), node_hash(part, second)
        else:
            second = node_hash(second, part)
    if (first, second) != roots:
        msg = f"the proof does not lead from the root at size {old} to the one at size {new}"
        raise ValueError(msg)


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << ((size - 1).bit_length() - 1)
