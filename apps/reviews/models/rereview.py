"""That a version which was let in needs a new review, and why."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models import RegisteredModel
from apps.reviews.models.reviews import Review


class RereviewTrigger(models.TextChoices):
    """What questions an approval. A policy names those it acts on in `rereview_on`, the last two always count."""

    RECALL = "recall", "A result was recalled"
    FINDING = "finding", "A blocking finding is open"
    CHECKS = "checks", "A check does not hold any more"
    DATA = "data", "The evaluation data changed"
    USE = "use", "The use of the model changed"
    INCIDENT = "incident", "An incident"
    VENDOR = "vendor", "A change by a vendor"
    EXPIRY = "expiry", "The approval expired"
    ROLLBACK = "rollback", "An emergency rollback was not confirmed"


# Known by somebody who says so: the first two only so, the others are found in the record too.
DECLARED = (
    RereviewTrigger.INCIDENT,
    RereviewTrigger.VENDOR,
    RereviewTrigger.DATA,
    RereviewTrigger.USE,
)
ALWAYS = (RereviewTrigger.EXPIRY, RereviewTrigger.ROLLBACK)


class Rereview(models.Model):
    """The approval by this review is questioned by one thing (`item`), once. Append-only.

    Deliberately missing: a column that closes it. It stands while a version holds a target by this approval, and is
    behind us with the next approval or when the version leaves (see `apps.reviews.rereview.standing`).
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="rereviews")
    trigger = models.CharField(max_length=10, choices=RereviewTrigger.choices)
    item = models.CharField(max_length=200)
    reason = models.TextField()
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["review", "trigger", "item"], name="reviews_rereview_once"
            ),
            models.CheckConstraint(
                condition=models.Q(trigger__in=RereviewTrigger.values),
                name="reviews_rereview_trigger_known",
            ),
        ]

    def __str__(self) -> str:
        return f"re-review of REV-{self.review_id}: {self.trigger}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.review.version.model
