"""What other tools reported: whose word each result is, and what it says. Nothing of it was measured here."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from apps.checks.numbers import grouped, plural
from apps.checks.uploaded.reading import COUNTED, Metric, Outcome, Reading
from apps.core.parts import Cell, Column, Missing, Part, Table, Text, Tone, cells
from apps.modelcards.card import Computed, Source

NOTE = (
    "Countersign measured none of this. Each line is what a tool wrote into a file and a person or a service uploaded; "
    "no signature in it was checked."
)
_TONES: dict[str, Tone] = {"passed": "good", "warned": "warn", "failed": "bad", "unjudged": "unknown", "empty": "warn"}  # fmt: skip
_MOST_ITEMS = 20


class Reported(msgspec.Struct, frozen=True):
    """One uploaded result in words."""

    name: str
    tool: str
    uploaded: str
    outcome: str
    reading: Reading
    digest: str
    url: str


def reported(rows: Sequence[Reported]) -> Computed:
    """Each result that stands with its origin, then what did not pass, then the numbers."""
    if not rows:
        return Computed((Missing("No result of another tool was uploaded."),))
    parts: list[Part] = [Text(NOTE), _origins(rows)]
    parts += [_wrong(row) for row in rows if row.reading.items]
    parts += [_numbers(row) for row in rows if row.reading.metrics]
    sources = tuple(Source(f"uploaded result {row.name}", row.url, row.digest) for row in rows)
    return Computed(tuple(parts), sources)


def counted(reading: Reading) -> str:
    """The cases by outcome: "2 failed, 1 skipped, 40 passed"."""
    said = [
        plural(count, "error") if key == "error" else f"{grouped(count)} {key}"
        for key in COUNTED
        if (count := reading.counts.get(key, 0))
    ]
    return ", ".join(said) or "none counted"


def _origins(rows: Sequence[Reported]) -> Table:
    head = (
        Column("Result"),
        Column("Tool"),
        Column("It says"),
        Column("Uploaded"),
    )
    body = tuple(
        (
            Cell(row.name, row.url),
            Cell(row.tool),
            Cell(_says(row), "", _TONES.get(row.outcome, "unknown")),
            Cell(row.uploaded),
        )
        for row in rows
    )
    return Table("Reported by other tools", head, body)


def _says(row: Reported) -> str:
    return f"{Outcome(row.outcome).label}: {counted(row.reading)}"


def _wrong(row: Reported) -> Table:
    items = row.reading.items
    body = tuple(
        cells(item.name, item.outcome, item.message or "—") for item in items[:_MOST_ITEMS]
    )
    more = max(0, len(items) - _MOST_ITEMS) + row.reading.items_left
    note = f"{grouped(more)} more did not pass; they are in the file." if more else ""
    head = (Column("Case"), Column("Outcome"), Column("Message"))
    return Table(f"{row.name}: what did not pass", head, body, note=note)


def _numbers(row: Reported) -> Table:
    head = (
        Column("Metric"),
        Column("Value", numeric=True),
        Column("Interval"),
        Column("n", numeric=True),
        Column("Held against"),
    )
    body = tuple(_number(metric) for metric in row.reading.metrics)
    return Table(f"{row.name}: numbers as the tool wrote them", head, body)


def _number(metric: Metric) -> tuple[Cell, ...]:
    verdict = {True: "passed", False: "failed", None: ""}[metric.passed]
    tone: Tone = _TONES.get(verdict, "")
    held = ": ".join(part for part in (metric.limit, verdict) if part)
    return (
        Cell(metric.name),
        Cell(f"{metric.value} {metric.unit}".strip()),
        Cell(interval(metric) or "—"),
        Cell("—" if metric.n is None else grouped(metric.n)),
        Cell(held or "no verdict", "", tone),
    )


def interval(metric: Metric) -> str:
    """The interval with its level, or ""."""
    return f"{metric.low} to {metric.high} (level {metric.level})" if metric.low else ""
