"""mlflow/runs/* but for what is logged to a run."""

from __future__ import annotations

from typing import Final

from apps.api.mlflow import wire
from apps.api.mlflow.call import Answer, Call
from apps.api.mlflow.experiments import PAGE_MOST, PAIR, VIEWS, stage
from apps.api.mlflow.messages import Field, Fields, message, missing
from apps.experiments import limits, selectors, services
from apps.experiments.ingest import Pair
from apps.experiments.search import search_runs
from apps.experiments.services import DatasetClaim, InputClaim

STATUSES: Final[dict[str | int, str]] = {
    "RUNNING": "RUNNING",
    "SCHEDULED": "SCHEDULED",
    "FINISHED": "FINISHED",
    "FAILED": "FAILED",
    "KILLED": "KILLED",
    1: "RUNNING",
    2: "SCHEDULED",
    3: "FINISHED",
    4: "FAILED",
    5: "KILLED",
}
# Old clients say run_uuid.
RUN: Final = (Field("run_id", default=""), Field("run_uuid", default=""))

_DATASET: Final = message(
    Field("name", required=True),
    Field("digest", required=True),
    Field("source_type", required=True),
    Field("source", required=True),
    Field("schema", default=""),
    Field("profile", default=""),
)
_INPUT_TAG: Final = message(Field("key", required=True), Field("value", required=True))
_INPUT: Final = message(
    Field("dataset", _DATASET, required=True), Field("tags", _INPUT_TAG, many=True)
)
_MODEL_INPUT: Final = message(Field("model_id", required=True))
_MODEL_OUTPUT: Final = message(Field("model_id", required=True), Field("step", "int", default=0))

CREATE: Final = message(
    Field("experiment_id", default="0"),
    Field("user_id", default=""),
    Field("run_name", default=""),
    Field("start_time", "int", default=0),
    Field("tags", PAIR, many=True),
)
GET: Final = message(*RUN)
UPDATE: Final = message(
    *RUN, Field("status", values=STATUSES), Field("end_time", "int"), Field("run_name", default="")
)
SEARCH: Final = message(
    Field("experiment_ids", many=True),
    Field("filter", default=""),
    Field("run_view_type", values=VIEWS, default="active"),
    Field("max_results", "int", default=1000, least=1, most=PAGE_MOST),
    Field("order_by", many=True),
    Field("page_token", default=""),
)
LOG_INPUTS: Final = message(
    Field("run_id", required=True),
    Field("datasets", _INPUT, many=True),
    Field("models", _MODEL_INPUT, many=True),
)
OUTPUTS: Final = message(Field("run_id", required=True), Field("models", _MODEL_OUTPUT, many=True))


def run_id(call: Call) -> str:
    """The run's id under either of its names."""
    found: str = call["run_id"] or call.fields.get("run_uuid", "")
    if not found:
        raise missing("run_id")
    call.fields["run_id"] = found
    return found


def create(call: Call) -> Answer:
    made = services.create_run(
        call.actor,
        experiment_id=limits.experiment_id(call["experiment_id"] or "0"),
        start_time=call["start_time"],
        run_name=call["run_name"],
        user_label=call["user_id"],
        tags=[Pair(tag["key"], tag["value"]) for tag in call["tags"]],
    )
    return {"run": wire.new_run(made)}


def get(call: Call) -> Answer:
    return {"run": wire.run(selectors.run_view(call.actor, run_id(call)))}


def update(call: Call) -> Answer:
    services.update_run(
        call.actor,
        run_id=run_id(call),
        status=call["status"],
        end_time=call["end_time"],
        name=call["run_name"],
    )
    return {"run_info": wire.run_info(selectors.run_view(call.actor, call["run_id"]))}


def search(call: Call) -> Answer:
    found = search_runs(
        call.actor,
        [limits.experiment_id(item) for item in call["experiment_ids"]],
        filter=call["filter"],
        order=call["order_by"],
        stage=stage(call["run_view_type"]),
        max_results=call["max_results"],
        page_token=call["page_token"],
    )
    return wire.page("runs", [wire.run(view) for view in found.items], found.next_token)


def delete(call: Call) -> Answer:
    services.delete_run(call.actor, run_id=run_id(call))
    return {}


def restore(call: Call) -> Answer:
    services.restore_run(call.actor, run_id=run_id(call))
    return {}


def log_inputs(call: Call) -> Answer:
    services.log_inputs(
        call.actor,
        run_id=call["run_id"],
        datasets=[_claim(item) for item in call["datasets"]],
        models=[model["model_id"] for model in call["models"]],
    )
    return {}


def log_outputs(call: Call) -> Answer:
    services.log_outputs(
        call.actor,
        run_id=call["run_id"],
        models=[(model["model_id"], model["step"]) for model in call["models"]],
    )
    return {}


def _claim(item: Fields) -> InputClaim:
    tags = [Pair(tag["key"], tag["value"]) for tag in item["tags"]]
    return InputClaim(DatasetClaim(**item["dataset"]), tags)
