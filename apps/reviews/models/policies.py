"""Policies and their immutable versions."""

from __future__ import annotations

from django.db import models


class PolicyVersion(models.Model):
    """One immutable version of a policy document (see apps.reviews.policies.document)."""

    key = models.SlugField(max_length=64)
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["key", "number"], name="reviews_policy_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} v{self.number}"
