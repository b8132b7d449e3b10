"""The errors of a regression: exact sums, and the values at chosen places of the sorted errors.

An error is one double, prediction minus outcome, and so is each of its powers; their sums are exact (`exactsum`), so
neither the order of the rows nor the number of threads matters. About 50 bytes a row are held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apps.checks.engine.exactsum import CHUNK, exact_sum
from apps.checks.engine.source import Source
from apps.checks.outcomes import SUMS, OrderStatistic, RegressionStatistics
from apps.checks.statistics import RowCount
from apps.core.canonical import decimal
from apps.core.errors import Invalid

EXCLUDED = (
    ("outcome missing", "target", np.isnan),
    ("prediction missing", "prediction", np.isnan),
    ("outcome infinite", "target", np.isinf),
    ("prediction infinite", "prediction", np.isinf),
)

Floats = NDArray[np.float64]
# The places that matter among so many rows, of absolute and of signed errors.
Ranks = Callable[[int], tuple[Iterable[int], Iterable[int]]]


def regression_statistics(
    source: Source, target: str, prediction: str, ranks: Ranks, tick: Callable[[], None]
) -> RegressionStatistics:
    """Raises Invalid, naming the column, where one holds no numbers, and where errors are too large to be squared."""
    found = source.arrays(
        f"SELECT coalesce({source.number(target)}, 'nan'::DOUBLE) AS y, "
        f"coalesce({source.number(prediction)}, 'nan'::DOUBLE) AS p{{each}} FROM {{data}}"
    )
    columns = {
        "target": np.asarray(found["y"], dtype=np.float64),
        "prediction": np.asarray(found["p"], dtype=np.float64),
    }
    rows, kept = kept_rows(columns)
    tick()
    # Adding 0 makes 0 of -0, so that it does not depend on the order of the rows which of them is stored.
    y, e = columns.pop("target")[kept] + 0.0, columns.pop("prediction")[kept] + 0.0
    if not len(y):
        return RegressionStatistics(rows)
    pivot = _pivot(y)
    with np.errstate(over="ignore", invalid="ignore"):
        e -= y
        sums = _sums(e, y, pivot, prediction)
    tick()
    absolute, signed = ranks(len(e))
    return RegressionStatistics(
        rows=rows,
        pivot=decimal(pivot),
        sums=sums,
        absolute=_at(np.abs(e), absolute),
        signed=_at(e, signed),
        lowest=decimal(float(y.min())),
        highest=decimal(float(y.max())),
    )


def kept_rows(columns: dict[str, Floats]) -> tuple[RowCount, NDArray[np.bool_]]:
    """The rows with two finite numbers; each of the others is counted once, for the first reason that holds."""
    total = len(columns["target"])
    kept = np.ones(total, dtype=bool)
    excluded: dict[str, int] = {}
    for reason, column, test in EXCLUDED:
        gone = test(columns[column]) & kept
        if gone.any():
            excluded[reason] = int(gone.sum())
            kept &= ~gone
    return RowCount(total, int(kept.sum()), dict(sorted(excluded.items()))), kept


def _pivot(y: Floats) -> float:
    """A double near the mean, so that squares of differences to it lose nothing. The middle of the range: it does not
    depend on the order of the rows."""
    low, high = float(y.min()), float(y.max())
    return low / 2 + high / 2


def _terms(e: Floats, d: Floats) -> Iterable[tuple[str, Floats]]:
    e2, d2 = e * e, d * d
    yield "abs", np.abs(e)
    yield "e", e
    yield "e2", e2
    yield "e4", e2 * e2
    yield "d", d
    yield "d2", d2
    yield "d3", d2 * d
    yield "d4", d2 * d2
    yield "e2d", e2 * d
    yield "e2d2", e2 * d2


def _sums(e: Floats, y: Floats, pivot: float, prediction: str) -> dict[str, str]:
    """Every sum, a stretch of the rows at a time."""
    found = dict.fromkeys(SUMS, Fraction(0))
    for start in range(0, len(e), CHUNK):
        inside = slice(start, start + CHUNK)
        for name, values in _terms(e[inside], y[inside] - pivot):
            try:
                found[name] += exact_sum(values)
            except ValueError:
                reason = "errors or outcomes are too large to be raised to the fourth power"
                raise Invalid(
                    f"column {prediction!r}: {reason}", fields={"prediction": reason}
                ) from None
    return {name: str(total) for name, total in found.items()}


def _at(values: Any, ranks: Iterable[int]) -> tuple[OrderStatistic, ...]:
    """The values at these places, 1 being the smallest; sorts in place."""
    values.sort()
    return tuple(OrderStatistic(rank, decimal(float(values[rank - 1]))) for rank in sorted(set(ranks)))  # fmt: skip
