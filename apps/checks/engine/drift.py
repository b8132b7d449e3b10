"""Two data sets, column by column: one sort per numeric column, one group-by per category.

Reference first, current second, always. One column of both sets is in memory at a time (about 24 bytes a
row). A column of whole numbers with few values is counted as categories: the two-sample test is
far too conservative on ties.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.checks.engine.source import Kind, Source
from apps.checks.numbers import grouped
from apps.checks.statistics import (
    CategoricalColumn,
    Category,
    Column,
    DriftStatistics,
    NumericColumn,
    Side,
    UnusableColumn,
)
from apps.core.canonical import decimal
from apps.core.errors import Invalid

FEW_VALUES = 20
BINS = 10
_CHUNK = 1 << 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """One column to compare; its name may differ between the two files (a score column, say)."""

    role: str
    reference: str
    current: str
    categorical: bool = False


def drift_statistics(
    reference: Source,
    current: Source,
    pairs: Sequence[Pair],
    *,
    unmeasured: Sequence[str] = (),
    tick: Callable[[], None] = lambda: None,
) -> DriftStatistics:
    """All pairs, one after the other; `tick` is called after each (a worker renews its lease there)."""
    reference = reference.held([pair.reference for pair in pairs])
    current = current.held([pair.current for pair in pairs])
    columns: list[Column] = []
    for pair in pairs:
        columns.append(_column(reference, current, pair))
        tick()
    return DriftStatistics(reference.rows(), current.rows(), tuple(columns), tuple(unmeasured))


def _column(reference: Source, current: Source, pair: Pair) -> Column:
    try:
        kinds = {reference.kind(pair.reference), current.kind(pair.current)} - {"empty"}
        reason = _incomparable(kinds)
        if reason:
            return UnusableColumn(pair.reference, pair.role, reason)
        if kinds == {"number"} and not pair.categorical:
            return _numeric(reference, current, pair)
        because = "declared as categories" if pair.categorical else ""
        return _categorical(reference, current, pair, because)
    except Invalid as error:
        return UnusableColumn(pair.reference, pair.role, error.message)


def _incomparable(kinds: set[Kind]) -> str:
    """Why the two columns cannot be compared; empty if they can."""
    if not kinds:
        return "no values in either data set"
    if kinds & {"time", "other"}:
        return "holds dates, times, nested or binary values; derive a number or a category from it"
    if "number" in kinds and len(kinds) > 1:
        return f"{' in one data set, '.join(sorted(kinds))} in the other"
    return ""


def _numeric(reference: Source, current: Source, pair: Pair) -> Column:
    before, first = _sorted(reference, pair.reference)
    after, second = _sorted(current, pair.current)
    if _few_whole_numbers(first, second):
        because = f"whole numbers with at most {FEW_VALUES} values"
        return _categorical(reference, current, pair, because)
    edges = _edges(first.values)
    apart = _apart(first, second)
    return NumericColumn(
        name=pair.reference,
        role=pair.role,
        reference=before,
        current=after,
        ks_steps=str(apart.largest),
        wasserstein=decimal(apart.area) if apart.area is not None else None,
        reference_std=decimal(float(first.values.std())) if len(first.values) else None,
        edges=tuple(decimal(float(edge)) for edge in edges),
        reference_bins=_binned(first.values, edges),
        current_bins=_binned(second.values, edges),
        constant=len(first.distinct) == 1,
    )


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Finite values in order, the different ones, and how many lie at or below each of these."""

    values: Floats
    distinct: Floats
    upto: NDArray[np.int64]


def _sorted(source: Source, name: str) -> tuple[Side, _Sorted]:
    """One column, and how many of its rows hold a finite number, an infinite one, none."""
    source = source.gathered([name])
    number = source.number(name)
    query = f"SELECT {number} AS v{{each}} FROM {{data}} WHERE {number} IS NOT NULL"
    found: Floats = np.asarray(source.arrays(query)["v"], dtype=np.float64)
    finite = np.isfinite(found)
    values = found if finite.all() else found[finite]
    infinite, rows = int(np.isinf(found).sum()), source.rows()
    values.sort()
    last = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=last[:-1])
    upto = np.flatnonzero(last).astype(np.int64) + 1
    side = Side(rows, len(values), rows - len(values) - infinite, infinite)
    return side, _Sorted(values, values[last], upto)


def _few_whole_numbers(first: _Sorted, second: _Sorted) -> bool:
    if max(len(first.distinct), len(second.distinct)) > FEW_VALUES:
        return False
    values = np.union1d(first.distinct, second.distinct)
    return len(values) <= FEW_VALUES and bool(np.all(values == np.floor(values)))


