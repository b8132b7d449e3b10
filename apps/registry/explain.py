"""Why not, and what is the least that would change it. Pure: trees of requirements in, acts and a sentence out.

Guarantee: doing what `smallest` names meets every requirement, and no part of it alone does. It is of the least cost
where no act stands in two leaves; where one does, it is found greedily and may not be the cheapest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from apps.registry.gates import Fix, GateResult

_NAMED = 4


def smallest(nodes: Sequence[GateResult]) -> tuple[Fix, ...] | None:
    """The acts that together let all of these pass, in the order of the tree; () if they do, None if nothing would."""
    chosen = _all(nodes, {})
    if chosen is None:
        return None
    order = list(dict.fromkeys(fix.key for leaf in _leaves(nodes) for fix in leaf.fixes))
    kept = [key for key in order if key in chosen]
    for key in reversed(list(kept)):
        without = [other for other in kept if other != key]
        if would_pass(nodes, without):
            kept = without
    return tuple(chosen[key] for key in kept)


def would_pass(nodes: Sequence[GateResult], done: Collection[str]) -> bool:
    """Whether all of these pass once the acts with these keys are done."""
    return bool(nodes) and all(_would(node, done) for node in nodes)


def _would(node: GateResult, done: Collection[str]) -> bool:
    if not node.children:
        acts = bool(node.fixes) and all(fix.key in done for fix in node.fixes)
        return node.passes or acts
    met = sum(_would(child, done) for child in node.children)
    return met >= _needed(node)


def _needed(node: GateResult) -> int:
    return len(node.children) if node.needs is None else node.needs


def _leaves(nodes: Sequence[GateResult]) -> Iterator[GateResult]:
    for node in nodes:
        if node.children:
            yield from _leaves(node.children)
        else:
            yield node


Acts = dict[str, Fix]


def _acts(node: GateResult, have: Mapping[str, Fix]) -> Acts | None:
    """What else has to be done, beside `have`, for this to pass; None if nothing helps."""
    if node.passes:
        return {}
    if not node.children:
        return {fix.key: fix for fix in node.fixes if fix.key not in have} if node.fixes else None
    if _needed(node) >= len(node.children):
        return _all(node.children, have)
    return _some(node, have)


def _all(nodes: Sequence[GateResult], have: Mapping[str, Fix]) -> Acts | None:
    """What cannot be chosen first, so that a choice can make use of it."""
    found: Acts = {}
    for node in sorted(nodes, key=_has_choice):
        more = _acts(node, {**have, **found})
        if more is None:
            return None
        found |= more
    return found


def _has_choice(node: GateResult) -> bool:
    chooses = bool(node.children) and _needed(node) < len(node.children)
    return chooses or any(_has_choice(child) for child in node.children)


def _some(node: GateResult, have: Mapping[str, Fix]) -> Acts | None:
    """The cheapest of the unmet, one after the other; of equals the one that stands first."""
    found: Acts = {}
    left = [child for child in node.children if not child.passes]
    for _ in range(_needed(node) - (len(node.children) - len(left))):
        offers = [(child, _acts(child, {**have, **found})) for child in left]
        possible = [(child, acts) for child, acts in offers if acts is not None]
        if not possible:
            return None
        child, acts = min(possible, key=lambda offer: sum(fix.cost for fix in offer[1].values()))
        found |= acts
        left.remove(child)
    return found


def reasons(nodes: Sequence[GateResult]) -> list[str]:
    """Why not, a clause each: of an unmet requirement the unmet ones below it, where it is made of several."""
    return [node.clause for node in unmet(nodes)]


def unmet(nodes: Sequence[GateResult], *, deep: bool = False) -> Iterator[GateResult]:
    """What stands in the way: unmet requirements, each taken apart where it takes all of its parts.

    One that has words of its own for the whole (`reason`) stands for its parts, but with `deep`.
    """
    for node in nodes:
        if node.passes:
            continue
        if node.children and node.needs is None and (deep or not node.reason):
            yield from unmet(node.children, deep=deep)
        else:
            yield node


def why(nodes: Sequence[GateResult], opening: str = "Denied") -> str:
    """`Denied because ...`, without a full stop; "" if all of these pass."""
    told = list(dict.fromkeys(reasons(nodes)))
    return f"{opening} because {_listed(told, ', and ')}" if told else ""


def sentence(nodes: Sequence[GateResult], opening: str = "Denied") -> str:
    """`Denied because ...; smallest fix: ...`; "" if all of these pass."""
    told = why(nodes, opening)
    if not told:
        return ""
    fixes = smallest(nodes)
    if fixes is None:
        help_ = "nothing that is done here would change that"
    else:
        help_ = f"smallest fix: {_listed([fix.act for fix in fixes], ', then ')}"
    return f"{told}; {help_}."


def _listed(items: Sequence[str], between: str) -> str:
    more = f"{between}{len(items) - _NAMED} more" if len(items) > _NAMED else ""
    return between.join(items[:_NAMED]) + more
