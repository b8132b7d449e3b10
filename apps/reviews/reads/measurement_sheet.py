"""The tables of a result's page as flat text: one record a line, for a spreadsheet and for programs.

Each record says which table it is of and what it is: `head`, `row` and `note` of a table; `fact`, `text` and `missing`
beside them. Behind the page's tables stand every number as it is stored, with numerator and denominator, and the
formulas by name. Charts are left out: their numbers stand in the tables.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from apps.checks import exact, kinds
from apps.checks import selectors as checks
from apps.checks.models import Measurement
from apps.checks.numbers import MISSING, NBSP
from apps.core import canonical, flat
from apps.core.canonical import JSON
from apps.core.errors import Conflict
from apps.core.parts import Column, Facts, Missing, Part, Table, Text, cells
from apps.modelcards import collect
from apps.modelcards.computed.definitions import formulas
from apps.registry.models import ModelVersion
from apps.reviews.reads.measurements import Judged, judged

Record = tuple[str, ...]

_ABOUT: Final = "Where it comes from"
_STORED: Final = "Every number as stored"
_EXACT: Final = (
    "Number", "Value", "From", "To", "Numerator", "Denominator", "Exact fraction", "Interval", "Why there is none",
)  # fmt: skip
_LIMITS: Final = ("Limit", "Of", "Verdict", "Asked", "Value", "From", "To", "n", "Interval", "Why")


def written(version: ModelVersion, row: Measurement) -> Iterator[bytes]:
    """The CSV, some hundred records at a time. Everything is read before the first one.

    Refuses (Conflict) a measurement without a result, and one whose package is not installed any more: an
    empty file would look as if nothing had been found.
    """
    if row.result is None:
        raise Conflict("It has no result, so there are no tables.")
    if row.kind not in kinds.registered():
        raise Conflict(
            f"The package that brings the check {row.kind} is not installed, so its tables cannot be made.",
            hint="The JSON holds the result.",
        )
    parts = collect.analysis(version, row).parts
    before = [*_about(version, row), *_assessed(judged(version, row))]
    return flat.encoded(_padded(before, parts, checks.result_of(row), row.kind))


def _padded(
    before: Sequence[Record], parts: Sequence[Part], result: kinds.Result, kind: str
) -> Iterator[Record]:
    """Every record as wide as the widest, under a head that names the places."""
    tables = [len(part.columns) for part in parts if isinstance(part, Table)]
    width = max(len(_EXACT), len(_LIMITS), *tables)
    yield ("table", "line", *(str(place) for place in range(1, width + 1)))
    shown = itertools.chain.from_iterable(map(_part, parts))
    for table, line, *told in itertools.chain(before, shown, _numbers(result), _named(kind)):
        yield (table, line, *told, *[""] * (width - len(told)))


def _about(version: ModelVersion, row: Measurement) -> Iterator[Record]:
    facts = {
        "Check": kinds.title(row.kind),
        "Model": version.model.name,
        "Version": str(version.number),
        "Measurement": str(row.uuid),
        "State": str(row.get_status_display()),
        "Recalled because": row.recall_reason,
        "Asked by": str(row.started_by),
        "Measured": row.finished_at.astimezone(dt.UTC).isoformat() if row.finished_at else "",
        "Key of everything that went in": row.key,
        "Digest of key, counts and result": row.result_digest,
        "Code": row.code_version,
    }
    chosen = {f"Parameter {name}": _plain(value) for name, value in sorted(row.params.items())}
    inputs = {label: value for each in row.inputs for label, value in _input(each)}
    for label, value in (facts | chosen | inputs | dict(sorted(row.libraries.items()))).items():
        if value:
            yield (_ABOUT, "fact", label, value)


def _input(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was measured, by digest, and how many rows it has."""
    if entry["part"] == "files":
        yield "Manifest of the files", str(entry["digest"])
        return
    yield f"Data, {entry['part']}", str(entry["digest"])
    yield f"Rows of the data, {entry['part']}", str(entry["rows"])


def _plain(value: JSON) -> str:
    """A parameter as its page shows it; nothing where nothing was chosen."""
    if value in ("", None, [], {}):
        return ""
    return value if isinstance(value, str) else canonical.dumps(value).decode()


def _assessed(found: Judged | None) -> Iterator[Record]:
    if found is None:
        return
    caption = found.against
    yield (caption, "head", *_LIMITS)
    for each in found.assessment.rows:
        n = "" if each.n is None else str(each.n)
        ends = (each.value or "", each.low or "", each.high or "")
        verdict = (each.title, each.of, each.verdict.value, each.limit)
        yield (caption, "row", *verdict, *ends, n, each.method, each.sentence)
    yield (caption, "note", f"{found.assessment.verdict.value}: {found.assessment.sentence}")
    if found.demanded:
        yield (caption, "note", f"Policy as in force when this file was made: {found.policy}.")


def _part(part: Part) -> Iterator[Record]:
    if isinstance(part, Table):
        yield (part.caption, "head", *(column.title for column in part.columns))
        for row in part.rows:
            yield (
                part.caption,
                "row",
                *(_cell(c.text, h) for c, h in zip(row, part.columns, strict=True)),
            )
        if part.note:
            yield (part.caption, "note", part.note)
    elif isinstance(part, Facts):
        for fact in part.rows:
            yield ("", "fact", fact.label, fact.value.text)
    elif isinstance(part, Text):
        yield (part.heading, "text", part.text)
    elif isinstance(part, Missing):
        yield ("", "missing", part.reason)


def _cell(text: str, column: Column) -> str:
    """A number without what sets it for the eye: spaces between thousands, a wide minus, a dash for none."""
    if text == MISSING:
        return ""
    plain = text.replace(NBSP, "").replace("−", "-")
    return plain if column.numeric and flat.is_number(plain) else text


def _numbers(result: kinds.Result) -> Iterator[Record]:
    """Nothing for a kind whose numbers are plain counts: they stand in the tables whole."""
    for place, (path, each) in enumerate(exact.numbers(result)):
        if not place:
            yield (_STORED, "head", *_EXACT)
        counts = ("" if n is None else str(n) for n in (each.numerator, each.denominator))
        ends = (each.value or "", each.low or "", each.high or "")
        yield (_STORED, "row", path, *ends, *counts, each.fraction, each.method, each.reason)


def _named(kind: str) -> Iterator[Record]:
    """The formulas by name, and what the numbers mean that a policy can limit."""
    hints = [(hint.title, hint.meaning) for hint in kinds.get(kind).hints]
    told = (("Formulas", "Formula", formulas(kind)), ("What can be limited", "Meaning", hints))
    for caption, second, rows in told:
        if rows:
            head = (Column("Number"), Column(second))
            yield from _part(Table(caption, head, tuple(cells(*row) for row in rows)))
