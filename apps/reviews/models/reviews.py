"""Reviews, rounds of evidence, decisions.

A review asks for one or more targets for one version under a pinned policy version. A round is an
immutable manifest of what is to be signed. A decision is about exactly one round.

Deliberately missing: a stored "void" on a decision. A decision counts while its round lives; a dead round
says why it died. Rules as constraints and triggers: migration 0002.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import TruncDate

from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews.models.policies import PolicyVersion


class ReviewStatus(models.TextChoices):
    OPEN = "open", "In review"
    CHANGES_REQUESTED = "changes_requested", "Changes requested"
    SIGNED = "signed", "Signed, not promoted"
    PROMOTED = "promoted", "Approved"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"

    @property
    def tone(self) -> str:
        """How the status chip looks (templates/ui)."""
        return _TONES[self]

    @property
    def is_active(self) -> bool:
        return self in ACTIVE


_TONES = {
    ReviewStatus.OPEN: "info",
    ReviewStatus.CHANGES_REQUESTED: "warn",
    ReviewStatus.SIGNED: "warn",
    ReviewStatus.PROMOTED: "good",
    ReviewStatus.REJECTED: "bad",
    ReviewStatus.WITHDRAWN: "quiet",
    ReviewStatus.EXPIRED: "warn",
}
ACTIVE = (ReviewStatus.OPEN, ReviewStatus.CHANGES_REQUESTED, ReviewStatus.SIGNED)


class Review(models.Model):
    """A request to let one version enter `targets` ("stage:production", "alias:champion").

    `wanted_by` is the day (UTC) by which the submitter would like it to be there. It is a wish: no deadline, gate or
    expiry follows from it. Those are the policy's.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="reviews")
    targets = models.JSONField()
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=20, choices=ReviewStatus.choices, default=ReviewStatus.OPEN
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="submitted_reviews"
    )
    justification = models.TextField()
    wanted_by = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["status", "-created_at"], name="reviews_review_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=models.Q(status__in=[status.value for status in ACTIVE]),
                name="reviews_one_active_review_per_version",
            ),
            models.CheckConstraint(
                condition=models.Q(wanted_by__gte=TruncDate("created_at", tzinfo=dt.UTC)),
                name="reviews_wanted_by_not_past",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """As people say it."""
        return f"REV-{self.pk}"

    @property
    def target_list(self) -> list[Target]:
        return [Target.parse(text) for text in self.targets]

    @property
    def state(self) -> ReviewStatus:
        return ReviewStatus(self.status)

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model


class Round(models.Model):
    """One immutable manifest of evidence. `voided_at` ends it; nothing brings it back.

    `manifest` are the canonical bytes people sign for, `digest` their SHA-256, `authors` the users who
    may not decide on it (computed when the round was made), `owner` the owner of record then, `ledger_size` the
    ledger's size then.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="rounds")
    number = models.PositiveIntegerField()
    manifest = models.BinaryField()
    digest = models.CharField(max_length=64)
    authors = ArrayField(models.BigIntegerField())
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    ledger_size = models.BigIntegerField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    voided_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["review", "number"], name="reviews_round_number_once"),
            models.UniqueConstraint(
                fields=["review"],
                condition=models.Q(voided_at__isnull=True),
                name="reviews_one_live_round",
            ),
        ]

    def __str__(self) -> str:
        return f"REV-{self.review_id} round {self.number}"

    @property
    def is_live(self) -> bool:
        return self.voided_at is None


class Outcome(models.TextChoices):
    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"
    REQUEST_CHANGES = "request_changes", "Request changes"

    @property
    def meaning(self) -> str:
        """The meaning of the signature, as 21 CFR 11.50(a)(3) asks for it."""
        return _MEANINGS[self]

    @property
    def tone(self) -> str:
        return {"approve": "good", "reject": "bad", "request_changes": "warn"}[self.value]


_MEANINGS = {
    Outcome.APPROVE: "approved",
    Outcome.REJECT: "rejected",
    Outcome.REQUEST_CHANGES: "changes requested",
}


class Decision(models.Model):
    """What one person decided about one round, with the statement signed. Append-only.

    Who signs under a delegation signs in her own name; `on_behalf_of` is who gave it, and the two count as one.

    `statement` are the canonical bytes of the signed sentence: round digest, version, targets, outcome,
    meaning, comment, signer, role, time and method of re-authentication. `statement_digest` is in the ledger.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="decisions")
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="decisions")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="decisions"
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    delegation = models.ForeignKey(
        "reviews.Delegation", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    step = models.CharField(max_length=64)
    role = models.CharField(max_length=32)
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    meaning = models.CharField(max_length=64)
    comment = models.TextField()
    evidence_digest = models.CharField(max_length=64)
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
                fields=["round", "user"], name="reviews_one_decision_per_person"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=Outcome.values), name="reviews_outcome_known"
            ),
        ]

    def __str__(self) -> str:
        return f"decision {self.pk}: {self.outcome}"

    @property
    def people(self) -> frozenset[int]:
        """Who stands behind it: the signer, and whoever she signed for."""
        both = (self.user_id, self.on_behalf_of_id)
        return frozenset(person for person in both if person is not None)
