"""How wide the columns of a table are, decided from its content before layout.

With widths given, a table is laid out in one pass and a long unbreakable word cannot push a column
off the page; without, WeasyPrint measures every word of every cell (ten times slower on long tables).

A number and a digest want all of their characters, because they read badly when broken; prose takes
what is left and wraps.
"""

from __future__ import annotations

import math

from apps.core.parts import Column, Table

UNITS = 80  # the page's width in steps; document.css has one class per step
WIDE = 9  # columns from which a table is set in a smaller type
_ACROSS = 112  # characters of text that fit side by side
_ACROSS_WIDE = 128
_LOOK_AT = 200  # rows that decide
_PADDING = 2.0
_LEAST = 4.0
_CODE = 0.95  # the fixed-width face is wider and set smaller


def width_classes(table: Table) -> list[str]:
    """One class name per column, "w1" to "w80", together exactly the whole width."""
    wants = [_wanted(table, index, column) for index, column in enumerate(table.columns)]
    room = _ACROSS_WIDE if is_wide(table) else _ACROSS
    return [f"w{units}" for units in _steps(_fitted(wants, table.columns, room))]


def lines(table: Table) -> int:
    """About how many lines of text its rows are high."""
    room = _ACROSS_WIDE if is_wide(table) else _ACROSS
    fits = [room * int(name[1:]) / UNITS - _PADDING for name in width_classes(table)]
    return sum(
        max(math.ceil(len(cell.text) / max(fit, 1.0)) for cell, fit in zip(row, fits, strict=True))
        for row in table.rows
    )


def is_wide(table: Table) -> bool:
    return len(table.columns) >= WIDE


def _wanted(table: Table, index: int, column: Column) -> float:
    """Characters this column would like: its longest text, or the longest word of its head."""
    texts = [row[index].text for row in table.rows[:_LOOK_AT]]
    longest = max((len(text) for text in texts), default=0) * (_CODE if column.code else 1.0)
    head = max((len(word) for word in column.title.split()), default=0) * 1.05
    return max(longest, head, _LEAST) + _PADDING


def _fitted(wants: list[float], columns: tuple[Column, ...], room: float) -> list[float]:
    """Too much: the longest columns give way first, numbers last. Room left: everybody gets a share."""
    solid = [want if column.numeric else 0.0 for want, column in zip(wants, columns, strict=True)]
    rest = room - sum(solid)
    loose = [want for want, firm in zip(wants, solid, strict=True) if not firm]
    if not loose or rest < _LEAST * len(loose) or sum(wants) <= room:
        return wants
    cap = _cap(loose, rest)
    return [firm or min(want, cap) for want, firm in zip(wants, solid, strict=True)]


def _cap(wants: list[float], room: float) -> float:
    """The largest width that nobody may exceed so that all fit."""
    ordered = sorted(wants)
    for place, want in enumerate(ordered):
        share = room / (len(ordered) - place)
        if want > share:
            return share
        room -= want
    return ordered[-1]


def _steps(wants: list[float]) -> list[int]:
    """Largest remainders: whole steps, at least one each, that add up to UNITS."""
    total = sum(wants)
    spare = UNITS - len(wants)
    exact = [want / total * spare for want in wants]
    units = [int(value) + 1 for value in exact]
    by_rest = sorted(range(len(wants)), key=lambda i: exact[i] - int(exact[i]), reverse=True)
    for index in by_rest[: UNITS - sum(units)]:
        units[index] += 1
    return units
