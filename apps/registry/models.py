"""Registered models, their versions, aliases, and what it takes to enter a governed target.

Deliberately missing: who reviewed a version (apps.reviews), what was measured (apps.checks), and any
way to delete a row: deleting hides, because numbers and names stay part of the record. The rules that
matter most are constraints and triggers; migration 0002 holds them in plain SQL.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from apps.accounts.models import ROLE_PERMISSIONS, Team
from apps.core.models import Blob
from apps.experiments.models import LoggedModel, Run
from apps.registry.deployment_models import Deployment as Deployment
from apps.registry.deployment_models import DeploymentShare as DeploymentShare
from apps.registry.deployment_models import Environment as Environment
from apps.registry.deployment_models import EnvironmentEntry as EnvironmentEntry
from apps.registry.retirement_models import ModelRetirement as ModelRetirement

if TYPE_CHECKING:
    from apps.registry.targets import Target


class Governance(models.TextChoices):
    GOVERNED = "governed", "Governed"
    SANDBOX = "sandbox", "Sandbox (ungoverned)"


class Exposure(models.TextChoices):
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class PurposeClass(models.TextChoices):
    INFORMATIONAL = "informational", "Informs people"
    OPERATIONAL = "operational", "Runs operations"
    DECISION = "decision", "Decides about people or money"


class Stage(models.TextChoices):
    NONE = "None", "None"
    STAGING = "Staging", "Staging"
    PRODUCTION = "Production", "Production"
    ARCHIVED = "Archived", "Archived"


class RegisteredModel(models.Model):
    """A name under which versions are registered. `deleted_at` frees the name; the row stays. A model that is retired
    (`retired_at`) is read for ever and takes nothing new; `successor` is what takes its place, if anything does."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_models"
    )
    governance = models.CharField(
        max_length=10, choices=Governance.choices, default=Governance.GOVERNED
    )
    description = models.TextField(default="", blank=True)
    purpose = models.TextField(default="", blank=True)
    exposure = models.CharField(max_length=10, choices=Exposure.choices, default=Exposure.HIGH)
    purpose_class = models.CharField(
        max_length=15, choices=PurposeClass.choices, default=PurposeClass.DECISION
    )
    risk_tier = models.PositiveSmallIntegerField(default=1)
    # At least this tier, whatever exposure and purpose make: what the impact assessment in force demands. 3 demands nothing.
    demanded_tier = models.PositiveSmallIntegerField(default=3, db_default=3)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    successor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="predecessors"
    )

    class Meta:
        permissions = ROLE_PERMISSIONS
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(deleted_at__isnull=True),
                name="registry_model_name_taken",
            ),
            models.CheckConstraint(
                condition=models.Q(governance__in=Governance.values),
                name="registry_model_governance_known",
            ),
            models.CheckConstraint(
                condition=models.Q(risk_tier__range=(1, 3)), name="registry_model_tier_1_to_3"
            ),
            models.CheckConstraint(
                condition=models.Q(demanded_tier__range=(1, 3)),
                name="registry_model_demanded_tier_1_to_3",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_governed(self) -> bool:
        return self.governance == Governance.GOVERNED

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self


class ModelUserRole(UserObjectPermissionBase):
    """A role granted to a person on one model."""

    content_object = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE)


class ModelGroupRole(GroupObjectPermissionBase):
    """A role granted to a group on one model."""

    content_object = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE)


