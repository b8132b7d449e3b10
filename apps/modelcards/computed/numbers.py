"""The numbers of a result for programs: every quantity that has a value, with its interval, its n and its slice. Pure.

A quantity without a value is left out here; the card's tables say why it has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from apps.checks.library import errorgaps, groups, multiclass, performance, regression
from apps.checks.library.columns import ColumnDrift
from apps.checks.library.drift import DriftResult
from apps.checks.library.errorgaps import RegressionGapsResult
from apps.checks.library.estimates import Estimate
from apps.checks.library.groups import FairnessResult
from apps.checks.library.multiclass import MulticlassResult
from apps.checks.library.performance import PerformanceResult
from apps.checks.library.regression import RegressionResult
from apps.modelcards.machine import Number

_DRIFT = {
    "psi": "Population stability index",
    "js_distance": "Jensen-Shannon distance",
    "ks": "Kolmogorov-Smirnov distance",
    "wasserstein_scaled": "Wasserstein distance over the reference's spread",
    "cramers_v": "Cramer's V",
    "total_variation": "Total variation distance",
}
_OF_ERRORS = {"mae": "Mean absolute error", "rmse": "Root mean squared error", "mean_error": "Mean error"}  # fmt: skip


def numbers(result: msgspec.Struct) -> tuple[Number, ...]:
    """Of a kind that has none of these quantities: nothing."""
    return tuple(_numbers(result))


def confidence(result: msgspec.Struct) -> str:
    """The confidence of all intervals of a result, or ""."""
    return str(getattr(result, "confidence", ""))


def _numbers(result: msgspec.Struct) -> Iterator[Number]:
    match result:
        case PerformanceResult():
            yield from _each(result.metrics, performance.TITLES, result.rows.counted)
        case MulticlassResult():
            yield from _each(result.metrics, multiclass.TITLES, result.rows.counted)
            yield from _labels(result)
        case RegressionResult():
            yield from _each(result.metrics, regression.TITLES, result.rows.counted)
        case FairnessResult():
            yield from _fairness(result)
        case RegressionGapsResult():
            yield from _error_gaps(result)
        case DriftResult():
            for column in result.columns:
                yield from _drift(column)


def _labels(result: MulticlassResult) -> Iterator[Number]:
    titles = {"precision": "Precision", "recall": "Recall", "f1": "F1"}
    for label in result.labels:
        found = {key: getattr(label, key) for key in titles}
        yield from _each(found, titles, label.actual, f"label: {label.label}")


def _fairness(result: FairnessResult) -> Iterator[Number]:
    for grouping in result.groupings:
        for group in grouping.groups:
            yield from _each(group.rates, groups.RATES, group.n, f"{grouping.label}: {group.label}")
        n = sum(group.n for group in grouping.groups)
        yield from _each(grouping.gaps, groups.TITLES, n, grouping.label)


def _error_gaps(result: RegressionGapsResult) -> Iterator[Number]:
    for grouping in result.groupings:
        for group in grouping.groups:
            yield from _each(group.metrics, _OF_ERRORS, group.n, f"{grouping.label}: {group.label}")
        n = sum(group.n for group in grouping.groups)
        yield from _each(grouping.gaps, errorgaps.TITLES, n, grouping.label)


def _drift(column: ColumnDrift) -> Iterator[Number]:
    found = {key: number for key in _DRIFT if (number := getattr(column, key)) is not None}
    yield from _each(found, _DRIFT, column.counted, f"column: {column.name}")


def _each(
    found: Mapping[str, Estimate], titles: Mapping[str, str], counted: int, of: str = ""
) -> Iterator[Number]:
    """In the order of the titles: a stored result need not keep its own."""
    for key, title in titles.items():
        number = found.get(key)
        if number is None or number.value is None:
            continue
        yield Number(
            key=key,
            title=title,
            value=number.value,
            low=number.low or "",
            high=number.high or "",
            n=counted if number.denominator is None else number.denominator,
            of=of,
            method=number.method,
        )
