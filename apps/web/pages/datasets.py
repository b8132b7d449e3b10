"""The page of a version's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.checks import selectors as checks
from apps.checks.models import EvaluationDataset
from apps.core.actor import Actor
from apps.experiments import selectors as experiments
from apps.registry.models import ModelVersion
from apps.web import cells, words
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Chip, Column, Empty, Row, Table

SHOWN = 200
_ENDINGS = (".parquet", ".csv")


@dataclass(frozen=True, slots=True)
class DataPage:
    """What is attached, which files of the run could be, and why nothing can (or "")."""

    frame: VersionFrame
    data: Table
    artifacts: Sequence[str]
    why_not: str


def page(actor: Actor, version: ModelVersion) -> DataPage:
    """The data sets, newest first; the newest of each role is the one in force."""
    top = frame(actor, version, "checks/")
    rows = list(checks.datasets(version)[:SHOWN])
    in_force = {row.pk for row in checks.datasets_in_force(version).values()}
    files = experiments.artifacts_under(version.run) if version.run else []
    return DataPage(
        frame=top,
        data=_table(rows, in_force),
        artifacts=[file.path for file in files if file.path.endswith(_ENDINGS)][:SHOWN],
        why_not=_why_not(version, "model.edit" in top.verbs),
    )


def _why_not(version: ModelVersion, may: bool) -> str:
    if version.is_frozen:
        return "The version was submitted for review, so its data do not change any more."
    return "" if may else "Your roles do not attach data here; a contributor of the model can."


def _table(rows: Sequence[EvaluationDataset], in_force: set[int]) -> Table:
    columns = ["Name", "For", "Rows", "Columns declared", "Digest", "Attached"]
    return Table(
        caption="Data of this version",
        columns=[Column(label, numeric=label == "Rows") for label in columns],
        rows=[_row(row, row.pk in in_force) for row in rows],
        empty=Empty(
            "nothing-yet",
            "No data are attached yet",
            "Checks measure a file of outcomes, decisions and scores. Attach one below.",
        ),
    )


def _row(row: EvaluationDataset, in_force: bool) -> Row:
    declared = [
        f"{key}: {value}" for key, value in row.mapping.items() if isinstance(value, str) and value
    ]
    declared += [
        f"{key}: {', '.join(value)}"
        for key, value in row.mapping.items()
        if isinstance(value, list) and value
    ]
    chip = Chip(
        row.role, "info" if in_force else "quiet", title="" if in_force else "replaced since"
    )
    return Row(
        [
            cells.text(row.name, note=row.artifact),
            cells.chip(chip),
            cells.number(words.thousands(row.rows)),
            cells.text(
                "; ".join(declared) or "none",
                note=f"favourable: {row.favourable}" if row.favourable else "",
            ),
            cells.digest(row.digest),
            cells.text(str(row.created_by), note=words.utc(row.created_at)),
        ]
    )
