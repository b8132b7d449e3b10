"""The requirement of the card as a tree, a leaf a block. Pure; the gate and the simulation of policies ask it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from apps.modelcards import schema
from apps.registry.gates import Fix, GateResult, all_of

KEY, TITLE = "card", "Model card"
_NAMED = 3
WRITER = "whoever may write the model's card"


def judge(required: Sequence[str], texts: Collection[str], revision: int, url: str) -> GateResult:
    """Every required block has text in the revision; `url` is the card's page. Not checked: whether it is true."""
    if not required:
        return GateResult(KEY, TITLE, "pass", "The policy requires no block of the card")
    leaves = [_block(key, key in texts, url) for key in required]
    missing = [leaf.title for leaf in leaves if not leaf.passes]
    if missing:
        fact = f"{len(missing)} of {len(required)} required blocks missing: {', '.join(missing)}"
        few = ", ".join(missing) if len(missing) <= _NAMED else f"{len(missing)} required blocks"
        why = f"the card lacks {few}"
        return all_of(
            KEY,
            TITLE,
            fact,
            leaves,
            act_label="Fill in the card",
            act_url=f"{url}edit/",
            reason=why,
        )
    fact = f"All {len(required)} required blocks answered, revision {revision}"
    return all_of(KEY, TITLE, fact, leaves, act_label="Read the card", act_url=url)


def _block(key: str, answered: bool, url: str) -> GateResult:
    title = schema.BLOCKS[key].title
    if answered:
        return GateResult(f"card.{key}", title, "pass", "Answered.")
    act = Fix(f"card.{key}", f"write {title} in the card", WRITER, f"{url}edit/")
    fact, why = "Nobody has written it.", f"{title} of the card is not written"
    return GateResult(f"card.{key}", title, "missing", fact, fixes=(act,), reason=why)
