"""Runs as the protocol and the pages show them, read in a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import DEFAULT_DB_ALIAS

from apps.core.actor import Actor
from apps.experiments import access, limits, sql
from apps.experiments.models import Experiment, Run, run_artifact_uri


@dataclass(slots=True)
class MetricView:
    """The latest point of a metric."""

    key: str
    value: float
    timestamp: int
    step: int


@dataclass(slots=True)
class DatasetView:
    """A data set that a run says it used, with the tags of the link."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str
    profile: str
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def context(self) -> str:
        """How it was used: training, evaluation, ..."""
        return self.tags.get("mlflow.data.context", "")


@dataclass(slots=True)
class RunView:
    """A run with what it recorded. `user_label` is the client's claim, `created_by` a user's id."""

    id: int
    run_id: str
    experiment_id: int
    name: str
    status: str
    start_time: int
    end_time: int | None
    user_label: str
    created_by: int
    lifecycle_stage: str
    sealed_by: int | None
    metrics: list[MetricView] = field(default_factory=list)
    params: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)
    datasets: list[DatasetView] = field(default_factory=list)
    model_inputs: list[str] = field(default_factory=list)
    model_outputs: list[tuple[str, int]] = field(default_factory=list)

    @property
    def artifact_uri(self) -> str:
        """Where the client writes this run's files."""
        return run_artifact_uri(self.experiment_id, self.run_id)

    @property
    def duration_ms(self) -> int | None:
        """How long it took, once it has ended."""
        return None if self.end_time is None else self.end_time - self.start_time

    @property
    def parent_run_id(self) -> str:
        """The run this one is nested in, as the client says."""
        return dict(self.tags).get("mlflow.parentRunId", "")


COLUMNS: Final = (
    "r.id, r.run_id, r.experiment_id, r.name, r.status, r.start_time, r.end_time, r.user_label, "
    "r.created_by_id, r.lifecycle_stage, r.sealed_by"
)

_ONE = f"""
SELECT {COLUMNS}, e.team_id
  FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id
 WHERE r.run_id = %s
"""  # noqa: S608 - our own columns

_METRICS = """
SELECT run_id, key, CASE WHEN is_nan THEN 'NaN' ELSE value END, "timestamp", step
  FROM experiments_latestmetric WHERE run_id = ANY(%s::bigint[]) ORDER BY run_id, key
"""
_PARAMS = """
SELECT run_id, key, value FROM experiments_param
 WHERE run_id = ANY(%s::bigint[]) ORDER BY run_id, key
"""
_TAGS = """
SELECT run_id, key, value FROM experiments_runtag
 WHERE run_id = ANY(%s::bigint[]) ORDER BY run_id, key
"""
_DATASETS = """
SELECT i.run_id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile,
       ARRAY(SELECT t.name FROM experiments_datasetinputtag t
              WHERE t.input_id = i.id ORDER BY t.name),
       ARRAY(SELECT t.value FROM experiments_datasetinputtag t
              WHERE t.input_id = i.id ORDER BY t.name)
  FROM experiments_datasetinput i JOIN experiments_dataset d ON d.id = i.dataset_id
 WHERE i.run_id = ANY(%s::bigint[]) ORDER BY i.id
"""
_MODELS = """
SELECT o.run_id, m.model_id, o.step FROM experiments_runoutput o
  JOIN experiments_loggedmodel m ON m.id = o.model_id
 WHERE o.run_id = ANY(%(runs)s::bigint[])
UNION ALL
SELECT i.run_id, m.model_id, NULL FROM experiments_runmodelinput i
  JOIN experiments_loggedmodel m ON m.id = i.model_id
 WHERE i.run_id = ANY(%(runs)s::bigint[])
 ORDER BY 1, 3, 2
"""


# The same instances as the ORM's, without composing its statement: every file up or down asks for one.
_RUN_FIELDS = [field.attname for field in Run._meta.concrete_fields]
_EXPERIMENT_FIELDS = [field.attname for field in Experiment._meta.concrete_fields]
_ROWS = f"""
SELECT {", ".join(f"r.{field.column}" for field in Run._meta.concrete_fields)},
       {", ".join(f"e.{field.column}" for field in Experiment._meta.concrete_fields)}
  FROM experiments_run r JOIN experiments_experiment e ON e.id = r.experiment_id
 WHERE r.run_id = %s
"""  # noqa: S608 - our own columns


