"""Environments, what may run in them, and what was recorded as running there.

Two times are kept apart: when something ran (`started_at`, `ended_at`, `since`: valid time, which answers "what was
in production on that day?") and when that was written down (`recorded_at`, and the ledger). Migration 0008 holds the
rules in plain SQL.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property

LARGEST_SHARE = 100


class Environment(models.Model):
    """A place where versions run: `key` is case-folded and never changes. A retired one takes nothing new."""

    key = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=200)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(key__regex=r"^[a-z0-9][a-z0-9._-]{0,63}$"),
                name="registry_environment_key_folded",
            )
        ]

    def __str__(self) -> str:
        return self.key


class EnvironmentEntry(models.Model):
    """A version may run in a governed environment: the authorization that was spent on it, once.

    Several versions of one model may be in an environment at a time. `environment` is the key, not a row: a policy
    governs an environment by name, whether or not somebody has added it.
    """

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="+"
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, related_name="environment_entries"
    )
    environment = models.CharField(max_length=255)
    authorization = models.OneToOneField(
        "registry.Authorization", on_delete=models.PROTECT, related_name="environment_entry"
    )
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "environment"],
                condition=models.Q(left_at__isnull=True),
                name="registry_one_live_entry",
            )
        ]

    def __str__(self) -> str:
        return f"{self.version} in {self.environment}"


class Deployment(models.Model):
    """What ran where from when to when, with which share of the traffic, by whose word and by which approval.

    `authorization` is the spent one behind a governed deployment; without one (`governed` is false) nobody had to
    approve it. `traffic` is the share in percent since `traffic_since`; the shares before are in DeploymentShare.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.PROTECT, related_name="deployments"
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, related_name="deployments"
    )
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, related_name="deployments"
    )
    governed = models.BooleanField()
    authorization = models.ForeignKey(
        "registry.Authorization",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="deployments",
    )
    traffic = models.DecimalField(max_digits=5, decimal_places=2)
    traffic_since = models.DateTimeField()
    place = models.CharField(max_length=500, default="", blank=True)
    started_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    end_reason = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["model", "-started_at"], name="registry_deployment_of_model"),
            models.Index(fields=["environment", "-started_at"], name="registry_deployment_in_env"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "environment", "place"],
                condition=models.Q(ended_at__isnull=True),
                name="registry_one_running_per_place",
            ),
            models.CheckConstraint(
                condition=models.Q(traffic__gte=0, traffic__lte=LARGEST_SHARE),
                name="registry_deployment_share_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True)
                | models.Q(ended_at__gte=models.F("traffic_since")),
                name="registry_deployment_in_order",
            ),
            models.CheckConstraint(
                condition=models.Q(governed=True, authorization__isnull=False)
                | models.Q(governed=False, authorization__isnull=True),
                name="registry_deployment_by_approval",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} in {self.environment}"

    @property
    def is_running(self) -> bool:
        return self.ended_at is None

    @cached_property
    def share_text(self) -> str:
        """The share as it is recorded and shown: `100`, `12.5`."""
        return share_text(self.traffic)


class DeploymentShare(models.Model):
    """A share of the traffic from a moment on. Written by the trigger of the deployment, never otherwise."""

    deployment = models.ForeignKey(Deployment, on_delete=models.PROTECT, related_name="shares")
    traffic = models.DecimalField(max_digits=5, decimal_places=2)
    since = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["deployment", "since"], name="registry_share_since")]

    def __str__(self) -> str:
        return f"{share_text(self.traffic)} % since {self.since:%Y-%m-%d %H:%M}"


def share_text(share: object) -> str:
    """A percentage without empty decimals, the same for `25` and `25.00`."""
    text = f"{share:.2f}"
    return text.rstrip("0").rstrip(".")
