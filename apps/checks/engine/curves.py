"""Both curves of a score and the average precision, from the sorted scores of the two classes.

Average precision: sum over the distinct thresholds t, falling, of (recall(t) - recall before) x precision(t), as
scikit-learn defines it: rows of equal score pass the threshold together, nothing is interpolated. Only thresholds at which a
positive row passes add anything, so these are gone through, a stretch at a time. Its variance is the nonparametric delta
method (infinitesimal jackknife, Efron 1982, chapter 6): the sum over rows of the squared derivative of the number by the
weight of the row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.checks.statistics import CurvePoint
from apps.core.canonical import decimal

STEPS = 100
CHUNK = 1 << 20

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
    points = tuple(_points(positives, negatives))
    if not len(positives):
        return Curves(points)
    value, variance = _average_precision(positives, negatives)
    return Curves(points, decimal(value), decimal(variance))


def _points(positives: Floats, negatives: Floats) -> Iterator[CurvePoint]:
    """By falling threshold."""
    for threshold in _chosen(positives, negatives):
        tp = len(positives) - int(np.searchsorted(positives, threshold, side="left"))
        fp = len(negatives) - int(np.searchsorted(negatives, threshold, side="left"))
        yield CurvePoint(decimal(threshold), tp, fp)


def _chosen(positives: Floats, negatives: Floats) -> list[float]:
    """Every score, or where there are more than 2 x STEPS the first ones at which another hundredth of a class has passed,
    with the largest and the smallest."""
    every = _distinct(positives, negatives, 2 * STEPS + 1)
    if len(every) <= 2 * STEPS:
        return every
    found = {every[0], min(float(array[0]) for array in (positives, negatives) if len(array))}
    for array in (positives, negatives):
        size = len(array)
        found |= {float(array[size - -(-step * size // STEPS)]) for step in range(1, STEPS + 1) if size}  # fmt: skip
    return sorted(found, reverse=True)


def _distinct(positives: Floats, negatives: Floats, most: int) -> list[float]:
    """The largest scores that occur, falling, at most so many."""
    found: list[float] = []
    places = [len(positives), len(negatives)]
    while len(found) < most and any(places):
        tops = [
            float(a[at - 1]) for a, at in zip((positives, negatives), places, strict=True) if at
        ]
        found.append(max(tops))
        places = [int(np.searchsorted(a, found[-1], side="left")) for a in (positives, negatives)]
    return found


@dataclass(slots=True)
class _Sums:
    """What is added up from the smallest threshold on. `gained` and `lost` are how much the precision at the thresholds so
    far rises by a further positive row above them, and falls by a negative one."""

    precision: float = 0.0
    gained: float = 0.0
    lost: float = 0.0
    slopes: float = 0.0
    squares: float = 0.0
    squares_lost: float = 0.0


def _average_precision(positives: Floats, negatives: Floats) -> tuple[float, float]:
    """The value and its variance.

    The derivative by the weight of a positive row is (precision there - value + gained) / m, by that of a negative one -lost / m.
    """
    m = len(positives)
    sums = _Sums()
    start = 0
    while start < m:
        last = positives[min(start + CHUNK, m) - 1]
        stop = int(np.searchsorted(positives, last, side="right"))
        _add(sums, positives, negatives, start, stop)
        start = stop
    value = sums.precision / m
    by_positive = sums.squares - 2 * value * sums.slopes + value * value * m
    return value, max(0.0, by_positive + sums.squares_lost) / m / m


def _add(sums: _Sums, positives: Floats, negatives: Floats, start: int, stop: int) -> None:
    """The thresholds from one place of the positive rows to another; equal scores lie within one stretch."""
    part = positives[start:stop]
    first = np.flatnonzero(np.concatenate([[True], part[1:] != part[:-1]])) + start
    new = np.diff(first, append=stop)
    below = np.searchsorted(negatives, positives[first], side="left")
    following = np.searchsorted(negatives, positives[stop]) if stop < len(positives) else None
    end = len(negatives) if following is None else int(following)
    tp = len(positives) - first
    precision = tp / (tp + len(negatives) - below)
    step = new * precision / tp
    gained = sums.gained + np.cumsum(step * (1 - precision))
    lost = sums.lost + np.cumsum(step * precision)
    slopes = precision + gained
    sums.precision += float(np.sum(new * precision))
    sums.slopes += float(np.sum(new * slopes))
    sums.squares += float(np.sum(new * slopes**2))
    sums.squares_lost += float(np.sum(np.diff(below, append=end) * lost**2))
    sums.gained, sums.lost = float(gained[-1]), float(lost[-1])
