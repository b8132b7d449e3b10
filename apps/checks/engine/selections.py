"""Selected of assessed, by category: on decisions, and on scores above the median of the sample.

One pass over the file for all groupings where they have few combinations, one for each where they have many. An
outcome is not needed to say who was selected, so rows without one are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from apps.checks.engine.joint import MOST_CELLS
from apps.checks.engine.scores import SCORE_INFINITE, SCORE_MISSING
from apps.checks.engine.source import Source
from apps.checks.numbers import grouped
from apps.checks.selections import BiasAuditStatistics, Scored, Selections, Values
from apps.checks.statistics import Refused, RowCount, RowsLost
from apps.core.canonical import decimal

MedianOver = Literal["known", "all"]
PREDICTION_MISSING = "prediction missing"
Rows = list[tuple[Any, ...]]  # the values of some columns, then numbers


def selection_statistics(
    source: Source,
    groupings: Sequence[tuple[str, ...]],
    *,
    prediction: str,
    favourable: str,
    score: str = "",
    median_over: MedianOver = "known",
    tick: Callable[[], None] = lambda: None,
) -> BiasAuditStatistics:
    """The tables of every grouping; a grouping of too many categories is refused with the reason.

    `tick` is called after each.

    Raises Invalid where a column does not exist or cannot be counted, RowsLost where the file changed meanwhile.
    """
    names = tuple(dict.fromkeys(name for features in groupings for name in features))
    source = source.held([*names, prediction, *([score] if score else [])])
    held = source.gathered([*names, prediction])
    by = _reader(held, names, lambda some, most: _decided(held, some, prediction, favourable, most))
    tables: list[Selections] = []
    refused: list[Refused] = []
    for features in groupings:
        table = _table(features, by(features), held.caps.max_groups)
        if isinstance(table, Selections):
            tables.append(table)
        else:
            refused.append(table)
        tick()
    counted = [table.features for table in tables]
    rows = _row_count(held, prediction)
    for table in tables:
        if table.total != rows.counted:
            raise RowsLost(
                f"{table.total} rows by {', '.join(table.features)}, {rows.counted} in all"
            )
    return BiasAuditStatistics(
        rows=rows,
        favourable=favourable,
        unknown=_unknown(held, names, prediction),
        tables=tuple(tables),
        refused=tuple(refused),
        scored=_scored(source, names, counted, score, median_over) if score and counted else None,
    )


def _row_count(source: Source, prediction: str) -> RowCount:
    raw = source.raw(prediction)
    total, missing = (
        int(number or 0)
        for number in source.fetch(
            f"SELECT sum(n), sum(n) FILTER ({source.text(prediction, 'r')} IS NULL) "
            f"FROM (SELECT {raw} AS r, {source.count()} AS n FROM {{data}} GROUP BY r)"
        )[0]
    )
    return RowCount(total, total - missing, {PREDICTION_MISSING: missing} if missing else {})


def _reader(
    source: Source, names: tuple[str, ...], ask: Callable[[tuple[str, ...], int], Rows]
) -> Callable[[tuple[str, ...]], Rows]:
    """How the rows by some of `names` are got: from one joint answer, or by a question each where that is too long (then
    at most one more than a table may have groups, which is enough to refuse it)."""
    joint = ask(names, MOST_CELLS + 1)
    if len(joint) > MOST_CELLS:
        return lambda features: ask(features, source.caps.max_groups + 1)

    def chosen(features: tuple[str, ...]) -> Rows:
        places = [names.index(name) for name in features]
        return [(*(row[place] for place in places), *row[len(names) :]) for row in joint]

    return chosen


def _decided(
    source: Source, names: tuple[str, ...], prediction: str, favourable: str, most: int
) -> Rows:
    """Rows with a decision: values, how many are favourable, how many there are."""
    label = source.text(prediction, "l")
    return _counts(
        source,
        names,
        f"SELECT {_raws(source, names)}, {source.raw(prediction)} AS l, {source.count()} AS n FROM {{data}} GROUP BY ALL",
        f"sum(CASE WHEN {label} = $favourable THEN n ELSE 0 END), sum(n)",
        f"{label} IS NOT NULL",
        most,
        favourable=favourable,
    )


def _above(source: Source, names: tuple[str, ...], number: str, threshold: str, most: int) -> Rows:
    """Rows with a finite score: values, how many lie above the threshold, how many there are."""
    above = f"{number} > CAST($threshold AS DOUBLE)" if threshold else "false"
    return _counts(
        source,
        names,
        f"SELECT {_raws(source, names)}, {source.count(above)} AS k, {source.count()} AS n "
        f"FROM {{data}} WHERE isfinite({number}) GROUP BY ALL",
        "sum(k), sum(n)",
        "true",
        most,
        **({"threshold": threshold} if threshold else {}),
    )


def _raws(source: Source, names: Sequence[str]) -> str:
    return ", ".join(f"{source.raw(name)} AS r{place}" for place, name in enumerate(names))


def _counts(
    source: Source,
    names: Sequence[str],
    by_raw: str,
    numbers: str,
    where: str,
    most: int,
    **values: str,
) -> Rows:
    """`numbers` by category, from rows that are grouped by their raw values already: a category is so formed once per
    value and not per row."""
    texts = (source.text(name, f"r{place}") for place, name in enumerate(names))
    named = ", ".join(f"{text} AS g{place}" for place, text in enumerate(texts))
    groups = ", ".join(f"g{place}" for place in range(len(names)))
    query = f"SELECT {named}, {numbers} FROM ({by_raw}) WHERE {where} GROUP BY {groups}"
    return source.fetch(query, most=most, **values)


def _table(features: tuple[str, ...], rows: Rows, most: int) -> Selections | Refused:
    counts: dict[Values, tuple[int, int]] = {}
    for *values, selected, total in rows:
        before = counts.get(tuple(values), (0, 0))
        counts[tuple(values)] = (before[0] + int(selected), before[1] + int(total))
    if len(counts) > most:
        reason = f"more than {grouped(most)} groups; combine values before measuring"
        return Refused(features, reason)
    return Selections.of(features, counts)


def _unknown(source: Source, names: Sequence[str], prediction: str) -> int:
    """How many rows with a decision lack a value in at least one of the columns."""
    known = _known(source, names)
    if not known:
        return 0
    decided = " AND ".join(_known(source, [prediction])) or "true"
    query = (
        f"SELECT {source.count()} FROM {{data}} WHERE ({decided}) AND NOT ({' AND '.join(known)})"
    )
    return int(source.fetch(query)[0][0])


def _known(source: Source, names: Sequence[str]) -> list[str]:
    """For each column that lacks a value somewhere whether a row has one, in SQL that is never NULL. The category is
    formed once per raw value."""
    found = []
    for name in names:
        raw, text = source.raw(name), source.text(name, "v")
        values = f"SELECT v FROM (SELECT DISTINCT {raw} AS v FROM {{data}}) WHERE {text} IS"
        if source.fetch(f"{values} NULL", most=1):
            found.append(f"coalesce({raw} IN ({values} NOT NULL), false)")
    return found


def _scored(
    source: Source,
    names: tuple[str, ...],
    groupings: Sequence[tuple[str, ...]],
    score: str,
    median_over: MedianOver,
) -> Scored:
    """Raises Invalid where the score column holds no numbers."""
    source = source.gathered([*names, score])
    number = source.number(score)
    known = _known(source, names) if median_over == "known" else []
    where = " AND ".join(known) or "true"
    query = f"SELECT {number} AS v{{each}} FROM {{data}} WHERE isfinite({number}) AND ({where})"
    sample = np.asarray(source.arrays(query)["v"], dtype=np.float64)
    median, threshold = median_of(sample)
    size = len(sample)
    del sample
    by = _reader(source, names, lambda some, most: _above(source, some, number, threshold, most))
    return Scored(
        rows=_score_rows(source, number),
        median=median,
        threshold=threshold,
        median_rows=size,
        tables=tuple(
            table
            for features in groupings
            if isinstance(
                table := _table(features, by(features), source.caps.max_groups), Selections
            )
        ),
    )


def median_of(sample: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[str, str]:
    """The median as text, and the largest double that is not above it; both empty for no rows. Reorders the sample."""
    n = len(sample)
    if not n:
        return "", ""
    places = sorted({(n - 1) // 2, n // 2})
    sample.partition(places)
    exact = sum((Fraction(float(sample[place])) for place in places), Fraction()) / len(places)
    nearest = float(exact)
    below = nearest if Fraction(nearest) <= exact else float(np.nextafter(nearest, -np.inf))
    return decimal(nearest), decimal(below)


def _score_rows(source: Source, number: str) -> RowCount:
    state = f"CASE WHEN isfinite({number}) THEN '' WHEN isinf({number}) THEN '{SCORE_INFINITE}' ELSE '{SCORE_MISSING}' END"
    query = f"SELECT {state} AS s, {source.count()} FROM {{data}} GROUP BY s"
    found = {str(why): int(count) for why, count in source.fetch(query)}
    counted = found.pop("", 0)
    return RowCount(counted + sum(found.values()), counted, dict(sorted(found.items())))
