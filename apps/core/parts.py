"""What a block of a card is made of: plain data that every renderer understands.

A part carries no markup and no floats: numbers are the strings that are printed, so that the HTML
page, the PDF and card.json cannot disagree. `link` is a path of this site ("/runs/…/") or empty.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Tone: TypeAlias = Literal["", "good", "bad", "warn", "info", "unknown"]


class Cell(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value of a table or a list of facts."""

    text: str
    link: str = ""
    tone: Tone = ""


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """`numeric` columns are set flush right, `code` columns in a fixed-width face that may break."""

    title: str
    numeric: bool = False
    code: bool = False


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    label: str
    value: Cell
    code: bool = False


class Facts(msgspec.Struct, frozen=True, omit_defaults=True, tag="facts"):
    """Labelled values."""

    rows: tuple[Fact, ...]


class Table(msgspec.Struct, frozen=True, omit_defaults=True, tag="table"):
    """A captioned table; `note` stands below it and says what the numbers are."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


class Bar(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value of a chart: decimals as text, `low` and `high` the ends of its interval or empty. `series` says which of
    several values of one label it is; `mark` is a second number to hold it against."""

    label: str
    value: str
    low: str = ""
    high: str = ""
    series: str = ""
    mark: str = ""


class Chart(msgspec.Struct, frozen=True, omit_defaults=True, tag="chart"):
    """Values by name: bars from zero, or dots with their intervals where zero is not the point. A rule at `limit`
    (`neutral`: it is a reference and nothing to keep), a tick at each bar's `mark`. A table with the same numbers stands
    below. `empty` says why there may be nothing to draw."""

    title: str
    axis: str
    bars: tuple[Bar, ...]
    limit: str = ""
    limit_label: str = ""
    neutral: bool = False
    dots: bool = False
    mark_label: str = ""
    empty: str = ""


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """One point of a curve; `x` is a decimal, or a name where the curve goes over `names`."""

    x: str
    y: str
    low: str = ""
    high: str = ""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """The points of one line, in the order in which they are joined."""

    name: str
    points: tuple[Point, ...]


class Curve(msgspec.Struct, frozen=True, omit_defaults=True, tag="curve"):
    """Lines over a quantity, or over `names` in their order. `form` says how points are joined; `unit`: both axes go from
    0 to 1; `diagonal`: with the line on which both are equal."""

    title: str
    x: str
    y: str
    lines: tuple[Line, ...]
    names: tuple[str, ...] = ()
    form: Literal["line", "step", "points"] = "line"
    unit: bool = False
    diagonal: bool = False
    empty: str = ""


class Heat(msgspec.Struct, frozen=True, omit_defaults=True, tag="heat"):
    """A field of numbers, the darker the larger. `values` holds a row for each of `rows`; an empty text is no value.
    `shares`: what decides the shade is each number's share of its row."""

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    down: str = ""
    across: str = ""
    shares: bool = False
    empty: str = ""


class Text(msgspec.Struct, frozen=True, omit_defaults=True, tag="text"):
    """A plain sentence or two; `tone` marks a verdict."""

    text: str
    tone: Tone = ""
    heading: str = ""


class Missing(msgspec.Struct, frozen=True, omit_defaults=True, tag="missing"):
    """Nothing to compute from: a visible gap with its reason, never an empty box."""

    reason: str


Picture: TypeAlias = Chart | Curve | Heat
Part: TypeAlias = Facts | Table | Picture | Text | Missing


def cells(*values: str) -> tuple[Cell, ...]:
    """A table row of plain texts."""
    return tuple(Cell(value) for value in values)
