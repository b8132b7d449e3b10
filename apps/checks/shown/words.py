"""Numbers and row counts in the words that pages of results share."""

from __future__ import annotations

from apps.checks.library.estimates import Estimate
from apps.checks.numbers import MISSING, grouped, shown
from apps.checks.statistics import RowCount
from apps.core.parts import Bar


def counted(rows: RowCount, what: str = "rows") -> str:
    """How many rows the numbers rest on, and what was left out and why."""
    said = f"{grouped(rows.counted)} of {grouped(rows.total)} {what} counted"
    left = "; ".join(f"{grouped(n)} left out: {why}" for why, n in rows.excluded.items() if n)
    return f"{said}; {left}." if left else f"{said}."


def percent(share: str) -> str:
    """`95 %` of "0.95"."""
    return f"{float(share) * 100:g}\u00a0%"


def bar(label: str, number: Estimate, series: str = "") -> Bar:
    """One estimate as a bar; one that is not defined keeps its place in the table and is not drawn."""
    return Bar(label, number.value or "", number.low or "", number.high or "", series)


def interval(number: Estimate) -> str:
    """`0.668 to 0.732`, or a dash."""
    if number.low is None or number.high is None:
        return MISSING
    return f"{shown(number.low)} to {shown(number.high)}"


def told(title: str, number: Estimate) -> str:
    """`accuracy 0.763 (0.757 to 0.769)`, or why there is none."""
    if number.value is None:
        return f"{title} {number.reason}"
    return f"{title} {shown(number.value)}" + (f" ({interval(number)})" if number.low else "")


def p_text(value: str | None) -> str:
    """A p-value with two digits; a dash where there is none."""
    if value is None:
        return MISSING
    return "< 1e-300" if float(value) < 1e-300 else f"{float(value):.2g}"
