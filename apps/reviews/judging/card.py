"""The card's requirement with its waiver beside it."""

from __future__ import annotations

from dataclasses import replace

from apps.checks.judging import waiver_leaf
from apps.registry.gates import GateResult, some_of


def or_waived(card: GateResult, sentence: str) -> GateResult:
    """The card's unmet requirement, or a waiver told by its sentence; "" where there is none."""
    waiver = waiver_leaf("card", "Completeness of the model card", sentence)
    blocks = replace(card, key="card.blocks", title="Required blocks", act_label="", act_url="")
    fact = f"{card.fact}. {sentence}" if sentence else card.fact
    return some_of(
        1, card.key, card.title, fact, [blocks, waiver],
        act_label=card.act_label, act_url=card.act_url, reason=card.reason,
    )  # fmt: skip
