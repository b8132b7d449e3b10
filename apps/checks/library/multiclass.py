"""Performance of a classifier with many labels. Pure: statistics in, result out; result and limits in, assessment out.

Steps of `measure`: 1 rates of each label with Wilson's interval, 2 means over the labels. A label counts if it is an
outcome or a prediction of any row: one that is predicted and never occurs has an F1 of 0 and no recall. A zero denominator
gives null with its reason, and so does a mean over labels one of which has none: nothing is put in its place.

Intervals of means: MOVER of the labels' own where these rest on different rows (recall, precision), else the delta method
for a multinomial table on the logit scale (Takahashi et al. 2022, Applied Intelligence 52:4961, for F1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import msgspec

from apps.checks.library import delta, intervals
from apps.checks.library.estimates import Estimate, estimate, rate, undefined
from apps.checks.library.intervals import Interval
from apps.checks.library.judging import Assessment, Subject, conclude, judged, left_out
from apps.checks.limits import Bound, MulticlassLimits
from apps.checks.numbers import grouped, listed, shown_against
from apps.checks.outcomes import LabelCell, MulticlassStatistics
from apps.checks.statistics import RowCount

TITLES: Final = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_precision": "Macro precision",
    "macro_recall": "Macro recall",
    "macro_f1": "Macro F1",
    "micro_f1": "Micro F1",
    "weighted_precision": "Weighted precision",
    "weighted_recall": "Weighted recall",
    "weighted_f1": "Weighted F1",
}
# By the smallest label; the others by all rows.
_BY_LABEL: Final = frozenset({"balanced_accuracy", "macro_precision", "macro_recall", "macro_f1"})


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may choose. `confidence` of all intervals."""

    confidence: str = "0.95"


class LabelResult(msgspec.Struct, frozen=True):
    """One label: rows with this outcome, rows predicted so, and rows that are both."""

    label: str
    actual: int
    predicted: int
    right: int
    precision: Estimate
    recall: Estimate
    f1: Estimate


class MulticlassResult(msgspec.Struct, frozen=True, tag="multiclass"):
    rows: RowCount
    confidence: str
    labels: tuple[LabelResult, ...]
    confusion: tuple[LabelCell, ...]
    metrics: dict[str, Estimate]


@dataclass(frozen=True, slots=True)
class _Table:
    """The confusion table with its margins."""

    cells: Mapping[tuple[str, str], int]
    labels: tuple[str, ...]
    actual: Mapping[str, int]
    predicted: Mapping[str, int]
    n: int

    @classmethod
    def of(cls, cells: Iterable[LabelCell]) -> _Table:
        counts = {(cell.actual, cell.predicted): cell.count for cell in cells}
        labels = tuple(sorted({label for key in counts for label in key}))
        actual, predicted = dict.fromkeys(labels, 0), dict.fromkeys(labels, 0)
        for (outcome, prediction), count in counts.items():
            actual[outcome] += count
            predicted[prediction] += count
        return cls(counts, labels, actual, predicted, sum(counts.values()))

    def right(self, label: str) -> int:
        return self.cells.get((label, label), 0)

    def f1(self, label: str) -> Fraction:
        return Fraction(2 * self.right(label), self.actual[label] + self.predicted[label])


def measure(statistics: MulticlassStatistics, params: Params) -> MulticlassResult:
    """The same statistics and parameters give the same result, to the last digit."""
    z = intervals.z_of(float(params.confidence))
    table = _Table.of(statistics.cells)
    labels = tuple(_label(table, label, z) for label in table.labels)
    return MulticlassResult(
        rows=statistics.rows,
        confidence=params.confidence,
        labels=labels,
        confusion=statistics.cells,
        metrics=_metrics(table, labels, z),
    )


def _label(table: _Table, label: str, z: float) -> LabelResult:
    """Step 1."""
    right, actual, predicted = table.right(label), table.actual[label], table.predicted[label]
    union = actual + predicted - right
    jaccard = intervals.wilson(right, union, z)
    bounds = Interval(2 * jaccard.low / (1 + jaccard.low), 2 * jaccard.high / (1 + jaccard.high))
    return LabelResult(
        label=label,
        actual=actual,
        predicted=predicted,
        right=right,
        precision=rate(right, predicted, z, of="rows predicted so"),
        recall=rate(right, actual, z, of="rows with this outcome"),
        f1=estimate(table.f1(label), bounds, "Wilson of tp/(tp+fp+fn), transformed"),
    )


def _metrics(table: _Table, labels: tuple[LabelResult, ...], z: float) -> dict[str, Estimate]:
    """Step 2. Where each row has one label, micro precision, recall and F1 and the weighted recall are the accuracy."""
    right = sum(each.right for each in labels)
    accuracy = rate(right, table.n, z, of="rows")
    occurring = [each for each in labels if each.actual]
    return {
        "accuracy": accuracy,
        "balanced_accuracy": _mean_of([(e.label, e.recall) for e in occurring]),
        "macro_precision": _mean_of([(e.label, e.precision) for e in labels]),
        "macro_recall": _mean_of([(e.label, e.recall) for e in labels]),
        "macro_f1": _macro_f1(table, labels, z),
        "micro_f1": accuracy,
        "weighted_precision": _weighted(table, occurring, _PRECISION, accuracy, z),
        "weighted_recall": accuracy,
        "weighted_f1": _weighted(table, occurring, _F1, accuracy, z),
    }


