"""Every route of the protocol that is served, as data: the URLs, the permission matrix and the documentation
read this table. What is not here is answered ENDPOINT_NOT_FOUND.

`verb` is the right the service behind the route asks for, on the experiment or model concerned.
"""

from __future__ import annotations

from typing import Final

from apps.accounts.verbs import SCOPES_OF_VERB
from apps.api.mlflow import artifacts, experiments, logged_models, logging, registry, runs, server
from apps.api.mlflow.call import Decoder, Handler, Route
from apps.api.mlflow.messages import Message

READ: Final = "experiment.read"
WRITE: Final = "experiment.write"
NOTHING: Final = Message(())


def _tracking(
    method: str,
    path: str,
    handler: Handler,
    message: Message,
    verb: str = WRITE,
    decode: Decoder | None = None,
) -> Route:
    scope = "read" if verb == READ else "tracking"
    return Route(method, f"mlflow/{path}", handler, verb, scope, message, decode)


def _registry(method: str, path: str, handler: Handler, message: Message, verb: str) -> Route:
    scope = "read" if verb == "model.read" else "registry" if verb in SCOPES_OF_VERB else ""
    return Route(method, f"mlflow/{path}", handler, verb, scope, message)


_LOGGING: Final = (
    _tracking(
        "POST", "runs/log-batch", logging.log_batch, logging.LOG_BATCH, decode=logging.decode_batch
    ),
    _tracking("POST", "runs/log-metric", logging.log_metric, logging.LOG_METRIC),
    _tracking("POST", "runs/log-parameter", logging.log_param, logging.LOG_PARAM),
    _tracking("POST", "runs/set-tag", logging.set_tag, logging.SET_TAG),
    _tracking("POST", "runs/delete-tag", logging.delete_tag, logging.DELETE_TAG),
    _tracking("GET", "metrics/get-history", logging.history, logging.HISTORY, READ),
    _tracking(
        "GET", "metrics/get-history-bulk-interval", logging.history_bulk, logging.HISTORY_BULK, READ
    ),
)

_RUNS: Final = (
    _tracking("POST", "runs/create", runs.create, runs.CREATE),
    _tracking("GET", "runs/get", runs.get, runs.GET, READ),
    _tracking("POST", "runs/update", runs.update, runs.UPDATE),
    _tracking("POST", "runs/search", runs.search, runs.SEARCH, READ),
    _tracking("POST", "runs/delete", runs.delete, runs.GET),
    _tracking("POST", "runs/restore", runs.restore, runs.GET),
    _tracking("POST", "runs/log-inputs", runs.log_inputs, runs.LOG_INPUTS),
    _tracking("POST", "runs/outputs", runs.log_outputs, runs.OUTPUTS),
    _tracking("GET", "artifacts/list", artifacts.list_run, artifacts.RUN_LIST, READ),
)

_EXPERIMENTS: Final = (
    _tracking(
        "POST", "experiments/create", experiments.create, experiments.CREATE, "experiment.create"
    ),
    _tracking("GET", "experiments/get", experiments.get, experiments.GET, READ),
    _tracking(
        "GET", "experiments/get-by-name", experiments.get_by_name, experiments.GET_BY_NAME, READ
    ),
    _tracking("POST", "experiments/search", experiments.search, experiments.SEARCH, READ),
    _tracking("GET", "experiments/search", experiments.search, experiments.SEARCH, READ),
    _tracking("POST", "experiments/update", experiments.update, experiments.UPDATE),
    _tracking("POST", "experiments/delete", experiments.delete, experiments.GET),
    _tracking("POST", "experiments/restore", experiments.restore, experiments.GET),
    _tracking("POST", "experiments/set-experiment-tag", experiments.set_tag, experiments.SET_TAG),
    _tracking(
        "POST", "experiments/delete-experiment-tag", experiments.delete_tag, experiments.DELETE_TAG
    ),
)

