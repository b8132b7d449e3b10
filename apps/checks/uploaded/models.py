"""Results that other tools made, as they were uploaded. Append-only; a recall is a row of its own.

Deliberately missing: any way to change or remove one, and a status: the newest of a name that was not recalled stands.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from apps.checks.uploaded.reading import Format, Outcome
from apps.core.models import Blob
from apps.registry.models import ModelVersion, RegisteredModel


class ToolNamed(models.TextChoices):
    """Who says which tool it was."""

    FILE = "file", "said by the file"
    UPLOADER = "uploader", "said by the uploader"


class UploadedResult(models.Model):
    """One file about one version, and what was read from it.

    `name` is what policies and people call it; the same bytes come in once under one name. `reading` is
    `apps.checks.uploaded.reading.Reading`, which the bytes give again at any time; `reading_digest` is in the ledger. `ran_at` is the file's
    claim, `uploaded_at` what is known here.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="uploaded_results"
    )
    name = models.CharField(max_length=100)
    format = models.CharField(max_length=8, choices=Format.choices)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    tool = models.CharField(max_length=100)
    tool_version = models.CharField(max_length=100, default="", blank=True)
    tool_named_by = models.CharField(max_length=8, choices=ToolNamed.choices)
    file_name = models.CharField(max_length=200, default="", blank=True)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    reading = models.JSONField()
    reading_digest = models.CharField(max_length=64)
    ran_at = models.DateTimeField(null=True, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["version", "name", "-id"], name="checks_uploaded_newest"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "name", "digest"], name="checks_uploaded_once"
            ),
            models.CheckConstraint(
                condition=models.Q(format__in=Format.values), name="checks_uploaded_format_known"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=Outcome.values), name="checks_uploaded_outcome_known"
            ),
            models.CheckConstraint(
                condition=models.Q(tool_named_by__in=ToolNamed.values),
                name="checks_uploaded_tool_named",
            ),
            models.CheckConstraint(
                condition=~models.Q(name="") & ~models.Q(tool="") & ~models.Q(reading_digest=""),
                name="checks_uploaded_says_what",
            ),
            models.CheckConstraint(
                condition=models.Q(digest=models.F("blob_id")),
                name="checks_uploaded_digest_is_blob",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.version}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model


class UploadedRecall(models.Model):
    """Somebody declared an uploaded result wrong. It is kept, marked, and no longer counts anywhere. Append-only."""

    uploaded = models.OneToOneField(UploadedResult, on_delete=models.PROTECT, related_name="recall")
    reason = models.TextField()
    recalled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recalled_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(reason=""), name="checks_uploaded_recall_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"recall of {self.uploaded}"
