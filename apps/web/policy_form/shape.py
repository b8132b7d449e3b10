"""What stands elsewhere in the form than in the document: limits and losses as rows, tags as rows, order by row.

A *tree* is what the controls hold, nested by their paths, rows as lists of mappings with their `id`. `Shaped` is the document
made of one, with the place in the form of each of its parts, so that a refusal stands beside what it is about.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from apps.checks import kinds

JSON = Any
_TWICE: Final = "It stands there twice."


@dataclass(slots=True)
class Shaped:
    """`places` leads from a path in the document to the control about it, `problems` is what is wrong already."""

    document: dict[str, JSON]
    places: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def document_of(tree: Mapping[str, JSON]) -> Shaped:
    """The document that the controls say; what only a control can get wrong is among its problems."""
    made = Shaped({key: _copied(value) for key, value in tree.items()})
    limits, losses = made.document.pop("limits", []), made.document.pop("losses", [])
    _tags(made)
    _limits(made, limits)
    _losses(made, losses)
    _emergency(made)
    _source(made)
    document = made.document
    document["steps"] = _steps(made, document.get("steps", []))
    gates = document.setdefault("gates", {})
    gates["conditions"] = _conditions(made, gates.get("conditions", []))
    document["freeze_windows"] = _plain_rows(made, "freeze_windows", document)
    document.setdefault("key", slug(str(document.get("title", ""))) or None)
    if document["key"] is None:
        del document["key"]
    return made


def _copied(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return value


def slug(text: str) -> str:
    """A short name that follows from words: letters, digits and hyphens, beginning with a letter."""
    ascii_ = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-0123456789")[:60].strip("-")


def _filled(row: Mapping[str, JSON], *, beside: Sequence[str] = ()) -> bool:
    """Whether anything was typed into a row, beside controls that always hold something."""
    return any(value for name, value in row.items() if name not in {"id", *beside})


def _tags(made: Shaped) -> None:
    rows = made.document.get("applies_to", {}).get("tags", [])
    tags: dict[str, JSON] = {}
    for row in rows:
        name, place = row.get("tag") or "", f"applies_to.tags.{row['id']}.tag"
        if not _filled(row):
            continue
        if not name:
            made.problems[place] = "Name the tag."
        elif name in tags:
            made.problems[place] = _TWICE
        tags[name] = row.get("values") or []
        made.places[f"applies_to.tags.{name}"] = place
    if "applies_to" in made.document:
        made.document["applies_to"]["tags"] = tags


def _limits(made: Shaped, rows: Sequence[Mapping[str, JSON]]) -> None:
    gates = made.document.setdefault("gates", {})
    checks = gates.setdefault("checks", {})
    for row in rows:
        if not _filled(row, beside=("bound",)):
            continue
        kind, _, metric = str(row.get("metric") or "").partition(".")
        place = f"limits.{row['id']}"
        if not metric:
            made.problems[f"{place}.metric"] = "Choose a measure."
        elif metric in checks.get(kind, {}):
            made.problems[f"{place}.metric"] = _TWICE
        elif not row.get("number"):
            made.problems[f"{place}.number"] = "Give a number, such as 0.70."
        else:
            checks.setdefault(kind, {})[metric] = {row.get("bound") or "min": row["number"]}
            made.places[f"gates.checks.{kind}.{metric}"] = f"{place}.number"
    gates["checks"] = {kind: found for kind in kinds.registered() if (found := checks.get(kind))}


def _losses(made: Shaped, rows: Sequence[Mapping[str, JSON]]) -> None:
    gates = made.document["gates"]
    against = gates.pop("against_incumbent", {})
    losses: dict[str, JSON] = {}
    for row in rows:
        if not _filled(row):
            continue
        metric, place = row.get("metric") or "", f"losses.{row['id']}"
        if not metric:
            made.problems[f"{place}.metric"] = "Choose a measure."
        elif metric in losses:
            made.problems[f"{place}.metric"] = _TWICE
        elif not row.get("loss"):
            made.problems[f"{place}.loss"] = "Give a number, such as 0.02."
        else:
            losses[metric] = row["loss"]
            made.places[f"gates.against_incumbent.max_loss.{metric}"] = f"{place}.loss"
    if losses:
        gates["against_incumbent"] = {**against, "max_loss": losses}


def _emergency(made: Shaped) -> None:
    if not _filled(made.document.get("emergency", {})):
        made.document.pop("emergency", None)


def _source(made: Shaped) -> None:
    if not _filled(made.document.get("source", {})):
        made.document.pop("source", None)


def _steps(made: Shaped, rows: Sequence[Mapping[str, JSON]]) -> list[JSON]:
    filled = [row for row in rows if _filled(row, beside=("role", "exclude_owner"))]
    named = _named(filled)
    return [
        {
            **_row(made, "steps", position, row),
            **({"key": named[row["id"]]} if named[row["id"]] else {}),
            "after": [named[each] for each in row.get("after") or () if named.get(each)],
        }
        for position, row in enumerate(filled)
    ]


def _conditions(made: Shaped, rows: Sequence[Mapping[str, JSON]]) -> list[JSON]:
    filled = [row for row in rows if _filled(row)]
    named = _named(filled)
    return [
        _row(made, "gates.conditions", position, row)
        | ({"key": named[row["id"]]} if named[row["id"]] else {})
        for position, row in enumerate(filled)
    ]


def _plain_rows(made: Shaped, path: str, document: Mapping[str, JSON]) -> list[JSON]:
    filled = [row for row in document.get(path, []) if _filled(row)]
    return [_row(made, path, position, row) for position, row in enumerate(filled)]


def _row(made: Shaped, path: str, position: int, row: Mapping[str, JSON]) -> dict[str, JSON]:
    made.places[f"{path}.{position}"] = f"{path}.{row['id']}"
    return {name: value for name, value in row.items() if name != "id"}


def _named(rows: Sequence[Mapping[str, JSON]]) -> dict[str, str]:
    """The short name of each row: its own, else one that follows from its title and that nobody else has."""
    taken = {str(row["key"]) for row in rows if row.get("key")}
    found = {}
    for row in rows:
        name = str(row.get("key") or "") or _free(slug(str(row.get("title") or "")), taken)
        taken.add(name)
        found[row["id"]] = name
    return found


def _free(wanted: str, taken: set[str]) -> str:
    number, name = 2, wanted
    while name and name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


def tree_of(document: Mapping[str, JSON]) -> dict[str, JSON]:
    """What the controls hold for a document, which need not be valid."""
    tree = {key: _copied(value) for key, value in document.items() if value is not None}
    tree.pop("number", None)
    applies, gates = _mapping(tree.get("applies_to")), _mapping(tree.get("gates"))
    tags = _mapping(applies.get("tags"))
    checks = _mapping(gates.get("checks"))
    if (
        "files" in checks
    ):  # demanded without any setting: written out, since an empty control demands nothing
        checks["files"] = {"max_unverified": 0, **_mapping(checks["files"])}
    tree["applies_to"] = applies | {
        "tags": [{"tag": name, "values": values} for name, values in tags.items()]
    }
    tree["limits"] = list(_limit_rows(checks))
    gates["checks"] = {
        kind: {name: value for name, value in _mapping(limits).items() if not _is_bound(value)}
        for kind, limits in checks.items()
    }
    against = _mapping(gates.pop("against_incumbent", None))
    losses = _mapping(against.get("max_loss"))
    tree["losses"] = [{"metric": metric, "loss": loss} for metric, loss in losses.items()]
    gates["against_incumbent"] = {"same_data": against.get("same_data", True)}
    tree["gates"] = gates
    tree["steps"] = _by_row(tree.get("steps"))
    return tree


def _mapping(value: JSON) -> dict[str, JSON]:
    return dict(value) if isinstance(value, Mapping) else {}


def _is_bound(value: JSON) -> bool:
    return isinstance(value, Mapping) or value is None


def _limit_rows(checks: Mapping[str, JSON]) -> Iterator[dict[str, JSON]]:
    for kind, limits in checks.items():
        for name, value in _mapping(limits).items():
            bounds = {
                bound: number for bound, number in _mapping(value).items() if number is not None
            }
            if len(bounds) == 1:
                [(bound, number)] = bounds.items()
                yield {"metric": f"{kind}.{name}", "bound": bound, "number": number}


def _by_row(steps: JSON) -> list[JSON]:
    """Steps whose `after` names rows: the first is row 0."""
    rows = [_mapping(step) for step in steps] if isinstance(steps, list | tuple) else []
    places = {row.get("key"): str(place) for place, row in enumerate(rows)}
    return [
        row | {"after": [places[key] for key in row.get("after") or () if key in places]}
        for row in rows
    ]
