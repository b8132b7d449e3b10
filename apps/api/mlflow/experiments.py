"""mlflow/experiments/*"""

from __future__ import annotations

from typing import Final

from apps.api.mlflow import wire
from apps.api.mlflow.call import Answer, Call
from apps.api.mlflow.messages import Field, message
from apps.core.errors import Invalid, NotFound
from apps.experiments import access, limits, services
from apps.experiments.ingest import Pair
from apps.experiments.models import Experiment, Lifecycle
from apps.experiments.search import ExperimentView, experiment_view, search_experiments

ID: Final = Field("experiment_id", required=True)
PAIR: Final = message(Field("key", required=True), Field("value"))
PAGE_MOST: Final = 50_000

VIEWS: Final[dict[str | int, str]] = {
    "ACTIVE_ONLY": "active",
    "DELETED_ONLY": "deleted",
    "ALL": "",
    1: "active",
    2: "deleted",
    3: "",
}

CREATE: Final = message(
    Field("name", required=True), Field("artifact_location"), Field("tags", PAIR, many=True)
)
GET: Final = message(ID)
GET_BY_NAME: Final = message(Field("experiment_name", required=True))
SEARCH: Final = message(
    Field("max_results", "int", default=0, least=1, most=PAGE_MOST),
    Field("page_token", default=""),
    Field("filter", default=""),
    Field("order_by", many=True),
    Field("view_type", values=VIEWS, default="active"),
)
UPDATE: Final = message(ID, Field("new_name", required=True))
SET_TAG: Final = message(ID, Field("key", required=True), Field("value", default=""))
DELETE_TAG: Final = message(ID, Field("key", required=True))


def stage(word: str) -> Lifecycle | None:
    """The view type of a search; None means both."""
    return Lifecycle(word) if word else None


def create(call: Call) -> Answer:
    if call["artifact_location"]:
        raise Invalid(
            "artifact_location cannot be chosen: this server keeps the files of every experiment, so "
            "that it can vouch for them. Leave it out.",
            fields={"artifact_location": "not supported"},
        )
    tags = [Pair(tag["key"], tag["value"]) for tag in call["tags"]]
    made = services.create_experiment(call.actor, name=call["name"], tags=tags)
    return {"experiment_id": str(made.pk)}


def get(call: Call) -> Answer:
    return {"experiment": wire.experiment(experiment_view(call.actor, _id(call)))}


def get_by_name(call: Call) -> Answer:
    name = call["experiment_name"]
    unseen = NotFound(f"Could not find experiment with name '{name}'")
    found = Experiment.objects.filter(name=name).first()
    if found is None:
        raise unseen
    access.allow(call.actor, access.READ, found, unseen)
    return {"experiment": wire.experiment(ExperimentView.of(found))}


def search(call: Call) -> Answer:
    if not call["max_results"]:
        raise Invalid(
            "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer",
            fields={"max_results": "required"},
        )
    found = search_experiments(
        call.actor,
        filter=call["filter"],
        order=call["order_by"],
        stage=stage(call["view_type"]),
        max_results=call["max_results"],
        page_token=call["page_token"],
    )
    return wire.page(
        "experiments", [wire.experiment(view) for view in found.items], found.next_token
    )


def update(call: Call) -> Answer:
    services.rename_experiment(call.actor, _id(call), name=call["new_name"])
    return {}


def delete(call: Call) -> Answer:
    services.delete_experiment(call.actor, _id(call))
    return {}


def restore(call: Call) -> Answer:
    services.restore_experiment(call.actor, _id(call))
    return {}


def set_tag(call: Call) -> Answer:
    services.set_experiment_tag(call.actor, _id(call), key=call["key"], value=call["value"])
    return {}


def delete_tag(call: Call) -> Answer:
    services.delete_experiment_tag(call.actor, _id(call), key=call["key"])
    return {}


def _id(call: Call) -> int:
    return limits.experiment_id(call["experiment_id"])
