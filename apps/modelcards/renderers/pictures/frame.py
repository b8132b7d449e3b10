"""What every picture has in common: its two widths, its axes of names and of numbers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from apps.core.drawing import FRAME, INK, SERIES
from apps.modelcards.renderers.pictures import labels

Spec = dict[str, Any]
DASHES: Final = ([1, 0], [6, 3], [2, 2], [9, 3, 2, 3])
SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "cross")


@dataclass(frozen=True, slots=True)
class Size:
    """One of the widths that a picture is drawn in: pixels in all, and columns of text for a name beside it."""

    width: int
    names: int
    height: int = 230


WIDE: Final = Size(640, 30)
NARROW: Final = Size(320, 16)


@dataclass(frozen=True, slots=True)
class Made:
    """A specification, what it shows in words, and what it leaves to the table. Without one: why there is none."""

    spec: Spec | None
    said: str = ""
    notes: tuple[str, ...] = field(default=())
    reason: str = ""


def fitted(spec: Spec, size: Size) -> Spec:
    """As wide as the size says with everything beside it, whatever the names."""
    return {**spec, "width": size.width, "autosize": {"type": "fit-x", "contains": "padding"}}


def names(
    field: str, lines: Sequence[Sequence[str]], *, ticks: bool = False, grid: bool = False
) -> Spec:
    """Rows or columns by their index; the names stand in the axis and are no data of the picture."""
    axis: Spec = {
        "title": None,
        "labelExpr": labels.expression(lines),
        "labelLimit": 0,
        "labelPadding": 6,
        "ticks": ticks,
        "domain": False,
        "grid": grid,
    }
    return {"field": field, "type": "ordinal", "sort": None, "axis": axis}


def quantity(field: str, title: str, domain: Sequence[float] | None, *, grid: bool = True) -> Spec:
    scale: Spec = {"nice": True, "zero": False}
    if domain is not None:
        scale["domain"] = list(domain)
    axis = {"grid": grid, "tickCount": 5, "gridColor": FRAME, "labelOverlap": True}
    return {"field": field, "type": "quantitative", "title": title, "scale": scale, "axis": axis}


def by_series(
    count: int, lines: Sequence[Sequence[str]], size: Size, symbol: str = "square"
) -> Spec:
    """A colour for each series, named above the picture in as many columns as their names let stand."""
    colours = [SERIES[place % len(SERIES)] for place in range(count)]
    widest = max((labels.width(line) for name in lines for line in name), default=0)
    legend = {
        "labelExpr": labels.expression(lines),
        "columns": max(1, min(count, size.width // (7 * widest + 40))),
        "labelLimit": 0,
        "title": None,
        "symbolType": symbol,
        "symbolStrokeWidth": 2 if symbol == "stroke" else 0,
    }
    return {
        "field": "series",
        "type": "ordinal",
        "scale": {"domain": list(range(count)), "range": colours},
        "legend": legend,
    }


def rule(limit: float, channel: str, colour: str = INK) -> Spec:
    """A dashed line across at a value."""
    mark = {"type": "rule", "color": colour, "strokeDash": [5, 3], "strokeWidth": 1.3}
    return {"mark": mark, "encoding": {channel: {"datum": limit}}}
