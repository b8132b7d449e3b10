"""Fairlearn on the same count table: two independent computations must agree before a number is published.

Fairlearn sees the collapsed rows with the counts as weights, which gives exactly what it would say
about all rows. Left out: rates it defines as 0 where we say "not defined", and tables of so many groups
that its per-group calls would take longer than the check itself.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np

from apps.checks.library.groups import CrossCheck, FairnessResult, Grouping
from apps.checks.statistics import Contingency, FairnessStatistics
from apps.core.canonical import decimal

MOST_GROUPS = 100
# The other rates follow from the same four counts; comparing them would double the time of the whole check.
_COMPARED = ("selection_rate", "true_positive_rate", "false_positive_rate", "accuracy")
TOLERANCE = 1e-9


class Disagreement(Exception):
    """Fairlearn and we say different things about the same counts: neither is published."""


def against_fairlearn(statistics: FairnessStatistics, result: FairnessResult) -> CrossCheck | None:
    """How far the two are apart; raises Disagreement beyond TOLERANCE. None if nothing was compared."""
    differences: list[float] = []
    for table in statistics.tables:
        grouping = result.find(table.features)
        if grouping is not None and 2 <= len(grouping.groups) <= MOST_GROUPS:
            differences += _differences(table, grouping)
    if not differences:
        return None
    largest = max(differences)
    if not largest <= TOLERANCE:
        raise Disagreement(
            f"fairlearn {version('fairlearn')} differs by {largest} on the same counts"
        )
    return CrossCheck("fairlearn", version("fairlearn"), len(differences), decimal(largest))


def _differences(table: Contingency, grouping: Grouping) -> list[float]:
    frame = _metric_frame(table)
    found = []
    for group in grouping.groups:
        theirs = frame.by_group.loc[_key(group.values)]
        for name in _COMPARED:
            ours = group.rates[name]
            if ours.value is not None:
                found.append(abs(float(theirs[name]) - float(ours.value)))
    if all(group.rates[name].value is not None for group in grouping.groups for name in _COMPARED):
        found += _gap_differences(frame, grouping)
    return found


def _gap_differences(frame: Any, grouping: Grouping) -> list[float]:
    spans = frame.difference(method="between_groups")
    ratios = frame.ratio(method="between_groups")
    theirs = {
        "demographic_parity_difference": spans["selection_rate"],
        "demographic_parity_ratio": ratios["selection_rate"],
        "equal_opportunity_difference": spans["true_positive_rate"],
        "false_positive_rate_difference": spans["false_positive_rate"],
        "equalized_odds_difference": max(spans["true_positive_rate"], spans["false_positive_rate"]),
    }
    ours = {name: grouping.gaps[name].value for name in theirs}
    return [
        abs(float(theirs[name]) - float(value)) for name, value in ours.items() if value is not None
    ]


def _metric_frame(table: Contingency) -> Any:
    """Imported late: pandas and scikit-learn take a second to load and only the worker needs them."""
    import pandas as pd
    from fairlearn import metrics as fairlearn
    from sklearn.metrics import accuracy_score

    functions = {
        "selection_rate": fairlearn.selection_rate,
        "true_positive_rate": fairlearn.true_positive_rate,
        "false_positive_rate": fairlearn.false_positive_rate,
        "accuracy": accuracy_score,
    }
    weights = np.array([cell.count for cell in table.cells], dtype=float)
    names = [f"feature_{index}" for index in range(len(table.features))]
    groups = [[_value(value) for value in cell.values] for cell in table.cells]
    return fairlearn.MetricFrame(
        metrics=functions,
        y_true=np.array([cell.actual for cell in table.cells], dtype=int),
        y_pred=np.array([cell.predicted for cell in table.cells], dtype=int),
        sensitive_features=pd.DataFrame(groups, columns=names, dtype=object),
        sample_params={name: {"sample_weight": weights} for name in functions},
    )


def _value(value: str | None) -> str:
    """Fairlearn refuses missing values: an explicit name that no text column can hold."""
    return "\0unknown" if value is None else value


def _key(values: tuple[str | None, ...]) -> Any:
    named = tuple(_value(value) for value in values)
    return named if len(named) > 1 else named[0]
