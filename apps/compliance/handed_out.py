"""That a document was taken: an attempt that was done, so that an auditor sees who has it. (Bundles have events of their own.)"""

from __future__ import annotations

from typing import Final

from apps.audits import log
from apps.compliance.models import Document
from apps.core.actor import Actor

DOCUMENT: Final = "take a document"
LEDGER: Final = "GET web:audit-export"


def note(actor: Actor, document: Document, what: str, *, remote_addr: str = "") -> None:
    """Record that the actor took a file of a document; `what` names which. Equal ones within a minute are counted."""
    log.attempt(
        actor,
        act=DOCUMENT,
        subject=f"version:{document.version_id}",
        outcome="done",
        reason=f"{what} of document {document.uuid}",
        remote_addr=remote_addr,
    )
