"""Both curves of a score and the average precision, from the sorted scores of the two classes.

Average precision: sum over the distinct thresholds t, falling, of (recall(t) - recall before) x precision(t), as
scikit-learn defines it: rows of equal score pass the threshold together, nothing is interpolated. Its variance is the
nonparametric delta method (infinitesimal jackknife, Efron 1982, chapter 6): the sum over rows of the squared derivative
of the number by the weight of the row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.checks.statistics import CurvePoint
from apps.core.canonical import decimal

STEPS = 100

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Curves:
    """None where no row is positive."""

    points: tuple[CurvePoint, ...]
    average_precision: str | None = None
    variance: str | None = None


def ranked(positives: Floats, negatives: Floats) -> Curves:
    """From finite scores, each class sorted; one row at least."""
    thresholds = _distinct(positives, negatives)
    tp = len(positives) - np.searchsorted(positives, thresholds, side="left").astype(np.int64)
    fp = len(negatives) - np.searchsorted(negatives, thresholds, side="left").astype(np.int64)
    points = tuple(
        CurvePoint(decimal(float(thresholds[at])), int(tp[at]), int(fp[at]))
        for at in _chosen(tp, fp)
    )
    if not len(positives):
        return Curves(points)
    value, variance = _average_precision(tp, fp)
    return Curves(points, decimal(value), decimal(variance))


def _distinct(positives: Floats, negatives: Floats) -> Floats:
    """The scores that occur, falling. A stable sort merges two sorted halves in one pass."""
    together = np.concatenate([positives, negatives])
    together.sort(kind="stable")
    fresh = np.ones(len(together), dtype=bool)
    np.not_equal(together[1:], together[:-1], out=fresh[1:])
    return together[fresh][::-1]


def _chosen(tp: Counts, fp: Counts) -> list[int]:
    """Every threshold, or where there are more than 2 x STEPS the first ones at which another hundredth of a class has
    passed, with the first and the last."""
    last = len(tp) - 1
    if last < 2 * STEPS:
        return list(range(last + 1))
    steps = np.arange(1, STEPS + 1)
    found = [
        np.searchsorted(counts, np.ceil(steps * counts[-1] / STEPS), side="left")
        for counts in (tp, fp)
        if counts[-1]
    ]
    inside = {int(at) for array in found for at in array}
    return sorted({0, last} | {at for at in inside if at <= last})


def _average_precision(tp: Counts, fp: Counts) -> tuple[float, float]:
    """The value and its variance."""
    passed = tp + fp
    precision = tp / passed
    new_tp, new_fp = np.diff(tp, prepend=0), np.diff(fp, prepend=0)
    m = int(tp[-1])
    value = float(np.sum(new_tp * precision) / m)
    below = new_tp / passed
    gained = _from_the_end(below * (1 - precision))
    lost = _from_the_end(below * precision)
    by_positive = (precision - value + gained) / m
    by_negative = lost / m
    return value, float(np.sum(new_tp * by_positive**2) + np.sum(new_fp * by_negative**2))


def _from_the_end(values: Floats) -> Floats:
    """At each place the sum of what stands there and after it."""
    return np.asarray(np.cumsum(values[::-1])[::-1])
