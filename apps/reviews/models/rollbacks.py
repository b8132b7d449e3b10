"""Emergency rollbacks: one person puts a version back, others say afterwards whether that was right."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models import Authorization, ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews.models.policies import PolicyVersion

USER = settings.AUTH_USER_MODEL


class Rollback(models.Model):
    """A version was put back into one target on the strength of the approval it once entered by. Append-only.

    `earlier` is the authorization it entered by before, `authorization` the one minted for this rollback, which stands on
    this row instead of on signatures of its own (migration 0016). `policy_version` has the emergency path that was taken.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="rollbacks")
    target_kind = models.CharField(max_length=16)
    target_name = models.CharField(max_length=255)
    replaced = models.ForeignKey(
        ModelVersion, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    earlier = models.ForeignKey(Authorization, on_delete=models.PROTECT, related_name="+")
    authorization = models.OneToOneField(
        Authorization, on_delete=models.PROTECT, related_name="rollback"
    )
    policy_version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    review_by = models.DateTimeField()
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    statement = models.BinaryField()
    statement_digest = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=255)
    method = models.CharField(max_length=32)
    reauthenticated_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """As people say it."""
        return f"RB-{self.pk}"

    @property
    def target(self) -> Target:
        return Target(self.target_kind, self.target_name)

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model


class RollbackReview(models.Model):
    """What somebody else signed about a rollback afterwards: that it was right, or not. Append-only, one a rollback."""

    rollback = models.OneToOneField(Rollback, on_delete=models.PROTECT, related_name="review")
    role = models.CharField(max_length=32)
    accepts = models.BooleanField()
    comment = models.TextField()
    user = models.ForeignKey(USER, on_delete=models.PROTECT, related_name="+")
    statement = models.BinaryField()
    statement_digest = models.CharField(max_length=64)
    signer_name = models.CharField(max_length=255)
    method = models.CharField(max_length=32)
    reauthenticated_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"review of {self.rollback}"
