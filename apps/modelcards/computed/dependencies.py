"""The packages that a version's own files name, and the environment they describe. Read as text, never executed.

Pure: bytes in, parts out. Not checked: whether these packages were really used to train; it is what the files say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

from apps.checks.numbers import plural
from apps.core.parts import Cell, Column, Fact, Facts, Missing, Part, Table, cells
from apps.modelcards.card import Computed, Source
from apps.modelcards.computed import packages
from apps.modelcards.computed.about import clipped, moment
from apps.modelcards.computed.packages import READ, Files, Found

MOST: Final = 500


def dependencies(files: Files) -> Computed:
    """Every package with what is asked of it and which file says so; files that could not be read say so."""
    found = packages.read(files)
    parts: list[Part] = [_table(found)] if found.packages else []
    parts += [Missing(f"{path} could not be read.") for path in found.unread]
    if not parts:
        parts.append(Missing(f"The version has no {', '.join(READ[:-1])} that names packages."))
    return Computed(tuple(parts), tuple(Source(path) for path in sorted(files)))


def _table(found: Found) -> Table:
    rows = found.packages
    head = (Column("Package"), Column("Asked for", code=True), Column("Said by", code=True))
    body = tuple(
        cells(clipped(each.name), clipped(each.asked) or "any", each.said_by)
        for each in rows[:MOST]
    )
    notes = ["What the files of the version say; nothing was installed or run to find out."]
    if len(rows) > MOST:
        notes.append(f"{plural(len(rows) - MOST, 'package')} more.")
    if found.left:
        notes.append(f"{plural(found.left, 'line')} with options or addresses left out.")
    return Table(plural(len(rows), "package"), head, body, note=" ".join(notes))


def environment(
    files: Files, libraries: Mapping[str, str], sources: tuple[Source, ...]
) -> Computed:
    """Python and the flavours as MLmodel says, and the libraries that the checks ran with."""
    parts: list[Part] = []
    if facts := tuple(_mlmodel(files)):
        parts.append(Facts(facts))
    if libraries:
        head = (Column("Library"), Column("Version", code=True))
        body = tuple(cells(name, libraries[name]) for name in sorted(libraries))
        parts.append(Table("The checks of this card ran with", head, body))
    if not parts:
        parts.append(Missing("No MLmodel file says it, and nothing was measured yet."))
    own = tuple(Source(path) for path in sorted(files) if path.rpartition("/")[2] == "MLmodel")
    return Computed(tuple(parts), (*own, *sources))


def _mlmodel(files: Files) -> Iterator[Fact]:
    for said in packages.mlmodels(files):
        flavors = said.get("flavors")
        flavors = flavors if isinstance(flavors, dict) else {}
        python = flavors.get("python_function")
        version = python.get("python_version") if isinstance(python, dict) else None
        for label, value in (
            ("Flavours", ", ".join(sorted(map(str, flavors)))),
            ("Python", version),
            ("MLflow", said.get("mlflow_version")),
            ("Made", _made(said.get("utc_time_created"))),
        ):
            if value:
                yield Fact(label, Cell(clipped(str(value))))


def _made(value: object) -> str:
    """MLflow's UTC time in the words of the other dates; what is no time stays what the file says."""
    try:
        return moment(dt.datetime.fromisoformat(str(value)).replace(tzinfo=dt.UTC)) if value else ""
    except ValueError:
        return str(value)
