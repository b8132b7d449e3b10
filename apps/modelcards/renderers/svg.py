"""Charts as vector graphics: one Vega-Lite specification, two palettes.

`print` uses fixed dark colours on white, `page` uses currentColor so that the page's theme decides.
The specification holds its values inline: an unreachable data URL would silently draw nothing.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import vl_convert as vlc
from django.utils.html import escape

from apps.core.parts import Bar, Chart

Palette: TypeAlias = Literal["print", "page"]

MAX_BARS = 60
_WIDTH = 440
_ROW = 15
_LABEL_LIMIT = 190
_FONT = "Noto Sans, DejaVu Sans, sans-serif"
_COLOURS: dict[Palette, dict[str, str]] = {
    "print": {"bar": "#7d9cc4", "ink": "#1b2733", "grid": "#d5dbe2", "limit": "#a3271f"},
    "page": dict.fromkeys(("bar", "ink", "grid", "limit"), "currentColor"),
}


def drawable(chart: Chart) -> tuple[Bar, ...]:
    """The bars that have a finite value, at most MAX_BARS of them."""
    return tuple(bar for bar in chart.bars if _number(bar.value) is not None)[:MAX_BARS]


def chart_svg(chart: Chart, palette: Palette = "print") -> str:
    """The chart as one <svg> element, or "" when no bar has a value: the caller says so in words."""
    bars = drawable(chart)
    if not bars:
        return ""
    drawn = _svg(json.dumps(_spec(chart, bars, palette), sort_keys=True))
    return drawn.replace("<svg ", '<svg role="img" ', 1).replace(">", f">{_title(chart, bars)}", 1)


def _title(chart: Chart, bars: tuple[Bar, ...]) -> str:
    """What the picture shows, for who cannot see it: the PDF's alternate text, the page's name of it."""
    first = max(bars, key=lambda bar: float(bar.value))
    last = min(bars, key=lambda bar: float(bar.value))
    said = (
        f"{chart.title}. {len(bars)} bars; largest {first.label}, {float(first.value):.3g}; "
        f"smallest {last.label}, {float(last.value):.3g}. The table holds all values."
    )
    return f"<title>{escape(said)}</title>"


@lru_cache(maxsize=256)
def _svg(spec: str) -> str:
    svg = vlc.vegalite_to_svg(spec)
    return svg[svg.index("<svg") :]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _spec(chart: Chart, bars: tuple[Bar, ...], palette: Palette) -> dict[str, Any]:
    """Bars, a thin rule for each interval, a dashed rule for the limit."""
    colour = _COLOURS[palette]
    rows = [_row(index, bar) for index, bar in enumerate(bars)]
    layers: list[dict[str, Any]] = [_bars(chart, colour)]
    if any("low" in row for row in rows):
        layers.append(_intervals(colour))
    limit = _number(chart.limit)
    if limit is not None:
        layers.append(_limit(limit, colour))
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": _WIDTH,
        "height": {"step": _ROW},
        "data": {"values": rows},
        "layer": layers,
        "config": _config(colour),
        "background": None,
    }


def _row(index: int, bar: Bar) -> dict[str, Any]:
    row: dict[str, Any] = {"n": index, "label": bar.label, "value": float(bar.value)}
    low, high = _number(bar.low), _number(bar.high)
    if low is not None and high is not None:
        row |= {"low": low, "high": high}
    return row


def _y() -> dict[str, Any]:
    sort = {"field": "n", "op": "min"}
    axis = {"title": None, "labelLimit": _LABEL_LIMIT, "ticks": False, "domain": False}
    return {"field": "label", "type": "nominal", "sort": sort, "axis": axis}


def _bars(chart: Chart, colour: dict[str, str]) -> dict[str, Any]:
    x = {"field": "value", "type": "quantitative", "axis": {"title": chart.axis, "tickCount": 6}}
    mark = {"type": "bar", "color": colour["bar"], "height": {"band": 0.66}, "opacity": 0.85}
    return {"mark": mark, "encoding": {"y": _y(), "x": x}}


def _intervals(colour: dict[str, str]) -> dict[str, Any]:
    mark = {"type": "rule", "color": colour["ink"], "strokeWidth": 1.2}
    ends = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    return {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": mark,
        "encoding": {"y": _y(), **ends},
    }


def _limit(limit: float, colour: dict[str, str]) -> dict[str, Any]:
    mark = {"type": "rule", "color": colour["limit"], "strokeDash": [4, 3], "strokeWidth": 1.2}
    return {"mark": mark, "encoding": {"x": {"datum": limit}}}


def _config(colour: dict[str, str]) -> dict[str, Any]:
    text = {"labelFont": _FONT, "titleFont": _FONT, "labelFontSize": 9, "titleFontSize": 9}
    ink = {"labelColor": colour["ink"], "titleColor": colour["ink"], "titleFontWeight": "normal"}
    grid = {"gridColor": colour["grid"], "domainColor": colour["grid"], "tickColor": colour["grid"]}
    return {"axis": text | ink | grid | {"gridOpacity": 0.6}, "view": {"stroke": None}}
