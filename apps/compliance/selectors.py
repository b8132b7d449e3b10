"""Reads of documents. Whoever may read a model may read what was issued about it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

from django.db.models import QuerySet

from apps.accounts import policy
from apps.compliance import documents as documents_
from apps.compliance import kinds
from apps.compliance.models import Document, DocumentStatus
from apps.core import blobs
from apps.core.actor import Actor
from apps.core.errors import Conflict, NotFound
from apps.modelcards import dossier as dossiers
from apps.modelcards.dossier import Dossier
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion

READ = "review.read"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def documents(version: ModelVersion) -> QuerySet[Document]:
    """Every document about a version, newest first, with who asked for it."""
    return (
        Document.objects.filter(version=version)
        .select_related("version__model", "requested_by")
        .order_by("-pk")
    )


def get_document(actor: Actor, document_uuid: uuid.UUID | str) -> Document:
    """One document; NotFound if there is none or its model is out of the actor's sight."""
    try:
        wanted = uuid.UUID(str(document_uuid))
    except ValueError:
        raise NotFound("There is no such document.") from None
    found = (
        Document.objects.filter(uuid=wanted)
        .select_related("version__model", "requested_by")
        .first()
    )
    if found is None or not policy.can(actor, READ, found):
        raise NotFound("There is no such document.")
    return found


def issued(actor: Actor, *, digest: str = "", before: int | None = None) -> QuerySet[Document]:
    """Ready documents of models the actor may see, newest first; the one that is this file, or those before a row."""
    rows = (
        Document.objects.filter(
            status=DocumentStatus.READY, version__in=registry.visible_versions(actor)
        )
        .select_related("version__model")
        .order_by("-pk")
    )
    if digest:
        rows = rows.filter(digest=digest.lower())
    return rows if before is None else rows.filter(pk__lt=before)


def find_by_digest(actor: Actor, digest: str) -> Document | None:
    """The document whose PDF has this SHA-256, if the actor may see it: "is this file yours?"."""
    found = (
        Document.objects.filter(digest=digest.lower()).select_related("version__model").first()
        if digest
        else None
    )
    return found if found is not None and policy.can(actor, READ, found) else None


def read_pdf(document: Document, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The PDF's bytes, each piece verified before it is handed out; Conflict while it is not ready."""
    _require_ready(document)
    return blobs.read(document.digest, start, end)


def read_dossier(document: Document) -> Dossier:
    """What the document says, as data: for its page, and to make it again."""
    return dossiers.from_json(blobs.read_all(document.dossier_id))


def file_name(document: Document) -> str:
    """income-v3-model-card.pdf: plain letters, whatever the model's name is made of."""
    return f"{_stem(document)}.pdf"


def page_name(document: Document) -> str:
    """income-v3-ll144-bias-audit.html."""
    return f"{_stem(document)}.html"


def _stem(document: Document) -> str:
    return f"{stem(document)}-{kinds.get(document.kind).file}"


def stem(document: Document) -> str:
    """What the names of all its files begin with."""
    model = _UNSAFE.sub("-", document.version.model.name).strip("-.") or "model"
    day = f"-as-of-{document.as_of:%Y-%m-%d}" if document.as_of else ""
    return f"{model[:80]}-v{document.version.number}{day}"


def read_page(document: Document) -> str:
    """The document as one self-contained web page; NotFound for a kind that is not made for it, Conflict before it is
    ready, Tampered if the stored facts are damaged."""
    if not kinds.get(document.kind).page:
        raise NotFound(f"The {document.get_kind_display().lower()} has no page to publish.")
    _require_ready(document)
    return documents_.render_page(read_dossier(document))


def _require_ready(document: Document) -> None:
    if not document.is_ready:
        raise Conflict(f"This document is {document.state.label.lower()}.", hint=document.error)
