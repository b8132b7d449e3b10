"""What a sealed run or logged model says, as one canonical value with one digest.

Numbers are decimal strings, so that the digest does not depend on who prints them.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from apps.core import canonical
from apps.experiments import sql
from apps.experiments.models import VERSIONS_TAG, LoggedModel, Run
from apps.experiments.selectors.artifacts import artifacts_under
from apps.experiments.selectors.runs import COLUMNS, RunView, fill


def run_facts(run: Run) -> dict[str, Any]:
    """Everything the run recorded, in canonical form: latest metrics, not their history."""
    return {**facts_of_runs([run.pk])[run.pk], "artifacts": _files(run)}


def facts_of_runs(pks: Collection[int]) -> dict[int, dict[str, Any]]:
    """`run_facts` of many runs but for their files, in six statements however many there are."""
    if not pks:
        return {}
    found = sql.rows(
        f"SELECT {COLUMNS} FROM experiments_run r WHERE r.id = ANY(%s::bigint[])",  # noqa: S608 - our own columns
        (list(pks),),
    )
    views = [RunView(*columns) for columns in found]
    fill(views)
    return {view.id: _facts(view) for view in views}


def _facts(view: RunView) -> dict[str, Any]:
    return {
        "run_id": view.run_id,
        "experiment": str(view.experiment_id),
        "name": view.name,
        "status": view.status,
        "start_time": str(view.start_time),
        "end_time": None if view.end_time is None else str(view.end_time),
        "params": dict(view.params),
        "tags": dict(view.tags),
        "metrics": {
            metric.key: {
                "value": canonical.decimal(metric.value),
                "step": str(metric.step),
                "timestamp": str(metric.timestamp),
            }
            for metric in view.metrics
        },
        "datasets": [
            {
                "name": data.name,
                "digest": data.digest,
                "source_type": data.source_type,
                "source": data.source,
                "tags": data.tags,
            }
            for data in sorted(view.datasets, key=lambda data: (data.name, data.digest))
        ],
        "models": [
            {"model_id": model_id, "step": str(step)} for model_id, step in view.model_outputs
        ],
    }


def run_digest(run: Run) -> str:
    """The SHA-256 of the canonical bytes of `run_facts`."""
    return canonical.digest_of(run_facts(run))


def logged_model_facts(model: LoggedModel) -> dict[str, Any]:
    """What the logged model holds, in canonical form; metrics logged about it are not among it."""
    return {
        "model_id": model.model_id,
        "experiment": str(model.experiment_id),
        "name": model.name,
        "model_type": model.model_type,
        "source_run": model.source_run.run_id if model.source_run else None,
        "params": dict(model.params.order_by("key").values_list("key", "value")),
        "tags": dict(
            model.tags.exclude(key=VERSIONS_TAG).order_by("key").values_list("key", "value")
        ),
        "artifacts": _files(model),
    }


def logged_model_digest(model: LoggedModel) -> str:
    """The SHA-256 of the canonical bytes of `logged_model_facts`."""
    return canonical.digest_of(logged_model_facts(model))


def _files(root: Run | LoggedModel) -> list[dict[str, Any]]:
    return [
        {"path": file.path, "digest": file.digest, "size": str(file.size)}
        for file in artifacts_under(root)
    ]
