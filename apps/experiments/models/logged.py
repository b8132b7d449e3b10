"""Logged models (MLflow 3), their links to runs, and the files of runs and models."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.experiments.models.fields import ModelStatus, person, sealed_whole
from apps.experiments.models.runs import Experiment, Run, artifact_location


def model_artifact_uri(experiment_id: int, model_id: str) -> str:
    """Where a logged model's files are, as clients address them."""
    return f"{artifact_location(experiment_id)}/models/{model_id}/artifacts"


class LoggedModel(models.Model):
    """A model as the client logged it: with files, parameters and tags apart from its run's."""

    model_id = models.CharField(max_length=34, db_collation="C")
    experiment = models.ForeignKey(
        Experiment, models.PROTECT, related_name="logged_models", db_index=False
    )
    name = models.CharField(max_length=500)
    model_type = models.CharField(max_length=500, default="", blank=True)
    status = models.CharField(
        max_length=26, choices=ModelStatus.choices, default=ModelStatus.PENDING
    )
    source_run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="logged_models")
    created_by = person()
    created_at = models.BigIntegerField()
    updated_at = models.BigIntegerField()
    deleted_at = models.BigIntegerField(null=True)
    sealed_by = models.BigIntegerField(null=True)
    sealed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                "experiment", F("created_at").desc(), "model_id", name="logged_model_recent"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["model_id"], name="logged_model_model_id"),
            sealed_whole("logged_model_sealed_whole"),
        ]

    def __str__(self) -> str:
        return self.name

    def policy_root(self) -> Experiment:
        """The object on which rights are granted."""
        return self.experiment

    @property
    def artifact_uri(self) -> str:
        """Where the client writes this model's files."""
        return model_artifact_uri(self.experiment_id, self.model_id)


class LoggedModelAuthor(models.Model):
    """Somebody other than the creator who wrote to the logged model, by credential."""

    pk = models.CompositePrimaryKey("model_id", "user_id")
    model = models.ForeignKey(LoggedModel, models.PROTECT, related_name="authors", db_index=False)
    user = person()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} wrote to {self.model_id}"


class LoggedModelParam(models.Model):
    pk = models.CompositePrimaryKey("model_id", "key")
    model = models.ForeignKey(LoggedModel, models.PROTECT, related_name="params", db_index=False)
    key = models.CharField(max_length=250, db_collation="C")
    value = models.TextField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class LoggedModelTag(models.Model):
    pk = models.CompositePrimaryKey("model_id", "key")
    model = models.ForeignKey(LoggedModel, models.PROTECT, related_name="tags", db_index=False)
    key = models.CharField(max_length=250, db_collation="C")
    value = models.TextField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class LoggedModelMetric(models.Model):
    """A metric logged with a model's id; the first value at a point stays."""

    pk = models.CompositePrimaryKey("model_id", "key", "timestamp", "step", "run_id")
    model = models.ForeignKey(LoggedModel, models.PROTECT, related_name="metrics", db_index=False)
    run = models.ForeignKey(Run, models.PROTECT, related_name="model_metrics", db_index=False)
    key = models.CharField(max_length=250, db_collation="C")
    timestamp = models.BigIntegerField()
    step = models.BigIntegerField()
    value = models.FloatField()
    is_nan = models.BooleanField()
    dataset_name = models.CharField(max_length=500, default="")
    dataset_digest = models.CharField(max_length=36, default="")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class RunModelInput(models.Model):
    """The run used this logged model (it evaluated or fine-tuned it)."""

    pk = models.CompositePrimaryKey("run_id", "model_id")
    run = models.ForeignKey(Run, models.PROTECT, related_name="model_inputs", db_index=False)
    model = models.ForeignKey(LoggedModel, models.PROTECT, related_name="used_by")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.run_id} used {self.model_id}"


class RunOutput(models.Model):
    """The run produced this logged model at this step."""

    pk = models.CompositePrimaryKey("run_id", "model_id")
    run = models.ForeignKey(Run, models.PROTECT, related_name="outputs", db_index=False)
    model = models.ForeignKey(LoggedModel, models.PROTECT, related_name="output_of")
    step = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.run_id} made {self.model_id}"


class Artifact(models.Model):
    """One file of a run or of a logged model: a path that points at immutable bytes."""

    run = models.ForeignKey(
        Run, models.PROTECT, null=True, related_name="artifacts", db_index=False
    )
    logged_model = models.ForeignKey(
        LoggedModel, models.PROTECT, null=True, related_name="artifacts", db_index=False
    )
    path = models.CharField(max_length=1024, db_collation="C")
    blob = models.ForeignKey("core.Blob", models.PROTECT, related_name="+", db_index=False)
    created_by = person()
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index("blob", name="artifact_blob")]
        constraints = [
            models.CheckConstraint(
                name="artifact_one_root",
                condition=Q(run__isnull=True, logged_model__isnull=False)
                | Q(run__isnull=False, logged_model__isnull=True),
            ),
            models.UniqueConstraint(fields=["run", "path"], name="artifact_run_path"),
            models.UniqueConstraint(fields=["logged_model", "path"], name="artifact_model_path"),
        ]

    def __str__(self) -> str:
        return self.path
