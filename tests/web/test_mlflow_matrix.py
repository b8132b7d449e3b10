"""The permission matrix of the MLflow protocol: every route of the table of apps/api times every kind of visitor.

The expectation is computed from the table's verb and the roles' verbs, so a route without its rule, or a rule that the
services do not keep, shows here. What a call needs to be well-formed stands in FIELDS and CALLS; a new route whose call
cannot be made from them fails until it is added.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from apps.accounts.models import RoleVerb
from apps.accounts.verbs import SCOPES_OF_VERB
from apps.api.mlflow.call import Route
from apps.api.mlflow.routes import PREFIXES, ROUTES
from tests.support.people import token_for
from tests.web.test_permission_matrix import undone
from tests.web.world import ANONYMOUS, OUTSIDER, VISITORS, World, build

pytestmark = pytest.mark.django_db

# Lists are filtered by what one may see instead of being refused.
FILTERED = {
    "POST mlflow/runs/search",
    "POST mlflow/experiments/search",
    "GET mlflow/experiments/search",
    "GET mlflow/registered-models/search",
    "GET mlflow/model-versions/search",
    "POST mlflow/logged-models/search",
}


@dataclass(slots=True)
class Caller:
    """The world, everybody's token, and what a well-formed call needs."""

    world: World
    tokens: dict[str, str]
    fields: dict[str, Any]


@pytest.fixture(scope="module")
def caller(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Caller]:
    with django_db_blocker.unblock(), undone():
        world = build()
        tokens = {name: token_for(user) for name, user in world.visitors.items() if user}
        yield Caller(world, tokens, _prepare(world))


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_visitor_gets_the_expected_answer(route: Route, prefix: str, caller: Caller) -> None:
    expected = {visitor: _expected(route, visitor) for visitor in VISITORS}
    got = {visitor: _status(route, prefix, visitor, caller) for visitor in VISITORS}
    assert got == expected


def _expected(route: Route, visitor: str) -> int:
    if route.open:
        return 200
    if visitor == ANONYMOUS:
        return 401
    if visitor == OUTSIDER:
        return 200 if route.name in FILTERED else 403 if route.verb.endswith(".create") else 404
    if not SCOPES_OF_VERB.get(
        route.verb
    ):  # no token carries it: managing takes a person in a session
        return 403
    holds = RoleVerb.objects.filter(role_id=visitor, verb=route.verb).exists()
    return 200 if holds else 403


def _status(route: Route, prefix: str, visitor: str, caller: Caller) -> int:
    own = {
        name: value.format(**caller.fields) if isinstance(value, str) else value
        for name, value in CALLS.get(route.name, {}).items()
    }
    fields = {**caller.fields, **own}
    path = f"/{prefix}/{route.version}/{route.path}"
    path = path.replace("<str:model_id>", fields["model_id"])
    path = path.replace("<path:path>", fields["path"]).replace("<path:tag_key>", "colour")
    wanted = {field.name for field in route.message.fields}
    body = {name: value for name, value in fields.items() if name in wanted}
    token = caller.tokens.get(visitor)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with undone():
        return _send(route, path, body, headers)


def _send(route: Route, path: str, body: dict[str, Any], headers: dict[str, str]) -> int:
    client = Client(headers=headers)
    if route.method == "GET":
        answer = client.get(path, body)
    elif route.method == "PUT":
        answer = client.generic(route.method, path, b"bytes", "application/octet-stream")
    else:
        answer = client.generic(route.method, path, json.dumps(body), "application/json")
    return answer.status_code


def _prepare(world: World) -> dict[str, Any]:
    """Through the protocol, as the maker: one of each thing that a call names. A value for each field of the table."""
    run_id, experiment_id = world.run.run_id, str(world.experiment.pk)
    path = f"{experiment_id}/{run_id}/artifacts/notes.txt"
    headers = {"Authorization": f"Bearer {token_for(world.maker)}"}

    def call(method: str, where: str, **body: Any) -> Any:
        answer = Client(headers=headers).generic(
            method, f"/api/2.0/{where}", json.dumps(body), "application/json"
        )
        assert answer.status_code == 200, (where, answer.content)
        return answer.json() if answer.content else {}

    made = call("POST", "mlflow/logged-models", experiment_id=experiment_id, name="net")
    model_id = made["model"]["info"]["model_id"]
    call("PATCH", f"mlflow/logged-models/{model_id}/tags", tags=[COLOUR])
    call("POST", "mlflow/runs/set-tag", run_id=run_id, **COLOUR)
    call("POST", "mlflow/runs/log-metric", run_id=run_id, key="auc", value=0.8, timestamp=1, step=0)
    call("POST", "mlflow/experiments/set-experiment-tag", experiment_id=experiment_id, **COLOUR)
    call("POST", "mlflow/registered-models/set-tag", name=world.model.name, **COLOUR)
    call("POST", "mlflow/registered-models/alias", name="churn", alias="candidate", version="1")
    call("POST", "mlflow/model-versions/set-tag", name="churn", version="1", **COLOUR)
    call("PUT", f"mlflow-artifacts/artifacts/{path}")
    call("POST", "mlflow/registered-models/create", name="spare")
    deleted = call("POST", "mlflow/experiments/create", name="old trials")["experiment_id"]
    call("POST", "mlflow/experiments/delete", experiment_id=deleted)
    return {
        "alias": "candidate",
        "deleted": deleted,
        "description": "seen",
        "experiment_id": experiment_id,
        "experiment_ids": [experiment_id],
        "experiment_name": world.experiment.name,
        "folder": path.rpartition("/")[0],
        "max_results": 10,
        "metric_key": "auc",
        "model_id": model_id,
        "name": world.model.name,
        "new_name": "renamed",
        "path": path,
        "run_id": run_id,
        "run_ids": [run_id],
        "stage": "Staging",
        "timestamp": 2,
        "version": "1",
        **COLOUR,
    }


COLOUR = {"key": "colour", "value": "blue"}

# Where a field of the same name means something else.
CALLS: dict[str, dict[str, Any]] = {
    "POST mlflow/runs/log-metric": {"key": "loss", "value": 0.5},
    "POST mlflow/runs/log-batch": {"metrics": [], "params": [], "tags": [COLOUR]},
    "POST mlflow/runs/update": {"status": "FINISHED", "run_name": "again"},
    "POST mlflow/runs/log-inputs": {"datasets": [], "models": []},
    "POST mlflow/runs/outputs": {"models": []},
    "GET mlflow/artifacts/list": {"path": ""},
    "GET mlflow-artifacts/artifacts": {"path": "{folder}"},
    "POST mlflow/experiments/restore": {"experiment_id": "{deleted}"},
    "POST mlflow/registered-models/create": {"name": "another"},
    "DELETE mlflow/registered-models/delete": {"name": "spare"},  # the other one is under review
    "POST mlflow/model-versions/create": {"source": "mlflow-artifacts:/{path}"},
    "POST mlflow/experiments/create": {"name": "other trials"},
    "POST mlflow/logged-models": {"name": "other"},
    "PATCH mlflow/logged-models/<str:model_id>": {"status": "LOGGED_MODEL_READY"},
    "PATCH mlflow/logged-models/<str:model_id>/tags": {"tags": [COLOUR]},
    "POST mlflow/logged-models/<str:model_id>/params": {"params": [{"key": "depth", "value": "3"}]},
}
