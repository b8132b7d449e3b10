"""A request for review that a client asked for and nobody has made yet."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target


class DraftStatus(models.TextChoices):
    OPEN = "open", "Draft"
    SUBMITTED = "submitted", "Submitted"
    DISCARDED = "discarded", "Discarded"


class ReviewDraft(models.Model):
    """Somebody tried to promote a version and said that a refusal should become a request. It freezes and signs nothing.

    No status of a review: whatever acts on reviews cannot take it for one.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="drafts")
    targets = ArrayField(models.CharField(max_length=300))
    reason = models.TextField()
    status = models.CharField(max_length=10, choices=DraftStatus.choices, default=DraftStatus.OPEN)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=models.Q(status="open"),
                name="reviews_one_open_draft_per_version",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=DraftStatus.values),
                name="reviews_draft_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"draft {self.pk} of {self.version_id}"

    @property
    def target_list(self) -> list[Target]:
        return [Target.parse(text) for text in self.targets]

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model
