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
    """One of the widths that a picture is drawn in: pixels in all, columns of text for a name beside it, how tall one
    drawing may be (0: as tall as it must), and whether whoever shows it can set any script."""

    width: int
    names: int
    height: int = 230
    tallest: int = 0
    shapes: bool = True

    def rows(self, step: int) -> int:
        """How many rows of this height one drawing holds; 0: all."""
        return self.tallest // step


WIDE: Final = Size(640, 30)
NARROW: Final = Size(320, 16)
# A third of a page: a drawing cannot be broken, and a taller one leaves what stands before it on a page of its own.
PAPER: Final = Size(640, 30, tallest=400, shapes=False)


@dataclass(frozen=True, slots=True)
class Made:
    """The specifications (several where one would not fit a page), what they show in words, what they leave to the
    table, and which names stand below by their number. Without any: why there is none."""

    specs: tuple[Spec, ...]
    said: str = ""
    notes: tuple[str, ...] = field(default=())
    keys: tuple[tuple[str, str], ...] = ()
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
