"""The performance of a regression as it is shown."""

from __future__ import annotations

from apps.checks.library.regression import OF_SIGNED, TITLES, RegressionResult
from apps.checks.numbers import listed, shown
from apps.checks.shown import metrics
from apps.checks.shown.words import bar, counted, percent, told
from apps.core.parts import Chart, Column, Curve, Line, Part, Point, Table, Text, cells

_IN_UNITS = ("mae", "rmse", "median_absolute_error", "p90_absolute_error")


def parts(result: RegressionResult) -> tuple[Part, ...]:
    """The rows, the errors as bars, every number, and how the errors are distributed."""
    numbers = [told(TITLES[key], result.metrics[key]) for key in ("mae", "r2")]
    found: list[Part] = [Text(f"{listed(numbers)}. {counted(result.rows)}")]
    if result.lowest is not None:
        bars = tuple(bar(TITLES[key], result.metrics[key]) for key in _IN_UNITS)
        title = f"Errors in units of the outcome, with {percent(result.confidence)} intervals"
        found.append(Chart(title, "error", bars, dots=True))
    found.append(metrics.table(TITLES, result.metrics, result.confidence, _note(result)))
    if result.errors:
        found += [_curve(result), _quantiles(result)]
    return tuple(found)


def _curve(result: RegressionResult) -> Curve:
    points = tuple(
        Point(each.share, each.error.value or "", each.error.low or "", each.error.high or "")
        for each in result.errors
    )
    title = f"Error by share of the rows, with {percent(result.confidence)} intervals"
    return Curve(title, "share of the rows", "error at most", (Line("error", points),))


def _note(result: RegressionResult) -> str:
    span = ""
    if result.lowest is not None:
        span = f"Outcomes go from {shown(result.lowest)} to {shown(result.highest)}. "
    return f"{span}An error is prediction minus outcome: a mean error above 0 says that predictions are too high."


def _quantiles(result: RegressionResult) -> Table:
    head = (
        Column("Share of rows"),
        Column("Error at most", numeric=True),
        Column(f"{percent(result.confidence)} from", numeric=True),
        Column("to", numeric=True),
    )
    rows = tuple(
        cells(
            percent(each.share),
            shown(each.error.value),
            shown(each.error.low),
            shown(each.error.high),
        )
        for each in result.errors
    )
    note = f"{len(OF_SIGNED)} quantiles; intervals go from one row to another and assume nothing of the distribution."
    return Table("Errors, from the most too low to the most too high", head, rows, note=note)
