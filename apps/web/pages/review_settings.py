"""What changed around the version since the incumbent was approved: tier, governance, policy, the model's settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.models import Round
from apps.web import cells
from apps.web.parts import Cell, Column, Row, Table

_MODEL = (
    "registry.model.updated",
    "registry.model.renamed",
    "registry.model.governance_changed",
    "registry.model.tag_changed",
)


def table(base: ModelVersion, version: ModelVersion, round_: Round) -> Table:
    """Both rounds side by side, then every change of the model's settings between them, newest first."""
    before = reviews.round_behind(base)
    old = evidence.read(before) if before else None
    new = evidence.read(round_)
    rows = [_row(label, old, new, path) for label, path in _FACTS]
    since = before.ledger_size if before else 0
    events = audits.events(
        scopes=[f"model:{version.model_id}"],
        types=_MODEL,
        before_seq=round_.ledger_size + 1,
        limit=200,
    )
    if before is not None:
        rows += [row for event in events if event.seq > since for row in _changed(event)]
    columns = [Column("Setting"), Column(f"v{base.number}"), Column(f"v{version.number}")]
    return Table("Settings", columns, rows, id="diff-settings", dense=True)


_FACTS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("Risk tier", ("version", "risk_tier")),
    ("Governance", ("version", "governance")),
    ("Policy", ("policy",)),
    ("Asked for", ("targets",)),
)


def _row(label: str, old: Mapping[str, Any] | None, new: Mapping[str, Any], path: Sequence[str]) -> Row:  # fmt: skip
    after = _said(_at(new, path))
    if old is None:
        return Row([cells.text(label), cells.missing("not approved here"), cells.text(after)])
    before = _said(_at(old, path))
    return Row([cells.text(label), cells.text(before), cells.text(after)], same=before == after)


def _at(manifest: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = manifest
    for part in path:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['key']} v{value['number']}"
    if isinstance(value, list):
        return ", ".join(str(each).replace(":", " ") for each in value)
    return "" if value is None else str(value)


def _changed(event: EventView) -> list[Row]:
    """One row for each setting that an event changed."""
    payload = event.payload
    match event.type:
        case "registry.model.updated":
            pairs = [(_name(field), *values) for field, values in payload["changes"].items()]
        case "registry.model.tag_changed":
            pairs = [(f"Tag {payload['key']}", payload["old"], payload["value"])]
        case "registry.model.renamed":
            pairs = [("Name", payload["old"], payload["new"])]
        case _:
            pairs = [("Governance", payload["old"], payload["governance"])]
    note = f"EVT-{event.seq}"
    return [Row([cells.text(name, note=note), _value(old), _value(new)]) for name, old, new in pairs]  # fmt: skip


def _name(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _value(value: object) -> Cell:
    return cells.text(str(value)) if value not in {None, ""} else cells.missing("nothing")
