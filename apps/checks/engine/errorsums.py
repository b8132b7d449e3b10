"""The errors of a regression by group: exact sums over each group's rows.

Every sum is exact (`exactsum`), so neither the order of the rows nor the number of threads matters, and halves add up to
the whole. Squares of predictions and outcomes are taken exactly too, as a double and its rounding error (Dekker 1971, A
floating-point technique for extending the available precision), so that a group's variance loses nothing however
far from 0 its numbers lie, and no pivot has to be agreed on. About 60 bytes a row are held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apps.checks.engine.exactsum import exact_sum
from apps.checks.engine.regression import Floats, kept_rows
from apps.checks.engine.source import Source
from apps.checks.errorsums import SUMS, ErrorTable, GroupSums, RegressionGapsStatistics
from apps.checks.numbers import grouped
from apps.checks.statistics import Refused
from apps.core.errors import Invalid

_SPLIT: Final = float((1 << 27) + 1)


def error_sums(
    source: Source,
    target: str,
    prediction: str,
    groupings: Sequence[tuple[str, ...]],
    tick: Callable[[], None],
) -> RegressionGapsStatistics:
    """Raises Invalid, naming the column, where one holds no numbers, and where numbers are too large to be squared.

    A grouping of too many groups is refused and named; the others are counted.
    """
    tables: list[ErrorTable] = []
    refused: list[Refused] = []
    rows = kept_rows(_numbers(source, target, prediction))[0]
    for features in groupings:
        groups = source.counted(features, most=source.caps.max_groups + 1)
        if len(groups) > source.caps.max_groups:
            most = grouped(source.caps.max_groups)
            refused.append(Refused(features, f"more than {most} groups; combine values before measuring"))  # fmt: skip
        else:
            tables.append(_table(source, target, prediction, features))
        tick()
    return RegressionGapsStatistics(rows, tuple(tables), tuple(refused))


def _numbers(source: Source, target: str, prediction: str) -> dict[str, Floats]:
    found = source.arrays(f"SELECT {_pair(source, target, prediction)}{{each}} FROM {{data}}")
    return {name: np.asarray(found[name], dtype=np.float64) for name in ("target", "prediction")}


def _pair(source: Source, target: str, prediction: str) -> str:
    return (
        f"coalesce({source.number(target)}, 'nan'::DOUBLE) AS target, "
        f"coalesce({source.number(prediction)}, 'nan'::DOUBLE) AS prediction"
    )


def _table(source: Source, target: str, prediction: str, features: tuple[str, ...]) -> ErrorTable:
    """One pass: each row with the number of its group, then the rows of a group side by side."""
    values, found = _coded(source, target, prediction, features)
    _, kept = kept_rows(
        {name: np.asarray(found[name], dtype=np.float64) for name in ("target", "prediction")}
    )
    codes = np.asarray(found["code"], dtype=np.int64)[kept]
    order = np.argsort(codes, kind="stable")
    codes = codes[order]
    y = np.asarray(found["target"], dtype=np.float64)[kept][order] + 0.0
    p = np.asarray(found["prediction"], dtype=np.float64)[kept][order] + 0.0
    ends = np.flatnonzero(np.diff(codes)) + 1
    starts = [0, *ends.tolist()] if len(codes) else []
    groups = (
        GroupSums(values[int(codes[start])], end - start, _sums(y[start:end], p[start:end], prediction))
        for start, end in zip(starts, [*starts[1:], len(codes)], strict=True)
    )  # fmt: skip
    return ErrorTable.of(features, groups)


def _coded(
    source: Source, target: str, prediction: str, features: tuple[str, ...]
) -> tuple[dict[int, tuple[str | None, ...]], dict[str, Any]]:
    """The groups by number, and for each row its group and its two numbers."""
    names = [f"g{place}" for place in range(len(features))]
    texts = ", ".join(f"{source.text(f)} AS {n}" for f, n in zip(features, names, strict=True))
    same = " AND ".join(f"d.{name} IS NOT DISTINCT FROM k.{name}" for name in names)
    source.fetch(
        "CREATE OR REPLACE TEMP TABLE keys AS SELECT row_number() OVER () AS code, * "
        f"FROM (SELECT DISTINCT {texts} FROM {{data}})"
    )
    keys = source.fetch(f"SELECT code, {', '.join(names)} FROM keys")
    rows = source.arrays(
        f"SELECT k.code, d.target, d.prediction{{each}} "
        f"FROM (SELECT {texts}, {_pair(source, target, prediction)}{{each}} FROM {{data}}) d JOIN keys k ON {same}"
    )
    return {int(code): tuple(values) for code, *values in keys}, rows


def _sums(y: Floats, p: Floats, prediction: str) -> tuple[str, ...]:
    with np.errstate(over="ignore", invalid="ignore"):
        e = p - y
        squares = e * e
        parts: dict[str, Iterable[NDArray[np.float64]]] = {
            "abs": (np.abs(e),),
            "e": (e,),
            "e2": (squares,),
            "e4": (squares * squares,),
            "p": (p,),
            "p2": _square(p),
            "y": (y,),
            "y2": _square(y),
        }
        try:
            totals = {
                name: sum((exact_sum(part) for part in parts[name]), Fraction(0)) for name in SUMS
            }
        except ValueError:
            reason = "errors, outcomes or predictions are too large to be squared"
            raise Invalid(
                f"column {prediction!r}: {reason}", fields={"prediction": reason}
            ) from None
    return tuple(str(totals[name]) for name in SUMS)


def _square(values: Floats) -> tuple[Floats, Floats]:
    """Two doubles whose sum is the exact square: the rounded one, and what rounding took away."""
    product = values * values
    wide = values * _SPLIT
    high = wide - (wide - values)
    low = values - high
    return product, ((high * high - product) + 2.0 * high * low) + low * low
