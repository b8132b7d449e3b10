"""Compare issued documents with the ledger's events.

Compared: every ready document has exactly its event with the same version, digest and size, its bytes
are stored, and no event lacks its document. Not compared: the bytes themselves (a download verifies
them, and `core.blobs.check` re-hashes them).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import replay
from apps.compliance.models import Document, DocumentStatus


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the documents, each naming its row."""
    issued = {
        int(event.payload["document"]): event.payload
        for event in replay("compliance.document.issued")
    }
    ready = Document.objects.filter(status=DocumentStatus.READY).select_related("blob")
    for row in ready.iterator(chunk_size=200):
        yield from _compare(row, issued.pop(row.pk, None))
    for payload in issued.values():
        yield Difference(
            f"document:{payload['uuid']}", "was issued according to the ledger and is not ready"
        )


def _compare(row: Document, said: dict[str, Any] | None) -> Iterator[Difference]:
    subject = f"document:{row.uuid}"
    if said is None:
        yield Difference(subject, "is ready and was never issued according to the ledger")
        return
    now = {
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
