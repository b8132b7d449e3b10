"""Curves of metrics: of one run in small multiples, of several runs over each other; a table beneath each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from apps.experiments import selectors as experiments
from apps.experiments.selectors import PointView
from apps.web import cells, charts, words
from apps.web.charts import Series
from apps.web.parts import Cell, ChartFigure, Column, Row, Table

CHARTS: Final = 12
POINTS: Final = 400
ROWS: Final = 50
WIDTH: Final = 380
HEIGHT: Final = 150

Curves = Mapping[str, Sequence[PointView]]


@dataclass(frozen=True, slots=True)
class _Axis:
    """What stands on the x axis: steps, or seconds since the first point when all steps are one."""

    label: str
    start: int | None

    @classmethod
    def of(cls, curves: Curves) -> _Axis:
        points = [point for curve in curves.values() for point in curve]
        if len({point.step for point in points}) > 1:
            return cls("step", None)
        return cls("seconds since the first", min((p.timestamp for p in points), default=0))

    def at(self, point: PointView) -> float:
        if self.start is None:
            return point.step
        return (point.timestamp - self.start) / 1000


def of_runs(
    names: Mapping[str, str], keys: Sequence[str], *, most: int = CHARTS
) -> tuple[list[ChartFigure], int]:
    """A figure for each metric that has a curve, at most so many, and how many were left out.

    `names` are the runs by id, in order. One statement, however many runs and metrics.
    """
    found = experiments.metric_curves(list(names), keys, max_points=POINTS)
    curved = {key: curves for key, curves in found.items() if _is_curve(curves)}
    figures = [_figure(key, curves, names) for key, curves in list(curved.items())[:most]]
    return figures, max(0, len(curved) - most)


def _is_curve(curves: Curves) -> bool:
    return any(
        len({(point.step, point.timestamp) for point in curve if _finite(point)}) > 1
        for curve in curves.values()
    )


def _figure(key: str, curves: Curves, names: Mapping[str, str]) -> ChartFigure:
    axis = _Axis.of(curves)
    drawn = {
        name: [(axis.at(point), point.value) for point in curves[run_id] if _finite(point)]
        for run_id, name in names.items()
    }
    series = [Series(name, points) for name, points in drawn.items() if len(points) > 1]
    alone = sum(len(points) == 1 for points in drawn.values())
    odd = sum(not _finite(point) for curve in curves.values() for point in curve)
    notes = [
        f"{words.plural(odd, 'point')} not drawn: no finite number" if odd else "",
        f"{words.plural(alone, 'run')} with a single point, in the numbers only" if alone else "",
    ]
    spec = charts.lines(series, x=axis.label, y="", width=WIDTH, height=HEIGHT)
    note = "; ".join(filter(None, notes))
    return ChartFigure(key, charts.for_page(spec), _table(key, axis, curves, names), note)


def _finite(point: PointView) -> bool:
    return math.isfinite(point.value)


def _table(key: str, axis: _Axis, curves: Curves, names: Mapping[str, str]) -> Table:
    """The same numbers, evenly thinned, always with the first and the last."""
    shown = [run_id for run_id in names if curves[run_id]]
    values = {run_id: {axis.at(point): point.value for point in curves[run_id]} for run_id in shown}
    places = _thinned(sorted({place for curve in values.values() for place in curve}))
    return Table(
        caption=f"{key} by {axis.label}",
        columns=[
            Column(axis.label.capitalize(), numeric=True),
            *(Column(names[run_id], numeric=True) for run_id in shown),
        ],
        rows=[
            Row(
                [
                    cells.number(words.decimals(place)),
                    *(_value(values[run_id].get(place)) for run_id in shown),
                ]
            )
            for place in places
        ],
        dense=True,
        fold=False,
    )


def _value(value: float | None) -> Cell:
    return cells.missing("no point here") if value is None else cells.number(words.decimals(value))


def _thinned(places: Sequence[float]) -> list[float]:
    if len(places) <= ROWS:
        return list(places)
    last = len(places) - 1
    return [places[round(number * last / (ROWS - 1))] for number in range(ROWS)]


def bars(key: str, values: Sequence[tuple[str, float]]) -> ChartFigure:
    """One number per run as bars, for metrics that have no curve."""
    rows = [Row([cells.text(name), cells.number(words.decimals(value))]) for name, value in values]
    table = Table(key, [Column("Run"), Column(key, numeric=True)], rows, dense=True, fold=False)
    spec = charts.bars(values, x="", y="", width=WIDTH)
    return ChartFigure(key, charts.for_page(spec), table)
