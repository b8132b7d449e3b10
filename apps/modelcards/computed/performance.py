"""Performance of the whole, with intervals; the confusion matrix; calibration."""

from __future__ import annotations

from apps.checks.library.estimates import Estimate
from apps.checks.library.performance import TITLES, CalibrationBin, PerformanceResult
from apps.checks.numbers import grouped, shown
from apps.checks.statistics import RowCount
from apps.core.parts import Bar, Chart, Column, Missing, Part, Table, Text, cells
from apps.modelcards.card import Computed, Source

_ON_UNIT_SCALE = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc")


def performance(result: PerformanceResult | None, source: Source | None, why_not: str) -> Computed:
    """Every metric with its interval, n and method; a metric that is not defined says why."""
    if result is None or source is None:
        return Computed((Missing(why_not),))
    parts: list[Part] = [
        Text(counted(result.rows)),
        _chart(result),
        _metrics(result),
        _confusion(result),
    ]
    if result.calibration:
        parts += [_calibration_chart(result.calibration), _calibration(result)]
    return Computed(tuple(parts), (source,))


def counted(rows: RowCount) -> str:
    """How many rows the numbers rest on, and what was left out and why."""
    said = f"{grouped(rows.counted)} of {grouped(rows.total)} rows counted"
    left = "; ".join(
        f"{grouped(count)} left out: {why}" for why, count in rows.excluded.items() if count
    )
    return f"{said}; {left}." if left else f"{said}."


def bar(label: str, number: Estimate) -> Bar:
    """One estimate as a bar; one that is not defined keeps its place in the table and is not drawn."""
    return Bar(label, number.value or "", number.low or "", number.high or "")


def ends(number: Estimate) -> tuple[str, str]:
    return shown(number.low), shown(number.high)


def interval_title(confidence: str) -> str:
    """ "95 %" of "0.95"."""
    return f"{float(confidence) * 100:g}\u00a0%"


def _chart(result: PerformanceResult) -> Chart:
    bars = tuple(bar(TITLES[key], result.metrics[key]) for key in _ON_UNIT_SCALE)
    return Chart(f"Performance, with {interval_title(result.confidence)} intervals", "value", bars)


def _metrics(result: PerformanceResult) -> Table:
    rows = []
    for key, title in TITLES.items():
        number = result.metrics[key]
        n = grouped(number.denominator) if number.denominator is not None else "—"
        method = number.method if number.value is not None else number.reason
        rows.append(cells(title, shown(number.value), *ends(number), n, method))
    head = (
        Column("Metric"),
        Column("Value", numeric=True),
        Column(f"{interval_title(result.confidence)} from", numeric=True),
        Column("to", numeric=True),
        Column("n", numeric=True),
        Column("Interval, or why there is none"),
    )
    note = (
        f"Positive means “{result.labels.positive}”. n is the denominator of a rate; "
        "formulas are in section 4. Exact values are in check-results.json."
    )
    return Table("Metrics on the evaluation data", head, tuple(rows), note=note)


def _confusion(result: PerformanceResult) -> Table:
    c = result.confusion
    positive = result.labels.positive
    head = (
        Column("Outcome"),
        Column(f"Predicted {positive}", numeric=True),
        Column("Predicted other", numeric=True),
        Column("All", numeric=True),
    )
    rows = (
        (positive, c.tp, c.fn),
        ("other", c.fp, c.tn),
        ("all", c.tp + c.fp, c.fn + c.tn),
    )
    return Table(
        "Confusion matrix, rows",
        head,
        tuple(cells(name, grouped(a), grouped(b), grouped(a + b)) for name, a, b in rows),
    )


def _calibration_chart(bins: tuple[CalibrationBin, ...]) -> Chart:
    bars = tuple(bar(_bin(entry), entry.observed) for entry in bins)
    return Chart("Observed rate of the positive outcome per score bin", "observed rate", bars)


def _bin(entry: CalibrationBin) -> str:
    return f"{shown(entry.low, 1)} to {shown(entry.high, 1)}"


def _calibration(result: PerformanceResult) -> Table:
    head = (
        Column("Score"),
        Column("Rows", numeric=True),
        Column("Mean score", numeric=True),
        Column("Observed rate", numeric=True),
        Column(f"{interval_title(result.confidence)} from", numeric=True),
        Column("to", numeric=True),
    )
    rows = tuple(
        cells(
            _bin(entry),
            grouped(entry.count),
            shown(entry.mean_score),
            shown(entry.observed.value),
            *ends(entry.observed),
        )
        for entry in result.calibration
    )
    return Table("Calibration", head, rows, note="A calibrated score equals the observed rate.")
