"""Domain values as the protocol's JSON: whole numbers as numbers, ids as text, empty lists left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from django.http import HttpResponse

from apps.experiments.models import artifact_location
from apps.experiments.search import ExperimentView
from apps.experiments.selectors import (
    DatasetView,
    Entry,
    LoggedModelView,
    MetricView,
    PointView,
    RunView,
)
from apps.experiments.services import NewRun

Json = dict[str, Any]
JSON_TYPE: Final = "application/json"


def respond(value: Json) -> HttpResponse:
    """200 with the value as JSON."""
    return HttpResponse(orjson.dumps(value), content_type=JSON_TYPE)


def number(value: float) -> float | str:
    """A double; NaN travels as its name."""
    return "NaN" if value != value else value


def pairs(items: Iterable[tuple[str, str]]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in items]


def lists(**values: Sequence[Any]) -> Json:
    """The lists that are not empty."""
    return {name: value for name, value in values.items() if value}


def page(name: str, items: list[Json], token: str) -> Json:
    """A page of results; no token at the end."""
    return {**lists(**{name: items}), **({"next_page_token": token} if token else {})}


def experiment(view: ExperimentView) -> Json:
    return {
        "experiment_id": str(view.id),
        "name": view.name,
        "artifact_location": artifact_location(view.id),
        "lifecycle_stage": view.lifecycle_stage,
        "last_update_time": view.updated_at,
        "creation_time": view.created_at,
        **lists(tags=pairs(view.tags)),
        "workspace": "default",
    }


def run_info(view: RunView) -> Json:
    info: Json = {
        "run_uuid": view.run_id,
        "experiment_id": str(view.experiment_id),
        "run_name": view.name,
        "user_id": view.user_label,
        "status": view.status,
        "start_time": view.start_time,
        "artifact_uri": view.artifact_uri,
        "lifecycle_stage": view.lifecycle_stage,
        "run_id": view.run_id,
    }
    if view.end_time is not None:
        info["end_time"] = view.end_time
    return info


def run(view: RunView) -> Json:
    inputs = lists(
        dataset_inputs=[_dataset_input(data) for data in view.datasets],
        model_inputs=[{"model_id": model_id} for model_id in view.model_inputs],
    )
    outputs = [{"model_id": model_id, "step": step} for model_id, step in view.model_outputs]
    return {
        "info": run_info(view),
        "data": lists(
            metrics=[_metric(metric) for metric in view.metrics],
            params=pairs(view.params),
            tags=pairs(view.tags),
        ),
        "inputs": inputs,
        **({"outputs": {"model_outputs": outputs}} if outputs else {}),
    }


def new_run(made: NewRun) -> Json:
    """A run as just created, without reading it back."""
    view = RunView(
        id=made.id,
        run_id=made.run_id,
        experiment_id=made.experiment_id,
        name=made.name,
        status="RUNNING",
        start_time=made.start_time,
        end_time=None,
        user_label=made.user_label,
        created_by=0,
        lifecycle_stage="active",
        sealed_by=None,
        tags=sorted(made.tags.items()),
    )
    return run(view)


def point(key: str, view: PointView) -> Json:
    return {
        "key": key,
        "value": number(view.value),
        "timestamp": view.timestamp,
        "step": view.step,
    }


def logged_model(view: LoggedModelView) -> Json:
    info = {
        "model_id": view.model_id,
        "experiment_id": str(view.experiment_id),
        "name": view.name,
        "creation_timestamp_ms": view.created_at,
        "last_updated_timestamp_ms": view.updated_at,
        "artifact_uri": view.artifact_uri,
        "status": view.status,
        "model_type": view.model_type,
        "source_run_id": view.source_run_id,
        **lists(tags=pairs(view.tags)),
    }
    metrics = [
        {
            "key": metric.key,
            "value": number(metric.value),
            "timestamp": metric.timestamp,
            "step": metric.step,
            "run_id": metric.run_id,
            "model_id": view.model_id,
            **({"dataset_name": metric.dataset_name} if metric.dataset_name else {}),
            **({"dataset_digest": metric.dataset_digest} if metric.dataset_digest else {}),
        }
        for metric in view.metrics
    ]
    return {"info": info, "data": lists(params=pairs(view.params), metrics=metrics)}


def entry(item: Entry, folder: str = "") -> Json:
    """A file or folder; under `folder` when the protocol wants paths from the root."""
    path = f"{folder}/{item.name}" if folder else item.name
    if item.is_dir:
        return {"path": path, "is_dir": True}
    return {"path": path, "is_dir": False, "file_size": item.size}


def _metric(view: MetricView) -> Json:
    return {
        "key": view.key,
        "value": number(view.value),
        "timestamp": view.timestamp,
        "step": view.step,
    }


def _dataset_input(data: DatasetView) -> Json:
    described = {
        "name": data.name,
        "digest": data.digest,
        "source_type": data.source_type,
        "source": data.source,
        **({"schema": data.schema} if data.schema else {}),
        **({"profile": data.profile} if data.profile else {}),
    }
    return {**lists(tags=pairs(data.tags.items())), "dataset": described}
