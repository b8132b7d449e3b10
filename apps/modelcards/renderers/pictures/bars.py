"""Values by name: bars from zero, or dots with their intervals. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.core.drawing import INK, LIMIT, SERIES, STRONG
from apps.core.parts import Bar, Chart
from apps.modelcards.renderers.pictures import frame, labels, scales
from apps.modelcards.renderers.pictures.frame import Made, Size, Spec

MAX_BARS: Final = 60  # of each series
NO_VALUE: Final = "no value is defined. The table says why."
BEYOND: Final = "An interval reaches beyond the drawing; the table has its ends."


def drawable(chart: Chart) -> tuple[Bar, ...]:
    """The bars that have a finite value, at most MAX_BARS of each series."""
    known = tuple(bar for bar in chart.bars if scales.number(bar.value) is not None)
    return known[: MAX_BARS * len({bar.series for bar in chart.bars})]


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the layers of one chart share."""

    chart: Chart
    rows: Sequence[Spec]
    y: Spec
    title: str
    domain: Sequence[float]
    colour: Spec | None
    many: int

    def encoding(self, **channels: Spec) -> Spec:
        found: Spec = {"y": self.y, **channels}
        if self.colour is not None:
            found["yOffset"] = {"field": "series", "type": "ordinal"}
            found["color"] = self.colour
        return found

    def x(self, field: str) -> Spec:
        return frame.quantity(field, self.title, self.domain)


def make(chart: Chart, size: Size) -> Made:
    """The specification of a chart at one width."""
    bars = drawable(chart)
    if not bars:
        return Made((), reason=chart.empty or NO_VALUE)
    power = scales.power_of(_numbers(bars, chart))
    rows, names, series = _rows(bars, power)
    limit = _scaled(chart.limit, power)
    domain, beyond = _domain(rows, limit, from_zero=not chart.dots)
    keys = labels.Keys(size.shapes)
    lines = [labels.lines(keys.of(name), size.names) for name in names]
    step = _step(lines, len(series))
    legends = [labels.lines(keys.of(name), size.names * 2, 1) for name in series]
    colour = frame.by_series(len(series), legends, size) if len(series) > 1 else None
    specs = []
    for some, texts in _pages(rows, lines, size.rows(step)):
        y, title = frame.names("n", texts), scales.titled(keys.of(chart.axis), power)
        layout = _Layout(chart, some, y, title, domain, colour, len(series))
        spec = {
            "height": {"step": step, "for": "position"},
            "data": {"values": some},
            "layer": _layers(layout, limit),
        }
        specs.append(frame.fitted(spec, size))
    left = len(chart.bars) - len(bars)
    notes = (*([_left(left)] if left else []), *([BEYOND] if beyond else []))
    return Made(tuple(specs), _said(chart, bars), notes, keys.pairs)


