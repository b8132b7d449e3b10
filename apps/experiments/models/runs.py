"""Experiments and runs."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from guardian.models.models import GroupObjectPermissionBase, UserObjectPermissionBase

from apps.accounts.models import ROLE_PERMISSIONS
from apps.experiments.models.fields import (
    Lifecycle,
    RunStatus,
    person,
    sealed_whole,
)


def artifact_location(experiment_id: int) -> str:
    """Where an experiment's files are, as clients address them."""
    return f"mlflow-artifacts:/{experiment_id}"


def run_artifact_uri(experiment_id: int, run_id: str) -> str:
    """Where a run's files are, as clients address them."""
    return f"{artifact_location(experiment_id)}/{run_id}/artifacts"


class Experiment(models.Model):
    """A named set of runs, and the root that rights on runs, logged models and artifacts hang on."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=500)
    lifecycle_stage = models.CharField(
        max_length=7, choices=Lifecycle.choices, default=Lifecycle.ACTIVE
    )
    team = models.ForeignKey(
        "accounts.Team", models.PROTECT, null=True, blank=True, related_name="experiments"
    )
    created_by = person(null=True)
    created_at = models.BigIntegerField()
    updated_at = models.BigIntegerField()

    class Meta:
        permissions = ROLE_PERMISSIONS
        default_permissions = ()
        indexes = [models.Index(F("created_at").desc(), "id", name="experiment_recent")]
        constraints = [models.UniqueConstraint(fields=["name"], name="experiment_name")]

    def __str__(self) -> str:
        return self.name

    def policy_root(self) -> Experiment:
        """The object on which rights are granted."""
        return self

    @property
    def artifact_location(self) -> str:
        """The address under which clients write this experiment's files: always through us."""
        return artifact_location(self.pk)


class ExperimentUserRole(UserObjectPermissionBase):
    """A person's role on an experiment."""

    content_object = models.ForeignKey(Experiment, models.CASCADE, related_name="user_roles")

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()


class ExperimentGroupRole(GroupObjectPermissionBase):
    """A directory group's role on an experiment."""

    content_object = models.ForeignKey(Experiment, models.CASCADE, related_name="group_roles")

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


class ExperimentTag(models.Model):
    pk = models.CompositePrimaryKey("experiment_id", "key")
    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="tags", db_index=False)
    key = models.CharField(max_length=250, db_collation="C")
    value = models.TextField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class Run(models.Model):
    """One execution. `user_label` is what the client claims; `created_by` is who was authenticated."""

    run_id = models.CharField(max_length=32, db_collation="C")
    experiment = models.ForeignKey(Experiment, models.PROTECT, related_name="runs", db_index=False)
    name = models.TextField()
    status = models.CharField(max_length=9, choices=RunStatus.choices, default=RunStatus.RUNNING)
    start_time = models.BigIntegerField()
    end_time = models.BigIntegerField(null=True)
    user_label = models.TextField(default="", blank=True)
    created_by = person()
    lifecycle_stage = models.CharField(
        max_length=7, choices=Lifecycle.choices, default=Lifecycle.ACTIVE
    )
    deleted_time = models.BigIntegerField(null=True)
    sealed_by = models.BigIntegerField(null=True)
    sealed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index("experiment", F("start_time").desc(), "run_id", name="run_recent"),
            models.Index("sealed_by", condition=Q(sealed_by__isnull=False), name="run_sealed"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run_id"], name="run_run_id"),
            sealed_whole("run_sealed_whole"),
        ]

    def __str__(self) -> str:
        return self.name

    def policy_root(self) -> Experiment:
        """The object on which rights are granted."""
        return self.experiment

    @property
    def artifact_uri(self) -> str:
        """Where the client writes this run's files."""
        return run_artifact_uri(self.experiment_id, self.run_id)


class RunAuthor(models.Model):
    """Somebody other than the creator who wrote to the run, by credential and not by claim."""

    pk = models.CompositePrimaryKey("run_id", "user_id")
    run = models.ForeignKey(Run, models.PROTECT, related_name="authors", db_index=False)
    user = person()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} wrote to {self.run_id}"
