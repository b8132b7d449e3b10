"""Rows by group, outcome and prediction: one group-by over the file, whatever its number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.checks.engine.joint import Counted
from apps.checks.numbers import grouped, listed
from apps.checks.statistics import Contingency, Labels, Refused, RowCount
from apps.core.errors import Invalid

TARGET_MISSING = "outcome missing"
PREDICTION_MISSING = "prediction missing"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Which columns hold the outcome and the prediction, and the two labels in them."""

    target: str
    prediction: str
    labels: Labels


def find_labels(
    source: Counted, *, target: str, prediction: str, favourable: str, positive: str = ""
) -> Labels:
    """The two outcomes of a binary classifier.

    Refuses: more than two labels in the two columns together (a prediction that is no known outcome
    is never dropped silently), a favourable or positive outcome that does not occur, no label at all.
    """
    seen = {name: _distinct(source, name) for name in (target, prediction)}
    labels = sorted(set().union(*seen.values()))
    if not seen[target]:
        raise Invalid(
            f"column {target!r} holds no outcome at all", fields={"target": "all missing"}
        )
    if not seen[prediction]:
        raise Invalid(
            f"column {prediction!r} holds no prediction", fields={"prediction": "all missing"}
        )
    if len(labels) > 2:
        raise _too_many_labels(target, prediction, seen, labels)
    for field, label in (("favourable", favourable), ("positive", positive or favourable)):
        if label not in labels:
            known = listed([repr(name) for name in labels])
            raise Invalid(
                f"the {field} outcome {label!r} does not occur; the outcomes are {known}",
                fields={field: f"does not occur; the outcomes are {known}"},
            )
    others = [label for label in labels if label != favourable]
    return Labels(favourable, positive or favourable, others[0] if others else None)


def count_rows(source: Counted, outcomes: Outcomes) -> tuple[RowCount, Contingency]:
    """All rows without groups: what is counted, what is left out and why."""
    counts, excluded = _split(
        source.counted([outcomes.target, outcomes.prediction]), outcomes.labels
    )
    table = Contingency.of((), counts)
    return RowCount(table.total + sum(excluded.values()), table.total, excluded), table


def count_groups(
    source: Counted, outcomes: Outcomes, features: Sequence[str]
) -> Contingency | Refused:
    """The same by the values of `features`, missing ones as the group None.

    Refused when there are more groups than one table may have: bin the feature first.
    """
    names = tuple(features)
    most = source.caps.max_groups
    columns = [*names, outcomes.target, outcomes.prediction]
    rows = source.counted(columns, most=9 * most + 1)
    counts, _ = _split(rows, outcomes.labels)
    groups = {values for values, _, _ in counts}
    if len(groups) > most or len(rows) > 9 * most:
        return Refused(names, f"more than {grouped(most)} groups; combine values before measuring")
    return Contingency.of(names, counts)


def _distinct(source: Counted, name: str) -> set[str]:
    return {label for label, _ in source.counted([name], most=50) if label is not None}


def _too_many_labels(
    target: str, prediction: str, seen: dict[str, set[str]], labels: list[str]
) -> Invalid:
    if len(seen[target]) > 2:
        reason = f"{target!r} holds more than two outcomes ({listed(sorted(seen[target]))})"
        return Invalid(f"{reason}; only two can be measured so far", fields={"target": reason})
    unknown = sorted(seen[prediction] - seen[target])
    reason = f"{prediction!r} holds labels that are no outcome: {listed(unknown)}"
    hint = f"all labels together: {listed(labels)}"
    return Invalid(f"{reason} ({hint})", fields={"prediction": reason})


def _split(
    rows: list[tuple[Any, ...]], labels: Labels
) -> tuple[dict[tuple[tuple[str | None, ...], bool, bool], int], dict[str, int]]:
    """Cells on one side, rows left out by reason on the other."""
    counts: dict[tuple[tuple[str | None, ...], bool, bool], int] = {}
    excluded: dict[str, int] = {}
    known = {labels.favourable, labels.other}
    for *values, actual, predicted, count in rows:
        if actual is None or predicted is None:
            reason = TARGET_MISSING if actual is None else PREDICTION_MISSING
            excluded[reason] = excluded.get(reason, 0) + count
        elif actual not in known or predicted not in known:
            raise Invalid(f"labels other than {listed(sorted(filter(None, known)))} occur")
        else:
            key = (tuple(values), actual == labels.favourable, predicted == labels.favourable)
            counts[key] = counts.get(key, 0) + count
    return counts, dict(sorted(excluded.items()))