@dataclass(slots=True)
class _Apart:
    """How far two distribution functions are apart: the largest |i*m - j*n|, and the area between them."""

    largest: int = 0
    area: float | None = None


def _apart(first: _Sorted, second: _Sorted) -> _Apart:
    """Over all values of both, a stretch at a time: i of the n and j of the m lie at or below a value.

    The area between the distribution functions is the Wasserstein distance of order 1 (Vallender 1974, Theory Probab.
    Appl. 18:784), in the units of the column.
    """
    n, m = len(first.values), len(second.values)
    found = _Apart()
    if not n or not m:
        return found
    areas: list[float] = []
    last: tuple[float, int] | None = None
    for points, i, j in _stretches(first, second):
        steps = np.abs(i * m - j * n)
        found.largest = max(found.largest, int(steps.max()))
        if last is not None:
            areas.append(last[1] * float(points[0] - last[0]))
        areas.append(float(np.dot(steps[:-1].astype(np.float64), np.diff(points))))
        last = float(points[-1]), int(steps[-1])
    found.area = math.fsum(areas) / (n * m)
    return found


def _stretches(
    first: _Sorted, second: _Sorted
) -> Iterator[tuple[Floats, NDArray[np.int64], NDArray[np.int64]]]:
    """The different values of both in order, with how many of each set lie at or below: some million at a time."""
    longer = first if len(first.distinct) >= len(second.distinct) else second
    ends = [*longer.distinct[_CHUNK - 1 :: _CHUNK], np.inf]
    starts = [0, 0]
    for end in ends:
        stops = [int(np.searchsorted(each.distinct, end, side="right")) for each in (first, second)]
        parts = [
            each.distinct[start:stop]
            for each, start, stop in zip((first, second), starts, stops, strict=True)
        ]
        points = np.concatenate(parts)
        points.sort(kind="stable")  # two sorted runs: merged, not sorted
        if len(points):
            points = points[np.concatenate([[True], points[1:] != points[:-1]])]
            yield points, _upto(first, points, starts[0]), _upto(second, points, starts[1])
        starts = stops


def _upto(of: _Sorted, points: Floats, start: int) -> NDArray[np.int64]:
    """How many values of the set lie at or below each point; none of the points lies below `distinct[start - 1]`."""
    place = start + np.searchsorted(of.distinct[start : start + len(points)], points, side="right")
    counts: NDArray[np.int64] = of.upto[np.maximum(place, 1) - 1]
    counts[place == 0] = 0
    return counts


def _edges(first: Floats) -> Floats:
    """Inner edges: the deciles of the reference, each once.

    A constant reference gets two, just below it and at it, so that both directions can be seen.
    """
    if not len(first):
        return first
    edges = np.unique(np.quantile(first, np.arange(1, BINS) / BINS))
    if len(edges) == 1:
        return np.array([np.nextafter(edges[0], -np.inf), edges[0]])
    return np.asarray(edges, dtype=np.float64)


def _binned(values: Floats, edges: Floats) -> tuple[int, ...]:
    """How many values lie in (low, high] of each bin; `values` are sorted."""
    below = np.searchsorted(values, edges, side="right")
    counts = np.diff(np.concatenate([[0], below, [len(values)]]))
    return tuple(int(count) for count in counts)


def _categorical(reference: Source, current: Source, pair: Pair, because: str) -> Column:
    counted = [_counted(reference, pair.reference), _counted(current, pair.current)]
    names = sorted({*counted[0], *counted[1]}, key=lambda value: (value is None, value or ""))
    most = reference.caps.max_categories
    if len(names) > most:
        reason = f"more than {grouped(most)} different values: an identifier or free text, not a category"
        return UnusableColumn(pair.reference, pair.role, reason)
    categories = (
        Category(name, counted[0].get(name, 0), counted[1].get(name, 0)) for name in names
    )
    before, after = (_side(counts) for counts in counted)
    return CategoricalColumn(
        pair.reference, pair.role, before, after, tuple(categories), because=because
    )


def _counted(source: Source, name: str) -> dict[str | None, int]:
    return dict(source.counted([name], most=source.caps.max_categories + 2))


def _side(counts: dict[str | None, int]) -> Side:
    """Of a column of categories; a missing value is a category of its own in the table."""
    total, missing = sum(counts.values()), counts.get(None, 0)
    return Side(total, total - missing, missing)
