"""What a data set holds, counted on an engine elsewhere: the numbers that `quality` makes its statistics of.

As there: NaN is no number, a text of blanks no text, an infinity a number without being an end of the range. Raw ends come back and
are put into words here. Counted exactly, the different values and the equal rows too. Values that are nested are refused: engines do not agree on when two of them are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from apps.checks.engine.source import Column
from apps.checks.engine.warehouse import Remote, double, either, finite
from apps.checks.library.equalrows import Repeats
from apps.core.errors import Invalid

_NOT_BLANK: Final = r"[^\p{Zs}]"  # what the local engine's trim leaves
_WHOLE_FROM: Final = float(2**53)  # no double beyond has a fraction
_ASKED: Final = ("there", "void", "usable", "fractional", "low", "high")


def ends_and_counts(source: Remote, block: Sequence[Column]) -> tuple[int, list[tuple[Any, ...]]]:
    """The number of rows; and of each column: values, values that are no value after all, usable ones, ones with a fraction,
    lowest, highest. Raises Invalid, naming it, for a column that the engine reads as something else."""
    asked: dict[str, Any] = {"rows": source.table.count()}
    for n, column in enumerate(block):
        for name, expression in zip(_ASKED, _of_column(source, column), strict=True):
            if expression is not None:
                asked[f"{name}{n}"] = expression
    found = source.ask(source.table.agg(**asked))
    local = source.register(found)
    kinds = {f"{name}{n}": column.kind for n, column in enumerate(block) for name in _ASKED}
    wanted = [_in_words(name, kinds[name]) if name in asked else "0" for name in kinds]
    rows, *row = source.fetch(f"SELECT rows, {', '.join(wanted)} FROM {local}")[0]
    width = len(_ASKED)
    of_columns = [row[n * width : (n + 1) * width] for n in range(len(block))]
    return int(rows), [
        _cleaned(values, c.kind) for values, c in zip(of_columns, block, strict=True)
    ]


def _of_column(source: Remote, column: Column) -> tuple[Any, ...]:
    """In the order of _ASKED; None is nothing to ask."""
    if column.kind == "empty":
        return (None,) * 6
    if column.kind == "other":
        raise _nested(column.name)
    value = source.value(column.name, days=False)
    there = value.count()
    if column.kind == "number":
        x = value.cast("float64")
        inside = finite(x)
        usable = inside.ifelse(value, None)
        small = either(x.abs() < _WHOLE_FROM).ifelse(
            x, 0.0
        )  # `floor` of what fits no whole number breaks off
        fractional = (small != small.floor()).sum()
        return there, x.isnan().sum(), inside.sum(), fractional, usable.min(), usable.max()
    if column.kind == "text":
        filled = value.re_search(_NOT_BLANK)
        length = filled.ifelse(value.length(), None)
        return there, None, filled.sum(), None, length.min(), length.max()
    if column.kind == "time":
        return there, None, there, None, value.min(), value.max()
    return there, None, there, None, None, None


def _in_words(name: str, kind: str) -> str:
    end = name.startswith(("low", "high"))
    return f"CAST({name} AS VARCHAR)" if end and kind == "time" else name


def _cleaned(values: Sequence[Any], kind: str) -> tuple[Any, ...]:
    """Sums over no rows are 0; a column that has no ends has none."""
    *counts, low, high = values
    ends = (low, high) if kind in {"number", "text", "time"} else (None, None)
    return (*(int(count or 0) for count in counts), *ends)


def different(source: Remote, column: Column, cap: int) -> int:
    """How many different values there are, at most `cap` and one."""
    if column.kind == "empty":
        return 0
    value = source.value(column.name, days=False)
    kept = value.notnull()
    if column.kind == "number":
        kept = kept & ~value.cast("float64").isnan()
    elif column.kind == "text":
        kept = kept & value.re_search(_NOT_BLANK)
    values = source.table.filter(either(kept)).select(v=value).distinct().limit(cap + 1)
    return int(source.ask(values.agg(n=values.count()))["n"][0].as_py())


def outside(source: Remote, name: str, low: str, high: str) -> tuple[int, int, int]:
    """How many numbers a column has, and how many of them lie below and above the ends."""
    if source.kind(name) == "empty":
        return 0, 0, 0
    x = source.value(name).cast("float64")
    there = either(x.notnull() & ~x.isnan())
    numbers = source.table.filter(there)
    found = source.ask(
        numbers.agg(
            n=numbers.count(), below=(x < double(low)).sum(), above=(x > double(high)).sum()
        )
    )
    n, below, above = (int(found[key][0].as_py() or 0) for key in ("n", "below", "above"))
    return n, below, above


def moments(source: Remote, name: str) -> str:
    """A table here of the first and the last moment of a column of times."""
    value = source.value(name, days=False)
    found = source.ask(source.table.agg(low=value.min(), high=value.max()))
    raw = source.raw(name)
    both = pa.table({raw: pa.concat_arrays([*found["low"].chunks, *found["high"].chunks])})
    return source.register(both)


def repeats(source: Remote, names: Sequence[str]) -> Repeats:
    """How many rows repeat an earlier one, by a group-by over all columns. Doubles are compared as texts: -0 is not 0."""
    keys = {}
    for name in names:
        if source.kind(name) == "empty":
            continue
        value = source.value(name, days=False)
        keys[source.raw(name)] = value.cast("string") if value.type().is_floating() else value
    rows = source.rows()
    if not keys:
        return Repeats(rows, max(rows - 1, 0), int(rows > 1), rows if rows > 1 else 0)
    chosen = source.table.select(**keys)
    by_row = chosen.group_by(list(keys)).agg(n=chosen.count())
    more = by_row.filter(by_row.n > 1)
    found = source.ask(more.agg(repeated=(more.n - 1).sum(), sets=more.count(), most=more.n.max()))
    repeated, sets, most = (int(found[key][0].as_py() or 0) for key in ("repeated", "sets", "most"))
    return Repeats(rows, repeated, sets, most)


def _nested(name: str) -> Invalid:
    reason = f"column {name!r} holds nested or binary values, which are not counted on an engine elsewhere"
    return Invalid(reason, fields={name: reason})
