"""What was typed into the form of a policy: rows come and go, and it makes a document or says what is wrong and where.

A control is named by its path, one in a row by list, row and path (`steps.2.title`). The order of a list's rows is told by
the values of `rows.steps`; a row keeps its number for as long as it is there, so that others can name it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict

from apps.checks.demands import CheckLimits
from apps.core.errors import Invalid
from apps.reviews.policies.document import PolicyDocument, parse, plain
from apps.web.policy_form.kinds import Entry, Rows, Unshown
from apps.web.policy_form.layout import ENTRIES, ROWS
from apps.web.policy_form.shape import JSON, Shaped, document_of, tree_of

# The most rows of one list: as many as a document has steps, and far more than anybody wants of the others.
MOST_ROWS: Final = 60
_SECTIONS: Final = {"document": "title", "steps": "rows.steps", "governs": "governs.stages"}


class NotInForm(Exception):
    """The document holds something that the form could not give back unchanged; `paths` names what."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(", ".join(paths))
        self.paths = paths


@dataclass(frozen=True, slots=True)
class Draft:
    """The values of the controls, as a form sends them."""

    given: QueryDict

    def rows(self, path: str) -> list[str]:
        """The numbers of a list's rows, in order."""
        found = self.given.getlist(f"rows.{path}")
        return list(dict.fromkeys(row for row in found if row.isascii() and row.isdigit()))[
            :MOST_ROWS
        ]

    def names(self) -> Iterator[tuple[str, Entry]]:
        """Every control that the form has now."""
        yield from ENTRIES.items()
        for path, rows in ROWS.items():
            for row in self.rows(path):
                for entry in rows.entries:
                    yield f"{path}.{row}.{entry.path}", entry

    def with_row(self, path: str) -> tuple[Draft, str]:
        """With one more empty row, and its number."""
        rows = self.rows(path)
        number = str(max((int(row) for row in rows), default=-1) + 1)
        changed = self.given.copy()
        changed.setlist(f"rows.{path}", [*rows, number])
        return Draft(changed), number

    def without_row(self, path: str, row: str) -> Draft:
        """Without that row and whatever names it."""
        changed = self.given.copy()
        changed.setlist(f"rows.{path}", [each for each in self.rows(path) if each != row])
        for each in self.rows(path):
            name = f"{path}.{each}.after"
            if name in changed:
                changed.setlist(name, [one for one in changed.getlist(name) if one != row])
        return Draft(changed)

    def moved_up(self, path: str, row: str) -> Draft:
        """With that row before the one above it, which then does not wait for it."""
        rows = self.rows(path)
        place = rows.index(row) if row in rows else 0
        if place == 0:
            return self
        rows[place - 1], rows[place] = rows[place], rows[place - 1]
        changed = self.given.copy()
        changed.setlist(f"rows.{path}", rows)
        name = f"{path}.{row}.after"
        changed.setlist(name, [one for one in changed.getlist(name) if one in rows[: place - 1]])
        return Draft(changed)

    def shaped(self) -> Shaped:
        """The document that was typed, valid or not."""
        return document_of(_tree(self))

    def document(self) -> PolicyDocument:
        """The valid document; raises Invalid whose fields are names of controls."""
        shaped = self.shaped()
        problems = dict(shaped.problems)
        for path, reason in _refusals(shaped.document).items():
            problems.setdefault(_place(shaped, path, reason), _without_section(reason))
        problems |= {name: _GARBLED for name, values in self.given.lists() if _garbled(values)}
        if "title" in problems:
            problems.pop("key", None)  # it follows from the title
        if problems:
            raise Invalid("The policy is not complete.", fields=problems)
        return parse(shaped.document | {"number": 1})


_GARBLED: Final = "It holds a character that could not be read; write it again."


def _garbled(values: list[str]) -> bool:
    return any(
        "\N{REPLACEMENT CHARACTER}" in value or "\x00" in value for value in map(str, values)
    )


def _tree(draft: Draft) -> dict[str, JSON]:
    tree: dict[str, JSON] = {}
    for path, entry in ENTRIES.items():
        _put(tree, path, entry.kind.read(draft.given.getlist(path)))
    for path, rows in ROWS.items():
        _put(tree, path, [_row(draft, path, rows, row) for row in draft.rows(path)])
    return tree


def _row(draft: Draft, path: str, rows: Rows, row: str) -> dict[str, JSON]:
    found: dict[str, JSON] = {"id": row}
    for entry in rows.entries:
        value = entry.kind.read(draft.given.getlist(f"{path}.{row}.{entry.path}"))
        if value is not None:
            found[entry.path] = value
    return found


def _put(tree: dict[str, JSON], path: str, value: JSON) -> None:
    *way, last = path.split(".")
    place = tree
    for part in way:
        place = place.setdefault(part, {})
    if value is not None:
        place[last] = value


def _refusals(document: Mapping[str, JSON]) -> dict[str, str]:
    """What is wrong, by path in the document. Limits are asked apart: the document says all of theirs in one breath."""
    found: dict[str, str] = {}
    try:
        CheckLimits.parse(document["gates"]["checks"])
    except Invalid as error:
        found |= {f"gates.checks.{path}": _plainly(said) for path, said in error.fields.items()}
    limits_wrong = bool(found)
    try:
        parse(dict(document) | {"number": 1})
    except Invalid as error:
        found |= {
            path: reason
            for path, reason in error.fields.items()
            if not (limits_wrong and path == "gates")
        }
    return found


def _plainly(said: str) -> str:
    """A refusal of a limit, which comes in the words of the library."""
    if said.startswith("Input should be a valid integer"):
        return "expected a whole number"
    return said.removeprefix("Value error, ").replace(
        "Input should be greater than or equal to", "expected at least"
    )


