"""Experiments, runs and what a run holds. Rows only: the verbs are in services.py and ingest.py.

Times that the protocol carries are whole milliseconds since the epoch, its unit.
"""

from apps.experiments.models.fields import (
    DEFAULT_EXPERIMENT,
    VERSIONS_TAG,
    Lifecycle,
    ModelStatus,
    RunStatus,
)
from apps.experiments.models.logged import (
    Artifact,
    LoggedModel,
    LoggedModelAuthor,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelTag,
    RunModelInput,
    RunOutput,
    model_artifact_uri,
)
from apps.experiments.models.measured import (
    Dataset,
    DatasetInput,
    DatasetInputTag,
    LatestMetric,
    Metric,
    Param,
    RunTag,
)
from apps.experiments.models.runs import (
    Experiment,
    ExperimentGroupRole,
    ExperimentTag,
    ExperimentUserRole,
    Run,
    RunAuthor,
    artifact_location,
    run_artifact_uri,
)

__all__ = [
    "DEFAULT_EXPERIMENT",
    "VERSIONS_TAG",
    "Artifact",
    "Dataset",
    "DatasetInput",
    "DatasetInputTag",
    "Experiment",
    "ExperimentGroupRole",
    "ExperimentTag",
    "ExperimentUserRole",
    "LatestMetric",
    "Lifecycle",
    "LoggedModel",
    "LoggedModelAuthor",
    "LoggedModelMetric",
    "LoggedModelParam",
    "LoggedModelTag",
    "Metric",
    "ModelStatus",
    "Param",
    "Run",
    "RunAuthor",
    "RunModelInput",
    "RunOutput",
    "RunStatus",
    "RunTag",
    "artifact_location",
    "model_artifact_uri",
    "run_artifact_uri",
]
