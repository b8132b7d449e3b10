"""Compare findings and their histories with the ledger's events (invariant 5).

Names: an entry without its event, by another person or with another statement than the event's, or whose columns
are not what its statement says; a finding whose words are not those of its first statement, or whose state is not
what the events tell; whatever is in the ledger and not in the tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import Replayed, replay
from apps.core import canonical
from apps.reviews.models import Finding, FindingEntry

_STATE = {
    "reviews.finding.raised": "open",
    "reviews.finding.responded": "responded",
    "reviews.finding.closed": "closed",
    "reviews.finding.accepted": "accepted",
    "reviews.finding.reopened": "open",
    "reviews.finding.retested": "",
}


@dataclass(frozen=True, slots=True)
class _Told:
    finding: int
    user_id: int | None
    digest: str
    state: str


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the rows of findings, each naming its row."""
    told: dict[int, _Told] = {}
    states: dict[int, str] = {}
    for event in replay(*_STATE):
        one = _told(event)
        told[int(event.payload["entry"])] = one
        states[one.finding] = one.state
    yield from _entries(told)
    yield from _findings(states)


def _told(event: Replayed) -> _Told:
    payload = event.payload
    state = _STATE[event.type] or ("retest_passed" if payload["passed"] else "retest_failed")
    return _Told(int(payload["finding"]), event.actor_id, str(payload["digest"]), state)


def _entries(told: dict[int, _Told]) -> Iterator[Difference]:
    rows = FindingEntry.objects.select_related("user").order_by("pk")
    for row in rows.iterator():
        subject = f"finding:{row.finding_id}"
        said = told.pop(row.pk, None)
        if said is None:
            yield Difference(subject, f"finding entry {row.pk} has no event in the ledger")
            continue
        if (said.finding, said.user_id, said.digest) != (row.finding_id, row.user_id, row.digest):
            yield Difference(subject, f"finding entry {row.pk} is not the one in the ledger")
        if said.state != _leads_to(row.kind) or not _fits(row):
            yield Difference(
                subject, f"finding entry {row.pk}: its statement does not say what its row says"
            )
    for pk, said in told.items():
        yield Difference(
            f"finding:{said.finding}", f"finding entry {pk} is in the ledger and not in the table"
        )


def _leads_to(kind: str) -> str:
    return "open" if kind in {"raised", "reopened"} else kind


def _statement(data: bytes, digest: str) -> dict[str, Any]:
    """The statement as data; empty if its bytes are not those of the digest."""
    if canonical.digest(data) != digest:
        return {}
    found: dict[str, Any] = json.loads(data)
    return found


def _fits(row: FindingEntry) -> bool:
    said = _statement(bytes(row.statement), row.digest)
    at = row.reauthenticated_at.isoformat() if row.reauthenticated_at else None
    return said != {} and (
        said["finding"],
        said["number"],
        said["kind"],
        said["text"],
        said["evidence_kind"],
        said["evidence"],
        said["role"],
        said["method"],
        said["reauthenticated_at"],
        said["person"],
        said["at"],
    ) == (
        row.finding_id,
        row.number,
        row.kind,
        row.text,
        row.evidence_kind,
        row.evidence,
        row.role,
        row.method,
        at,
        str(row.user.uuid),
        row.created_at.isoformat(),
    )


def _findings(states: dict[int, str]) -> Iterator[Difference]:
    first = {entry.finding_id: entry for entry in FindingEntry.objects.filter(number=1).iterator()}
    rows = Finding.objects.select_related("owner", "raised_by", "version__model").order_by("pk")
    for row in rows.iterator():
        subject, said = f"finding:{row.pk}", states.pop(row.pk, None)
        if said != row.state:
            yield Difference(
                subject, f"finding {row.pk}: the table says {row.state}, the ledger says {said}"
            )
        if not _as_raised(row, first.get(row.pk)):
            yield Difference(subject, f"finding {row.pk} is not what was raised")
    for pk in states:
        yield Difference(f"finding:{pk}", f"finding {pk} is in the ledger and not in the table")


def _as_raised(row: Finding, entry: FindingEntry | None) -> bool:
    said = _statement(bytes(entry.statement), entry.digest) if entry is not None else {}
    return said != {} and (
        said["manifest_digest"],
        said["version"],
        said["finding_number"],
        said["title"],
        said["text"],
        said["severity"],
        said["clause"],
        said["reproduction"],
        said["owner"],
        said["due"],
        said["blocking"],
        said["review"],
        said["person"],
    ) == (
        row.version.manifest_digest,
        row.version.number,
        row.number,
        row.title,
        row.text,
        row.severity,
        row.clause,
        row.reproduction,
        str(row.owner.uuid),
        row.due.isoformat(),
        row.blocking,
        row.review_id,
        str(row.raised_by.uuid),
    )
