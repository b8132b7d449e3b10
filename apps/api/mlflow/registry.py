"""mlflow/registered-models/* and mlflow/model-versions/*: what leads to a governed target is refused by the
registry, with the review's address, on every one of these routes."""

from __future__ import annotations

from typing import Final

from apps.api.mlflow import places, sources, wire
from apps.api.mlflow.call import Answer, Call
from apps.api.mlflow.experiments import PAIR
from apps.api.mlflow.messages import Field, message
from apps.api.mlflow.wire import Json
from apps.compliance import use_gate
from apps.core.errors import Invalid
from apps.registry import search, selectors, services
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.search import ModelView, VersionView
from apps.registry.targets import STAGES, Target

NAME: Final = Field("name", required=True)
VERSION: Final = Field("version", required=True)
_KEY: Final = Field("key", required=True)

CREATE_MODEL: Final = message(
    NAME, Field("tags", PAIR, many=True), Field("description", default="")
)
ONE_MODEL: Final = message(NAME)
UPDATE_MODEL: Final = message(NAME, Field("description", default=""))
RENAME_MODEL: Final = message(NAME, Field("new_name", required=True))
MODEL_TAG: Final = message(NAME, _KEY, Field("value", default=""))
SEARCH_MODELS: Final = message(
    Field("filter", default=""),
    Field("max_results", "int", default=100, least=1, most=1000),
    Field("order_by", many=True),
    Field("page_token", default=""),
)
LATEST: Final = message(NAME, Field("stages", many=True))
SET_ALIAS: Final = message(NAME, Field("alias", required=True), VERSION)
ALIAS: Final = message(NAME, Field("alias", required=True))

CREATE_VERSION: Final = message(
    NAME,
    Field("source", required=True),
    Field("run_id", default=""),
    Field("model_id", default=""),
    Field("run_link", default=""),
    Field("description", default=""),
    Field("tags", PAIR, many=True),
)
ONE_VERSION: Final = message(NAME, VERSION)
UPDATE_VERSION: Final = message(NAME, VERSION, Field("description", default=""))
STAGE: Final = message(
    NAME,
    VERSION,
    Field("stage", required=True),
    Field("archive_existing_versions", "bool", default=False),
)
VERSION_TAG: Final = message(NAME, VERSION, _KEY, Field("value", default=""))
SEARCH_VERSIONS: Final = message(
    Field("filter", default=""),
    Field("max_results", "int", default=200_000, least=1, most=200_000),
    Field("order_by", many=True),
    Field("page_token", default=""),
)
_PAGE_MOST: Final = 10_000


# --- models --------------------------------------------------------------------------------------


def create_model(call: Call) -> Answer:
    made = services.create_model(
        call.actor, name=call["name"], description=call["description"], tags=_tags(call)
    )
    return _model_answer(made)


def get_model(call: Call) -> Answer:
    return _model_answer(_model(call))


def update_model(call: Call) -> Answer:
    return _model_answer(
        services.update_model(call.actor, _model(call), description=call["description"])
    )


def rename_model(call: Call) -> Answer:
    return _model_answer(services.rename_model(call.actor, _model(call), new_name=call["new_name"]))


def delete_model(call: Call) -> Answer:
    services.delete_model(call.actor, _model(call))
    return {}


def set_model_tag(call: Call) -> Answer:
    services.set_model_tag(call.actor, _model(call), key=call["key"], value=call["value"])
    return {}


def delete_model_tag(call: Call) -> Answer:
    services.delete_model_tag(call.actor, _model(call), key=call["key"])
    return {}


def search_models(call: Call) -> Answer:
    found = search.search_models(
        call.actor,
        filter=call["filter"],
        order=call["order_by"],
        max_results=call["max_results"],
        page_token=call["page_token"],
    )
    return wire.page("registered_models", [_model_json(v) for v in found.items], found.next_token)


def latest_versions(call: Call) -> Answer:
    stages = [STAGES[Target.stage(stage).name] for stage in call["stages"]]
    found = search.latest_versions(_model(call).pk, stages)
    return wire.lists(model_versions=[_version_json(view) for view in found])


def set_alias(call: Call) -> Answer:
    services.set_alias(call.actor, _version(call), alias=call["alias"])
    return {}


def delete_alias(call: Call) -> Answer:
    services.delete_alias(call.actor, _model(call), alias=call["alias"])
    return {}


