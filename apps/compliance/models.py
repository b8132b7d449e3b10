"""Issued documents, what people state for them, and batches of them.

A document is rendered from a dossier that was assembled and stored when it was asked for: rendering
it again gives the same bytes. Deliberately missing: any path by which a ready document changes.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from apps.compliance.form_models import DocumentForm as DocumentForm
from apps.compliance.form_models import Form as Form
from apps.compliance.use_models import UseAcknowledgement as UseAcknowledgement
from apps.core.models import Blob
from apps.registry.models import ModelVersion, RegisteredModel


class DocumentKind(models.TextChoices):
    MODEL_CARD = "model_card", "Model card"
    LL144_REPORT = "ll144_report", "Bias audit report (NYC Local Law 144)"
    ANNEX_IV_DOSSIER = "annex_iv_dossier", "Technical documentation (EU AI Act, Annex IV)"
    IMPACT_REPORT = "impact_report", "Impact assessment (FRIA and DPIA)"


class DocumentStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RENDERING = "rendering", "Being made"
    READY = "ready", "Ready"
    ERROR = "error", "Could not be made"

    @property
    def tone(self) -> str:
        """How the status chip looks (templates/ui)."""
        return {"queued": "neutral", "rendering": "info", "ready": "good", "error": "bad"}[self]


class DocumentStep(models.TextChoices):
    """Where a worker is with a document."""

    READING = "reading", "reading the facts"
    LAYING_OUT = "laying_out", "laying out the pages"
    SIGNING = "signing", "signing"
    STORING = "storing", "storing"


class Document(models.Model):
    """One document about one version.

    `input_digest` is the digest of everything it says, without the ledger's present head: the same
    facts asked for again give the same document. `dossier` holds those facts. `review_id` and
    `round_id` name the evidence, null for a version that was never submitted. `digest` is that of the
    signed file; `render_digest` that of its first bytes, before the key `signed_by` signed them: these
    can be made again, a signature cannot. `as_of`: it is the card as it stood then. Both are empty for documents of before there were signatures.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(
        max_length=16, choices=DocumentKind.choices, default=DocumentKind.MODEL_CARD
    )
    review_id = models.BigIntegerField(null=True, blank=True)
    round_id = models.BigIntegerField(null=True, blank=True)
    status = models.CharField(
        max_length=10, choices=DocumentStatus.choices, default=DocumentStatus.QUEUED
    )
    step = models.CharField(
        max_length=10, choices=DocumentStep.choices, default="", blank=True, editable=False
    )
    input_digest = models.CharField(max_length=64)
    dossier = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    html_digest = models.CharField(max_length=64, default="", blank=True)
    blob = models.ForeignKey(
        Blob, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    digest = models.CharField(max_length=64, default="", blank=True)
    render_digest = models.CharField(max_length=64, default="", blank=True)
    signed_by = models.CharField(max_length=64, default="", blank=True)
    size = models.BigIntegerField(default=0)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    as_of = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "kind", "input_digest"], name="compliance_same_facts_once"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=DocumentStatus.values),
                name="compliance_document_status_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="ready")
                | (models.Q(blob__isnull=False) & models.Q(digest=models.F("blob_id"))),
                name="compliance_ready_has_its_bytes",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="error") | ~models.Q(error=""),
                name="compliance_error_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.version}"

    @property
    def state(self) -> DocumentStatus:
        return DocumentStatus(self.status)

    @property
    def title(self) -> str:
        """What it is, with the day it is about where it is not about today."""
        kind = str(self.get_kind_display())
        return f"{kind} as of {self.as_of:%Y-%m-%d %H:%M}" if self.as_of else kind

    @property
    def is_ready(self) -> bool:
        return self.status == DocumentStatus.READY

    @property
    def is_open(self) -> bool:
        """Whether a worker still has to do something."""
        return self.status in {DocumentStatus.QUEUED, DocumentStatus.RENDERING}

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model


class ReportStatement(models.Model):
    """What a person states for the reports of one kind about a version; every save is a row, the newest counts.

    Append-only. `texts` are the fields of the kind that were filled in, `digest` that of all that the row says.
    """

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="report_statements"
    )
    kind = models.CharField(max_length=16, choices=DocumentKind.choices)
    number = models.PositiveIntegerField()
    texts = models.JSONField()
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "kind", "number"], name="compliance_statement_numbered_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["ll144_report", "annex_iv_dossier"]),
                name="compliance_statement_kind_takes_one",
            ),
            models.CheckConstraint(
                condition=models.Q(number__gte=1), name="compliance_statement_counts_from_1"
            ),
        ]

    def __str__(self) -> str:
        return f"Statement {self.number} for {self.get_kind_display()} of {self.version}"


class ItemStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    WORKING = "working", "Being made"
    READY = "ready", "Ready"
    ERROR = "error", "Could not be made"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def tone(self) -> str:
        """How the status chip looks (templates/ui)."""
        tones = {"waiting": "neutral", "working": "info", "ready": "good", "error": "bad"}
        return tones.get(self, "quiet")


class Batch(models.Model):
    """What somebody asked for at once. Only she sees it; what she may read is asked again for each document.

    Its state is not stored but counted from its items, so that it cannot disagree with them.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=16, choices=DocumentKind.choices)
    about = models.CharField(max_length=200)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["requested_by", "-id"], name="compliance_batch_of")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.about}"


class BatchItem(models.Model):
    """One version of a batch, and the document that came of it."""

    batch = models.ForeignKey(Batch, on_delete=models.PROTECT, related_name="items")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=ItemStatus.choices, default=ItemStatus.WAITING)
    document = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    error = models.TextField(default="", blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "version"], name="compliance_version_once_in_a_batch"
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ItemStatus.values),
                name="compliance_item_status_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="ready") | models.Q(document__isnull=False),
                name="compliance_ready_item_has_its_document",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="error") | ~models.Q(error=""),
                name="compliance_item_error_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} of batch {self.batch_id}"
