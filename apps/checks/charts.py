"""Results as Vega-Lite specifications with inline values: what is drawn, not in which colours.

Each has a table beside it that says the same (see the model card's blocks). Floats are fine here:
a picture is drawn from a result and never digested into one. Rendering and palette are apps.web's.
"""

from __future__ import annotations

from typing import Any

from apps.checks.library.columns import Bin, ColumnDrift
from apps.checks.library.estimates import Estimate
from apps.checks.library.groups import RATES, Grouping
from apps.checks.library.performance import PerformanceResult

Spec = dict[str, Any]
WIDTH, ROW, HEIGHT = 480, 24, 220
MOST_GROUPS = 40
_SIDES = ("reference", "current")


def group_rates(grouping: Grouping, rate: str = "selection_rate") -> Spec:
    """A point with its interval per group, largest group first; at most MOST_GROUPS of them."""
    groups = sorted(grouping.groups, key=lambda group: (-group.n, group.label))[:MOST_GROUPS]
    values = [
        {"group": f"{group.label} (n = {group.n})", **_interval(group.rates[rate])}
        for group in groups
        if group.rates[rate].value is not None
    ]
    y = _names("group")
    title = RATES[rate]
    return {
        "description": f"{title} by {grouping.label} with intervals",
        "width": WIDTH,
        "height": {"step": ROW},
        "data": {"values": values},
        "encoding": {"y": y},
        "layer": [
            {
                "mark": {"type": "rule"},
                "encoding": {"x": _unit("low", title), "x2": {"field": "high"}},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"x": _unit("value", title)},
            },
        ],
    }


def calibration(result: PerformanceResult) -> Spec | None:
    """Observed rate with interval over the mean score of each tenth; the diagonal is what scores promise.
    None where scores are no probabilities."""
    values = [
        {"score": float(entry.mean_score), **_interval(entry.observed)}
        for entry in result.calibration
        if entry.mean_score is not None and entry.observed.value is not None
    ]
    if not values:
        return None
    x, title = _unit("score", "Mean score"), f"Observed share of {result.labels.positive}"
    diagonal = [{"score": 0, "value": 0}, {"score": 1, "value": 1}]
    return {
        "description": "Calibration: observed rates against scores",
        "width": WIDTH,
        "height": HEIGHT,
        "layer": [
            {
                "data": {"values": diagonal},
                "mark": {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1},
                "encoding": {"x": x, "y": _unit("value", title)},
            },
            {
                "data": {"values": values},
                "mark": {"type": "rule"},
                "encoding": {"x": x, "y": _unit("low", title), "y2": {"field": "high"}},
            },
            {
                "data": {"values": values},
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"x": x, "y": _unit("value", title)},
            },
        ],
    }


def roc(result: PerformanceResult) -> Spec | None:
    """Recall over the false positive rate at the stored points, from (0, 0); None where one of the two outcomes has no scores."""
    last = result.curve[-1] if result.curve else None
    if last is None or not last.tp or not last.fp:
        return None
    values = [{"x": 0.0, "y": 0.0}]
    values += [{"x": point.fp / last.fp, "y": point.tp / last.tp} for point in result.curve]
    return _line("ROC curve", values, "False positive rate", "Recall", "linear")


def precision_recall(result: PerformanceResult) -> Spec | None:
    """Precision over recall at the stored points, in steps: nothing is interpolated. None where no row is positive."""
    last = result.curve[-1] if result.curve else None
    if last is None or not last.tp:
        return None
    values = [
        {"x": point.tp / last.tp, "y": point.tp / (point.tp + point.fp)} for point in result.curve
    ]
    return _line("Precision and recall", values, "Recall", "Precision", "step-before")


def _line(
    description: str, values: list[dict[str, float]], x: str, y: str, interpolate: str
) -> Spec:
    return {
        "description": description,
        "width": WIDTH,
        "height": HEIGHT,
        "data": {"values": values},
        "mark": {"type": "line", "interpolate": interpolate},
        "encoding": {"x": _unit("x", x), "y": _unit("y", y)},
    }


def distribution(column: ColumnDrift, most: int = 30) -> Spec | None:
    """Shares of each bin or category before and now; of many categories those that hold most rows.
    None for a column that was not compared."""
    total = [
        sum(entry.reference for entry in column.bins),
        sum(entry.current for entry in column.bins),
    ]
    if not all(total):
        return None
    shown = list(column.bins)
    if column.kind == "categorical":
        shown = sorted(shown, key=lambda entry: -(entry.reference + entry.current))[:most]
    values = [row for entry in shown for row in _shares(entry, total)]
    return {
        "description": f"{column.name}: share of rows per bin, reference and current",
        "width": WIDTH,
        "height": {"step": ROW / 2},
        "data": {"values": values},
        "mark": {"type": "bar"},
        "encoding": {
            "y": _names("bin"),
            "yOffset": {"field": "side", "sort": list(_SIDES)},
            "x": {
                "field": "share",
                "type": "quantitative",
                "title": f"Share of rows, {column.name}",
                "axis": {"format": "%"},
            },
            "color": {"field": "side", "type": "nominal", "sort": list(_SIDES)},
        },
    }


def _shares(entry: Bin, total: list[int]) -> list[dict[str, Any]]:
    name = "missing" if entry.name is None else entry.name
    counts = (entry.reference, entry.current)
    return [
        {"bin": name, "side": side, "share": count / whole}
        for side, count, whole in zip(_SIDES, counts, total, strict=True)
    ]


def _interval(number: Estimate) -> dict[str, float]:
    return {
        key: float(text)
        for key, text in (("value", number.value), ("low", number.low), ("high", number.high))
        if text is not None
    }


def _names(field: str) -> dict[str, Any]:
    """Rows by name, in the order given, names never cut at the usual width."""
    axis = {"labelLimit": 320}
    return {"field": field, "type": "nominal", "sort": None, "title": None, "axis": axis}


def _unit(field: str, title: str) -> dict[str, Any]:
    """A quantity from 0 to 1."""
    return {"field": field, "type": "quantitative", "title": title, "scale": {"domain": [0, 1]}}
