"""Compare issued documents and statements for reports with the ledger's events.

Compared: every ready document has exactly its event with the same kind, version, digest and size, its bytes
are stored, and no event lacks its document; every statement has its event and is what its digest says. Not compared: the bytes themselves (a download verifies
them, and `core.blobs.check` re-hashes them).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.compliance import statements
from apps.compliance.models import Document, DocumentForm, DocumentStatus, ReportStatement


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the rows of this app, each naming its row."""
    yield from _documents()
    yield from _statements()


def _documents() -> Iterator[Difference]:
    issued = {
        int(event.payload["document"]): event.payload
        for event in replay("compliance.document.issued")
    }
    ready = Document.objects.filter(status=DocumentStatus.READY).select_related("blob")
    for row in ready.iterator(chunk_size=200):
        yield from _compare(row, issued.pop(row.pk, None))
    yield from _forms()
    for payload in issued.values():
        yield Difference(
            f"document:{payload['uuid']}", "was issued according to the ledger and is not ready"
        )


def _forms() -> Iterator[Difference]:
    """Every form is told by its document's event with its digest, and none is missing."""
    told = {
        int(event.payload["document"]): event.payload
        for event in replay("compliance.document.forms_made")
    }
    made: dict[int, dict[str, str]] = {}
    for pk, form, digest in DocumentForm.objects.values_list("document_id", "form", "blob_id"):
        made.setdefault(pk, {})[form] = digest
    for pk in sorted(told.keys() | made.keys()):
        said = {form: each["digest"] for form, each in told.get(pk, {}).get("forms", {}).items()}
        if said != made.get(pk, {}):
            yield Difference(
                f"document:{pk}", f"its forms are {made.get(pk, {})}, the ledger says {said}"
            )


def _compare(row: Document, said: dict[str, Any] | None) -> Iterator[Difference]:
    subject = f"document:{row.uuid}"
    if said is None:
        yield Difference(subject, "is ready and was never issued according to the ledger")
        return
    now = {
        "kind": row.kind,
        "version": row.version_id,
        "digest": row.digest,
        "size": row.size,
        "input_digest": row.input_digest,
        "render_digest": row.render_digest,
        "signed_by": row.signed_by,
        "review": row.review_id,
        "round": row.round_id,
    }
    for name, value in now.items():
        if said.get(name, "") != value:
            yield Difference(subject, f"{name} is {value}, the ledger says {said.get(name, '')}")
    if row.blob is not None and row.blob.size != row.size:
        yield Difference(subject, f"its bytes have size {row.blob.size}, expected {row.size}")


def _statements() -> Iterator[Difference]:
    recorded = {
        int(event.payload["statement"]): event.payload
        for event in replay("compliance.statement.recorded")
    }
    rows = ReportStatement.objects.select_related("version", "author")
    for row in rows.iterator(chunk_size=200):
        yield from _stated(row, recorded.pop(row.pk, None))
    for payload in recorded.values():
        yield Difference(
            f"statement:{payload['statement']}", "was recorded according to the ledger and is gone"
        )


def _stated(row: ReportStatement, said: dict[str, Any] | None) -> Iterator[Difference]:
    subject = f"statement:{row.pk}"
    if said is None:
        yield Difference(subject, "is there and was never recorded according to the ledger")
        return
    if said["digest"] != row.digest:
        yield Difference(subject, f"digest is {row.digest}, the ledger says {said['digest']}")
    if statements.digest_of(row, row.version) != row.digest:
        yield Difference(subject, "is not what its digest says")
