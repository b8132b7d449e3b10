"""mlflow/logged-models/*"""

from __future__ import annotations

from typing import Final

from apps.api.mlflow import wire
from apps.api.mlflow.call import Answer, Call
from apps.api.mlflow.experiments import PAIR
from apps.api.mlflow.messages import Field, message
from apps.experiments import limits, selectors, services
from apps.experiments.ingest import Pair
from apps.experiments.search import DatasetChoice, ModelOrder, search_logged_models

STATUSES: Final[dict[str | int, str]] = {
    "LOGGED_MODEL_PENDING": "LOGGED_MODEL_PENDING",
    "LOGGED_MODEL_READY": "LOGGED_MODEL_READY",
    "LOGGED_MODEL_UPLOAD_FAILED": "LOGGED_MODEL_UPLOAD_FAILED",
    1: "LOGGED_MODEL_PENDING",
    2: "LOGGED_MODEL_READY",
    3: "LOGGED_MODEL_UPLOAD_FAILED",
}

ID: Final = Field("model_id", required=True)
CREATE: Final = message(
    Field("experiment_id", required=True),
    Field("name", default=""),
    Field("model_type", default=""),
    Field("source_run_id", default=""),
    Field("params", PAIR, many=True),
    Field("tags", PAIR, many=True),
)
GET: Final = message(ID, Field("allow_deleted", "bool", default=False))
DELETE: Final = message(ID)
FINALIZE: Final = message(ID, Field("status", required=True, values=STATUSES))
PARAMS: Final = message(ID, Field("params", PAIR, many=True))
TAGS: Final = message(ID, Field("tags", PAIR, many=True))
DELETE_TAG: Final = message(ID, Field("tag_key", required=True))
LIST: Final = message(ID, Field("artifact_directory_path", default=""))
SEARCH: Final = message(
    Field("experiment_ids", required=True, many=True),
    Field("filter", default=""),
    Field(
        "datasets",
        message(Field("dataset_name", default=""), Field("dataset_digest", default="")),
        many=True,
    ),
    Field("max_results", "int", default=100, least=1, most=1000),
    Field(
        "order_by",
        message(
            Field("field_name", required=True),
            Field("ascending", "bool", default=True),
            Field("dataset_name", default=""),
            Field("dataset_digest", default=""),
        ),
        many=True,
    ),
    Field("page_token", default=""),
)


def create(call: Call) -> Answer:
    made = services.create_logged_model(
        call.actor,
        experiment_id=limits.experiment_id(call["experiment_id"]),
        name=call["name"],
        model_type=call["model_type"],
        source_run_id=call["source_run_id"],
        params=_pairs(call, "params"),
        tags=_pairs(call, "tags"),
    )
    return _model(call, made.model_id)


def get(call: Call) -> Answer:
    return _model(call, call["model_id"], allow_deleted=call["allow_deleted"])


def finalize(call: Call) -> Answer:
    services.finalize_logged_model(call.actor, model_id=call["model_id"], status=call["status"])
    return _model(call, call["model_id"])


def delete(call: Call) -> Answer:
    services.delete_logged_model(call.actor, model_id=call["model_id"])
    return {}


def log_params(call: Call) -> Answer:
    services.log_model_params(call.actor, model_id=call["model_id"], params=_pairs(call, "params"))
    return {}


def set_tags(call: Call) -> Answer:
    services.set_model_tags(call.actor, model_id=call["model_id"], tags=_pairs(call, "tags"))
    return {}


def delete_tag(call: Call) -> Answer:
    services.delete_model_tag(call.actor, model_id=call["model_id"], key=call["tag_key"])
    return {}


def search(call: Call) -> Answer:
    found = search_logged_models(
        call.actor,
        [limits.experiment_id(item) for item in call["experiment_ids"]],
        filter=call["filter"],
        datasets=[DatasetChoice(d["dataset_name"], d["dataset_digest"]) for d in call["datasets"]],
        order=[ModelOrder(**item) for item in call["order_by"]],
        max_results=call["max_results"],
        page_token=call["page_token"],
    )
    return wire.page("models", [wire.logged_model(view) for view in found.items], found.next_token)


def list_files(call: Call) -> Answer:
    model = selectors.visible_logged_model(call.actor, call["model_id"])
    folder = call["artifact_directory_path"].strip("/")
    files = [wire.entry(item, folder) for item in selectors.list_folder(model, folder)]
    return {"root_uri": model.artifact_uri, **wire.lists(files=files)}


def _pairs(call: Call, name: str) -> list[Pair]:
    return [Pair(item["key"], item["value"]) for item in call[name]]


def _model(call: Call, model_id: str, *, allow_deleted: bool = False) -> Answer:
    view = selectors.logged_model_view(call.actor, model_id, allow_deleted=allow_deleted)
    return {"model": wire.logged_model(view)}
