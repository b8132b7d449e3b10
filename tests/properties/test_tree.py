"""The tree of RFC 9162: the growing form equals the definition, proofs prove, and nothing else does."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.audits import tree
from tools import verify_ledger


def _leaves(count: int) -> list[bytes]:
    return [tree.leaf_hash(b"leaf %d" % number) for number in range(count)]


def _by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    parts = _by_definition(leaves[:split]) + _by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + parts).digest()


# The known answers of Certificate Transparency's reference tests for eight leaves.
_INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_the_known_answers() -> None:
    grown = tree.Frontier()
    assert grown.root().hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for data, root in zip(_INPUTS, _ROOTS, strict=True):
        grown.append(tree.leaf_hash(bytes.fromhex(data)))
        assert grown.root().hex() == root


@given(st.integers(0, 200))
def test_the_growing_tree_equals_the_definition_here_and_in_the_verifier(size: int) -> None:
    leaves = _leaves(size)
    outside = verify_ledger.Tree()
    for leaf in leaves:
        outside.add(leaf)
    assert tree.root_of(leaves) == _by_definition(leaves) == outside.root()


@given(st.integers(0, 300))
def test_the_frontier_is_stored_and_read_back(size: int) -> None:
    grown = tree.Frontier()
    for leaf in _leaves(size):
        grown.append(leaf)
    again = tree.Frontier.load(size, grown.dump())
    assert (again.size, again.peaks, again.root()) == (grown.size, grown.peaks, grown.root())


@pytest.mark.parametrize("stored", [b"", b"x" * 31, b"x" * 96])
def test_a_frontier_of_the_wrong_length_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="frontier of 3 leaves"):
        tree.Frontier.load(3, stored)


def _hash_of(span: tree.Range, leaves: list[bytes]) -> bytes:
    return _by_definition(leaves[span[0] : span[1]])


@given(st.integers(1, 130).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_an_inclusion_proof_leads_to_the_root_and_from_no_other_place(
    place: tuple[int, int],
) -> None:
    size, index = place
    leaves = _leaves(size)
    proof = [_hash_of(span, leaves) for span in tree.inclusion_ranges(index, size)]
    root = _by_definition(leaves)
    assert tree.root_from_inclusion(leaves[index], index, size, proof) == root
    assert verify_ledger.root_from_proof(leaves[index], index, size, proof) == root
    for other in {index - 1, index + 1, size - 1 - index} - {index}:
        if 0 <= other < size:
            with pytest.raises((AssertionError, ValueError, verify_ledger.Wrong)):
                assert tree.root_from_inclusion(leaves[index], other, size, proof) == root
            with pytest.raises((AssertionError, verify_ledger.Wrong)):
                assert verify_ledger.root_from_proof(leaves[index], other, size, proof) == root


@given(st.integers(1, 100), st.integers(0, 100))
def test_a_consistency_proof_rebuilds_both_roots(old: int, more: int) -> None:
    new = old + more
    leaves = _leaves(new)
    proof = [_hash_of(span, leaves) for span in tree.consistency_ranges(old, new)]
    old_root, new_root = _by_definition(leaves[:old]), _by_definition(leaves)
    assert _roots_from_consistency(old, new, proof, old_root) == (old_root, new_root)
    tree.require_consistent(old, new, (old_root, new_root), proof)
    verify_ledger.check_consistent(old, new, (old_root, new_root), proof)


@given(st.integers(1, 60), st.integers(0, 60), st.data())
def test_no_other_proof_root_or_size_is_consistent(
    old: int, more: int, data: st.DataObject
) -> None:
    new = old + more
    leaves = _leaves(new)
    proof = [_hash_of(span, leaves) for span in tree.consistency_ranges(old, new)]
    roots = (_by_definition(leaves[:old]), _by_definition(leaves))
    wrong: list[tuple[tuple[bytes, bytes], list[bytes]]] = [
        ((bytes(32), roots[1]), proof),
        ((roots[0], bytes(32)), proof),
        (roots, [*proof, bytes(32)]),
    ]
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        wrong += [
            (roots, proof[:at] + proof[at + 1 :]),
            (roots, [*proof[:at], bytes(32), *proof[at + 1 :]]),
        ]
    for changed, path in wrong:
        with pytest.raises(ValueError, match="proof"):
            tree.require_consistent(old, new, changed, path)
        with pytest.raises(verify_ledger.Wrong):
            verify_ledger.check_consistent(old, new, changed, path)


# Proofs in the tree of the inputs above, as Certificate Transparency publishes them with it.
_PUBLISHED_INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
_PUBLISHED_CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


def _known() -> list[bytes]:
    return [tree.leaf_hash(bytes.fromhex(each)) for each in _INPUTS]


@pytest.mark.parametrize(("index", "size"), _PUBLISHED_INCLUSION)
def test_the_published_inclusion_proofs(index: int, size: int) -> None:
    published = _PUBLISHED_INCLUSION[index, size]
    made = [_hash_of(span, _known()).hex() for span in tree.inclusion_ranges(index, size)]
    assert made == published
    path = [bytes.fromhex(each) for each in published]
    root = bytes.fromhex(_ROOTS[size - 1])
    assert tree.root_from_inclusion(_known()[index], index, size, path) == root
    assert verify_ledger.root_from_proof(_known()[index], index, size, path) == root


@pytest.mark.parametrize(("old", "new"), _PUBLISHED_CONSISTENCY)
def test_the_published_consistency_proofs(old: int, new: int) -> None:
    published = _PUBLISHED_CONSISTENCY[old, new]
    made = [_hash_of(span, _known()).hex() for span in tree.consistency_ranges(old, new)]
    assert made == published
    roots = bytes.fromhex(_ROOTS[old - 1]), bytes.fromhex(_ROOTS[new - 1])
    path = [bytes.fromhex(each) for each in published]
    tree.require_consistent(old, new, roots, path)
    verify_ledger.check_consistent(old, new, roots, path)


def _roots_from_consistency(
    old: int, new: int, proof: list[bytes], old_root: bytes
) -> tuple[bytes, bytes]:
    """RFC 9162, 2.1.4.2, as it is written there."""
    if old == new:
        assert proof == []
        return old_root, old_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = path[0]
    for part in path[1:]:
        assert sn, "too long"
        if fn & 1 or fn == sn:
            first, second = tree.node_hash(part, first), tree.node_hash(part, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = tree.node_hash(second, part)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0, "too short"
    return first, second


@given(st.integers(1, 200))
def test_every_complete_subtree_is_reported_when_its_last_leaf_comes(size: int) -> None:
    leaves = _leaves(size)
    grown = tree.Frontier()
    for number, leaf in enumerate(leaves, start=1):
        for height, node in enumerate(grown.append(leaf), start=1):
            assert node == _by_definition(leaves[number - (1 << height) : number])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="is not in a tree"):
        tree.inclusion_ranges(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_consistency_with_nothing_or_the_future(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no consistency proof"):
        tree.consistency_ranges(old, new)
