"""Comparing two revisions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.modelcards import diff

prose = st.text(alphabet=st.sampled_from("ab c.\nд字"), max_size=80)


@given(prose, prose)
def test_the_pieces_give_back_both_texts(old: str, new: str) -> None:
    pieces = diff.words(old, new)
    assert "".join(p.text for p in pieces if p.op != "added") == old
    assert "".join(p.text for p in pieces if p.op != "removed") == new


def test_a_changed_word_is_one_removed_and_one_added_piece() -> None:
    pieces = diff.words("limit of 0.10 holds", "limit of 0.05 holds")
    assert [(p.op, p.text) for p in pieces] == [
        ("same", "limit of 0."),
        ("removed", "10"),
        ("added", "05"),
        ("same", " holds"),
    ]


def test_very_long_texts_are_compared_by_line_and_still_whole() -> None:
    old = "\n".join(f"line {i} of many" for i in range(2000))
    new = old.replace("line 7 of", "row 7 of")
    pieces = diff.words(old, new)
    assert "".join(p.text for p in pieces if p.op != "added") == old
    assert any(p.text == "row 7 of many\n" for p in pieces)


def test_blocks_are_named_in_the_order_of_the_card_with_what_happened_to_them() -> None:
    states = {
        d.key: d.state
        for d in diff.compare(
            {"summary": "a", "ethics": "b", "oversight": "c"},
            {"summary": "a", "ethics": "x", "limitations": "d"},
        )
    }
    assert states == {
        "summary": "same",
        "ethics": "changed",
        "oversight": "removed",
        "limitations": "added",
    }
    assert list(states) == ["summary", "ethics", "oversight", "limitations"]


def test_only_what_changed_can_be_asked_for() -> None:
    found = diff.compare(
        {"summary": "a", "ethics": "b"}, {"summary": "a", "ethics": "c"}, only_changed=True
    )
    assert [block.key for block in found] == ["ethics"]
