"""Changes of what decides which policies count for a model, and who signed them.

A change that lets a policy go, or lowers the risk tier, is proposed by whoever manages the model and signed by somebody
else; migration 0009 refuses it otherwise. The proposal is what is signed: it never changes, and it is applied once.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models import RegisteredModel


class ModelChangeStatus(models.TextChoices):
    OPEN = "open", "Waiting for a signature"
    APPLIED = "applied", "Applied"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ModelChange(models.Model):
    """A proposal about one model.

    `before` and `after` are whole standings: {"risk_tier", "exposure", "purpose_class", "team", "tags"}; `tags` in
    `after` holds only the tags that change, null for one that is removed. `loosens` are sentences. `manifest` are the
    canonical bytes that are signed.
    """

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="changes")
    before = models.JSONField()
    after = models.JSONField()
    loosens = models.JSONField(default=list)
    reason = models.TextField()
    manifest = models.BinaryField()
    digest = models.CharField(max_length=64)
    status = models.CharField(
        max_length=10, choices=ModelChangeStatus.choices, default=ModelChangeStatus.OPEN
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(default="", blank=True)
    # applied_xact (xid8) is a column that only the triggers read and write; migration 0009.

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["model"],
                condition=models.Q(status="open"),
                name="reviews_one_open_change_per_model",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ModelChangeStatus.values),
                name="reviews_model_change_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"CHG-{self.pk}"

    @property
    def state(self) -> ModelChangeStatus:
        return ModelChangeStatus(self.status)

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.model


class ModelChangeSignature(models.Model):
    """What somebody signed about one change: one signature decides it, for or against. Append-only."""

    change = models.OneToOneField(ModelChange, on_delete=models.PROTECT, related_name="signature")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approves = models.BooleanField()
    role = models.CharField(max_length=32)
    comment = models.TextField()
    statement = models.BinaryField()
    statement_digest = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=255)
    method = models.CharField(max_length=32)
    reauthenticated_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"signature {self.pk} of {self.change}"