def get_run(run_id: str) -> Run:
    """The run of that id with its experiment; NotFound. Asks no rights: the caller has or does."""
    found = sql.row(_ROWS, (run_id,)) if "\x00" not in run_id else None
    if found is None:
        raise access.run_not_found(run_id)
    run = Run.from_db(DEFAULT_DB_ALIAS, _RUN_FIELDS, found[: len(_RUN_FIELDS)])
    run.experiment = Experiment.from_db(
        DEFAULT_DB_ALIAS, _EXPERIMENT_FIELDS, found[len(_RUN_FIELDS) :]
    )
    return run


def visible_run(actor: Actor, run_id: str) -> Run:
    """The run, if the actor may read it; NotFound otherwise, as if there were none."""
    run = get_run(limits.run_id(run_id))
    access.allow(actor, access.READ, run.experiment, access.run_not_found(run_id))
    return run


def run_view(actor: Actor, run_id: str) -> RunView:
    """Everything a run recorded, if the actor may read it."""
    found = sql.row(_ONE, (limits.run_id(run_id),))
    if found is None:
        raise access.run_not_found(run_id)
    *columns, team_id = found
    root = access.root(columns[2], team_id)
    access.allow(actor, access.READ, root, access.run_not_found(run_id))
    run = RunView(*columns)
    fill([run])
    return run


def run_views(actor: Actor, run_ids: Sequence[str]) -> list[RunView]:
    """Several runs in the order asked for, without those the actor may not read."""
    found = sql.rows(
        f"SELECT {COLUMNS} FROM experiments_run r WHERE r.run_id = ANY(%s::text[])",  # noqa: S608
        (list(run_ids),),
    )
    runs = {run.run_id: run for run in (RunView(*columns) for columns in found)}
    allowed = set(access.visible_experiments(actor, {r.experiment_id for r in runs.values()}))
    ordered = [runs[i] for i in run_ids if i in runs and runs[i].experiment_id in allowed]
    fill(ordered)
    return ordered


def fill(runs: Sequence[RunView]) -> None:
    """Load what the runs recorded, in five statements however many runs there are."""
    if not runs:
        return
    by_id = {run.id: run for run in runs}
    ids = (list(by_id),)
    for run, key, value, timestamp, step in sql.rows(_METRICS, ids):
        by_id[run].metrics.append(MetricView(key, value, timestamp, step))
    for run, key, value in sql.rows(_PARAMS, ids):
        by_id[run].params.append((key, value))
    for run, key, value in sql.rows(_TAGS, ids):
        by_id[run].tags.append((key, value))
    for run, name, digest, kind, source, schema, profile, tags, values in sql.rows(_DATASETS, ids):
        linked = dict(zip(tags, values, strict=True))
        data = DatasetView(name, digest, kind, source, schema, profile, linked)
        by_id[run].datasets.append(data)
    for run, model_id, step in sql.rows(_MODELS, {"runs": ids[0]}):
        if step is None:
            by_id[run].model_inputs.append(model_id)
        else:
            by_id[run].model_outputs.append((model_id, step))


def run_authors(run: Run) -> set[int]:
    """Who wrote the run, by credential: its creator, every other writer, whoever stored a file."""
    found = sql.rows(
        """
        SELECT created_by_id FROM experiments_run WHERE id = %(run)s
        UNION SELECT user_id FROM experiments_runauthor WHERE run_id = %(run)s
        UNION SELECT created_by_id FROM experiments_artifact WHERE run_id = %(run)s
        """,
        {"run": run.pk},
    )
    return {user for (user,) in found}


def child_runs(run: Run) -> list[RunView]:
    """The runs that say they are nested in this one, oldest first, with what they recorded."""
    found = sql.rows(
        f"""
        SELECT {COLUMNS} FROM experiments_run r
          JOIN experiments_runtag t ON t.run_id = r.id AND t.experiment_id = r.experiment_id
         WHERE t.experiment_id = %s AND t.key = 'mlflow.parentRunId'
           AND left(t.value, 200) = %s AND r.lifecycle_stage = 'active'
         ORDER BY r.start_time, r.run_id LIMIT 1000
        """,  # noqa: S608 - our own columns
        (run.experiment_id, run.run_id),
    )
    runs = [RunView(*columns) for columns in found]
    fill(runs)
    return runs


def metric_keys(runs: Iterable[RunView]) -> dict[str, int]:
    """How many of the runs have each metric, most common first."""
    counts: dict[str, int] = defaultdict(int)
    for run in runs:
        for metric in run.metrics:
            counts[metric.key] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
