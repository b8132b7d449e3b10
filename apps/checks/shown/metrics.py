"""A table of numbers with their intervals, as the pages of several checks show it."""

from __future__ import annotations

from collections.abc import Mapping

from apps.checks.library.estimates import Estimate
from apps.checks.numbers import MISSING, grouped, shown
from apps.checks.shown.words import percent
from apps.core.parts import Cell, Column, Table, cells


def table(
    titles: Mapping[str, str], metrics: Mapping[str, Estimate], confidence: str, note: str = ""
) -> Table:
    """A row for each number; one that is not defined says why."""
    rows = tuple(_row(title, metrics[key]) for key, title in titles.items() if key in metrics)
    head = (
        Column("Metric"),
        Column("Value", numeric=True),
        Column(f"{percent(confidence)} from", numeric=True),
        Column("to", numeric=True),
        Column("n", numeric=True),
        Column("Interval, or why there is none"),
    )
    return Table("Metrics on the evaluation data", head, rows, note=note)


def _row(title: str, number: Estimate) -> tuple[Cell, ...]:
    n = grouped(number.denominator) if number.denominator is not None else MISSING
    why = number.method if number.low is not None else number.reason
    return cells(title, shown(number.value), shown(number.low), shown(number.high), n, why)