def get_by_alias(call: Call) -> Answer:
    version = selectors.find_by_alias(_model(call), call["alias"])
    if version is None:
        raise Invalid(
            f"Registered model alias {call['alias']} not found.", fields={"alias": "unknown"}
        )
    return _version_answer(version)


# --- versions ------------------------------------------------------------------------------------


def create_version(call: Call) -> Answer:
    """Resolve the source to files first: rights to read them are asked before rights to register."""
    model = _model(call)
    tags = _tags(call)
    resolved = sources.resolve(
        call.actor,
        source=call["source"],
        run_id=call["run_id"],
        model_id=call["model_id"],
        prompt=tags.get(search.PROMPT_TAG, "").lower() == "true",
    )
    if resolved.root is not None:
        digests = {file.digest for file in resolved.files}
        use_gate.require_for_files(call.actor, resolved.root, digests)
    made = services.create_version(
        call.actor,
        model,
        source=resolved.source,
        files=resolved.files,
        run=resolved.run,
        logged_model=resolved.logged_model,
        run_uuid=resolved.run_uuid,
        run_link=call["run_link"],
        description=call["description"],
        tags=tags,
    )
    return _version_answer(made)


def get_version(call: Call) -> Answer:
    return _version_answer(_version(call))


def download_uri(call: Call) -> Answer:
    """Where exactly the registered files are read; the source itself, for a version without files."""
    version = _version(call)
    use_gate.require_acknowledged(call.actor, version)
    return {"artifact_uri": places.version_uri(version) if version.manifest else version.source}


def update_version(call: Call) -> Answer:
    return _version_answer(
        services.update_version(call.actor, _version(call), description=call["description"])
    )


def delete_version(call: Call) -> Answer:
    services.delete_version(call.actor, _version(call))
    return {}


def transition_stage(call: Call) -> Answer:
    return _version_answer(
        services.set_stage(
            call.actor,
            _version(call),
            stage=call["stage"],
            archive_existing=call["archive_existing_versions"],
        )
    )


def set_version_tag(call: Call) -> Answer:
    services.set_version_tag(call.actor, _version(call), key=call["key"], value=call["value"])
    return {}


def delete_version_tag(call: Call) -> Answer:
    services.delete_version_tag(call.actor, _version(call), key=call["key"])
    return {}


def search_versions(call: Call) -> Answer:
    found = search.search_versions(
        call.actor,
        filter=call["filter"],
        order=call["order_by"],
        max_results=min(call["max_results"], _PAGE_MOST),
        page_token=call["page_token"],
    )
    return wire.page("model_versions", [_version_json(v) for v in found.items], found.next_token)


# --- shapes --------------------------------------------------------------------------------------


def _model(call: Call) -> RegisteredModel:
    model = selectors.get_model(call.actor, call["name"])
    call.about = f"model:{model.pk}"
    return model


def _version(call: Call) -> ModelVersion:
    number = call["version"]
    if not (number.isascii() and number.isdecimal() and len(number) < 10):
        raise Invalid(
            f"Parameter 'version' must be an integer, got '{number[:80]}'.",
            fields={"version": "expected a whole number"},
        )
    version = selectors.get_version(call.actor, call["name"], int(number))
    call.about = f"version:{version.pk}"
    return version


def _tags(call: Call) -> dict[str, str]:
    return {tag["key"]: tag["value"] or "" for tag in call["tags"]}


def _model_answer(model: RegisteredModel) -> Answer:
    return {"registered_model": _model_json(search.model_view(model.pk))}


def _version_answer(version: ModelVersion) -> Answer:
    return {"model_version": _version_json(search.version_view(version.pk))}


def _model_json(view: ModelView) -> Json:
    aliases = [{"alias": alias, "version": str(number)} for alias, number in view.aliases]
    return {
        "name": view.name,
        "creation_timestamp": view.created_at,
        "last_updated_timestamp": view.updated_at,
        "description": view.description,
        **wire.lists(
            latest_versions=[_version_json(version) for version in view.latest],
            tags=wire.pairs(view.tags),
            aliases=aliases,
        ),
    }


def _version_json(view: VersionView) -> Json:
    return {
        "name": view.name,
        "version": str(view.number),
        "creation_timestamp": view.created_at,
        "last_updated_timestamp": view.updated_at,
        "current_stage": view.stage,
        "description": view.description,
        "source": view.source,
        "run_id": view.run_id,
        "status": "READY",
        "run_link": view.run_link,
        **({"model_id": view.logged_model} if view.logged_model else {}),
        **wire.lists(tags=wire.pairs(view.tags), aliases=view.aliases),
    }
