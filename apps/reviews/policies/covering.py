"""Which of several policies count for a model on its way into targets. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from apps.registry.targets import Target
from apps.reviews.policies.document import PolicyDocument


def chosen(
    documents: Mapping[int, PolicyDocument],
    targets: Collection[Target],
    tier: int,
    team: str,
    tags: Iterable[tuple[str, str]],
) -> tuple[int, ...]:
    """The policies that cover the model and govern one of the targets; with no target, any.

    A model that none of them covers falls under all of them: to be forgotten by every policy is no way round.
    """
    pairs = list(tags)
    about = governing(documents, targets) or tuple(documents)
    covering = tuple(pk for pk in about if applies(documents[pk], tier, team, pairs))
    return covering or about


def governing(
    documents: Mapping[int, PolicyDocument], targets: Collection[Target]
) -> tuple[int, ...]:
    """The policies that govern one of the targets; with no target, all."""
    return tuple(pk for pk, document in documents.items() if governs(document, targets))


def governs(document: PolicyDocument, targets: Collection[Target]) -> bool:
    """Whether the policy is about one of these targets; with no target, it is."""
    names = {
        "stage": document.governs.stages,
        "alias": document.governs.aliases,
        "environment": document.governs.environments,
    }
    return not targets or any(target.name in names[target.kind] for target in targets)


def applies(
    document: PolicyDocument, tier: int, team: str, tags: Iterable[tuple[str, str]]
) -> bool:
    """Whether the policy is about a model of this risk tier, team (its key or "") and tags.

    Tags are compared by key in any letter case. One that stands there twice in two spellings counts with both
    values: adding a spelling never takes a model out of a policy.
    """
    wanted = document.applies_to
    folded: dict[str, set[str]] = {}
    for key, value in tags:
        folded.setdefault(key.lower(), set()).add(value)
    return (
        (not wanted.tiers or tier in wanted.tiers)
        and (not wanted.teams or team in wanted.teams)
        and all(folded.get(tag.lower(), set()) & {*values} for tag, values in wanted.tags.items())
    )
