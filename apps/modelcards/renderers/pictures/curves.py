"""Lines over a quantity or over names, with what surrounds them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from apps.core.drawing import INK, SERIES
from apps.core.parts import Curve, Line, Point
from apps.modelcards.renderers.pictures import frame, labels, scales
from apps.modelcards.renderers.pictures.bars import NO_VALUE
from apps.modelcards.renderers.pictures.frame import Made, Size, Spec

MAX_LINES: Final = 5
MAX_NAMES: Final = 400
INTERPOLATE: Final = {"line": "linear", "step": "step-before", "points": "linear"}


def make(curve: Curve, size: Size) -> Made:
    """The specification of a curve at one width."""
    lines = [line for line in curve.lines if any(_finite(curve, p) for p in line.points)]
    drawn = lines[:MAX_LINES]
    if not drawn:
        return Made((), reason=curve.empty or NO_VALUE)
    across = 0 if curve.names else scales.power_of(_numbers(drawn, ("x",)))
    up = scales.power_of(_numbers(drawn, ("y",)))
    rows = [row for i, line in enumerate(drawn) for row in _rows(curve, i, line, across, up)]
    y_domain = [0.0, 1.0] if curve.unit else _domain(rows)
    keys = labels.Keys(size.shapes)
    x = _x(curve, size, scales.titled(keys.of(curve.x), across), keys)
    legends = [labels.lines(keys.of(line.name), size.names * 2, 1) for line in drawn]
    spec = {
        "height": size.height,
        "layer": _layers(
            curve, rows, x, (scales.titled(keys.of(curve.y), up), y_domain), _colour(legends, size)
        ),
    }
    left = len(curve.lines) - len(drawn)
    notes = (f"{left} more are in the table and not drawn.",) if left else ()
    return Made((frame.fitted(spec, size),), _said(curve, drawn), notes, keys.pairs)


def _finite(curve: Curve, point: Point) -> bool:
    placed = point.x in curve.names if curve.names else scales.number(point.x) is not None
    return placed and scales.number(point.y) is not None


def _numbers(lines: Sequence[Line], keys: Sequence[str]) -> list[Decimal]:
    texts = (getattr(point, key) for line in lines for point in line.points for key in keys)
    return [value for text in texts if (value := scales.number(text)) is not None]


def _rows(curve: Curve, series: int, line: Line, across: int, up: int) -> list[Spec]:
    places = {name: place for place, name in enumerate(curve.names)}
    rows: list[Spec] = []
    for order, point in enumerate(line.points):
        if not _finite(curve, point):
            continue
        x = places[point.x] if curve.names else scales.scaled(Decimal(point.x), across)
        row: Spec = {"x": x, "y": scales.scaled(Decimal(point.y), up), "series": series, "order": order}  # fmt: skip
        low, high = scales.number(point.low), scales.number(point.high)
        if low is not None and high is not None:
            row |= {"low": scales.scaled(low, up), "high": scales.scaled(high, up)}
        rows.append(row)
    return rows


def _domain(rows: Sequence[Spec]) -> list[float]:
    values = [row["y"] for row in rows]
    ends = [(row["low"], row["high"]) for row in rows if "low" in row]
    found, _ = scales.domain(values, ends, from_zero=min(values) >= 0)
    return found


def _x(curve: Curve, size: Size, title: str, keys: labels.Keys) -> Spec:
    if not curve.names:
        return frame.quantity("x", title, [0.0, 1.0] if curve.unit else None, grid=curve.unit)
    lines = [labels.lines(keys.of(name), size.names // 2 + 4, 1) for name in curve.names]
    found = frame.names("x", lines, ticks=True)
    found["title"] = title
    found["axis"] |= {"labelAngle": 0, "labelOverlap": "greedy", "labelFlush": True, "title": title}  # fmt: skip
    found["scale"] = {"domain": list(range(len(curve.names))), "type": "point", "padding": 0.2}
    return found


def _layers(
    curve: Curve, rows: Sequence[Spec], x: Spec, up: tuple[str, Sequence[float]], colour: Spec
) -> list[Spec]:
    data = {"values": list(rows)}
    y = frame.quantity("y", *up)
    several = len(colour["scale"]["domain"]) if "legend" in colour else 1
    layers: list[Spec] = []
    if curve.diagonal:
        layers.append(_diagonal(x, y))
    if any("low" in row for row in rows):
        layers.append(_around(curve, data, x, {**y, "field": "low"}, colour))
    joined: Spec = {"type": "line", "interpolate": INTERPOLATE[curve.form], "clip": True}
    encoding: Spec = {"x": x, "y": y, "color": colour, "order": {"field": "order"}}
    if several > 1:
        encoding["strokeDash"] = _dash(several, colour["legend"])
    if curve.form != "points" or several > 1:
        layers.append({"data": data, "mark": joined, "encoding": encoding})
    if curve.form == "points" or curve.names:
        mark = {"type": "point", "filled": True, "size": 42, "opacity": 1}
        layers.append({"data": data, "mark": mark, "encoding": {"x": x, "y": y, "color": colour}})
    return layers


def _colour(names: Sequence[Sequence[str]], size: Size) -> Spec:
    if len(names) < 2:
        return {"value": SERIES[0]}
    return frame.by_series(len(names), names, size, "stroke")


def _dash(count: int, legend: Spec) -> Spec:
    dashes = [frame.DASHES[place % len(frame.DASHES)] for place in range(count)]
    scale = {"domain": list(range(count)), "range": dashes}
    return {"field": "series", "type": "ordinal", "scale": scale, "legend": legend}


def _diagonal(x: Spec, y: Spec) -> Spec:
    ends = {"values": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]}
    mark = {"type": "line", "strokeDash": [4, 4], "strokeWidth": 1, "color": INK}
    return {"data": ends, "mark": mark, "encoding": {"x": x, "y": y}}


def _around(curve: Curve, data: Spec, x: Spec, low: Spec, colour: Spec) -> Spec:
    """Intervals: a band around a line, a rule through a point."""
    band: Spec = {"type": "area", "opacity": 0.2, "clip": True}
    mark = {"type": "rule", "strokeWidth": 1.6, "clip": True} if curve.form == "points" else band
    encoding = {"x": x, "y": low, "y2": {"field": "high"}, "color": colour}
    return {
        "data": data,
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": mark,
        "encoding": encoding,
    }


def _said(curve: Curve, lines: Sequence[Line]) -> str:
    of = f" of {', '.join(line.name for line in lines)}" if len(lines) > 1 else ""
    points = sum(len(line.points) for line in lines)
    return f"{curve.y} over {curve.x}{of}, {points} points. The table below holds numbers."
