"""What a run recorded: parameters, tags, metric points, data sets used.

What is deliberately missing: no ORM code writes a parameter, tag or metric (ingest.py does, in one
statement per table and call), and those tables carry no foreign-key constraint, because the check
would cost more than the insert. Their only writer holds a lock on the run's row while it writes,
and runs are never removed. The copied `experiment` lets a search filter and sort without a join.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.db.models.functions import Left

from apps.experiments.models.fields import unconstrained
from apps.experiments.models.runs import Experiment, Run


class Param(models.Model):
    pk = models.CompositePrimaryKey("run_id", "key")
    run = unconstrained("experiments.Run", "params")
    experiment = unconstrained("experiments.Experiment", "+")
    key = models.CharField(max_length=250, db_collation="C")
    value = models.TextField()

    class Meta:
        default_permissions = ()
        indexes = [  # a b-tree entry may not exceed 2,704 bytes: the head is indexed, the rest rechecked
            models.Index("experiment", "key", Left("value", 200), "run", name="param_value")
        ]

    def __str__(self) -> str:
        return self.key


class RunTag(models.Model):
    pk = models.CompositePrimaryKey("run_id", "key")
    run = unconstrained("experiments.Run", "tags")
    experiment = unconstrained("experiments.Experiment", "+")
    key = models.CharField(max_length=250, db_collation="C")
    value = models.TextField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index("experiment", "key", Left("value", 200), "run", name="run_tag_value")
        ]

    def __str__(self) -> str:
        return self.key


class Metric(models.Model):
    """One point. Its key is the whole row, in the order of a history, so one index serves all."""

    pk = models.CompositePrimaryKey("run_id", "key", "timestamp", "step", "value", "is_nan")
    run = unconstrained("experiments.Run", "metrics")
    key = models.CharField(max_length=250, db_collation="C")
    timestamp = models.BigIntegerField()
    step = models.BigIntegerField()
    value = models.FloatField()
    is_nan = models.BooleanField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class LatestMetric(models.Model):
    """The greatest point per key by (step, timestamp, value); NaN is stored as 0 and flagged."""

    pk = models.CompositePrimaryKey("run_id", "key")
    run = unconstrained("experiments.Run", "latest_metrics")
    experiment = unconstrained("experiments.Experiment", "+")
    key = models.CharField(max_length=250, db_collation="C")
    timestamp = models.BigIntegerField()
    step = models.BigIntegerField()
    value = models.FloatField()
    is_nan = models.BooleanField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                "experiment", "key", "is_nan", F("value").desc(), "run", name="latest_metric_value"
            )
        ]

    def __str__(self) -> str:
        return self.key


class Dataset(models.Model):
    """A data set that a run says it used: the client's claim, identified by name and digest."""

    experiment = models.ForeignKey(
        Experiment, models.PROTECT, related_name="datasets", db_index=False
    )
    name = models.CharField(max_length=500, db_collation="C")
    digest = models.CharField(max_length=36, db_collation="C")
    source_type = models.TextField()
    source = models.TextField()
    schema = models.TextField(default="")
    profile = models.TextField(default="")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["experiment", "name", "digest"], name="dataset_identity"
            )
        ]

    def __str__(self) -> str:
        return self.name


class DatasetInput(models.Model):
    run = models.ForeignKey(Run, models.PROTECT, related_name="dataset_inputs", db_index=False)
    dataset = models.ForeignKey(Dataset, models.PROTECT, related_name="inputs")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["run", "dataset"], name="dataset_input_once")
        ]

    def __str__(self) -> str:
        return f"{self.run_id} used {self.dataset_id}"


class DatasetInputTag(models.Model):
    pk = models.CompositePrimaryKey("input_id", "name")
    input = models.ForeignKey(DatasetInput, models.CASCADE, related_name="tags", db_index=False)
    name = models.CharField(max_length=255, db_collation="C")
    value = models.CharField(max_length=500)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
