"""Run by the client's Python: what MLflow's own in-memory search makes of the same runs and questions.

Reads {"runs": [...], "questions": [{"filter", "order"}]} and prints, per question, the names of the runs
found in order, or null where the language refuses the question.
"""

import json
import sys

from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunTag,
)
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils


def entity(run):
    info = RunInfo(
        run_id=run["run_id"],
        experiment_id="1",
        user_id=run["user"],
        status=run["status"],
        start_time=run["start"],
        end_time=run["end"],
        lifecycle_stage="active",
        artifact_uri=run["artifact_uri"],
        run_name=run["name"],
    )
    data = RunData(
        metrics=[Metric(key, float(value), 1, 0) for key, value in run["metrics"].items()],
        params=[Param(key, value) for key, value in run["params"].items()],
        tags=[RunTag(key, value) for key, value in run["tags"].items()],
    )
    inputs = [
        DatasetInput(
            Dataset(name, digest, "local", "source"), [InputTag("mlflow.data.context", context)]
        )
        for name, digest, context in run["datasets"]
    ]
    return Run(info, data, RunInputs(dataset_inputs=inputs))


def answer(runs, question):
    try:
        found = SearchUtils.filter(runs, question["filter"])
        return [run.info.run_name for run in SearchUtils.sort(found, question["order"])]
    except MlflowException:
        return None


def main():
    given = json.load(sys.stdin)
    runs = [entity(run) for run in given["runs"]]
    json.dump([answer(runs, question) for question in given["questions"]], sys.stdout)


main()
