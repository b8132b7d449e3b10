"""The nine sections, and what a policy may require of them."""

from __future__ import annotations

import pytest

from apps.modelcards import schema
from apps.modelcards.card import build_sections
from tests.modelcards import samples


def test_the_sections_are_the_nine_of_mitchell_et_al() -> None:
    assert [section.title for section in schema.SECTIONS] == [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
    ]


def test_block_keys_are_unique_and_only_human_blocks_are_required() -> None:
    blocks = [block for section in schema.SECTIONS for block in section.blocks]
    assert len({block.key for block in blocks}) == len(blocks)
    assert all(block.kind == "human" for block in blocks if block.required)
    assert all(block.help for block in blocks)


@pytest.mark.parametrize("terms", [None, {}, {"checks": {}}, {"card_complete": True}])
def test_terms_that_do_not_loosen_it_require_the_default_set(
    terms: dict[str, object] | None,
) -> None:
    assert schema.required_blocks(terms) == schema.REQUIRED_BY_DEFAULT


def test_a_policy_may_require_nothing_or_blocks_of_its_own() -> None:
    assert schema.required_blocks({"card_complete": False}) == ()
    wanted = {"card_complete": ["recommendations", "summary"]}
    assert schema.required_blocks(wanted) == ("summary", "recommendations")


def test_a_policy_cannot_require_a_block_that_nobody_can_write() -> None:
    with pytest.raises(ValueError, match="identity"):
        schema.required_blocks({"card_complete": ["summary", "identity"]})


def test_gaps_are_the_required_blocks_without_text_and_nothing_else() -> None:
    card = samples.card(empty=("summary", "recommendations"))
    assert [gap.key for gap in card.gaps] == ["summary"]


def test_a_computed_block_cannot_be_left_out_of_a_card() -> None:
    computed = samples.computed()
    del computed["fairness"]
    with pytest.raises(KeyError):
        build_sections(computed=computed, prose={})


def test_prose_for_a_computed_block_does_not_reach_the_card() -> None:
    sections = build_sections(
        computed=samples.computed(), prose={"identity": samples.prose("identity")}
    )
    block = next(b for s in sections for b in s.blocks if b.key == "identity")
    assert block.prose is None
    assert block.computed is not None
