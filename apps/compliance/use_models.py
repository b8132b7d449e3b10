"""That people read what a model may be used for."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models import ModelVersion, RegisteredModel


class UseAcknowledgement(models.Model):
    """One person read the intended and prohibited uses of one version in one wording. Append-only.

    `uses_digest` is the digest of that wording: another wording asks again. `card_revision` and `card_digest` say in
    which revision of the card it stood. With a `service`, the person, who answered for it, said so for that program.
    """

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="acknowledgements"
    )
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    service = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    uses_digest = models.CharField(max_length=64)
    card_revision = models.PositiveIntegerField()
    card_digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "user", "uses_digest"],
                condition=models.Q(service__isnull=True),
                name="compliance_acknowledged_once",
            ),
            models.UniqueConstraint(
                fields=["version", "user", "uses_digest", "service"],
                condition=models.Q(service__isnull=False),
                name="compliance_acknowledged_once_for_service",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} of {self.version}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model
