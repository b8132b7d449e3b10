"""What somebody has read of a review's evidence. A note to herself: it leaves no event and counts for nothing."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.reviews.models.reviews import Review


class EvidenceSection(models.TextChoices):
    """The sections of the evidence, in the order in which they are read."""

    CHANGES = "changes", "What changed"
    CHECKS = "checks", "Checks"
    CARD = "card", "Model card"
    DATA = "data", "Data"
    LINEAGE = "lineage", "Lineage"
    FILES = "files", "Files"
    FINDINGS = "findings", "Findings"


class Viewed(models.Model):
    """One person's tick at one section, for the contents that `digest` names; of other contents it says nothing."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    section = models.CharField(max_length=16, choices=EvidenceSection.choices)
    digest = models.CharField(max_length=64)
    viewed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["review", "user", "section"], name="reviews_viewed_once_a_section"
            ),
            models.CheckConstraint(
                condition=models.Q(section__in=EvidenceSection.values),
                name="reviews_viewed_section_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.section} of REV-{self.review_id}"
