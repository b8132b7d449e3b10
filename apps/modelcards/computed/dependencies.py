"""The packages that a version's own files name, and the environment they describe. Read as text, never executed.

Pure: bytes in, parts out. Not checked: whether these packages were really used to train; it is what the files say.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

from apps.checks.numbers import plural
from apps.core import strict_yaml
from apps.core.errors import Invalid
from apps.core.parts import Cell, Column, Fact, Facts, Missing, Part, Table, cells
from apps.modelcards.card import Computed, Source
from apps.modelcards.computed.about import clipped, moment
from apps.modelcards.computed.packages import MAX_BYTES, READ

MAX_PACKAGES = 500
# PEP 508: a name, extras, then what is asked of it; a marker after ";" and a comment after " #" are left out.
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[^\]]*\])?)\s*([^;#]*)"
)
_CONDA = re.compile(r"\s*([\w.-]+(?:::[\w.-]+)?)\s*(.*)")

Files = Mapping[str, bytes | None]  # by path; None: could not be read
Package = tuple[str, str, str]  # name, what is asked of it, file


def dependencies(files: Files) -> Computed:
    """Every package with what is asked of it and which file says so; files that could not be read say so."""
    parts: list[Part] = []
    rows, left = _packages(files)
    if rows:
        head = (Column("Package"), Column("Asked for", code=True), Column("Said by", code=True))
        body = tuple(cells(*row) for row in rows[:MAX_PACKAGES])
        note = "What the files of the version say; nothing was installed or run to find out."
        note += (
            f" {plural(len(rows) - MAX_PACKAGES, 'package')} more."
            if len(rows) > MAX_PACKAGES
            else ""
        )
        note += f" {plural(left, 'line')} with options or addresses left out." if left else ""
        parts.append(Table(plural(len(rows), "package"), head, body, note=note))
    parts += [Missing(f"{path} could not be read as text.") for path in _unread(files)]
    if not parts:
        parts.append(Missing(f"The version has no {', '.join(READ[:-1])} that names packages."))
    return Computed(tuple(parts), tuple(Source(path) for path in sorted(files)))


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
    own = tuple(Source(path) for path in sorted(files) if _name(path) == "MLmodel")
    return Computed(tuple(parts), (*own, *sources))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _unread(files: Files) -> list[str]:
    return [path for path, data in sorted(files.items()) if _text(data) is None]


def _text(data: bytes | None) -> str | None:
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _packages(files: Files) -> tuple[list[Package], int]:
    found: list[Package] = []
    left = 0
    for path, data in sorted(files.items()):
        for line in _lines(_name(path), _text(data) or ""):
            package = _package(line, path)
            found += [package] if package else []
            left += package is None
    return list(dict.fromkeys(found)), left


def _package(line: str, path: str) -> Package | None:
    """None for an option, a path or an address: those may hold credentials, and name no package."""
    if line.lstrip().startswith("-") or "://" in line:
        return None
    pattern = _REQUIREMENT if _name(path) == "requirements.txt" else _CONDA
    match = pattern.match(line)
    if match is None:
        return None
    return clipped(match[1]), clipped(match[2].strip()) or "any", path


def _lines(name: str, text: str) -> Iterator[str]:
    if name == "requirements.txt":
        for line in text.splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                yield line
    elif name in {"conda.yaml", "python_env.yaml"}:
        yield from _listed(_yaml(text).get("dependencies"))


def _listed(entries: Any) -> Iterator[str]:
    """Conda's list: texts, and below `pip` another list of texts."""
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict) and isinstance(entry.get("pip"), list):
            yield from (line for line in entry["pip"] if isinstance(line, str))


def _yaml(text: str) -> dict[str, Any]:
    """Empty for text that is no plain YAML."""
    try:
        return strict_yaml.composed(text, most=MAX_BYTES, what="A file", keys="names")[1]
    except Invalid:
        return {}


def _mlmodel(files: Files) -> Iterator[Fact]:
    for path, data in sorted(files.items()):
        if _name(path) != "MLmodel":
            continue
        said = _yaml(_text(data) or "")
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


def _made(value: Any) -> str:
    """MLflow's UTC time in the words of the other dates; what is no time stays what the file says."""
    try:
        return moment(dt.datetime.fromisoformat(str(value)).replace(tzinfo=dt.UTC)) if value else ""
    except ValueError:
        return str(value)
