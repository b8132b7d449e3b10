"""Policies: immutable versions, proposed changes with their signatures, and what is in force.

A policy is a key. Its versions never change; which one is in force is told by the newest activation of the key.
An activation stands only on a change that enough people signed, none of whom proposed it (migration 0005).

Deliberately missing: an "active" flag on a version, which somebody could set.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class PolicyVersion(models.Model):
    """One immutable version of a policy document (see apps.reviews.policies.document).

    `parts` are the ids of the versions that this one combines, empty for a policy somebody wrote.
    """

    key = models.CharField(max_length=200)
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64, unique=True)
    parts = ArrayField(models.BigIntegerField(), default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["key", "number"], name="reviews_policy_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.number}"

    @property
    def title(self) -> str:
        return str(self.document["title"])


class ChangeStatus(models.TextChoices):
    OPEN = "open", "Waiting for signatures"
    SCHEDULED = "scheduled", "Signed, not yet in force"
    ACTIVATED = "activated", "In force"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


# Not decided, or signed and not yet in force: one a policy at most.
PENDING = (ChangeStatus.OPEN, ChangeStatus.SCHEDULED)


class PolicyChange(models.Model):
    """A proposal: to put `version` in force instead of `replaces`, or with no version to retire the policy.

    `manifest` are the canonical bytes people sign: both digests, what it loosens, how many must sign, and from when on it
    is to be in force (`effective_at`; none: from the last signature on).
    """

    key = models.CharField(max_length=200)
    version = models.ForeignKey(
        PolicyVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="changes"
    )
    replaces = models.ForeignKey(
        PolicyVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField()
    loosens = models.JSONField(default=list)
    needed = models.PositiveSmallIntegerField()
    manifest = models.BinaryField()
    digest = models.CharField(max_length=64)
    status = models.CharField(
        max_length=10, choices=ChangeStatus.choices, default=ChangeStatus.OPEN
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField()
    effective_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(status__in=["open", "scheduled"]),
                name="reviews_one_pending_change_per_policy",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ChangeStatus.values),
                name="reviews_change_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"POL-{self.pk}"

    @property
    def state(self) -> ChangeStatus:
        return ChangeStatus(self.status)


class PolicySignature(models.Model):
    """What one person signed about one change: the statement's bytes, and its digest in the ledger. Append-only."""

    change = models.ForeignKey(PolicyChange, on_delete=models.PROTECT, related_name="signatures")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    approves = models.BooleanField()
    comment = models.TextField()
    statement = models.BinaryField()
    statement_digest = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=255)
    method = models.CharField(max_length=32)
    reauthenticated_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["change", "user"], name="reviews_one_signature_per_change_and_person"
            )
        ]

    def __str__(self) -> str:
        return f"signature {self.pk} of {self.change}"


class PolicyActivation(models.Model):
    """From now on `version` is in force for the key; none: the policy is retired. Append-only.

    Only the activation that the product came with has no change behind it.
    """

    key = models.CharField(max_length=200)
    version = models.ForeignKey(
        PolicyVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="activations"
    )
    change = models.OneToOneField(
        PolicyChange, null=True, blank=True, on_delete=models.PROTECT, related_name="activation"
    )
    activated_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["key", "-id"], name="reviews_activation_latest")]

    def __str__(self) -> str:
        return f"{self.key}: {self.version or 'retired'}"
