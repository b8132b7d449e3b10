"""Two data sets, column by column: one sort per numeric column, one group-by per category.

Reference first, current second, always. One column of both sets is in memory at a time (about 24 bytes a
row). A column of whole numbers with few values is counted as categories: the two-sample test is
far too conservative on ties.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    return NumericColumn(
        name=pair.reference,
        role=pair.role,
        reference=before,
        current=after,
        ks_steps=str(max(_largest_step(first, second), _largest_step(second, first))),
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
    number = source.number(name)
    query = f"SELECT {number} AS v FROM {{data}} WHERE {number} IS NOT NULL"
    found: Floats = np.asarray(source.arrays(query)["v"], dtype=np.float64)
    values = found[np.isfinite(found)]
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


def _largest_step(at: _Sorted, other: _Sorted) -> int:
    """The largest |i*m - j*n| over the values of `at`: i of its n and j of the other's m lie at or below."""
    n, m = len(at.values), len(other.values)
    largest = 0
    for start in range(0, len(at.distinct), _CHUNK):
        points = at.distinct[start : start + _CHUNK]
        j = np.searchsorted(other.values, points, side="right").astype(np.int64)
        steps = at.upto[start : start + _CHUNK] * m - j * n
        largest = max(largest, int(np.abs(steps).max()))
    return largest


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
