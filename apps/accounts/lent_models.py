"""Roles that end by themselves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.core import clock


class LentRole(models.Model):
    """A role on one registered model that a person holds until a moment, or until it is taken back before (`ended_at`).

    It counts by the clock, not by a task that would have to run: at `until` it is over. `grounds` say why she has it
    ("engagement:<uuid>"); two grounds are two rows, and the one that ends leaves the other alone.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="lent_roles"
    )
    role = models.ForeignKey("accounts.Role", on_delete=models.PROTECT, related_name="+")
    model_id = models.BigIntegerField()
    grounds = models.CharField(max_length=100)
    since = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["user", "model_id"],
                condition=Q(ended_at__isnull=True),
                name="accounts_lentrole_held",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "model_id", "grounds"], name="lentrole_once"
            ),
            models.CheckConstraint(condition=Q(until__gt=models.F("since")), name="lentrole_lasts"),
        ]

    def __str__(self) -> str:
        return f"{self.role_id} on model:{self.model_id} for {self.user} until {self.until:%Y-%m-%d %H:%M}"


def in_force() -> Q:
    """The filter that leaves the roles that are held at this moment."""
    return Q(ended_at__isnull=True, until__gt=clock.now())
