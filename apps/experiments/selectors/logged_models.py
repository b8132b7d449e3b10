"""Logged models as the protocol and the pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from apps.core.actor import Actor
from apps.experiments import access, sql
from apps.experiments.models import LoggedModel, Run, model_artifact_uri


@dataclass(slots=True)
class ModelMetricView:
    """One metric point logged about a model, and on which data set."""

    key: str
    value: float
    timestamp: int
    step: int
    run_id: str
    dataset_name: str
    dataset_digest: str


@dataclass(slots=True)
class LoggedModelView:
    """A logged model with what was logged about it."""

    id: int
    model_id: str
    experiment_id: int
    name: str
    model_type: str
    status: str
    source_run_id: str
    created_by: int
    created_at: int
    updated_at: int
    deleted_at: int | None
    sealed_by: int | None
    params: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)
    metrics: list[ModelMetricView] = field(default_factory=list)

    @property
    def artifact_uri(self) -> str:
        """Where the client writes this model's files."""
        return model_artifact_uri(self.experiment_id, self.model_id)


COLUMNS: Final = (
    "m.id, m.model_id, m.experiment_id, m.name, m.model_type, m.status, coalesce(r.run_id, ''), "
    "m.created_by_id, m.created_at, m.updated_at, m.deleted_at, m.sealed_by"
)
WIDTH: Final = 12

_ONE = f"""
SELECT {COLUMNS}, e.team_id
  FROM experiments_loggedmodel m JOIN experiments_experiment e ON e.id = m.experiment_id
  LEFT JOIN experiments_run r ON r.id = m.source_run_id
 WHERE m.model_id = %s
"""  # noqa: S608 - our own columns
_METRICS = """
SELECT x.model_id, x.key, CASE WHEN x.is_nan THEN 'NaN' ELSE x.value END, x."timestamp", x.step,
       r.run_id, x.dataset_name, x.dataset_digest
  FROM experiments_loggedmodelmetric x JOIN experiments_run r ON r.id = x.run_id
 WHERE x.model_id = ANY(%s::bigint[]) ORDER BY x.model_id, x.key, x."timestamp", x.step, r.run_id
"""


def get_logged_model(model_id: str) -> LoggedModel:
    """The logged model of that id, deleted or not, with its experiment; NotFound. Asks no rights."""
    rows = LoggedModel.objects.select_related("experiment", "source_run")
    model = rows.filter(model_id=model_id).first()
    if model is None:
        raise access.model_not_found(model_id)
    return model


def visible_logged_model(actor: Actor, model_id: str) -> LoggedModel:
    """The logged model, if the actor may read it; NotFound otherwise, as if there were none."""
    model = get_logged_model(model_id)
    access.allow(actor, access.READ, model.experiment, access.model_not_found(model_id))
    return model


def logged_model_view(
    actor: Actor, model_id: str, *, allow_deleted: bool = False
) -> LoggedModelView:
    """Everything about a logged model, if the actor may read it."""
    found = sql.row(_ONE, (model_id,))
    if found is None:
        raise access.model_not_found(model_id)
    *columns, team_id = found
    root = access.root(columns[2], team_id)
    access.allow(actor, access.READ, root, access.model_not_found(model_id))
    view = LoggedModelView(*columns)
    if view.deleted_at is not None and not allow_deleted:
        raise access.model_not_found(model_id)
    fill([view])
    return view


def fill(views: Sequence[LoggedModelView]) -> None:
    """Load what was logged about the models, in three statements however many there are."""
    if not views:
        return
    by_id = {view.id: view for view in views}
    ids = (list(by_id),)
    for table, attribute in (("param", "params"), ("tag", "tags")):
        for model, key, value in sql.rows(
            f"SELECT model_id, key, value FROM experiments_loggedmodel{table} "  # noqa: S608 - ours
            "WHERE model_id = ANY(%s::bigint[]) ORDER BY model_id, key",
            ids,
        ):
            getattr(by_id[model], attribute).append((key, value))
    for model, *metric in sql.rows(_METRICS, ids):
        by_id[model].metrics.append(ModelMetricView(*metric))


@dataclass(frozen=True, slots=True)
class OfRun:
    """A logged model that a run made or used, with the size of its files."""

    model_id: str
    pk: int
    name: str
    model_type: str
    status: str
    files: int
    size: int


_OF_RUN = """
SELECT m.model_id, m.id, m.name, m.model_type, m.status, count(a.path), coalesce(sum(b.size), 0)::bigint
  FROM experiments_loggedmodel m
  LEFT JOIN experiments_artifact a ON a.logged_model_id = m.id
  LEFT JOIN core_blob b ON b.digest = a.blob_id
 WHERE m.deleted_at IS NULL AND (m.source_run_id = %(run)s
    OR m.id IN (SELECT model_id FROM experiments_runoutput WHERE run_id = %(run)s))
 GROUP BY m.id ORDER BY m.created_at, m.model_id
"""


def models_of_run(run: Run) -> list[OfRun]:
    """The models that the run logged or names as its output, oldest first. Asks no rights."""
    return [OfRun(*columns) for columns in sql.rows(_OF_RUN, {"run": run.pk})]


def logged_model_authors(model: LoggedModel) -> set[int]:
    """Who made the logged model, by credential: its creator, other writers, whoever stored a file."""
    found = sql.rows(
        """
        SELECT created_by_id FROM experiments_loggedmodel WHERE id = %(model)s
        UNION SELECT user_id FROM experiments_loggedmodelauthor WHERE model_id = %(model)s
        UNION SELECT created_by_id FROM experiments_artifact WHERE logged_model_id = %(model)s
        """,
        {"model": model.pk},
    )
    return {user for (user,) in found}
