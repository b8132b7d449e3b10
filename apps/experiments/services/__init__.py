"""Verbs on experiments, runs, logged models and their files. Logging to a run is `apps.experiments.ingest`."""

from apps.experiments.services.artifacts import delete_artifacts, put_artifact
from apps.experiments.services.experiments import (
    create_experiment,
    delete_experiment,
    delete_experiment_tag,
    rename_experiment,
    restore_experiment,
    set_experiment_tag,
)
from apps.experiments.services.inputs import DatasetClaim, InputClaim, log_inputs, log_outputs
from apps.experiments.services.logged_models import (
    create_logged_model,
    delete_logged_model,
    delete_model_tag,
    finalize_logged_model,
    log_model_params,
    set_model_tags,
)
from apps.experiments.services.runs import NewRun, create_run, delete_run, restore_run, update_run
from apps.experiments.services.seals import (
    seal_logged_model,
    seal_run,
    unseal_logged_model,
    unseal_run,
)

__all__ = [
    "DatasetClaim",
    "InputClaim",
    "NewRun",
    "create_experiment",
    "create_logged_model",
    "create_run",
    "delete_artifacts",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_logged_model",
    "delete_model_tag",
    "delete_run",
    "finalize_logged_model",
    "log_inputs",
    "log_model_params",
    "log_outputs",
    "put_artifact",
    "rename_experiment",
    "restore_experiment",
    "restore_run",
    "seal_logged_model",
    "seal_run",
    "set_experiment_tag",
    "set_model_tags",
    "unseal_logged_model",
    "unseal_run",
    "update_run",
]
