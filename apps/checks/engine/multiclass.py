"""Rows by outcome and prediction where there are more than two labels."""

from __future__ import annotations

from typing import Final

from apps.checks.engine.counts import PREDICTION_MISSING, TARGET_MISSING
from apps.checks.engine.source import Source
from apps.checks.numbers import grouped
from apps.checks.outcomes import MulticlassStatistics
from apps.checks.statistics import RowCount
from apps.core.errors import Invalid

MOST_LABELS: Final = 100


def multiclass_statistics(source: Source, target: str, prediction: str) -> MulticlassStatistics:
    """A label that is predicted and never an outcome is counted as one.

    Raises Invalid, naming the column, where it holds nothing, no categories, or more labels than a table may have.
    """
    for field, name in (("target", target), ("prediction", prediction)):
        _require_few(source, field, name)
    counts: dict[tuple[str, str], int] = {}
    excluded: dict[str, int] = {}
    for actual, predicted, count in source.counted([target, prediction]):
        if actual is None or predicted is None:
            reason = TARGET_MISSING if actual is None else PREDICTION_MISSING
            excluded[reason] = excluded.get(reason, 0) + count
        else:
            counts[actual, predicted] = count
    counted = sum(counts.values())
    rows = RowCount(counted + sum(excluded.values()), counted, dict(sorted(excluded.items())))
    return MulticlassStatistics.of(rows, counts)


def _require_few(source: Source, field: str, name: str) -> None:
    """At most MOST_LABELS and one; asked before the two columns are crossed."""
    labels = [label for label, _ in source.counted([name], most=MOST_LABELS + 2)]
    known = [label for label in labels if label is not None]
    if not known:
        reason = f"{name!r} holds no label at all"
        raise Invalid(f"column {reason}", fields={field: "all missing"})
    if len(known) > MOST_LABELS:
        reason = f"{name!r} holds more than {grouped(MOST_LABELS)} labels; combine them, or measure it as a regression"
        raise Invalid(f"column {reason}", fields={field: reason})