_MODEL: Final = "logged-models/<str:model_id>"
_LOGGED_MODELS: Final = (
    _tracking("POST", "logged-models", logged_models.create, logged_models.CREATE),
    _tracking("POST", "logged-models/search", logged_models.search, logged_models.SEARCH, READ),
    _tracking("GET", _MODEL, logged_models.get, logged_models.GET, READ),
    _tracking("PATCH", _MODEL, logged_models.finalize, logged_models.FINALIZE),
    _tracking("DELETE", _MODEL, logged_models.delete, logged_models.DELETE),
    _tracking("PATCH", f"{_MODEL}/tags", logged_models.set_tags, logged_models.TAGS),
    _tracking(
        "DELETE",
        f"{_MODEL}/tags/<path:tag_key>",
        logged_models.delete_tag,
        logged_models.DELETE_TAG,
    ),
    _tracking("POST", f"{_MODEL}/params", logged_models.log_params, logged_models.PARAMS),
    _tracking(
        "GET", f"{_MODEL}/artifacts/directories", logged_models.list_files, logged_models.LIST, READ
    ),
)

_PROXY: Final = "mlflow-artifacts/artifacts"
_ARTIFACTS: Final = (
    Route("GET", _PROXY, artifacts.list_folder, READ, "read", artifacts.PATH),
    Route("GET", f"{_PROXY}/<path:path>", artifacts.download, READ, "read", artifacts.PATH),
    Route("PUT", f"{_PROXY}/<path:path>", artifacts.upload, WRITE, "tracking", artifacts.PATH),
    Route("DELETE", f"{_PROXY}/<path:path>", artifacts.delete, WRITE, "tracking", artifacts.PATH),
)

_MODELS: Final = (
    _registry("GET", "registered-models/get", registry.get_model, registry.ONE_MODEL, "model.read"),
    _registry("GET", "registered-models/search", registry.search_models, registry.SEARCH_MODELS, "model.read"),
    _registry("POST", "registered-models/create", registry.create_model, registry.CREATE_MODEL, "model.create"),
    _registry("PATCH", "registered-models/update", registry.update_model, registry.UPDATE_MODEL, "model.edit"),
    _registry("POST", "registered-models/rename", registry.rename_model, registry.RENAME_MODEL, "model.manage"),
    _registry("DELETE", "registered-models/delete", registry.delete_model, registry.ONE_MODEL, "model.delete"),
    _registry("POST", "registered-models/set-tag", registry.set_model_tag, registry.MODEL_TAG, "model.edit"),
    _registry("DELETE", "registered-models/delete-tag", registry.delete_model_tag, registry.MODEL_TAG, "model.edit"),
    _registry("GET", "registered-models/alias", registry.get_by_alias, registry.ALIAS, "model.read"),
    _registry("POST", "registered-models/alias", registry.set_alias, registry.SET_ALIAS, "model.edit"),
    _registry("DELETE", "registered-models/alias", registry.delete_alias, registry.ALIAS, "model.edit"),
    _registry("POST", "registered-models/get-latest-versions", registry.latest_versions, registry.LATEST, "model.read"),
    _registry("GET", "registered-models/get-latest-versions", registry.latest_versions, registry.LATEST, "model.read"),
)  # fmt: skip

_VERSIONS: Final = (
    _registry("GET", "model-versions/get", registry.get_version, registry.ONE_VERSION, "model.read"),
    _registry("GET", "model-versions/get-download-uri", registry.download_uri, registry.ONE_VERSION, "model.read"),
    _registry("GET", "model-versions/search", registry.search_versions, registry.SEARCH_VERSIONS, "model.read"),
    _registry("POST", "model-versions/create", registry.create_version, registry.CREATE_VERSION, "model.register"),
    _registry("PATCH", "model-versions/update", registry.update_version, registry.UPDATE_VERSION, "model.edit"),
    _registry("DELETE", "model-versions/delete", registry.delete_version, registry.ONE_VERSION, "model.delete"),
    _registry("POST", "model-versions/transition-stage", registry.transition_stage, registry.STAGE, "model.edit"),
    _registry("POST", "model-versions/set-tag", registry.set_version_tag, registry.VERSION_TAG, "model.edit"),
    _registry("DELETE", "model-versions/delete-tag", registry.delete_version_tag, registry.VERSION_TAG, "model.edit"),
)  # fmt: skip

_SERVER: Final = (Route("GET", "mlflow/server-info", server.info, version="3.0", open=True),)

# The most frequent first: the resolver walks them in order.
ROUTES: Final[tuple[Route, ...]] = (
    *_LOGGING,
    *_RUNS,
    *_ARTIFACTS,
    *_MODELS,
    *_VERSIONS,
    *_EXPERIMENTS,
    *_LOGGED_MODELS,
    *_SERVER,
)

PREFIXES: Final = ("api", "ajax-api")
