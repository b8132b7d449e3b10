"""How wide the columns of a table are, decided from its content before layout.

With widths given, a table is laid out in one pass and a long unbreakable word cannot push a column
off the page; without, WeasyPrint measures every word of every cell (ten times slower on long tables).
"""

from __future__ import annotations

from apps.modelcards.parts import Column, Table

UNITS = 40  # the page's width in steps; document.css has one class per step
_LOOK_AT = 200  # rows that decide
_MOST = 46  # characters beyond which a column gets no wider: it wraps
_LEAST = 4
_CODE_WIDTH = 0.95  # a fixed-width face is wider, and set smaller


def width_classes(table: Table) -> list[str]:
    """One class name per column, "w1" to "w40", together exactly the whole width."""
    wants = [_wanted(table, index, column) for index, column in enumerate(table.columns)]
    return [f"w{units}" for units in _shares(wants)]


def _wanted(table: Table, index: int, column: Column) -> float:
    """Characters this column would like: its longest text, its title counted by its longest word."""
    lengths = [len(row[index].text) for row in table.rows[:_LOOK_AT]] or [0]
    head = max((len(word) for word in column.title.split()), default=0) + 1
    longest = max(max(lengths), head)
    wanted = min(max(longest, _LEAST), _MOST)
    return wanted * (_CODE_WIDTH if column.code else 1.0) + 1.5


def _shares(wants: list[float]) -> list[int]:
    """Largest remainders: whole steps, at least one each, that add up to UNITS."""
    total = sum(wants)
    spare = UNITS - len(wants)
    exact = [want / total * spare for want in wants]
    units = [int(value) + 1 for value in exact]
    by_rest = sorted(range(len(wants)), key=lambda i: exact[i] - int(exact[i]), reverse=True)
    for index in by_rest[: UNITS - sum(units)]:
        units[index] += 1
    return units
