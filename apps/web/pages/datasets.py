"""The page of a version's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.accounts import policy
from apps.checks import loggedinputs, origins
from apps.checks import selectors as checks
from apps.checks.engine.folders import is_data
from apps.checks.loggedinputs import LoggedInput
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
class Offer:
    """A path of the run that could be taken, and what stands there where it is not one file."""

    path: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class DataPage:
    """What is attached, which files of the run could be, which data the run says it used, and why nothing can (or "")."""

    frame: VersionFrame
    data: Table
    artifacts: Sequence[Offer]
    inputs: Table | None
    why_not: str


def inputs_of(actor: Actor, version: ModelVersion) -> list[LoggedInput]:
    """What the run logged as its inputs, for this reader."""
    return loggedinputs.of_run(actor, version.run)[:SHOWN] if version.run else []


def page(actor: Actor, version: ModelVersion, inputs: Sequence[LoggedInput]) -> DataPage:
    """The data sets, newest first; the newest of each role is the one in force."""
    top = frame(actor, version, "checks/")
    rows = list(checks.datasets(version)[:SHOWN])
    in_force = {row.pk for row in checks.datasets_in_force(version).values()}
    return DataPage(
        frame=top,
        data=_table(rows, in_force),
        artifacts=_offers(actor, version)[:SHOWN],
        inputs=_inputs(inputs) if inputs else None,
        why_not=_why_not(version, "model.edit" in top.verbs),
    )


def _inputs(inputs: Sequence[LoggedInput]) -> Table:
    """Every one, also those that lead nowhere: with the reason."""
    return Table(
        caption="Data that the run says it used",
        columns=[
            Column("Name"),
            Column("Digest, says the client"),
            Column("Source"),
            Column("Can be taken"),
        ],
        rows=[
            Row(
                [
                    cells.text(each.name, note=each.context),
                    cells.text(each.digest),
                    cells.text(each.source),
                    cells.text("no" if each.place.why_not else "yes", note=each.place.why_not),
                ]
            )
            for each in inputs
        ],
        dense=True,
    )


def _offers(actor: Actor, version: ModelVersion) -> list[Offer]:
    """Folders and tables first: there are fewer of them. What they really hold is told when they are read."""
    if version.run is None or not policy.can(actor, "experiment.read", version.run):
        return []
    paths = [file.path for file in experiments.artifacts_under(version.run)]
    there = set(paths)
    named = experiments.logged_tables(version.run)
    tables = [Offer(path, "table") for path in named if path in there and path.endswith(".json")]
    files = [Offer(path) for path in paths if path.endswith(_ENDINGS)]
    return [*_folders(paths), *tables, *files]


def _folders(paths: Sequence[str]) -> list[Offer]:
    """The folders in which, marks of writers aside, several data files lie and nothing else."""
    within: dict[str, list[str]] = {}
    for path in paths:
        above = path
        while "/" in above:
            above = above.rpartition("/")[0]
            within.setdefault(above, []).append(path.removeprefix(f"{above}/"))
    found = []
    for folder, names in sorted(within.items()):
        data = [name for name in names if is_data(name)]
        same = {name.rpartition(".")[2] for name in data}
        if len(data) > 1 and len(same) == 1 and data[0].endswith(_ENDINGS):
            found.append(Offer(folder, f"folder, {words.thousands(len(data))} files"))
    return found


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
            cells.text(row.name, note=origins.told(row.source) or row.artifact),
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
