"""Searches in the filter language of the MLflow protocol."""

from apps.experiments.search.experiments import (
    ExperimentView,
    experiment_view,
    search_experiments,
)
from apps.experiments.search.keyset import Page
from apps.experiments.search.logged_models import (
    DatasetChoice,
    ModelOrder,
    search_logged_models,
)
from apps.experiments.search.runs import search_runs

__all__ = [
    "DatasetChoice",
    "ExperimentView",
    "ModelOrder",
    "Page",
    "experiment_view",
    "search_experiments",
    "search_logged_models",
    "search_runs",
]
