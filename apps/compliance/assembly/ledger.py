"""What the ledger holds about a version: the events in words, and the extract that proves them."""

from __future__ import annotations

import datetime as dt
import html
import json
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.html import strip_tags

from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.modelcards.dossier import LedgerLine, LedgerView
from apps.registry.models import ModelVersion

MOST_EVENTS = 2_000
# Documents and bundles about a version and who read it are not evidence about it; with them in, each would change the next.
_NOT_EVIDENCE = ("compliance.document.", "compliance.bundle.", "compliance.uses.")
_OF_THE_MODEL = (
    "registry.model.created",
    "registry.model.renamed",
    "registry.model.governance_changed",
)


@dataclass(frozen=True, slots=True)
class Record:
    """The view, and the instant of the newest fact in it."""

    view: LedgerView | None
    as_of: str


def view(version: ModelVersion, until: dt.datetime | None = None) -> Record:
    """The newest MOST_EVENTS events about the version and those that made and governed its model; `until`: only those of up to then."""
    rows = audits.events(scopes=[f"version:{version.pk}"], until=until, limit=MOST_EVENTS)
    rows += audits.events(
        scopes=[f"model:{version.model_id}"], types=_OF_THE_MODEL, until=until, limit=MOST_EVENTS
    )
    by_seq = {row.seq: row for row in rows if not row.type.startswith(_NOT_EVIDENCE)}
    shown = [by_seq[seq] for seq in sorted(by_seq)]
    if not shown:
        return Record(None, version.created_at.isoformat())
    extract = audits.extract([row.seq for row in shown])
    found = LedgerView(
        size=extract["size"],
        root=extract["root"],
        events=tuple(_line(row) for row in shown),
        extract=json.dumps(extract, sort_keys=True, separators=(",", ":"), ensure_ascii=False),
    )
    return Record(found, max(row.at for row in shown).isoformat())


def _line(row: EventView) -> LedgerLine:
    return LedgerLine(
        seq=row.seq,
        at=row.at.isoformat(),
        type=row.type,
        sentence=sentence(row),
        actor=row.actor_label,
        leaf=row.leaf_hash,
    )


def sentence(row: EventView) -> str:
    """The event's own template as plain words."""
    markup = render_to_string(row.template, {"event": row})
    return " ".join(html.unescape(strip_tags(markup)).split())
