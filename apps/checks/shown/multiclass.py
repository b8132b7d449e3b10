"""The performance of a classifier with many labels as it is shown."""

from __future__ import annotations

from apps.checks.library.multiclass import TITLES, LabelResult, MulticlassResult
from apps.checks.numbers import grouped, listed, plural, shown
from apps.checks.shown import metrics
from apps.checks.shown.words import bar, counted, interval, percent, told
from apps.core.parts import Chart, Column, Heat, Part, Table, Text, cells

_WIDEST = 12
_MOST_WRONG = 30


def parts(result: MulticlassResult) -> tuple[Part, ...]:
    """The sentence, every number, the labels with their intervals, and what was taken for what."""
    confidence = percent(result.confidence)
    found: list[Part] = [Text(_sentence(result)), *_unseen(result)]
    overall = tuple(bar(title, result.metrics[key]) for key, title in TITLES.items())
    found.append(Chart(f"Over all labels, with {confidence} intervals", "value", overall, dots=True))  # fmt: skip
    note = "Macro: the mean over labels. Weighted: by the rows of each outcome. Micro precision and recall equal the accuracy."
    found.append(metrics.table(TITLES, result.metrics, result.confidence, note))
    if result.labels:
        bars = tuple(bar(each.label, each.f1) for each in result.labels)
        title = f"F1 of each label, with {confidence} intervals"
        found += [Chart(title, "F1", bars, dots=True), _labels(result)]
        found += [_matrix(result), _confusion(result)]
    return tuple(found)


def _sentence(result: MulticlassResult) -> str:
    numbers = [told(TITLES[key], result.metrics[key]) for key in ("accuracy", "macro_f1")]
    return f"{listed(numbers)}, over {plural(len(result.labels), 'label')}. {counted(result.rows)}"


def _matrix(result: MulticlassResult) -> Heat:
    counts = {(cell.actual, cell.predicted): cell.count for cell in result.confusion}
    names = tuple(each.label for each in result.labels)
    values = tuple(
        tuple(str(counts.get((actual, predicted), 0)) for predicted in names) for actual in names
    )
    title = "Outcome against prediction, shaded by the share of the row"
    return Heat(title, names, names, values, "outcome", "prediction", shares=True)


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
