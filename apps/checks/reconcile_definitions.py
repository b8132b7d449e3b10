"""Compare the ledger with the definitions of regular checks and with what they started. Called by apps.checks.reconcile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import Replayed, replay
from apps.checks import events
from apps.checks.models import DefinitionRevision, DefinitionRun
from apps.core.canonical import digest_of


def differences() -> Iterator[Difference]:
    """Every difference, each naming its row. A run that ended in an error started nothing, so no event tells of it."""
    yield from _revisions()
    yield from _runs()


def _revisions() -> Iterator[Difference]:
    told = {
        (_said(event, "definition"), _said(event, "revision")): event
        for event in replay(events.DefinitionSaved.type)
    }
    rows = DefinitionRevision.objects.select_related("definition").order_by("pk")
    for row in rows.iterator(chunk_size=200):
        subject = f"definition:{row.definition_id} revision {row.number}"
        event = told.pop((row.definition_id, row.number), None)
        if event is None:
            yield Difference(subject, "it has no event in the ledger")
            continue
        for key, value in _worded(row).items():
            if event.payload[key] != value:
                yield Difference(
                    subject, f"{key}: the table says {value}, the ledger says {event.payload[key]}"
                )
        if event.actor_id != row.by_id:
            yield Difference(subject, "who worded it is not whom the ledger names")
    for definition, revision in told:
        yield Difference(
            f"definition:{definition} revision {revision}",
            "it is in the ledger and not in the table",
        )


def _worded(row: DefinitionRevision) -> dict[str, Any]:
    return {
        "model": row.definition.model_id,
        "name": row.name,
        "kind": row.kind,
        "params": digest_of(row.params),
        "on_registration": row.on_registration,
        "on_data": row.on_data,
        "every_days": row.every_days or 0,
        "retired": row.retired,
    }


def _runs() -> Iterator[Difference]:
    """As many starts of each kind in the table as in the ledger: a start has no number of its own."""
    left: dict[tuple[Any, ...], int] = {}
    for event in replay(events.DefinitionStarted.type):
        key = tuple(event.payload[name] for name in _OF_A_START)
        left[key] = left.get(key, 0) + 1
    rows = DefinitionRun.objects.select_related("revision").filter(measurement__isnull=False)
    for row in rows.order_by("pk").iterator(chunk_size=200):
        key = (
            row.definition_id,
            row.revision.number,
            row.version_id,
            row.kind,
            row.reason,
            row.measurement_id,
            row.made,
        )
        if not left.get(key):
            yield Difference(f"definition run {row.pk}", "no event in the ledger tells of it")
        else:
            left[key] -= 1
    for key, count in left.items():
        if count:
            yield Difference(
                f"definition:{key[0]}", f"a start of {key[3]} is in the ledger and not in the table"
            )


_OF_A_START = ("definition", "revision", "version", "kind", "reason", "measurement", "made")


def _said(event: Replayed, name: str) -> int:
    return int(str(event.payload[name]))
