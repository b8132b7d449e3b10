"""Data sheets: what was attached for evaluation, what the run logged as its input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from apps.checks.library.groups import FairnessResult
from apps.checks.numbers import CROSS, grouped, listed
from apps.core.parts import Cell, Column, Fact, Facts, Missing, Part, Table, cells
from apps.modelcards.card import Computed, Source

MEANINGS = {
    "task": "Task",
    "target": "Outcome",
    "prediction": "Prediction",
    "score": "Score",
    "sensitive": "Group columns",
    "features": "Feature columns",
    "categorical": "Counted as categories",
    "time": "When a row is from",
}


class Sheet(msgspec.Struct, frozen=True):
    """One attached data set in words."""

    name: str
    role: str
    format: str
    rows: int
    digest: str
    favourable: str
    attached_by: str
    attached_at: str
    origin: str
    columns: tuple[tuple[str, str, str], ...]  # name, kind, missing values
    meaning: tuple[tuple[str, tuple[str, ...]], ...]
    url: str


def evaluation_sheets(sheets: Sequence[Sheet]) -> Computed:
    """Each data set in force: size, digest, declared meaning, columns with their missing values."""
    if not sheets:
        return Computed((Missing("No evaluation data are attached to this version."),))
    parts: list[Part] = []
    parts += [_sheet(sheet) for sheet in sheets]
    parts.append(_columns(sheets))
    sources = tuple(Source(f"data set {sheet.name}", sheet.url, sheet.digest) for sheet in sheets)
    return Computed(tuple(parts), sources)


def _sheet(sheet: Sheet) -> Facts:
    rows = [
        Fact("Data set", Cell(sheet.name)),
        Fact("Role", Cell(sheet.role)),
        Fact("Rows", Cell(grouped(sheet.rows))),
        Fact("Format", Cell(sheet.format)),
        Fact("Favourable outcome", Cell(sheet.favourable)),
        Fact("Attached", Cell(f"{sheet.attached_at} by {sheet.attached_by}{sheet.origin}")),
    ]
    rows += [
        Fact(MEANINGS.get(key, key), Cell(listed(list(names), 12)))
        for key, names in sheet.meaning
        if names
    ]
    rows.append(Fact("SHA-256", Cell(sheet.digest), code=True))
    return Facts(tuple(row for row in rows if row.value.text))


def _columns(sheets: Sequence[Sheet]) -> Table:
    """Every column of any sheet: its kind, and the missing values in each sheet (a dash: not there)."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for sheet in sheets:
        for name, kind, missing in sheet.columns:
            found.setdefault(name, {})[sheet.digest + sheet.role] = (kind, missing)
    head = (
        Column("Column", code=True),
        Column("Kind"),
        *(Column(f"Missing in {sheet.name}", numeric=True) for sheet in sheets),
    )
    rows = tuple(
        cells(
            name,
            " / ".join(sorted({kind for kind, _ in at.values()})),
            *(at.get(sheet.digest + sheet.role, ("", "—"))[1] for sheet in sheets),
        )
        for name, at in found.items()
    )
    return Table("Columns and their missing values", head, rows)


def drift_baseline(sheet: Sheet | None) -> Computed:
    """The reference data in force: what they are, how many rows, since when, when their rows are from."""
    if sheet is None:
        why = "No reference data are attached, so drift has nothing to be measured against."
        return Computed((Missing(why),))
    when = dict(sheet.meaning).get("time", ())
    rows = [
        Fact("Reference data", Cell(sheet.name)),
        Fact("Rows", Cell(grouped(sheet.rows))),
        Fact("In force since", Cell(f"{sheet.attached_at}, attached by {sheet.attached_by}")),
        Fact("When a row is from", Cell(", ".join(when) or "no column says it")),
        Fact("SHA-256", Cell(sheet.digest), code=True),
    ]
    return Computed(
        (Facts(tuple(rows)),), (Source(f"data set {sheet.name}", sheet.url, sheet.digest),)
    )


def evaluated_factors(
    result: FairnessResult | None, declared: Sequence[str], source: Source | None
) -> Computed:
    """The group columns: those that were measured with their groups, those that were only declared."""
    if result is None or source is None:
        if declared:
            names = listed(list(declared), 12)
            return Computed((Missing(f"Declared but not measured: {names}."),))
        return Computed((Missing("No group column was declared in the evaluation data."),))
    head = (
        Column("Factor"),
        Column("Groups", numeric=True),
        Column("Smallest group"),
        Column("Its rows", numeric=True),
        Column("Rows of unknown group", numeric=True),
        Column("Combinations nobody is in", numeric=True),
    )
    rows = []
    for grouping in result.groupings:
        smallest = min(grouping.groups, key=lambda group: group.n)
        unknown = sum(group.n for group in grouping.groups if None in group.values)
        rows.append(
            cells(
                grouping.label,
                grouped(len(grouping.groups)),
                smallest.label,
                grouped(smallest.n),
                grouped(unknown),
                grouped(grouping.empty_count),
            )
        )
    parts: list[Part] = [Table("Factors that were measured", head, tuple(rows))]
    parts += [
        Missing(f"{CROSS.join(entry.features)} was not measured: {entry.reason}.")
        for entry in result.refused
    ]
    return Computed(tuple(parts), (source,))


def training_inputs(facts: Mapping[str, Any] | None, source: Source | None) -> Computed:
    """The data sets that the training code logged as inputs of the run: its claim, with its digest."""
    datasets = (facts or {}).get("datasets") or []
    if not datasets or source is None:
        reason = (
            "The run logged no data set as its input."
            if facts
            else "There is no run to read it from."
        )
        return Computed((Missing(reason),))
    head = (
        Column("Data set"),
        Column("Used for"),
        Column("Source"),
        Column("Digest as logged", code=True),
    )
    rows = tuple(
        cells(
            str(entry["name"]),
            str((entry.get("tags") or {}).get("mlflow.data.context", "")),
            _source_text(entry),
            str(entry["digest"]),
        )
        for entry in datasets
    )
    note = "Logged by the training code. The digest is the client's own; this site did not see the data."
    return Computed((Table("Data sets of the run", head, rows, note=note),), (source,))


def _source_text(entry: Mapping[str, Any]) -> str:
    text = str(entry.get("source") or "")
    return f"{entry.get('source_type', '')} {text[:200]}{'…' if len(text) > 200 else ''}".strip()