def _mean_of(rates: list[tuple[str, Estimate]]) -> Estimate:
    """The mean of independent rates, by square-and-add of Wilson's bounds; null where a label has none."""
    lacking = [label for label, each in rates if each.value is None]
    if lacking or not rates:
        return undefined(_lacking(lacking, rates))
    value = sum((each.exact for _, each in rates), Fraction(0)) / len(rates)
    return estimate(value, _squared_and_added(rates, float(value)), "MOVER of the labels' Wilson intervals")  # fmt: skip


def _lacking(labels: list[str], rates: list[tuple[str, Estimate]]) -> str:
    if not rates:
        return "not defined: no rows"
    why = next(each.reason for label, each in rates if label == labels[0])
    return f"not defined for the label {listed([repr(label) for label in labels])}: {why.removeprefix('not defined: ')}"


def _squared_and_added(rates: list[tuple[str, Estimate]], value: float) -> Interval:
    below = above = 0.0
    for _, each in rates:
        point, bounds = float(each.exact), each.interval
        if bounds is None:
            raise ValueError(f"{each!r} has no interval")
        below += (point - bounds.low) ** 2
        above += (bounds.high - point) ** 2
    return Interval(
        max(0.0, value - math.sqrt(below) / len(rates)),
        min(1.0, value + math.sqrt(above) / len(rates)),
    )


def _macro_f1(table: _Table, labels: tuple[LabelResult, ...], z: float) -> Estimate:
    if not labels:
        return undefined("not defined: no rows")
    share = 1 / len(labels)
    value = sum((table.f1(label) for label in table.labels), Fraction(0)) / len(labels)
    slopes = {label: _F1(table, label) for label in table.labels}

    def derivative(actual: str, predicted: str) -> float:
        if actual == predicted:
            return share * slopes[actual].both
        return share * (slopes[actual].actual + slopes[predicted].predicted)

    bounds = delta.on_logit(float(value), _variance(table, derivative), z)
    if bounds is not None:
        return estimate(value, bounds, "delta method over the table, logit scale")
    pairs = [(each.label, each.f1) for each in labels]
    return estimate(value, _squared_and_added(pairs, float(value)), "MOVER of the labels' intervals (no spread)")  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Slope:
    """A label's number, and its derivatives by a row of another prediction with this outcome, by one of another outcome
    predicted so, and by one that is both."""

    value: float
    actual: float
    predicted: float
    both: float


def _F1(table: _Table, label: str) -> _Slope:  # noqa: N802 - named as the number
    both = table.actual[label] + table.predicted[label]
    value = float(table.f1(label))
    return _Slope(value, -value / both, -value / both, (2 - 2 * value) / both)


def _PRECISION(table: _Table, label: str) -> _Slope:  # noqa: N802 - named as the number
    predicted = table.predicted[label]
    value = table.right(label) / predicted
    return _Slope(value, 0.0, -value / predicted, (1 - value) / predicted)


def _weighted(
    table: _Table,
    occurring: list[LabelResult],
    of: Callable[[_Table, str], _Slope],
    accuracy: Estimate,
    z: float,
) -> Estimate:
    """The mean by the number of rows with each outcome; a label that never occurs has no weight."""
    numbers = [(e.label, e.precision if of is _PRECISION else e.f1) for e in occurring]
    lacking = [label for label, each in numbers if each.value is None]
    if lacking or not numbers:
        return undefined(_lacking(lacking, numbers))
    exact = {label: each.exact for label, each in numbers}
    value = sum((exact[label] * table.actual[label] for label in exact), Fraction(0)) / table.n
    slopes = {label: of(table, label) for label in exact}
    weights = {label: table.actual[label] for label in exact}

    def derivative(actual: str, predicted: str) -> float:
        found = slopes[actual].value - float(value)
        if actual == predicted:
            return (found + weights[actual] * slopes[actual].both) / table.n
        found += weights[actual] * slopes[actual].actual
        if predicted in slopes:
            found += weights[predicted] * slopes[predicted].predicted
        return found / table.n

    bounds = delta.on_logit(float(value), _variance(table, derivative), z)
    if bounds is not None:
        return estimate(value, bounds, "delta method over the table, logit scale")
    return estimate(value, accuracy.interval, "Wilson, of the accuracy (no spread)")


def _variance(table: _Table, derivative: Callable[[str, str], float]) -> float:
    return delta.variance((count, derivative(*key)) for key, count in table.cells.items())


def assess(result: MulticlassResult, limits: MulticlassLimits) -> Assessment:
    """Each limited number judged; means over labels rest on the rows of the smallest one. Too many rows left out is
    INSUFFICIENT."""
    rows = left_out(result.rows, limits.max_excluded_share)
    bounds = limits.bounds()
    smallest = min((each.actual for each in result.labels if each.actual), default=0)
    for key, bound in bounds.items():
        n = result.rows.counted
        subject = Subject(key, TITLES[key], n, smallest if key in _BY_LABEL else n)
        rows.append(judged(subject, result.metrics[key], bound, min_n=limits.min_n))
    return conclude(rows, _passed(result, bounds))


def _passed(result: MulticlassResult, bounds: dict[str, Bound]) -> str:
    named = [
        f"{TITLES[key]} {shown_against(value, bound.text)} ({bound.sentence})"
        for key, bound in bounds.items()
        if (value := result.metrics[key].value) is not None
    ]
    return f"{listed(named)}, {len(result.labels)} labels, n = {grouped(result.rows.counted)}."
