"""Experiments and runs of the tests, made through the services."""

from __future__ import annotations

import io
import itertools

from apps.core.actor import Actor
from apps.experiments import ingest, selectors, services
from apps.experiments.ingest import Pair, Point
from apps.experiments.models import Experiment, LoggedModel, Run

_count = itertools.count(1)


def experiment(actor: Actor, name: str = "") -> Experiment:
    return services.create_experiment(actor, name=name or f"experiment {next(_count)}")


def run(
    actor: Actor,
    of: Experiment,
    *,
    name: str = "",
    start: int = 1000,
    metrics: dict[str, float] | None = None,
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> Run:
    """A running run that has logged these."""
    made = services.create_run(actor, experiment_id=of.pk, start_time=start, run_name=name)
    ingest.log_batch(
        actor,
        run_id=made.run_id,
        metrics=[Point(key, value, 1, 0) for key, value in (metrics or {}).items()],
        params=[Pair(key, value) for key, value in (params or {}).items()],
        tags=[Pair(key, value) for key, value in (tags or {}).items()],
    )
    return selectors.get_run(made.run_id)


def ended(actor: Actor, of: Run) -> Run:
    services.update_run(actor, run_id=of.run_id, status="FINISHED", end_time=2000)
    return selectors.get_run(of.run_id)


def logged_model(actor: Actor, of: Experiment, *, source: Run | None = None) -> LoggedModel:
    """A logged model that is ready."""
    made = services.create_logged_model(
        actor, experiment_id=of.pk, name="model", source_run_id=source.run_id if source else ""
    )
    services.finalize_logged_model(actor, model_id=made.model_id, status="LOGGED_MODEL_READY")
    return selectors.get_logged_model(made.model_id)


def file(actor: Actor, root: Run | LoggedModel, path: str, data: bytes = b"bytes") -> str:
    """Store a file; its digest."""
    return services.put_artifact(actor, root, path, io.BytesIO(data), size=len(data)).digest