def _pages(
    rows: Sequence[Spec], lines: Sequence[Sequence[str]], most: int
) -> Iterator[tuple[list[Spec], Sequence[Sequence[str]]]]:
    """The rows in stretches of nearly the same length that hold at most so many names (0: all), numbered anew."""
    count = -(-len(lines) // most) if most else 1
    length = -(-len(lines) // count)
    for start in range(0, len(lines), length):
        some = [
            {**row, "n": row["n"] - start} for row in rows if start <= row["n"] < start + length
        ]
        yield some, lines[start : start + length]


def _left(count: int) -> str:
    rows = "1 row of the table without a defined value or beyond the drawing is"
    many = f"{count} rows of the table without a defined value or beyond the drawing are"
    return f"{rows if count == 1 else many} not drawn."


def _numbers(bars: Sequence[Bar], chart: Chart) -> list[Decimal]:
    texts = [text for bar in bars for text in (bar.value, bar.mark)]
    return [value for text in (*texts, chart.limit) if (value := scales.number(text)) is not None]


def _scaled(text: str, power: int) -> float | None:
    value = scales.number(text)
    return None if value is None else scales.scaled(value, power)


def _rows(bars: Sequence[Bar], power: int) -> tuple[list[Spec], list[str], list[str]]:
    """The data, the names of the rows in order, the names of the series. Two bars of one name stay two rows."""
    series = list(dict.fromkeys(bar.series for bar in bars))
    places: dict[tuple[str, int], int] = {}
    seen: dict[tuple[str, str], int] = {}
    rows: list[Spec] = []
    for bar in bars:
        time = seen[bar.label, bar.series] = seen.get((bar.label, bar.series), 0) + 1
        row: Spec = {
            "n": places.setdefault((bar.label, time), len(places)),
            "series": series.index(bar.series),
        }
        for key in ("value", "low", "high", "mark"):
            value = _scaled(getattr(bar, key), power)
            if value is not None:
                row[key] = value
        if "low" not in row or "high" not in row:
            row.pop("low", None), row.pop("high", None)
        rows.append(row)
    return rows, [label for label, _ in places], series


def _domain(
    rows: Sequence[Spec], limit: float | None, *, from_zero: bool
) -> tuple[list[float], bool]:
    values = [row[key] for row in rows for key in ("value", "mark") if key in row]
    ends = [(row["low"], row["high"]) for row in rows if "low" in row]
    return scales.domain(values if limit is None else [*values, limit], ends, from_zero=from_zero)


def _step(lines: Sequence[Sequence[str]], series: int) -> int:
    tallest = max(len(name) for name in lines)
    return max(22 + 12 * (tallest - 1), 10 * series + 6)


def _layers(layout: _Layout, limit: float | None) -> list[Spec]:
    layers = [_dots(layout) if layout.chart.dots else _bars(layout)]
    if any("low" in row for row in layout.rows):
        layers.insert(0 if layout.chart.dots else 1, _intervals(layout))
    if any("mark" in row for row in layout.rows):
        layers.append(_marks(layout))
    if limit is not None:
        layers.append(frame.rule(limit, "x", INK if layout.chart.neutral else LIMIT))
    return layers


def _bars(layout: _Layout) -> Spec:
    crossed = any("low" in row or "mark" in row for row in layout.rows)
    mark = {
        "type": "bar",
        "height": {"band": 0.72},
        "clip": True,
        "opacity": 0.55 if crossed else 1,
    }
    return {"mark": mark, "encoding": layout.encoding(x=layout.x("value"), x2={"datum": 0})}


def _dots(layout: _Layout) -> Spec:
    mark: Spec = {"type": "point", "filled": True, "size": 58, "opacity": 1, "clip": True}
    encoding = layout.encoding(x=layout.x("value"))
    if layout.many > 1:
        encoding["shape"] = {
            "field": "series",
            "type": "ordinal",
            "scale": {"domain": list(range(layout.many)), "range": list(frame.SHAPES)},
            "legend": None,
        }
    return {"mark": mark, "encoding": encoding}


def _intervals(layout: _Layout) -> Spec:
    colour = SERIES[0] if layout.chart.dots else STRONG
    mark = {"type": "rule", "strokeWidth": 1.6, "clip": True}
    if layout.many < 2 or not layout.chart.dots:
        mark["color"] = colour
    encoding = layout.encoding(x=layout.x("low"), x2={"field": "high"})
    if not layout.chart.dots:
        encoding.pop("color", None)
    return {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": mark,
        "encoding": encoding,
    }


def _marks(layout: _Layout) -> Spec:
    mark = {"type": "tick", "thickness": 2, "size": 15, "color": STRONG, "clip": True}
    encoding = layout.encoding(x=layout.x("mark"))
    encoding.pop("color", None)
    return {
        "transform": [{"filter": "isValid(datum.mark)"}],
        "mark": mark,
        "encoding": encoding,
    }


def _said(chart: Chart, bars: Sequence[Bar]) -> str:
    """What the picture shows, for who cannot see it."""
    first = max(bars, key=lambda bar: Decimal(bar.value))
    last = min(bars, key=lambda bar: Decimal(bar.value))
    return (
        f"{len(bars)} values; largest {_named(first)}, {float(first.value):.3g}; "
        f"smallest {_named(last)}, {float(last.value):.3g}. The table holds all values."
    )


def _named(bar: Bar) -> str:
    return f"{bar.label} ({bar.series})" if bar.series else bar.label
