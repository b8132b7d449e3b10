"""Evaluation data and what was measured on it.

Deliberately missing: limits, verdicts and policies (an assessment is computed when asked, from a
measurement and the limits of whoever asks), and any change: data sets are append-only, and a
measurement that ended keeps its numbers for ever (migration 0002 holds that in a trigger).
"""

from __future__ import annotations

import enum
import uuid

from django.conf import settings
from django.db import models

from apps.checks.uploaded import models as uploaded  # noqa: F401 - a room of its own, which Django finds here
from apps.core.models import Blob
from apps.registry.models import ModelVersion, RegisteredModel


class DatasetRole(models.TextChoices):
    EVALUATION = "evaluation", "Evaluation (outcomes and predictions)"
    REFERENCE = "reference", "Reference (what the model was made on)"
    CURRENT = "current", "Current (what it meets now)"


class DatasetFormat(models.TextChoices):
    PARQUET = "parquet", "Parquet"
    CSV = "csv", "CSV"


class EvaluationDataset(models.Model):
    """Data attached to one version for one purpose. The newest per role is the one in force.

    `columns` is what was found in the file (name, kind, missing), `mapping` what the columns were
    declared to mean (apps.checks.mapping), `favourable` the outcome that people want. `artifact` is the
    path in the run it was taken from, empty for an upload; `source` says from where in full. Of several files (`parts` says
    how many, 0: of one) the blob is the manifest that names them (apps.checks.parts).
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="evaluation_datasets"
    )
    role = models.CharField(max_length=12, choices=DatasetRole.choices)
    name = models.CharField(max_length=200)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="+")
    format = models.CharField(max_length=8, choices=DatasetFormat.choices)
    digest = models.CharField(max_length=64)
    rows = models.BigIntegerField()
    columns = models.JSONField()
    mapping = models.JSONField()
    favourable = models.CharField(max_length=200, default="", blank=True)
    artifact = models.CharField(max_length=1000, default="", blank=True)
    parts = models.PositiveIntegerField(default=0, db_default=0)
    source = models.JSONField(
        default=dict, db_default=models.Value({}, output_field=models.JSONField())
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["version", "role", "-id"], name="checks_dataset_in_force"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=DatasetRole.values), name="checks_dataset_role_known"
            ),
            models.CheckConstraint(
                condition=models.Q(format__in=DatasetFormat.values),
                name="checks_dataset_format_known",
            ),
            models.CheckConstraint(condition=models.Q(rows__gt=0), name="checks_dataset_has_rows"),
            models.CheckConstraint(
                condition=models.Q(digest=models.F("blob_id")), name="checks_dataset_digest_is_blob"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model


class CheckKind(enum.StrEnum):
    """The keys of kinds that other parts of the site name. All kinds are in `apps.checks.kinds`."""

    PERFORMANCE = "performance"
    FAIRNESS = "fairness"
    DRIFT = "drift"
    FILES = "files"


class MeasurementStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Measured"
    ERROR = "error", "Error"
    RECALLED = "recalled", "Recalled"
    CANCELLED = "cancelled", "Cancelled"


class Measurement(models.Model):
    """One kind of check measured on given data, free of any limit.

    `key` is the digest of everything that goes in (kind, parameters, data, mapping, code, libraries): the
    same key on the same version is measured once, unless it failed or was recalled. `statistics` are
    the count tables, `result` the numbers computed from them, `result_digest` the digest of both with
    the key. `progress` is how far a running one is: `done` of `of` steps, and `what` they are. `inputs` name each data set by role, digest and declared meaning; a scan of the files has one
    input, the version's manifest.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=40)
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="measurements")
    params = models.JSONField(default=dict)
    inputs = models.JSONField(default=list)
    key = models.CharField(max_length=64)
    status = models.CharField(
        max_length=10, choices=MeasurementStatus.choices, default=MeasurementStatus.QUEUED
    )
    statistics = models.JSONField(null=True, blank=True)
    result = models.JSONField(null=True, blank=True)
    result_digest = models.CharField(max_length=64, default="", blank=True)
    code_version = models.CharField(max_length=64)
    libraries = models.JSONField(default=dict)
    timings = models.JSONField(default=dict)
    progress = models.JSONField(default=dict, editable=False)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(default="", blank=True)
    recalled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    recalled_at = models.DateTimeField(null=True, blank=True)
    recall_reason = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["version", "kind", "-id"], name="checks_measurement_latest"),
            models.Index(
                fields=["queued_at"],
                condition=models.Q(status__in=["queued", "running"]),
                name="checks_measurement_open",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "key"],
                condition=models.Q(status__in=["queued", "running", "done"]),
                name="checks_measured_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__regex=r"^[a-z][a-z0-9_]*$"),
                name="checks_measurement_kind_is_a_key",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=MeasurementStatus.values),
                name="checks_measurement_status_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="done")
                | models.Q(result__isnull=False, statistics__isnull=False)
                & ~models.Q(result_digest=""),
                name="checks_done_has_a_result",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="recalled")
                | models.Q(recalled_by__isnull=False, recalled_at__isnull=False)
                & ~models.Q(recall_reason=""),
                name="checks_recalled_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.version}"

    @property
    def is_open(self) -> bool:
        """Whether a worker still has to do something."""
        return self.status in {MeasurementStatus.QUEUED, MeasurementStatus.RUNNING}

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.version.model


