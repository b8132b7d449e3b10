"""Impact assessments of a model's use: revisions, signatures, notifications. All of them append-only (migration 0001).

Deliberately missing: a state. What is in force is the newest signature; a revision after it is a draft. Nor the tier of
the model: `registry` has it, and what an assessment demands raises it there.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models import RegisteredModel


def meaning(level: str, tier: int) -> str:
    """What a signature says of the answers, as it is signed and printed."""
    return f"the answers hold; level {level}, at least tier {tier}"


class AssessmentRevision(models.Model):
    """What people had answered after one save.

    `document` are the canonical bytes (model, number, questionnaire with its digest, each answer with author and time)
    and `digest` their SHA-256; `content` is the same document for queries. An answer keeps the author of the revision
    that gave it its value. `questionnaire` names the edition, which stays readable for ever.
    """

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="assessments")
    number = models.PositiveIntegerField()
    questionnaire = models.CharField(max_length=64)
    content = models.JSONField()
    document = models.BinaryField()
    digest = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="impact_revision_number_once"),
            models.CheckConstraint(
                condition=models.Q(number__gte=1), name="impact_revision_number_from_1"
            ),
        ]

    def __str__(self) -> str:
        return f"impact assessment {self.number} of {self.model.name}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.model

    @property
    def answers(self) -> dict[str, object]:
        """The answers as they would be edited."""
        return {key: entry["value"] for key, entry in self.content["answers"].items()}


class AssessmentSignature(models.Model):
    """Somebody else than its authors signed a complete revision: from then on it is in force, until the next one is.

    `total`, `level` and `tier` are the score by `formula`; `due_on` is the day from which it must be made again.
    """

    revision = models.OneToOneField(
        AssessmentRevision, on_delete=models.PROTECT, related_name="signature"
    )
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="assessment_signatures"
    )
    total = models.PositiveSmallIntegerField()
    level = models.CharField(max_length=3)
    tier = models.PositiveSmallIntegerField()
    formula = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    comment = models.TextField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signer_name = models.CharField(max_length=255)
    statement = models.BinaryField()
    statement_digest = models.CharField(max_length=64)
    method = models.CharField(max_length=32)
    reauthenticated_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["model", "-id"], name="impact_newest_signature")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tier__range=(1, 3)), name="impact_tier_1_to_3"
            ),
            models.CheckConstraint(
                condition=models.Q(total__range=(0, 100)), name="impact_total_to_100"
            ),
        ]

    def __str__(self) -> str:
        return f"signature of {self.revision}"

    @property
    def meaning(self) -> str:
        """What the signer said by signing."""
        return meaning(self.level, self.tier)


class AuthorityNotification(models.Model):
    """The market surveillance authority was told of an assessment in force (EU AI Act Art. 27(3)): when, under what."""

    signature = models.ForeignKey(
        AssessmentSignature, on_delete=models.PROTECT, related_name="notifications"
    )
    authority = models.CharField(max_length=200)
    reference = models.CharField(max_length=200)
    notified_on = models.DateField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.authority} told of {self.signature.revision}"
