"""The first difference between two pieces of plain data."""

from __future__ import annotations

from typing import Any

import pytest

from apps.checks.comparing import ABSENT, CLIP, Difference, first_difference


@pytest.mark.parametrize("same", [None, 1, "a", [], {}, {"a": [1, {"b": None}]}])
def test_the_same_has_none(same: Any) -> None:
    assert first_difference(same, same) is None


@pytest.mark.parametrize(
    ("stored", "found", "difference"),
    [
        ({"a": 1}, {"a": 2}, Difference("a", "1", "2")),
        ({"a": [1, 2]}, {"a": [1, 3]}, Difference("a[1]", "2", "3")),
        ({"a": [1]}, {"a": [1, 3]}, Difference("a[1]", ABSENT, "3")),
        ({"a": [{"b": 1}]}, {"a": [{}]}, Difference("a[0].b", "1", ABSENT)),
        ({}, {"a": None}, Difference("a", ABSENT, "null")),
        ({"a": 1}, {"a": True}, Difference("a", "1", "true")),
        ({"a": "1"}, {"a": 1}, Difference("a", '"1"', "1")),
        ({"a": None}, {"a": {}}, Difference("a", "null", "{}")),
        ({"b": 1, "a": 1}, {"a": 2, "b": 2}, Difference("b", "1", "2")),
    ],
)
def test_the_first_is_named_with_both_sides(
    stored: Any, found: Any, difference: Difference
) -> None:
    assert first_difference(stored, found) == difference


def test_what_is_long_is_clipped() -> None:
    found = first_difference({"a": "x" * 1000}, {"a": ""})
    assert found is not None
    assert len(found.stored) == CLIP
