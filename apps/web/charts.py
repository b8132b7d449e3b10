"""Pictures of numbers: a Vega-Lite specification becomes SVG that takes the page's colours.

The same specification serves page and paper. It is drawn with the light palette; for a page the palette's colours
are replaced by the tokens of CSS, so that the picture follows the theme without a style attribute.

Refuses data from elsewhere: `url` in a specification would be drawn without data and without an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.core.cache import cache
from django.utils.safestring import SafeString

from apps.core import drawing
from apps.core.drawing import FRAME as FRAME
from apps.core.drawing import INK, SERIES

CACHE_SECONDS: Final = 24 * 3600
WIDTH: Final = 560
HEIGHT: Final = 200
LEGEND_ENTRY: Final = 120
DASHES: Final = ([1, 0], [6, 3], [2, 2], [9, 3, 2, 3])


@dataclass(frozen=True, slots=True)
class Series:
    """One line: its name and its points."""

    name: str
    points: Sequence[tuple[float, float]]


def for_page(spec: Mapping[str, Any]) -> SafeString:
    """The picture for a page: colours are tokens, so it is right in both themes. Cached by the digest of the spec."""
    return SafeString(drawing.in_tokens(for_paper(spec)))


def for_paper(spec: Mapping[str, Any]) -> str:
    """The picture in the light palette, for documents. Raises ValueError for data from an address."""
    text = drawing.whole(spec)
    key = f"chart:{drawing.key_of(text)}"
    svg: str | None = cache.get(key)
    if svg is None:
        svg = drawing.drawn(text)
        cache.set(key, svg, CACHE_SECONDS)
    return svg


def lines(
    series: Sequence[Series],
    *,
    x: str,
    y: str,
    width: int = WIDTH,
    height: int = HEIGHT,
    points: bool = False,
) -> dict[str, Any]:
    """Lines over a quantity, such as a metric over steps. One colour a series, a legend when there are several.

    More series than colours: the colours come again with another dash.
    """
    values = [
        {"x": left, "y": right, "series": each.name}
        for each in series
        for left, right in each.points
    ]
    names = [each.name for each in series]
    colour: dict[str, Any] = {"field": "series", "type": "nominal", "sort": names}
    encoding: dict[str, Any] = {
        "x": _quantity("x", x, grid=False),
        "y": _quantity("y", y, zero=False),
        "color": colour if len(series) > 1 else {"value": SERIES[0]},
    }
    if len(series) > 1:
        colour["legend"] = {"columns": max(1, width // LEGEND_ENTRY), "labelLimit": LEGEND_ENTRY}
    if len(series) > len(SERIES):
        dashes = [DASHES[place // len(SERIES) % len(DASHES)] for place in range(len(series))]
        encoding["strokeDash"] = {**colour, "scale": {"range": dashes}}
    return _chart({"type": "line", "point": points}, encoding, values, height, width)


def bars(
    values: Sequence[tuple[str, float]],
    *,
    x: str,
    y: str,
    limit: float | None = None,
    width: int = WIDTH,
) -> dict[str, Any]:
    """Horizontal bars by category, with the limit as a rule: a group's rate against what the policy allows."""
    rows = [{"category": name, "value": value} for name, value in values]
    encoding = {
        "y": {"field": "category", "type": "nominal", "sort": None, "title": y or None},
        "x": _quantity("value", x, grid=True),
    }
    bar = _chart({"type": "bar", "height": 14}, encoding, rows, max(60, 24 * len(rows)), width)
    if limit is None:
        return bar
    rule = {
        "mark": {"type": "rule", "strokeDash": [4, 3], "strokeWidth": 1.5},
        "encoding": {"x": {"datum": limit}},
    }
    layers = [{"mark": bar.pop("mark"), "encoding": bar.pop("encoding")}, rule]
    return {**bar, "layer": layers}


def intervals(
    values: Sequence[tuple[str, float, float, float]], *, x: str, limit: float | None = None
) -> dict[str, Any]:
    """A point with its confidence interval per group (name, low, value, high), and the limit as a rule."""
    rows = [
        {"group": name, "low": low, "value": value, "high": high}
        for name, low, value, high in values
    ]
    place = {"field": "group", "type": "nominal", "sort": None, "title": None}
    low, high = _quantity("low", x, zero=False), {"field": "high"}
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rule", "strokeWidth": 2, "color": SERIES[0]},
            "encoding": {"y": place, "x": low, "x2": high},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 60, "color": SERIES[0]},
            "encoding": {"y": place, "x": _quantity("value", x, zero=False)},
        },
    ]
    if limit is not None:
        dashed = {"type": "rule", "strokeDash": [4, 3], "color": INK}
        layers.append({"mark": dashed, "encoding": {"x": {"datum": limit}}})
    return {
        "width": WIDTH,
        "height": max(60, 28 * len(rows)),
        "data": {"values": rows},
        "layer": layers,
    }


def histogram(bins: Sequence[tuple[str, Mapping[str, float]]], *, x: str, y: str) -> dict[str, Any]:
    """Shares per bin, side by side per series (reference and current): the picture of drift."""
    rows = [
        {"bin": name, "series": series, "share": share}
        for name, shares in bins
        for series, share in shares.items()
    ]
    names = list(dict.fromkeys(row["series"] for row in rows))
    encoding = {
        "x": {
            "field": "bin",
            "type": "ordinal",
            "sort": None,
            "title": x,
            "axis": {"labelAngle": 0, "labelOverlap": True},
        },
        "xOffset": {"field": "series", "sort": names},
        "y": _quantity("share", y),
        "color": {"field": "series", "type": "nominal", "sort": names},
    }
    return _chart({"type": "bar"}, encoding, rows, HEIGHT)


def _chart(
    mark: dict[str, Any],
    encoding: dict[str, Any],
    values: Sequence[Any],
    height: int,
    width: int = WIDTH,
) -> dict[str, Any]:
    return {
        "width": width,
        "height": height,
        "data": {"values": list(values)},
        "mark": mark,
        "encoding": encoding,
    }


def _quantity(field: str, title: str, *, grid: bool = True, zero: bool = True) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"zero": zero, "nice": True},
        "axis": {"grid": grid, "tickCount": 5},
    }
