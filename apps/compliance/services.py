"""Asking for documents, and making them in the worker."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from apps.accounts import policy
from apps.audits import keys
from apps.audits.log import verb
from apps.compliance import as_of, documents, kinds, selectors, statements
from apps.compliance.events import DocumentIssued
from apps.compliance.kinds import Kind
from apps.compliance.models import (
    Document,
    DocumentKind,
    DocumentStatus,
    DocumentStep,
    ReportStatement,
)
from apps.compliance.reports.base import Assembled
from apps.core import blobs, canonical, clock, outbox
from apps.core.actor import Actor
from apps.core.errors import Blocked, NotFound
from apps.core.models import Blob
from apps.modelcards import dossier as dossiers
from apps.modelcards.dossier import Dossier
from apps.registry.models import ModelVersion

log = logging.getLogger(__name__)

TASK = "apps.compliance.tasks.render_document"
WORKER = Actor.system("worker")
_LONGEST_ERROR = 1000


def request_document(
    actor: Actor,
    version: ModelVersion,
    kind: str = DocumentKind.MODEL_CARD,
    at: dt.datetime | None = None,
) -> Document:
    """A document of this kind about this version; made in the worker unless it already is.

    With `at` it is the model card as it stood then; see `as_of.assemble` for what is refused.

    The facts are assembled and frozen now. Asked for again while nothing has changed, the same
    document is returned; one that could not be made is tried again. Refuses who may not read the
    version, a deleted version, a kind that does not exist (NotFound) or cannot be made of this version (Conflict, in
    words), and (Tampered) evidence whose bytes are not what was signed.
    """
    policy.require(actor, selectors.READ, version)
    if version.deleted_at is not None:
        raise NotFound("This version was deleted; no document is made about it.")
    _admit_key()
    wanted = kinds.get(kind)
    kinds.require(wanted, version)
    found = wanted.assemble(version) if at is None else as_of.assemble(wanted, version, at)
    digest = documents.input_digest(found.dossier)
    same = selectors.documents(version).filter(kind=wanted.key, input_digest=digest).first()
    return _again(actor, same) if same else _queued(actor, version, wanted, found, at)


def _queued(
    actor: Actor, version: ModelVersion, kind: Kind, made: Assembled, at: dt.datetime | None
) -> Document:
    stored = blobs.put_bytes(dossiers.to_json(made.dossier))
    with verb(actor):
        document, created = Document.objects.get_or_create(
            version=version,
            kind=kind.key,
            input_digest=documents.input_digest(made.dossier),
            defaults={
                "review_id": made.review_id,
                "round_id": made.round_id,
                "as_of": at,
                "dossier": stored,
                "requested_by_id": actor.user_id,
                "created_at": clock.now(),
            },
        )
        if created:
            outbox.enqueue(TASK, {"document": document.pk})
    return document


def _admit_key() -> None:
    """The document encloses the public key it will be signed with. Where there is none the worker says so."""
    with suppress(Blocked):
        keys.document_key(WORKER)


def record_statement(
    actor: Actor, version: ModelVersion, kind: str, given: Mapping[str, Any], base: int
) -> ReportStatement:
    """What a person states for reports of this kind; see `statements.record` for what is refused."""
    wanted = kinds.stated(kind)
    return statements.record(
        actor, version, wanted.key, given, base, fields=wanted.fields, together=wanted.together
    )


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
    """Render a queued document, sign and issue it; run twice, it is issued once.

    Killed after signing and before issuing, the next run signs anew: what was signed first is in no
    table and no ledger, and nobody got it.

    Whatever goes wrong with the document itself leaves it in `error` with the reason, to be tried
    again by asking for it. A database that is down is no such reason: the exception goes on, and the
    outbox tries later.
    """
    document = Document.objects.select_related("version__model").get(pk=document_id)
    if not _move(document, (DocumentStatus.QUEUED, DocumentStatus.RENDERING), "rendering"):
        return
    try:
        _step(document, DocumentStep.READING)
        dossier = selectors.read_dossier(document)
        html, made = _made(document, dossier)
        _step(document, DocumentStep.STORING)
        stored = blobs.put_bytes(made.data)
    except Exception as error:
        log.exception("compliance: a document could not be made", extra={"document": document_id})
        _fail(document, error)
        return
    _issue(document, dossier, canonical.digest(html.encode()), made, stored)


def _made(document: Document, dossier: Dossier) -> tuple[str, documents.Signed]:
    """Laid out and signed; every kind goes this way."""
    _step(document, DocumentStep.LAYING_OUT)
    html = documents.render_html(dossier)
    rendered = documents.render_pdf(dossier)
    _step(document, DocumentStep.SIGNING)
    return html, documents.signed(rendered, keys.document_key(WORKER), dossier.document)


def _step(document: Document, step: DocumentStep) -> None:
    """Where the worker is, for whoever watches; it decides nothing."""
    rendering = Document.objects.filter(pk=document.pk, status=DocumentStatus.RENDERING)
    rendering.update(step=step)


def _issue(
    document: Document, dossier: Dossier, html_digest: str, made: documents.Signed, stored: Blob
) -> None:
    """Ready, and in the ledger, in one transaction; whoever comes second finds it done."""
    with verb(WORKER) as v:
        done = Document.objects.filter(pk=document.pk, status=DocumentStatus.RENDERING).update(
            status=DocumentStatus.READY,
            html_digest=html_digest,
            blob=stored,
            digest=stored.digest,
            size=stored.size,
            render_digest=made.render_digest,
            signed_by=made.key_id,
            step="",
            finished_at=clock.now(),
        )
        if done:
            v.record(_issued(document, dossier, made, stored))


def _issued(
    document: Document, dossier: Dossier, made: documents.Signed, stored: Blob
) -> DocumentIssued:
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
        render_digest=made.render_digest,
        signed_by=made.key_id,
        input_digest=document.input_digest,
        manifest_digest=dossier.evidence_digest,
        card_revision=dossier.card.revision,
        card_digest=dossier.card.digest,
        at=dossier.at,
    )


def _move(document: Document, old: tuple[DocumentStatus, ...], new: str) -> bool:
    """Compare-and-set of the status."""
    return bool(Document.objects.filter(pk=document.pk, status__in=old).update(status=new))


def _fail(document: Document, error: Exception) -> None:
    told = str(error) if isinstance(error, Blocked) else f"{type(error).__name__}: {error}"
    reason = told[:_LONGEST_ERROR]
    Document.objects.filter(pk=document.pk, status=DocumentStatus.RENDERING).update(
        status=DocumentStatus.ERROR, step="", error=reason, finished_at=clock.now()
    )
