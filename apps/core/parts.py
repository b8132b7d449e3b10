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
    """One bar of a chart: decimals as text, `low` and `high` the ends of its interval or empty."""

    label: str
    value: str
    low: str = ""
    high: str = ""


class Chart(msgspec.Struct, frozen=True, omit_defaults=True, tag="chart"):
    """Horizontal bars, optionally with a rule at `limit`. A table with the same numbers stands beside it."""

    title: str
    axis: str
    bars: tuple[Bar, ...]
    limit: str = ""
    limit_label: str = ""


class Text(msgspec.Struct, frozen=True, omit_defaults=True, tag="text"):
    """A plain sentence or two; `tone` marks a verdict."""

    text: str
    tone: Tone = ""
    heading: str = ""


class Missing(msgspec.Struct, frozen=True, omit_defaults=True, tag="missing"):
    """Nothing to compute from: a visible gap with its reason, never an empty box."""

    reason: str


Part: TypeAlias = Facts | Table | Chart | Text | Missing


def cells(*values: str) -> tuple[Cell, ...]:
    """A table row of plain texts."""
    return tuple(Cell(value) for value in values)
