"""Performance of the whole, with intervals; the confusion matrix; calibration."""

from __future__ import annotations

from apps.checks.library.estimates import Estimate
from apps.checks.library.groups import Resampled
from apps.checks.library.paired import Paired
from apps.checks.library.performance import TITLES, PerformanceResult
from apps.checks.library.scored import CalibrationBin
from apps.checks.numbers import grouped, listed, shown
from apps.checks.shown.words import bar, counted, p_text, told
from apps.core.canonical import decimal
from apps.core.parts import (
    Chart,
    Column,
    Curve,
    Heat,
    Line,
    Missing,
    Part,
    Point,
    Table,
    Text,
    cells,
)
from apps.modelcards.card import Computed, Source

_ON_UNIT_SCALE = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "roc_auc", "average_precision",
)  # fmt: skip
_CURVE_ROWS = 12


def performance(result: PerformanceResult | None, source: Source | None, why_not: str) -> Computed:
    """Every metric with its interval, n and method; a metric that is not defined says why."""
    if result is None or source is None:
        return Computed((Missing(why_not),))
    parts: list[Part] = [
        Text(_sentence(result)),
        _chart(result),
        _metrics(result),
        _matrix(result),
        _confusion(result),
    ]
    if result.paired:
        parts.append(_paired(result, result.paired))
    if result.curve:
        parts += [*curves(result), _curve(result)]
    if result.calibration:
        parts += [_calibration_chart(result), _calibration(result)]
    return Computed(tuple(parts), (source,))


def _sentence(result: PerformanceResult) -> str:
    numbers = [told("Accuracy", result.metric("accuracy"))]
    if result.metric("roc_auc").value is not None:
        numbers.append(told("ROC AUC", result.metric("roc_auc")))
    return f"{listed(numbers)}. {counted(result.rows)}"


def ends(number: Estimate) -> tuple[str, str]:
    return shown(number.low), shown(number.high)


def resampled_ends(found: Resampled | None) -> str:
    """What resampling the counts gave, or a dash."""
    return f"{shown(found.low)}–{shown(found.high)}" if found else "—"


def resampling_note(confidence: str, draws: int, seed: int) -> str:
    """To be appended to the note of a table that has them."""
    return (
        f" Resampled: the middle {interval_title(confidence)} of {grouped(draws)} resamples of the counts (seed {seed}); "
        "the formula's interval decides."
    )


def interval_title(confidence: str) -> str:
    """ "95 %" of "0.95"."""
    return f"{float(confidence) * 100:g}\u00a0%"


def _chart(result: PerformanceResult) -> Chart:
    bars = tuple(bar(TITLES[key], result.metric(key)) for key in _ON_UNIT_SCALE)
    title = f"Performance, with {interval_title(result.confidence)} intervals"
    return Chart(title, "value", bars, dots=True)


def _metrics(result: PerformanceResult) -> Table:
    rows = []
    for key, title in TITLES.items():
        number = result.metric(key)
        n = grouped(number.denominator) if number.denominator is not None else "—"
        method = number.method if number.value is not None else number.reason
        middle = resampled_ends(result.resampled.get(key))
        rows.append(cells(title, shown(number.value), *ends(number), middle, n, method))
    head = (
        Column("Metric"),
        Column("Value", numeric=True),
        Column(f"{interval_title(result.confidence)} from", numeric=True),
        Column("to", numeric=True),
        Column("Resampled", numeric=True),
        Column("n", numeric=True),
        Column("Interval, or why there is none"),
    )
    note = (
        f"Positive means “{result.labels.positive}”. n is the denominator of a rate; "
        "formulas are in section 4. Exact values are in check-results.json."
    )
    if result.resampled:
        note += resampling_note(result.confidence, result.draws, result.seed)
    return Table("Metrics on the evaluation data", head, tuple(rows), note=note)