class MeasurementPiece(models.Model):
    """Some columns of a large measurement that is being counted, so that several workers take part and a crash costs little.

    Columns from the place `first` to before `after`; `done` of them are counted, `counts` are the statistics of all of
    them. The rows go when the measurement ends: what they held is in its statistics then.
    """

    measurement = models.ForeignKey(Measurement, on_delete=models.PROTECT, related_name="pieces")
    number = models.PositiveIntegerField()
    first = models.PositiveIntegerField()
    after = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    counts = models.JSONField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["measurement", "number"], name="checks_piece_numbered"),
            models.CheckConstraint(
                condition=models.Q(after__gt=models.F("first")), name="checks_piece_has_columns"
            ),
        ]

    def __str__(self) -> str:
        return f"piece {self.number} of {self.measurement}"


class RecheckOutcome(models.TextChoices):
    EQUAL = "equal", "Equal"
    DIFFERENT = "different", "Different"
    FAILED = "failed", "Could not be re-executed"


class Recheck(models.Model):
    """Somebody asked to have a measurement executed again and compared with what is stored. Append-only.

    `number` counts those of one measurement; the next one is written only when the last has its result (migration 0006
    holds that in a trigger), so two askers at once share one.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    measurement = models.ForeignKey(Measurement, on_delete=models.PROTECT, related_name="rechecks")
    number = models.PositiveIntegerField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["measurement", "number"], name="checks_recheck_numbered"
            ),
        ]

    def __str__(self) -> str:
        return f"recheck {self.number} of {self.measurement}"


class RecheckResult(models.Model):
    """What came of a recheck. Append-only; without this row it still waits.

    `stored_digest` is the result digest that the measurement's row held, `found_digest` that of the numbers made again
    (empty where there are none). `path`, `stored_value` and `found_value` name the first difference; equal digests can
    come with one, where the row's numbers are no longer those of its digest. `code_version` and `libraries` are those of
    the re-execution. `digest` covers all of it and is in the ledger.
    """

    recheck = models.OneToOneField(Recheck, on_delete=models.PROTECT, related_name="result")
    outcome = models.CharField(max_length=10, choices=RecheckOutcome.choices)
    path = models.TextField(default="", blank=True)
    stored_value = models.TextField(default="", blank=True)
    found_value = models.TextField(default="", blank=True)
    stored_digest = models.CharField(max_length=64)
    found_digest = models.CharField(max_length=64, default="", blank=True)
    code_version = models.CharField(max_length=64, default="", blank=True)
    libraries = models.JSONField(default=dict)
    reason = models.TextField(default="", blank=True)
    digest = models.CharField(max_length=64)
    finished_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome__in=RecheckOutcome.values),
                name="checks_recheck_outcome_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome="equal")
                | models.Q(found_digest=models.F("stored_digest"), path="", reason="")
                & ~models.Q(found_digest=""),
                name="checks_recheck_equal_is_equal",
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome="different")
                | ~models.Q(path="") & ~models.Q(found_digest=""),
                name="checks_recheck_difference_is_named",
            ),
            models.CheckConstraint(
                condition=~models.Q(outcome="failed")
                | models.Q(found_digest="") & ~models.Q(reason=""),
                name="checks_recheck_failure_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recheck}: {self.outcome}"


class CheckDefinition(models.Model):
    """What a model has measured regularly. Append-only: what it says is in its revisions, the newest of which holds."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    model = models.ForeignKey(
        RegisteredModel, on_delete=models.PROTECT, related_name="check_definitions"
    )
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"definition {self.pk} of {self.model}"

    def policy_root(self) -> RegisteredModel:
        """Where rights to this object are granted (see apps.accounts.policy)."""
        return self.model


