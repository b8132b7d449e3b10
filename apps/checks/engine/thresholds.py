"""Decisions taken at a threshold of the score instead of those of the prediction column."""

from __future__ import annotations

from apps.checks.engine.counts import TARGET_MISSING, Outcomes
from apps.checks.engine.scores import SCORE_INFINITE, SCORE_MISSING
from apps.checks.engine.source import Source
from apps.checks.statistics import Contingency, RowCount

_EXCLUDED = {"outcome": TARGET_MISSING, "missing": SCORE_MISSING, "infinite": SCORE_INFINITE}


def count_at(
    source: Source, outcomes: Outcomes, score: str, threshold: str
) -> tuple[RowCount, Contingency]:
    """Rows by outcome and by whether the score is at least the threshold, which decides for the positive outcome.

    Grouped by the raw outcome first. Raises Invalid where the score column holds no numbers.
    """
    labels, number = outcomes.labels, source.number(score)
    decided = (
        f"CASE WHEN {number} IS NULL OR isnan({number}) THEN 'missing' "
        f"WHEN isinf({number}) THEN 'infinite' "
        f"WHEN {number} >= CAST($threshold AS DOUBLE) THEN 'yes' ELSE 'no' END"
    )
    inner = (
        f"SELECT {source.raw(outcomes.target)} AS t, {decided} AS d, {source.count()} AS n "
        "FROM {data} GROUP BY ALL"
    )
    rows = source.fetch(
        f"SELECT {source.text(outcomes.target, 't')} AS outcome, d, sum(n) FROM ({inner}) GROUP BY ALL",
        threshold=threshold,
    )
    turn = labels.positive != labels.favourable
    counts: dict[tuple[tuple[str | None, ...], bool, bool], int] = {}
    excluded: dict[str, int] = {}
    for outcome, decision, count in rows:
        reason = _EXCLUDED["outcome"] if outcome is None else _EXCLUDED.get(decision, "")
        if reason:
            excluded[reason] = excluded.get(reason, 0) + int(count)
        else:
            key = ((), outcome == labels.favourable, (decision == "yes") != turn)
            counts[key] = counts.get(key, 0) + int(count)
    table = Contingency.of((), counts)
    total = table.total + sum(excluded.values())
    return RowCount(total, table.total, dict(sorted(excluded.items()))), table
