"""The smallest fix of a tree of requirements: it helps, all of it is needed, and nothing cheaper would do."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.registry.explain import reasons, sentence, smallest, would_pass
from apps.registry.gates import Fix, GateResult, all_of, some_of

_STATES = st.sampled_from(["pass", "fail", "missing"])
_ACTS = st.builds(
    lambda name, cost: Fix(f"act-{name}", f"do {name}", cost=cost),
    st.integers(0, 9),
    st.just(1),
)


def _leaf(state: str, fixes: list[Fix]) -> GateResult:
    return GateResult("leaf", "Leaf", state, f"It is {state}.", fixes=tuple(fixes))  # type: ignore[arg-type]


def _node(children: list[GateResult], needs: int) -> GateResult:
    if needs >= len(children):
        return all_of("all", "All", "All of these.", children)
    return some_of(needs, "some", "Some", "Some of these.", children)


_leaves = st.builds(_leaf, _STATES, st.lists(_ACTS, max_size=3, unique_by=lambda fix: fix.key))
_trees = st.recursive(
    _leaves,
    lambda inner: st.builds(_node, st.lists(inner, min_size=1, max_size=4), st.integers(1, 4)),
    max_leaves=12,
)
_forests = st.lists(_trees, min_size=1, max_size=4)


def _alone(nodes: list[GateResult]) -> list[GateResult]:
    """The same trees in which no act stands in two leaves, with costs that differ."""
    count = iter(range(1000))

    def renamed(node: GateResult) -> GateResult:
        fixes = [Fix(f"{n}", f"do {n}", cost=1 + n % 3) for n in (next(count) for _ in node.fixes)]
        if not node.children:
            return _leaf(node.state, fixes)
        needs = len(node.children) if node.needs is None else node.needs
        return _node([renamed(child) for child in node.children], needs)

    return [renamed(node) for node in nodes]


@given(_forests)
def test_the_smallest_fix_lets_all_pass_and_no_part_of_it_does(nodes: list[GateResult]) -> None:
    fixes = smallest(nodes)
    every = {fix.key for node in nodes for leaf in _flat(node) for fix in leaf.fixes}
    if fixes is None:
        assert not would_pass(nodes, every)
        return
    keys = [fix.key for fix in fixes]
    assert len(keys) == len(set(keys))
    assert would_pass(nodes, keys)
    assert (keys == []) == all(node.passes for node in nodes)
    for size in range(len(keys)):
        assert not any(would_pass(nodes, part) for part in combinations(keys, size))


@given(_forests)
def test_it_is_the_cheapest_where_no_act_stands_in_two_leaves(nodes: list[GateResult]) -> None:
    nodes = _alone(nodes)
    fixes = smallest(nodes)
    if fixes is not None:
        assert sum(fix.cost for fix in fixes) == sum(_cheapest(node) for node in nodes)


def _cheapest(node: GateResult) -> int:
    """The least cost by a naive count; more than any for what cannot be mended."""
    if node.passes:
        return 0
    if not node.children:
        return sum(fix.cost for fix in node.fixes) if node.fixes else 10**6
    needs = len(node.children) if node.needs is None else node.needs
    return sum(sorted(_cheapest(child) for child in node.children)[:needs])


@given(_forests)
def test_it_is_the_same_each_time_and_in_the_order_of_the_tree(nodes: list[GateResult]) -> None:
    fixes = smallest(nodes)
    assert fixes == smallest(nodes)
    order = [fix.key for node in nodes for leaf in _flat(node) for fix in leaf.fixes]
    keys = [fix.key for fix in fixes or ()]
    assert keys == sorted(keys, key=order.index)


@given(_forests)
def test_a_sentence_is_said_exactly_where_something_does_not_pass(nodes: list[GateResult]) -> None:
    passes = all(node.passes for node in nodes)
    assert bool(reasons(nodes)) != passes
    assert (sentence(nodes) == "") == passes


def _flat(node: GateResult) -> list[GateResult]:
    if not node.children:
        return [node]
    return [leaf for child in node.children for leaf in _flat(child)]


def test_nothing_at_all_does_not_pass() -> None:
    assert not all_of("none", "None", "Nothing.", []).passes
    assert not would_pass([], ["act"])


def test_an_act_that_helps_twice_is_done_once_and_preferred() -> None:
    run, sign = Fix("run", "run it"), Fix("sign", "sign it")
    demanded = _leaf("missing", [run])
    choice = some_of(1, "c", "C", "Either.", [_leaf("missing", [sign]), _leaf("fail", [run])])
    assert smallest([choice, demanded]) == (run,)


def test_a_sentence_names_four_reasons_and_counts_the_rest() -> None:
    leaves = [
        GateResult(f"{n}", "T", "fail", f"Wrong {n}.", fixes=(Fix(f"{n}", f"mend {n}"),))
        for n in range(6)
    ]
    told = sentence([all_of("all", "All", "", leaves)])
    assert told == (
        "Denied because Wrong 0, and Wrong 1, and Wrong 2, and Wrong 3, and 2 more; "
        "smallest fix: mend 0, then mend 1, then mend 2, then mend 3, then 2 more."
    )


@pytest.mark.parametrize("state", ["fail", "missing"])
def test_what_nobody_can_mend_says_so(state: str) -> None:
    assert smallest([_leaf(state, [])]) is None
    assert "nothing that is done here would change that" in sentence([_leaf(state, [])])