DEMANDED = "demanded"


class DefinitionRevision(models.Model):
    """One wording of a definition, by whom. Append-only.

    `kind` is a kind of check, or DEMANDED: every kind that the policy demands of the version, with its defaults. `params` are as
    they were written; what a kind fills in (today's date) it fills in when it runs. A `retired` revision starts nothing.
    """

    definition = models.ForeignKey(
        CheckDefinition, on_delete=models.PROTECT, related_name="revisions"
    )
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    on_registration = models.BooleanField(default=False)
    on_data = models.BooleanField(default=False)
    every_days = models.PositiveIntegerField(null=True, blank=True)
    retired = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["definition", "number"], name="checks_definition_revision_numbered"
            ),
            models.CheckConstraint(
                condition=models.Q(retired=True)
                | models.Q(on_registration=True)
                | models.Q(on_data=True)
                | models.Q(every_days__isnull=False),
                name="checks_definition_is_started_by_something",
            ),
            models.CheckConstraint(
                condition=models.Q(every_days__isnull=True)
                | models.Q(every_days__gte=1, every_days__lte=366),
                name="checks_definition_days_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StartReason(models.TextChoices):
    REGISTRATION = "registration", "Registration"
    DATA = "data", "Data attached"
    SCHEDULE = "schedule", "Schedule"


class DefinitionRun(models.Model):
    """A definition was due for a version and a kind. Append-only; one row per `slot` (a registration, a data set, a stretch of
    the schedule), so that two workers at once start it once.

    `measurement` is what answers it; `made` says that it was measured for this, else it was there. `error` says why there is none.
    """

    definition = models.ForeignKey(CheckDefinition, on_delete=models.PROTECT, related_name="runs")
    revision = models.ForeignKey(DefinitionRevision, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    reason = models.CharField(max_length=12, choices=StartReason.choices)
    slot = models.CharField(max_length=60)
    measurement = models.ForeignKey(
        Measurement, null=True, blank=True, on_delete=models.PROTECT, related_name="started_by_runs"
    )
    made = models.BooleanField(default=False)
    error = models.TextField(default="", blank=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["definition", "version", "kind", "slot"],
                name="checks_definition_runs_once_per_slot",
            ),
            models.CheckConstraint(
                condition=models.Q(reason__in=StartReason.values),
                name="checks_definition_run_reason_known",
            ),
            models.CheckConstraint(
                condition=models.Q(measurement__isnull=False, error="")
                | models.Q(measurement__isnull=True, made=False) & ~models.Q(error=""),
                name="checks_definition_run_has_an_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision} on {self.version}"
