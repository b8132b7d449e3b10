"""Two policies over one model that both limit data quality and leakage: the stricter of each limit holds."""

from __future__ import annotations

from typing import Any

from apps.reviews.policies import combine


def both(kind: str, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    found = combine.checks([{kind: one}, {kind: other}])[kind]
    assert found == combine.checks([{kind: other}, {kind: one}])[kind], "order shows"
    assert found == combine.checks([{kind: found}, {kind: found}])[kind], "twice shows"
    return dict(found)


def test_the_smaller_missing_rate_holds_for_all_and_for_each_column() -> None:
    found = both(
        "quality",
        {"missing_rate": {"max": "0.2"}, "missing_by_column": {"a": "0.1", "b": "0.3"}},
        {"missing_rate": {"max": "0.05"}, "missing_by_column": {"b": "0.2", "c": "0"}},
    )
    assert found["missing_rate"] == {"max": "0.05"}
    assert found["missing_by_column"] == {"a": "0.1", "b": "0.2", "c": "0"}


def test_a_feature_is_let_in_where_both_let_it_in() -> None:
    found = both(
        "leakage",
        {"allow_features": ["a", "b"], "shared_share": {"max": "0"}},
        {"allow_features": ["b"]},
    )
    assert found == {"allow_features": ["b"], "shared_share": {"max": "0"}}