def _paired(result: PerformanceResult, pairs: Paired) -> Table:
    """The candidate against a column of the same rows."""
    interval = interval_title(result.confidence)
    head = (
        Column("Compared row by row"),
        Column("Difference", numeric=True),
        Column(f"{interval} from", numeric=True),
        Column("to", numeric=True),
        Column("p", numeric=True),
        Column("Method, or why there is none"),
    )
    rows = tuple(
        cells(title, shown(number.value), *ends(number), p_text(p), number.method or number.reason)
        for title, number, p in (
            ("Accuracy", pairs.accuracy, pairs.accuracy_p),
            ("ROC AUC", pairs.roc_auc, pairs.roc_auc_p),
        )
    )
    note = (
        f"This model minus the column {pairs.against}. Both right: {grouped(pairs.both_right)} rows, only this model: "
        f"{grouped(pairs.only_candidate)}, only the other: {grouped(pairs.only_incumbent)}, both wrong: "
        f"{grouped(pairs.both_wrong)}. p: McNemar's test, exact; DeLong."
    )
    return Table("Against another model on the same rows", head, rows, note=note)


def _curve(result: PerformanceResult) -> Table:
    """Points of both curves, evenly taken; the first and the last are among them."""
    last = len(result.curve) - 1
    shown_rows = sorted({round(step * last / (_CURVE_ROWS - 1)) for step in range(_CURVE_ROWS)})
    points = [result.curve[at] for at in shown_rows]
    positives, negatives = result.curve[last].tp, result.curve[last].fp
    head = (
        Column("Score at least", numeric=True),
        Column("Recall", numeric=True),
        Column("False positive rate", numeric=True),
        Column("Precision", numeric=True),
        Column("Rows", numeric=True),
    )
    rows = tuple(
        cells(
            shown(point.threshold),
            _share(point.tp, positives),
            _share(point.fp, negatives),
            _share(point.tp, point.tp + point.fp),
            grouped(point.tp + point.fp),
        )
        for point in points
    )
    note = f"What other thresholds would give: {len(points)} of {len(result.curve)} stored points of the ROC and the precision-recall curve."
    return Table("Thresholds", head, rows, note=note)


def _share(count: int, total: int) -> str:
    return shown(count / total) if total else "—"


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
    decided = f", decided from a score of {result.threshold} on" if result.threshold else ""
    return Table(
        f"Confusion matrix, rows{decided}",
        head,
        tuple(cells(name, grouped(a), grouped(b), grouped(a + b)) for name, a, b in rows),
    )


def _matrix(result: PerformanceResult) -> Heat:
    """The confusion matrix, each row shaded by its shares."""
    c, positive = result.confusion, result.labels.positive
    empty = "" if c.total else "no row was counted."
    return Heat(
        "Outcome against prediction, shaded by the share of the row",
        (positive, "other"),
        (positive, "other"),
        ((str(c.tp), str(c.fn)), (str(c.fp), str(c.tn))) if c.total else (),
        down="outcome",
        across="prediction",
        shares=True,
        empty=empty,
    )


def curves(result: PerformanceResult) -> tuple[Curve, Curve]:
    """ROC from (0, 0), straight between the stored points; precision over recall in steps, since nothing lies between."""
    last = result.curve[-1]
    positives, negatives = last.tp, last.fp
    why = "" if positives and negatives else "only one of the two outcomes has scores."
    roc = [Point("0", "0")]
    roc += [
        Point(_exact(point.fp, negatives), _exact(point.tp, positives)) for point in result.curve
    ]
    precision = [
        Point(_exact(point.tp, positives), _exact(point.tp, point.tp + point.fp))
        for point in result.curve
    ]
    return (
        Curve("ROC curve", "false positive rate", "recall", (Line("ROC", tuple(roc) if not why else ()),), unit=True, diagonal=True, empty=why),
        Curve("Precision and recall", "recall", "precision", (Line("precision", tuple(precision)),), form="step", unit=True, empty="no row with a score is positive."),
    )  # fmt: skip


def _exact(count: int, total: int) -> str:
    return decimal(count / total) if total else ""


def _calibration_chart(result: PerformanceResult) -> Curve:
    points = tuple(
        Point(
            entry.mean_score or "",
            entry.observed.value or "",
            entry.observed.low or "",
            entry.observed.high or "",
        )
        for entry in result.calibration
    )
    title = f"Calibration, with {interval_title(result.confidence)} intervals"
    observed = f"observed share of {result.labels.positive}"
    return Curve(
        title,
        "mean score",
        observed,
        (Line("calibration", points),),
        form="points",
        unit=True,
        diagonal=True,
    )


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
    return Table(
        "Calibration",
        head,
        rows,
        note="A calibrated score equals the observed rate. Drawn over the mean score of each bin.",
    )
