"""From a Vega-Lite specification to SVG: the palette, the frame, and what is refused. Knows nothing of results.

Guarantee: the same specification gives the same bytes, with the light palette; `in_tokens` replaces its colours by the
page's custom properties, so that one drawing serves paper and both themes without a style attribute.

Refuses data from elsewhere: `url` in a specification would be drawn without data and without an error.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import vl_convert

VEGA_LITE: Final = "v5.20"
# Raised where the same specification is to be drawn in another way, so that pictures that were kept are made anew.
DRAWING: Final = 1

# The light palette, in the order of --chart-1 … --chart-5 of tokens.css, and the colours around it.
SERIES: Final = ("#3646b5", "#b4540a", "#0f766e", "#9d2b73", "#5b6472")
FRAME: Final = "#e1e5eb"
INK: Final = "#525b69"
STRONG: Final = "#171a21"
LIMIT: Final = "#a81f17"
PAPER: Final = "#ffffff"
FONT: Final = "Noto Sans, DejaVu Sans, sans-serif"

TOKENS: Final[Mapping[str, str]] = {
    **{colour: f"var(--chart-{place})" for place, colour in enumerate(SERIES, start=1)},
    FRAME: "var(--chart-line)",
    INK: "currentColor",
    STRONG: "var(--text)",
    LIMIT: "var(--tone-bad-fg)",
    PAPER: "var(--surface)",
}

CONFIG: Final[dict[str, Any]] = {
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "range": {"category": list(SERIES)},
    "mark": {"color": SERIES[0]},
    "axis": {
        "domainColor": FRAME,
        "gridColor": FRAME,
        "tickColor": FRAME,
        "labelColor": INK,
        "titleColor": INK,
        "titleFontWeight": "normal",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titlePadding": 8,
    },
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "orient": "top",
        "title": None,
        "symbolStrokeWidth": 2,
    },
    "line": {"strokeWidth": 2},
    "bar": {"cornerRadiusEnd": 2},
    "rule": {"color": INK},
}

# The figure has a name and its numbers are a table: marks announced one by one are noise.
_ROLES: Final = re.compile(r' (?:role|aria-[a-z]+)="[^"]*"')


def whole(spec: Mapping[str, Any]) -> str:
    """The specification with its frame, as the text that is drawn. Raises ValueError for data from an address."""
    _refuse_foreign_data(spec)
    schema = f"https://vega.github.io/schema/vega-lite/{VEGA_LITE}.json"
    return json.dumps({"$schema": schema, **spec, "config": CONFIG}, sort_keys=True)


def key_of(text: str) -> str:
    """What the picture of this text is kept under: all that was drawn, and what drew it."""
    drawn_by = f"{DRAWING} {VEGA_LITE} {version('vl-convert-python')} "
    return hashlib.sha256((drawn_by + text).encode()).hexdigest()


@lru_cache(maxsize=256)
def drawn(text: str) -> str:
    """One <svg> element in the light palette. Raises ValueError where Vega cannot draw it."""
    svg = str(vl_convert.vegalite_to_svg(text))
    return _ROLES.sub("", svg[svg.index("<svg") :])


def in_tokens(svg: str) -> str:
    """The picture in the colours of the page's theme."""
    for colour, token in TOKENS.items():
        svg = svg.replace(f'"{colour}"', f'"{token}"')
    return svg


def _refuse_foreign_data(spec: object) -> None:
    if isinstance(spec, Mapping):
        if "url" in spec:
            msg = "a chart draws the values it is given, never data from an address"
            raise ValueError(msg)
        for value in spec.values():
            _refuse_foreign_data(value)
    elif isinstance(spec, list | tuple):
        for value in spec:
            _refuse_foreign_data(value)