class ModelTag(models.Model):
    model = models.ForeignKey(RegisteredModel, on_delete=models.CASCADE, related_name="tags")
    key = models.CharField(max_length=250)
    value = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["model", "key"], name="registry_model_tag_once")
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class ModelVersion(models.Model):
    """One version: immutable files, a source, a stage.

    `manifest` is the sorted list of {"path", "digest", "size"} of its files, fixed at registration,
    and `manifest_digest` its canonical digest. `stage_slot` is the case-folded governed stage it
    holds (set by the trigger, null outside governed stages). `submitted_review` names the review
    that froze it, `decided` says that somebody signed something about it: neither is ever cleared
    by anything but a withdrawal before the first decision.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    label = models.CharField(max_length=64, default="", blank=True)
    stage = models.CharField(
        max_length=16, choices=Stage.choices, default=Stage.NONE, db_default="None"
    )
    stage_slot = models.CharField(max_length=16, null=True, editable=False)  # noqa: DJ001
    source = models.TextField(default="", blank=True)
    run = models.ForeignKey(
        Run, null=True, blank=True, on_delete=models.PROTECT, related_name="versions"
    )
    run_uuid = models.CharField(max_length=64, default="", blank=True)
    run_link = models.TextField(default="", blank=True)
    logged_model = models.ForeignKey(
        LoggedModel, null=True, blank=True, on_delete=models.PROTECT, related_name="versions"
    )
    description = models.TextField(default="", blank=True)
    manifest = models.JSONField(default=list)
    manifest_digest = models.CharField(max_length=64)
    total_size = models.BigIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    submitted_review = models.BigIntegerField(null=True, blank=True)
    decided = models.BooleanField(default=False, db_default=False)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        # Who else registered these bytes? Asked for every list of authors.
        indexes = [models.Index(fields=["manifest_digest"], name="registry_version_same_files")]
        constraints = [
            models.UniqueConstraint(
                fields=["model", "number"], name="registry_version_number_once"
            ),
            models.UniqueConstraint(
                fields=["model", "stage_slot"],
                condition=models.Q(stage_slot__isnull=False),
                name="registry_one_holder_per_governed_stage",
            ),
            models.CheckConstraint(
                condition=models.Q(stage__in=Stage.values), name="registry_version_stage_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model.name} v{self.number}"

    @property
    def is_frozen(self) -> bool:
        return self.submitted_review is not None or self.decided

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.model


class VersionFile(models.Model):
    """A file of a version: where its bytes are. Append-only; must stand in the version's manifest."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="files")
    path = models.CharField(max_length=1000)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    size = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["version", "path"], name="registry_version_file_once")
        ]

    def __str__(self) -> str:
        return self.path


class VersionTag(models.Model):
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="tags")
    key = models.CharField(max_length=250)
    value = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["version", "key"], name="registry_version_tag_once")
        ]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class Alias(models.Model):
    """A movable name for one version. Names differ only by more than letter case."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="aliases")
    name = models.CharField(max_length=255)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="aliases")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint("model", Lower("name"), name="registry_alias_one_holder")
        ]

    def __str__(self) -> str:
        return f"@{self.name}"


class TargetKind(models.TextChoices):
    STAGE = "stage", "Stage"
    ALIAS = "alias", "Alias"
    ENVIRONMENT = "environment", "Environment"
    TAG = "tag", "Tag"
    SCOPE = "scope", "Tag that decides which policies cover a model"


class GovernedTarget(models.Model):
    """What governed models may enter only on an authorization: the projection of the active policy.

    `name` is case-folded; a tag's name may end in `*`. Governed tags are never set by anyone; a scope is a
    tag of models whose value decides which policies cover them. With no row at all every promotion is
    refused. The runtime role may only read this table: activating a policy rewrites it.
    """

    kind = models.CharField(max_length=16, choices=TargetKind.choices)
    name = models.CharField(max_length=255)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["kind", "name"], name="registry_governed_target_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class Authorization(models.Model):
    """Leave to move one version into one target, once, on the evidence whose digest was signed.

    Minted by apps.reviews through `services.authorize`; a deferred trigger of that app lets the row
    stand only with its review's quorum and its ledger event. Spent in the transaction that promotes
    (`spent_xact` is written by the trigger), or revoked when the round behind it dies. `terms` are
    the policy's gates as pinned by the review.
    """

    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="authorizations"
    )
    target_kind = models.CharField(max_length=16, choices=TargetKind.choices)
    target_name = models.CharField(max_length=255)
    review_id = models.BigIntegerField()
    round_id = models.BigIntegerField()
    evidence_digest = models.CharField(max_length=64)
    terms = models.JSONField(default=dict)
    minted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # spent_xact (xid8) is a column of the table that only the triggers read and write; migration 0002.

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "target_kind", "target_name"],
                condition=models.Q(spent_at__isnull=True, revoked_at__isnull=True),
                name="registry_one_live_authorization",
            )
        ]

    def __str__(self) -> str:
        return f"authorization {self.pk}"

    @property
    def target(self) -> Target:
        from apps.registry.targets import Target

        return Target(self.target_kind, self.target_name)
