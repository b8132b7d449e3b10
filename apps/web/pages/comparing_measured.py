"""Two versions side by side in what was measured and on which data: the numbers with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.checks import kinds
from apps.checks import selectors as checks
from apps.checks.figures import Figure
from apps.checks.library.estimates import Estimate
from apps.checks.models import EvaluationDataset, Measurement
from apps.registry.models import ModelVersion
from apps.web import cells, words
from apps.web.parts import Cell, Column, Row, Table


@dataclass(frozen=True, slots=True)
class Data:
    """One data set of a version, as evidence names it."""

    role: str
    name: str
    digest: str
    rows: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The numbers of both versions, and what must be known to compare them, a sentence each."""

    table: Table
    notes: Sequence[str]


def data_of(version: ModelVersion) -> list[Data]:
    """What is in force for a version now."""
    return [_data(row) for row in checks.datasets_in_force(version).values()]


def _data(row: EvaluationDataset) -> Data:
    return Data(row.role, row.name, row.digest, row.rows)


def data_in(entries: Sequence[Mapping[str, Any]]) -> list[Data]:
    """What a round's manifest names."""
    return [Data(row["role"], row["name"], row["digest"], row["rows"]) for row in entries]


def data(pair: tuple[str, str], old: Sequence[Data], new: Sequence[Data]) -> Table:
    """The data sets of both by role."""
    before, after = {row.role: row for row in old}, {row.role: row for row in new}
    rows = [
        Row(
            [cells.text(role.capitalize()), _set(before.get(role)), _set(after.get(role))],
            same=_digest(before.get(role)) == _digest(after.get(role)),
        )
        for role in sorted({*before, *after})
    ]
    return Table("Data sets", [Column("Role"), *map(Column, pair)], rows, id="diff-data", dense=True)  # fmt: skip


def _digest(row: Data | None) -> str:
    return row.digest if row else ""


def _set(row: Data | None) -> Cell:
    if row is None:
        return cells.missing("not attached")
    return cells.text(row.name, note=f"{words.thousands(row.rows)} rows, {row.digest[:12]}")


def measured(
    pair: tuple[str, str], old: Sequence[Measurement], new: Sequence[Measurement]
) -> Measured:
    """Every number that either was measured for, with both intervals and the difference."""
    left, right = _by_kind(old), _by_kind(new)
    before, after = _figures(old), _figures(new)
    places = {**dict.fromkeys(before), **dict.fromkeys(after)}
    columns = [
        Column("Measure"),
        *(Column(f"{label}, 95 % interval", numeric=True) for label in pair),
        Column("Difference", numeric=True),
    ]
    rows = [_row(before.get(place), after.get(place)) for place in places]
    table = Table("Measured", columns, rows, id="diff-measured", dense=True)
    notes = [
        note
        for kind in dict.fromkeys([*left, *right])
        for note in [_note(kind, pair, left.get(kind), right.get(kind))]
        if note
    ]
    return Measured(table, notes)


def _by_kind(rows: Sequence[Measurement]) -> dict[str, Measurement]:
    return {row.kind: row for row in rows}


def _figures(rows: Sequence[Measurement]) -> dict[tuple[str, str, str], Figure]:
    found = [
        figure
        for row in rows
        if row.result is not None
        for figure in kinds.figures(checks.result_of(row))
    ]
    return {figure.place: figure for figure in found}


def _row(old: Figure | None, new: Figure | None) -> Row:
    one = new or old
    if one is None:
        raise ValueError("a row is about a figure of one side at least")
    before, after = old.number if old else None, new.number if new else None
    same = before is not None and after is not None and before.value == after.value
    where = f"{kinds.title(one.kind)}{f', {one.of}' if one.of else ''}"
    return Row(
        [cells.text(one.title, note=where), _number(before), _number(after), _change(one, before, after)],
        same=same,
    )  # fmt: skip


def _number(number: Estimate | None) -> Cell:
    if number is None:
        return cells.missing("not measured")
    if number.value is None:
        return cells.missing(number.reason or "no number")
    if number.low is None or number.high is None:
        return cells.number(words.decimals(number.value), note="no interval")
    span = f"{words.decimals(number.low, 3)} to {words.decimals(number.high, 3)}"
    return cells.number(words.decimals(number.value), note=span)


def _change(figure: Figure, old: Estimate | None, new: Estimate | None) -> Cell:
    if old is None or new is None or old.value is None or new.value is None:
        return cells.missing("not comparable")
    change = float(new.value) - float(old.value)
    return cells.number(words.signed(change), note=f"{_better(figure, change)}{_overlap(old, new)}")


def _better(figure: Figure, change: float) -> str:
    hint = kinds.hint(figure.kind, figure.key)
    if hint is None or change == 0:
        return "equal" if change == 0 else "changed"
    return "better" if (change > 0) == (hint.better == "higher") else "worse"


def _overlap(old: Estimate, new: Estimate) -> str:
    """Whether the two intervals share a value: what a reader would work out by eye, no test of the difference."""
    if old.value == new.value or old.interval is None or new.interval is None:
        return ""
    apart = old.interval.high < new.interval.low or new.interval.high < old.interval.low
    return ", intervals apart" if apart else ", intervals overlap"


def _note(
    kind: str, pair: tuple[str, str], old: Measurement | None, new: Measurement | None
) -> str:
    title = kinds.title(kind)
    if old is None or new is None:
        return f"{title} was measured for {pair[1] if old is None else pair[0]} only."
    if kinds.get(kind).of_files:  # that the files differ stands in their table
        other = old.code_version != new.code_version
        return f"{title} was told by two versions of the scanner." if other else ""
    if _inputs(old) == _inputs(new):
        if old.code_version != new.code_version:
            return f"{title} was measured on the same data by two versions of the measuring code."
        return ""
    return (
        f"{title} was measured on different data: {_named(old)} for {pair[0]}, {_named(new)} for "
        f"{pair[1]}. A difference may come from the data alone."
    )


def _inputs(row: Measurement) -> list[tuple[str, str]]:
    return [(each["part"], each["digest"]) for each in row.inputs]


def _named(row: Measurement) -> str:
    parts = [
        f"{each['part']} {each['digest'][:8]} ({words.thousands(each['rows'])} rows)"
        for each in row.inputs
    ]
    return " and ".join(parts) or "no data"
