"""Compare the ledger with the rows of uploaded results and their recalls. Called by apps.checks.reconcile."""

from __future__ import annotations

from collections.abc import Iterator

from apps.audits.reconcile import Difference
from apps.audits.selectors import Replayed, replay
from apps.checks import events
from apps.checks.uploaded import reading, selectors
from apps.checks.uploaded.models import UploadedResult


def differences() -> Iterator[Difference]:
    """Every difference, each naming its row. The digest of what was read is computed again from the row."""
    told, ended = _told(events.ResultUploaded.type), _told(events.UploadedRecalled.type)
    rows = UploadedResult.objects.select_related("recall").order_by("pk")
    for row in rows.iterator(chunk_size=50):
        yield from _compared(row, told.pop(row.pk, None))
        yield from _recalled(row, ended.pop(row.pk, None))
    for pk in {*told, *ended}:
        yield Difference(f"uploaded:{pk}", "it is in the ledger and not in the table")


def _told(event_type: str) -> dict[int, Replayed]:
    return {int(str(event.payload["uploaded"])): event for event in replay(event_type)}


def _compared(row: UploadedResult, event: Replayed | None) -> Iterator[Difference]:
    subject = f"uploaded:{row.pk}"
    if event is None:
        yield Difference(subject, f"the uploaded result {row.name!r} has no event in the ledger")
        return
    found = {
        "version": row.version_id,
        "name": row.name,
        "digest": row.digest,
        "format": row.format,
        "tool": row.tool,
        "tool_version": row.tool_version,
        "tool_named_by": row.tool_named_by,
        "outcome": row.outcome,
        "reading": reading.digest(row.reading),
    }
    for key, value in found.items():
        if event.payload[key] != value:
            yield Difference(
                subject, f"{key}: the table says {value}, the ledger says {event.payload[key]}"
            )
    if event.actor_id != row.uploaded_by_id:
        yield Difference(subject, "who uploaded it is not whom the ledger names")


def _recalled(row: UploadedResult, event: Replayed | None) -> Iterator[Difference]:
    recall, subject = selectors.recall_of(row), f"uploaded:{row.pk}"
    if (recall is None) != (event is None):
        yield Difference(subject, "its recall is in only one of table and ledger")
    elif recall is not None and event is not None:
        said = (event.payload["reason"], event.actor_id)
        if (recall.reason, recall.recalled_by_id) != said:
            yield Difference(subject, "who recalled it and why is not what the ledger says")
