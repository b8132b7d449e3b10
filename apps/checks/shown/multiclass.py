"""The performance of a classifier with many labels as it is shown."""

from __future__ import annotations

from apps.checks.library.multiclass import TITLES, LabelResult, MulticlassResult
from apps.checks.numbers import grouped, shown
from apps.checks.shown import metrics
from apps.checks.shown.words import bar, counted, interval, percent
from apps.core.parts import Chart, Column, Part, Table, Text, cells

_WIDEST = 12
_MOST_WRONG = 30


def parts(result: MulticlassResult) -> tuple[Part, ...]:
    """The rows, every number, the labels with their intervals, and what was taken for what."""
    found: list[Part] = [Text(counted(result.rows)), *_unseen(result)]
    if result.labels:
        title = f"F1 of each label, with {percent(result.confidence)} intervals"
        found.append(Chart(title, "F1", tuple(bar(each.label, each.f1) for each in result.labels)))
    note = "Macro: the mean over labels. Weighted: by the rows of each outcome. Micro precision and recall equal the accuracy."
    found.append(metrics.table(TITLES, result.metrics, result.confidence, note))
    if result.labels:
        found += [_labels(result), _confusion(result)]
    return tuple(found)


def _unseen(result: MulticlassResult) -> tuple[Text, ...]:
    unseen = [each for each in result.labels if not each.actual]
    if not unseen:
        return ()
    told = ", ".join(f"{each.label} ({grouped(each.predicted)} rows)" for each in unseen)
    return (Text(f"Predicted and never an outcome: {told}. These rows are counted as wrong."),)


def _labels(result: MulticlassResult) -> Table:
    head = (
        Column("Label"),
        Column("Rows", numeric=True),
        Column("Predicted", numeric=True),
        Column("Precision", numeric=True),
        Column("Interval"),
        Column("Recall", numeric=True),
        Column("Interval"),
        Column("F1", numeric=True),
        Column("Interval"),
    )
    rows = tuple(
        cells(each.label, grouped(each.actual), grouped(each.predicted), *_numbers(each))
        for each in result.labels
    )
    note = "Precision is of the rows predicted so, recall of the rows with this outcome; intervals by Wilson."
    return Table("Labels", head, rows, note=note)


def _numbers(each: LabelResult) -> list[str]:
    return [
        text
        for number in (each.precision, each.recall, each.f1)
        for text in (shown(number.value), interval(number))
    ]


def _confusion(result: MulticlassResult) -> Table:
    """The whole matrix where it can be read, else the pairs that are confused most."""
    if len(result.labels) > _WIDEST:
        return _most_wrong(result)
    counts = {(cell.actual, cell.predicted): cell.count for cell in result.confusion}
    names = [each.label for each in result.labels]
    head = (Column("Outcome"), *(Column(f"Predicted {name}", numeric=True) for name in names))
    rows = tuple(
        cells(actual, *(grouped(counts.get((actual, predicted), 0)) for predicted in names))
        for actual in names
    )
    return Table("Confusion matrix, rows", head, rows)


def _most_wrong(result: MulticlassResult) -> Table:
    wrong = sorted(
        (cell for cell in result.confusion if cell.actual != cell.predicted),
        key=lambda cell: (-cell.count, cell.actual, cell.predicted),
    )
    head = (Column("Outcome"), Column("Predicted"), Column("Rows", numeric=True))
    rows = tuple(
        cells(cell.actual, cell.predicted, grouped(cell.count)) for cell in wrong[:_MOST_WRONG]
    )
    note = f"{len(rows)} of {grouped(len(wrong))} pairs; the download has all."
    return Table("What is confused most", head, rows, note=note)
