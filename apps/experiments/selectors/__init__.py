"""Reads of experiments, runs, logged models and their files. Searches are in `apps.experiments.search`."""

from apps.experiments.selectors.artifacts import (
    ArtifactView,
    Entry,
    artifacts_under,
    entries,
    find_artifact,
    get_artifact,
    list_folder,
)
from apps.experiments.selectors.facts import (
    logged_model_digest,
    logged_model_facts,
    run_digest,
    run_facts,
)
from apps.experiments.selectors.history import PointView, history, metric_series
from apps.experiments.selectors.logged_models import (
    LoggedModelView,
    get_logged_model,
    logged_model_authors,
    logged_model_view,
    visible_logged_model,
)
from apps.experiments.selectors.runs import (
    DatasetView,
    MetricView,
    RunView,
    child_runs,
    get_run,
    metric_keys,
    run_authors,
    run_view,
    run_views,
    visible_run,
)

__all__ = [
    "ArtifactView",
    "DatasetView",
    "Entry",
    "LoggedModelView",
    "MetricView",
    "PointView",
    "RunView",
    "artifacts_under",
    "child_runs",
    "entries",
    "find_artifact",
    "get_artifact",
    "get_logged_model",
    "get_run",
    "history",
    "list_folder",
    "logged_model_authors",
    "logged_model_digest",
    "logged_model_facts",
    "logged_model_view",
    "metric_keys",
    "metric_series",
    "run_authors",
    "run_digest",
    "run_facts",
    "run_view",
    "run_views",
    "visible_logged_model",
    "visible_run",
]