def _place(shaped: Shaped, path: str, reason: str) -> str:
    """The control a path of the document is about: its own, else the nearest above it, else the first below."""
    section, _, _ = reason.partition(":")
    if path == "document":
        return _SECTIONS.get(section, "title")
    if path == "gates":
        return "rows.gates.conditions" if section == "conditions" else "rows.limits"
    parts = path.split(".")
    for end in range(len(parts), 0, -1):
        found = _known(shaped, ".".join(parts[:end]), parts[end:])
        if found:
            return found
    within = [name for name in ENTRIES if name.startswith(f"{path}.")]
    nowhere = "rows.limits" if path.startswith("gates.checks") else _SECTIONS.get(parts[0], "title")
    return within[0] if within else nowhere


def _known(shaped: Shaped, path: str, rest: list[str]) -> str:
    if path in shaped.places:
        return _in_row(shaped.places[path], rest)
    if path in ROWS:
        return f"rows.{path}"
    return path if path in ENTRIES else ""


def _in_row(place: str, rest: list[str]) -> str:
    """The control of a row; what a row has no control for stands at its first."""
    for path, rows in ROWS.items():
        if place.startswith(f"{path}.") and place.removeprefix(f"{path}.").isdigit():
            names = [entry.path for entry in rows.entries]
            return f"{place}.{rest[0] if rest and rest[0] in names else names[0]}"
    return place


def _without_section(reason: str) -> str:
    section, colon, words = reason.partition(": ")
    said = words if colon and section in {"steps", "governs", "conditions"} else reason
    return f"{said[:1].upper()}{said[1:]}."[: -1 if said.endswith((".", "?")) else None]


def of_document(document: PolicyDocument) -> Draft:
    """The form filled with a document; raises NotInForm if the form would not give the same one back."""
    draft = _filled(document.model_dump(mode="json"))
    try:
        back = draft.document()
    except Invalid as error:
        raise NotInForm(sorted(error.fields)) from error
    lost = _leaves(plain(document)) ^ _leaves(
        plain(back.model_copy(update={"number": document.number}))
    )
    if lost:
        raise NotInForm(sorted({path for path, _ in lost}))
    return draft


def of_data(data: Mapping[str, JSON]) -> Draft:
    """The form filled with what need not be valid; raises NotInForm naming what it has no control for."""
    draft = _filled(_over(_DEFAULTS, data))
    lost = _leaves(data) - _leaves(draft.shaped().document)
    lost = {(path, value) for path, value in lost if path != "number"}
    if lost:
        raise NotInForm(sorted({path for path, _ in lost}))
    return draft


_DEFAULTS: Final = parse(
    {
        "key": "x", "number": 1, "title": "x", "governs": {"stages": ["x"]},
        "gates": {"checks": {"drift": {"psi": {"max": "1"}}}},
        "steps": [{"key": "x", "title": "x", "role": "risk", "count": 1}], "approval_days": 1,
    }
).model_dump(mode="json", include={"rereview_on", "promote", "findings", "waivers"}) | {"gates": {"card_complete": True}}  # fmt: skip


def _over(under: Mapping[str, JSON], data: Mapping[str, JSON]) -> dict[str, JSON]:
    found = dict(under)
    for key, value in data.items():
        below = found.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        found[key] = _over(below, value) if both else value  # type: ignore[arg-type]  # two mappings
    return found


def _filled(data: Mapping[str, JSON]) -> Draft:
    tree = tree_of(data)
    given = QueryDict(mutable=True)
    for path, entry in ENTRIES.items():
        _show(given, path, entry, _at(tree, path))
    for path, rows in ROWS.items():
        found = _at(tree, path) or []
        if not isinstance(found, list):
            raise NotInForm([path])
        given.setlist(f"rows.{path}", [str(number) for number in range(len(found))])
        for number, row in enumerate(found):
            for entry in rows.entries:
                value = row.get(entry.path) if isinstance(row, Mapping) else None
                _show(given, f"{path}.{number}.{entry.path}", entry, value)
    return Draft(given)


def _at(tree: JSON, path: str) -> JSON:
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def _show(given: QueryDict, name: str, entry: Entry, value: JSON) -> None:
    if value is None:
        return
    try:
        given.setlist(name, entry.kind.show(value))
    except Unshown:
        raise NotInForm([name]) from None


def _leaves(value: JSON, path: str = "") -> set[tuple[str, str]]:
    """Every value by its path, as text; sets in one order, emptiness as absence (but of the values of a tag)."""
    if value is None:
        return set()
    if isinstance(value, Mapping):
        return {
            leaf
            for key, inner in value.items()
            for leaf in _leaves(inner, f"{path}.{key}" if path else str(key))
        }
    if isinstance(value, list | tuple):
        if path == "applies_to.tiers" or path.endswith(".after"):
            value = sorted(set(value), key=str)
        if not value and path.startswith("applies_to.tags."):
            return {(path, "none")}
        return {leaf for at, inner in enumerate(value) for leaf in _leaves(inner, f"{path}.{at}")}
    return {(path, str(value))}


def typed(draft: Draft) -> dict[str, Any]:
    """What was typed as plain data, for YAML: emptied lists and switches as they are, nothing that is blank."""
    return _without_blanks(draft.shaped().document)


def _without_blanks(data: Mapping[str, JSON]) -> dict[str, Any]:
    found = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            value = _without_blanks(value)
        if value == {} or (value == [] and key not in {"rereview_on"}):
            continue
        found[key] = value
    return found
