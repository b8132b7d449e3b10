"""Findings about a version, their histories, and waivers of one requirement of a version.

A finding never changes: what happens to it is one more entry, signed for by bytes and digest, and `state` is
what the last entry says (a trigger holds it to that). Deliberately missing: a way to edit what was found, a way
to remove it, and a state "closed" that nobody independent has tested. Rules as triggers: migration 0004.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews.models.reviews import Review

USER = settings.AUTH_USER_MODEL


class Severity(models.TextChoices):
    CRITICAL = "critical", "Critical"
    HIGH = "high", "High"
    MEDIUM = "medium", "Medium"
    LOW = "low", "Low"

    @property
    def rank(self) -> int:
        """0 is the gravest."""
        return list(Severity).index(self)


class FindingState(models.TextChoices):
    OPEN = "open", "Open"
    RESPONDED = "responded", "Answered"
    RETEST_PASSED = "retest_passed", "Re-test passed"
    RETEST_FAILED = "retest_failed", "Re-test failed"
    CLOSED = "closed", "Closed"
    ACCEPTED = "accepted", "Residual risk accepted"

    @property
    def is_settled(self) -> bool:
        """Nothing is asked of anybody any more; a blocking finding blocks until it is."""
        return self in SETTLED


SETTLED = (FindingState.CLOSED, FindingState.ACCEPTED)


class EntryKind(models.TextChoices):
    """What happened. Each is also the state it leads to, but for the first two, which lead to `open`."""

    RAISED = "raised", "Raised"
    REOPENED = "reopened", "Re-opened"
    RESPONDED = "responded", "Answered"
    RETEST_PASSED = "retest_passed", "Re-test passed"
    RETEST_FAILED = "retest_failed", "Re-test failed"
    CLOSED = "closed", "Closed"
    ACCEPTED = "accepted", "Residual risk accepted"

    @property
    def leads_to(self) -> FindingState:
        opening = self in (EntryKind.RAISED, EntryKind.REOPENED)
        return FindingState.OPEN if opening else FindingState(self.value)


# From which states each act is possible. The trigger reviews_guard_finding_entry says the same in SQL.
POSSIBLE_FROM: dict[EntryKind, tuple[FindingState, ...]] = {
    EntryKind.RESPONDED: (
        FindingState.OPEN,
        FindingState.RESPONDED,
        FindingState.RETEST_FAILED,
    ),
    EntryKind.RETEST_PASSED: (FindingState.RESPONDED,),
    EntryKind.RETEST_FAILED: (FindingState.RESPONDED,),
    EntryKind.CLOSED: (FindingState.RETEST_PASSED,),
    EntryKind.ACCEPTED: (
        FindingState.OPEN,
        FindingState.RESPONDED,
        FindingState.RETEST_FAILED,
    ),
    EntryKind.REOPENED: SETTLED,
}


class EvidenceKind(models.TextChoices):
    MEASUREMENT = "measurement", "Measurement"
    RUN = "run", "Run"
    LINK = "link", "Link"


class Finding(models.Model):
    """Something wrong with one version, raised in a review or without one; it lives on with the version."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="findings")
    review = models.ForeignKey(
        Review, null=True, blank=True, on_delete=models.PROTECT, related_name="findings"
    )
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    text = models.TextField()
    severity = models.CharField(max_length=16, choices=Severity.choices)
    clause = models.CharField(max_length=200, default="", blank=True)
    reproduction = models.TextField(default="", blank=True)
    owner = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="owned_findings")
    due = models.DateField()
    blocking = models.BooleanField()
    raised_by = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="raised_findings")
    created_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=FindingState.choices, default=FindingState.OPEN)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["owner", "state", "due"], name="reviews_finding_owner"),
            models.Index(fields=["raised_by", "state", "due"], name="reviews_finding_raiser"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "number"], name="reviews_finding_number_once"
            ),
            models.CheckConstraint(
                condition=models.Q(severity__in=Severity.values), name="reviews_severity_known"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=FindingState.values),
                name="reviews_finding_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.version}"

    @property
    def key(self) -> str:
        """As people say it; unique within its version."""
        return f"F-{self.number}"

    @property
    def is_settled(self) -> bool:
        return FindingState(self.state).is_settled

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model


class FindingEntry(models.Model):
    """One thing that happened to a finding. Append-only; `statement` are its canonical bytes, whose digest is in
    the ledger. `method` and `reauthenticated_at` are set where the act took a proof of who it was."""

    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, related_name="entries")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=EntryKind.choices)
    text = models.TextField()
    evidence_kind = models.CharField(
        max_length=16, choices=EvidenceKind.choices, default="", blank=True
    )
    evidence = models.TextField(default="", blank=True)
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=64, default="", blank=True)
    method = models.CharField(max_length=32, default="", blank=True)
    reauthenticated_at = models.DateTimeField(null=True, blank=True)
    statement = models.BinaryField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["finding", "number"], name="reviews_finding_entry_once"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=EntryKind.values), name="reviews_entry_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(evidence_kind__in=["", *EvidenceKind.values]),
                name="reviews_entry_evidence_known",
            ),
        ]

    def __str__(self) -> str:
        return f"finding {self.finding_id} entry {self.number}: {self.kind}"


class Waiver(models.Model):
    """One requirement of one version, put aside until `expires_at` by a signature. Append-only.

    `statement` are the canonical bytes that were signed, `statement_digest` is in the ledger.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="waivers")
    requirement = models.CharField(max_length=64)
    reason = models.TextField()
    expires_at = models.DateTimeField()
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=255)
    statement = models.BinaryField()
    statement_digest = models.CharField(max_length=64)
    method = models.CharField(max_length=32)
    reauthenticated_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["version", "expires_at"], name="reviews_waiver_in_force")]

    def __str__(self) -> str:
        return f"waiver of {self.requirement} for {self.version}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model


class WaiverRevocation(models.Model):
    """The end of a waiver before its expiry. Append-only; a waiver is revoked once."""

    waiver = models.OneToOneField(Waiver, on_delete=models.PROTECT, related_name="revocation")
    reason = models.TextField()
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"revocation of waiver {self.waiver_id}"
