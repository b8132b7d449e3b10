"""A field of numbers in shades of one colour, each number in its cell where there is room. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from apps.checks.numbers import grouped
from apps.core.drawing import PAPER, SERIES, STRONG
from apps.core.parts import Heat
from apps.modelcards.renderers.pictures import frame, labels, scales
from apps.modelcards.renderers.pictures.bars import NO_VALUE
from apps.modelcards.renderers.pictures.frame import Made, Size, Spec

MOST: Final = 40
# Few steps, so that the number in a cell can be read on each of them in both themes.
SHADES: Final = (0.04, 0.14, 0.28, 0.44, 0.58, 1.0)
_CELL: Final = 36  # pixels that a short number takes
_IN_FULL: Final = 80
_STEPS: Final = (28, 34)  # of a row whose name has one line, or two


def make(heat: Heat, size: Size) -> Made:
    """The specification of a field at one width."""
    keys, whole = labels.Keys(size.shapes), heat
    heat = _cut(heat, min(MOST, size.rows(_STEPS[1]) or MOST))
    down = [labels.lines(keys.of(name), size.names) for name in heat.rows]
    widest = max((labels.width(line) for name in down for line in name), default=0)
    room = (size.width - 6 * widest) / max(1, len(heat.columns))
    rows = _rows(heat, room)
    if not rows:
        return Made((), reason=heat.empty or NO_VALUE)
    layers = [_shades()]
    if room >= _CELL:
        layers.append(_numbers())
    spec = {
        "height": {"step": _STEPS[max(len(name) for name in down) > 1]},
        "data": {"values": rows},
        "encoding": {"y": _down(heat, down, keys), "x": _across(heat, room, keys)},
        "layer": layers,
    }
    return Made((frame.fitted(spec, size),), _said(whole), _notes(heat, whole), keys.pairs)


def _cut(heat: Heat, most: int) -> Heat:
    """The rows and columns that are drawn."""
    values = tuple(row[:MOST] for row in heat.values[:most])
    return msgspec.structs.replace(
        heat, rows=heat.rows[:most], columns=heat.columns[:MOST], values=values
    )


def _rows(heat: Heat, room: float) -> list[Spec]:
    """A cell for each number, with the step of its shade."""
    found: list[Spec] = []
    values = [[scales.number(text) for text in row] for row in heat.values]
    most = max((v for row in values for v in row if v is not None), default=Decimal(0))
    for n, row in enumerate(values):
        whole = sum((v for v in row if v is not None), Decimal(0)) if heat.shares else most
        for m, value in enumerate(row):
            if value is not None:
                found.append({"n": n, "m": m, "text": _text(value, room), **_shade(value, whole)})
    return found


def _text(value: Decimal, room: float) -> str:
    """A count in full where there is room for it."""
    whole = value == value.to_integral_value() and abs(value) < 10**9
    return grouped(int(value)) if whole and room >= _IN_FULL else scales.short(value)


def _shade(value: Decimal, whole: Decimal) -> Spec:
    share = float(value / whole) if whole > 0 else 0.0
    step = min(len(SHADES) - 1, int(max(0.0, share) * len(SHADES)))
    return {"shade": SHADES[step], "dark": step == len(SHADES) - 1}


def _shades() -> Spec:
    mark = {"type": "rect", "color": SERIES[0], "stroke": PAPER, "strokeWidth": 1}
    shade = {"field": "shade", "type": "quantitative", "scale": None, "legend": None}
    return {"mark": mark, "encoding": {"fillOpacity": shade}}


def _numbers() -> Spec:
    condition = {"test": "datum.dark", "value": PAPER}
    return {
        "mark": {"type": "text", "fontSize": 11},
        "encoding": {
            "text": {"field": "text", "type": "nominal"},
            "color": {"condition": condition, "value": STRONG},
        },
    }


def _down(heat: Heat, lines: Sequence[Sequence[str]], keys: labels.Keys) -> Spec:
    found = frame.names("n", lines)
    found["axis"]["title"] = keys.of(heat.down) or None
    return found


def _across(heat: Heat, room: float, keys: labels.Keys) -> Spec:
    """Names stand upright where they fit, else they are turned."""
    fits = int(room / 6.2)
    names = [keys.of(name) for name in heat.columns]
    upright = all(labels.width(name) <= fits for name in names)
    lines = [labels.lines(name, max(fits, 14), 1) for name in names]
    found = frame.names("m", lines)
    found["axis"] |= {"orient": "top", "labelAngle": 0 if upright else -60, "title": keys.of(heat.across) or None}  # fmt: skip
    if not upright:
        found["axis"]["labelAlign"] = "left"
    return found


def _said(heat: Heat) -> str:
    return (
        f"{len(heat.rows)} rows and {len(heat.columns)} columns. The table below holds all numbers."
    )


def _notes(drawn: Heat, whole: Heat) -> tuple[str, ...]:
    if len(whole.rows) == len(drawn.rows) and len(whole.columns) == len(drawn.columns):
        return ()
    rows = f"{len(drawn.rows)} of {len(whole.rows)} rows"
    columns = f"{len(drawn.columns)} of {len(whole.columns)} columns"
    return (f"Drawn are {rows} and {columns}; the table below has more.",)
