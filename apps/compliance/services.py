"""Asking for documents, and making them in the worker."""

from __future__ import annotations

import logging

from apps.accounts import policy
from apps.audits.log import verb
from apps.compliance import documents, selectors
from apps.compliance.events import DocumentIssued
from apps.compliance.models import Document, DocumentKind, DocumentStatus
from apps.core import blobs, canonical, clock, outbox
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.core.models import Blob
from apps.modelcards import dossier as dossiers
from apps.modelcards.dossier import Dossier
from apps.registry.models import ModelVersion

log = logging.getLogger(__name__)

TASK = "apps.compliance.tasks.render_document"
_LONGEST_ERROR = 1000


def request_document(actor: Actor, version: ModelVersion) -> Document:
    """The model card of this version as a document; made in the worker unless it already is.

    The facts are assembled and frozen now. Asked for again while nothing has changed, the same
    document is returned; one that could not be made is tried again. Refuses who may not read the
    version, a deleted version, and (Tampered) evidence whose bytes are not what was signed.
    """
    policy.require(actor, selectors.READ, version)
    if version.deleted_at is not None:
        raise NotFound("This version was deleted; no document is made about it.")
    round_ = documents.reported_round(version)
    dossier = documents.assemble(version, round_)
    digest = documents.input_digest(dossier)
    found = selectors.documents(version).filter(input_digest=digest).first()
    if found is not None:
        return _again(actor, found)
    stored = blobs.put_bytes(dossiers.to_json(dossier))
    with verb(actor):
        document, created = Document.objects.get_or_create(
            version=version,
            kind=DocumentKind.MODEL_CARD,
            input_digest=digest,
            defaults={
                "review_id": round_.review_id if round_ else None,
                "round_id": round_.pk if round_ else None,
                "dossier": stored,
                "requested_by_id": actor.user_id,
                "created_at": clock.now(),
            },
        )
        if created:
            outbox.enqueue(TASK, {"document": document.pk})
    return document


def _again(actor: Actor, document: Document) -> Document:
    """The document there is; a failed one goes back into the queue."""
    if document.status != DocumentStatus.ERROR:
        return document
    with verb(actor):
        failed = Document.objects.filter(pk=document.pk, status=DocumentStatus.ERROR)
        if failed.update(status=DocumentStatus.QUEUED, error="", finished_at=None):
            outbox.enqueue(TASK, {"document": document.pk})
    document.refresh_from_db()
    return document


def make(document_id: int) -> None:
    """Render a queued document and issue it; run twice, it is issued once.

    Whatever goes wrong with the document itself leaves it in `error` with the reason, to be tried
    again by asking for it. A database that is down is no such reason: the exception goes on, and the
    outbox tries later.
    """
    document = Document.objects.select_related("version__model").get(pk=document_id)
    if not _move(document, (DocumentStatus.QUEUED, DocumentStatus.RENDERING), "rendering"):
        return
    try:
        dossier = selectors.read_dossier(document)
        html = documents.render_html(dossier)
        pdf = documents.render_pdf(dossier)
        stored = blobs.put_bytes(pdf)
    except Exception as error:
        log.exception("compliance: a document could not be made", extra={"document": document_id})
        _fail(document, error)
        return
    _issue(document, dossier, canonical.digest(html.encode()), stored)


def _issue(document: Document, dossier: Dossier, html_digest: str, stored: Blob) -> None:
    """Ready, and in the ledger, in one transaction; whoever comes second finds it done."""
    with verb(Actor.system("worker")) as v:
        done = Document.objects.filter(pk=document.pk, status=DocumentStatus.RENDERING).update(
            status=DocumentStatus.READY,
            html_digest=html_digest,
            blob=stored,
            digest=stored.digest,
            size=stored.size,
            finished_at=clock.now(),
        )
        if done:
            v.record(_issued(document, dossier, stored))


def _issued(document: Document, dossier: Dossier, stored: Blob) -> DocumentIssued:
    return DocumentIssued(
        document=document.pk,
        uuid=str(document.uuid),
        kind=document.kind,
        model=document.version.model_id,
        version=document.version_id,
        review=document.review_id,
        round=document.round_id,
        digest=stored.digest,
        size=stored.size,
        input_digest=document.input_digest,
        manifest_digest=dossier.evidence_digest,
        card_revision=dossier.card.revision,
        card_digest=dossier.card.digest,
    )


def _move(document: Document, old: tuple[DocumentStatus, ...], new: str) -> bool:
    """Compare-and-set of the status."""
    return bool(Document.objects.filter(pk=document.pk, status__in=old).update(status=new))


def _fail(document: Document, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
    Document.objects.filter(pk=document.pk, status=DocumentStatus.RENDERING).update(
        status=DocumentStatus.ERROR, error=reason, finished_at=clock.now()
    )
