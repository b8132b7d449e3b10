"""Two policies over one model: files that only one of them lets in are not let in."""

from __future__ import annotations

import pytest

from apps.reviews.policies import combine


def both(one: dict[str, object], other: dict[str, object]) -> dict[str, object]:
    found = combine.checks([{"files": one}, {"files": other}])["files"]
    assert found == combine.checks([{"files": other}, {"files": one}])["files"], "order shows"
    assert found == combine.checks([{"files": found}, {"files": found}])["files"], "twice shows"
    return found


@pytest.mark.parametrize(
    ("one", "other", "allowed"),
    [
        (["a.B"], [], []),
        (["a.B", "a.C"], ["a.C", "d.E"], ["a.C"]),
        (["a.*"], ["a.B", "b.C"], ["a.B"]),
        (["a.*"], ["a.*"], ["a.*"]),
        (["a.*"], ["b.*"], []),
    ],
)
def test_a_name_is_let_in_where_every_policy_lets_it_in(one, other, allowed) -> None:
    assert both({"allow_globals": one}, {"allow_globals": other})["allow_globals"] == allowed


def test_the_smaller_number_of_unverified_files_holds() -> None:
    assert both({"max_unverified": 3}, {})["max_unverified"] == 0
    assert both({"max_unverified": 3}, {"max_unverified": 2})["max_unverified"] == 2
