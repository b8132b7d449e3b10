"""A version is under review; everybody tries every call of the MLflow protocol that would get round it.

All four spellings of the address, every role, a token with every scope. Nothing changes, the answer is a
client error that the MLflow client does not retry, and what the record must know of is among the attempts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from apps.accounts.verbs import ROLES
from apps.audits.attempt_selectors import attempts
from apps.experiments import selectors as experiments
from apps.experiments.models import Run
from apps.registry.models import Alias, ModelTag, ModelVersion, RegisteredModel, VersionTag
from apps.registry.targets import Target
from apps.reviews import services
from tests import factories
from tests.experiments import makers
from tests.support import people

pytestmark = pytest.mark.django_db(transaction=True)

PREFIXES = ("api/2.0", "ajax-api/2.0", "api/3.0", "ajax-api/3.0")
REGISTRY = "mlflow/registered-models"
VERSIONS = "mlflow/model-versions"
RUNS = "mlflow/runs"
FILES = "mlflow-artifacts"

# method, path, body: `{run}`, `{experiment}`, `{source}` are filled in.
ATTEMPTS: list[tuple[str, str, dict[str, Any] | bytes]] = [
    ("POST", f"{VERSIONS}/transition-stage", {"name": "credit", "version": "1", "stage": "Production"}),
    ("POST", f"{VERSIONS}/transition-stage", {"name": "credit", "version": "1", "stage": "PRODUCTION"}),
    ("POST", f"{REGISTRY}/alias", {"name": "credit", "alias": "champion", "version": "1"}),
    ("POST", f"{REGISTRY}/alias", {"name": "credit", "alias": "CHAMPION", "version": "1"}),
    ("POST", f"{REGISTRY}/alias", {"name": "credit", "alias": "production", "version": "1"}),
    ("POST", f"{VERSIONS}/set-tag", {"name": "credit", "version": "1", "key": "validation_status", "value": "approved"}),
    ("POST", f"{REGISTRY}/set-tag", {"name": "credit", "key": "Approved", "value": "yes"}),
    ("POST", f"{REGISTRY}/rename", {"name": "credit", "new_name": "credit-2"}),
    ("DELETE", f"{REGISTRY}/delete", {"name": "credit"}),
    ("DELETE", f"{VERSIONS}/delete", {"name": "credit", "version": "1"}),
    ("POST", f"{RUNS}/log-metric", {"run_id": "{run}", "key": "auc", "value": 0.99, "timestamp": 1}),
    ("POST", f"{RUNS}/log-parameter", {"run_id": "{run}", "key": "p", "value": "v"}),
    ("POST", f"{RUNS}/set-tag", {"run_id": "{run}", "key": "t", "value": "v"}),
    ("POST", f"{RUNS}/delete-tag", {"run_id": "{run}", "key": "mlflow.runName"}),
    ("POST", f"{RUNS}/log-batch", {"run_id": "{run}", "tags": [{"key": "t", "value": "v"}]}),
    ("POST", f"{RUNS}/update", {"run_id": "{run}", "status": "RUNNING"}),
    ("POST", f"{RUNS}/delete", {"run_id": "{run}"}),
    ("POST", f"{RUNS}/log-inputs", {"run_id": "{run}", "datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "x"}}]}),
    ("PUT", f"{FILES}/artifacts/{{experiment}}/{{run}}/artifacts/model.bin", b"EVIL"),
    ("PUT", f"{FILES}/artifacts/{{experiment}}/{{run}}/artifacts/new.bin", b"EVIL"),
    ("DELETE", f"{FILES}/artifacts/{{experiment}}/{{run}}/artifacts/model.bin", b""),
    ("PUT", f"{FILES}/artifacts/versions/{{source}}/artifacts/model.bin", b"EVIL"),
    ("DELETE", f"{FILES}/artifacts/versions/{{source}}/artifacts/model.bin", b""),
    ("POST", f"{FILES}/mpu/create/{{experiment}}/{{run}}/artifacts/model.bin", {"path": "model.bin", "num_parts": 2}),
    ("POST", f"{FILES}/mpu/complete/{{experiment}}/{{run}}/artifacts/model.bin", {"path": "model.bin", "upload_id": "1", "parts": []}),
]  # fmt: skip


@dataclass(slots=True)
class Scene:
    run: Run
    version: ModelVersion
    tokens: dict[str, str]

    def state(self) -> dict[str, Any]:
        """Everything an attempt could have changed."""
        run = Run.objects.get(pk=self.run.pk)
        return {
            "models": list(RegisteredModel.objects.values_list("name", "governance", "deleted_at")),
            "versions": list(
                ModelVersion.objects.values_list("number", "stage", "manifest_digest", "deleted_at")
            ),
            "aliases": list(Alias.objects.values_list("name", "version__number")),
            "tags": [*VersionTag.objects.values_list("key"), *ModelTag.objects.values_list("key")],
            "run": experiments.run_digest(run),
            "lifecycle": (run.lifecycle_stage, run.status, run.name),
        }


@pytest.fixture
def scene() -> Scene:
    users = {role: people.hire(role, role.capitalize(), role) for role in ROLES}
    contributor = people.as_actor(users["contributor"])
    run = makers.run(contributor, makers.experiment(contributor), metrics={"auc": 0.7})
    makers.file(contributor, run, "model.bin", b"GOOD")
    run = makers.ended(contributor, run)
    model = factories.model(contributor)
    version = factories.version(contributor, model, run=run, files={"model.bin": b"GOOD"})
    services.submit(
        contributor, version, targets=[Target("stage", "production")], justification="the real one"
    )
    tokens = {role: people.token_for(user) for role, user in users.items()}
    return Scene(run, version, tokens)


def send(
    token: str, method: str, address: str, body: dict[str, Any] | bytes
) -> tuple[int, dict[str, Any]]:
    """One call with a bearer token; status and JSON body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Client(raise_request_exception=False).generic(
        method,
        f"/{address}",
        data,
        content_type="application/json" if isinstance(body, dict) else "application/octet-stream",
        headers={"Authorization": f"Bearer {token}"},
    )
    return answer.status_code, json.loads(answer.content or b"{}")


def filled(scene: Scene, value: Any) -> Any:
    """The attempt with this scene's ids."""
    names = {
        "run": scene.run.run_id,
        "experiment": str(scene.run.experiment_id),
        "source": str(scene.version.uuid),
    }
    if isinstance(value, str):
        return value.format(**names) if "{" in value else value
    if isinstance(value, dict):
        return {key: filled(scene, each) for key, each in value.items()}
    return value


@pytest.mark.parametrize("role", ROLES)
def test_no_call_of_the_protocol_gets_round_a_review(role: str, scene: Scene) -> None:
    before = scene.state()
    for prefix in PREFIXES:
        for method, path, body in ATTEMPTS:
            address = f"{prefix}/{filled(scene, path)}"
            status, answer = send(scene.tokens[role], method, address, filled(scene, body))
            assert 400 <= status < 500, (address, status, answer)
            assert status not in {408, 429}, "the client would try again"
            assert answer["error_code"], address
    assert scene.state() == before
    recorded = {attempt.act for attempt in attempts(outcome="refused", limit=200)}
    assert len(recorded) >= 15, recorded


def test_the_refusal_names_the_review(scene: Scene) -> None:
    review = ModelVersion.objects.get().submitted_review
    for method, path, body in ATTEMPTS[:5]:
        status, answer = send(scene.tokens["contributor"], method, f"api/2.0/{path}", body)
        assert (status, answer["error_code"]) == (403, "PERMISSION_DENIED")
        assert f"/reviews/{review}/" in answer["message"]


def test_free_tags_and_descriptions_stay_free(scene: Scene) -> None:
    """The freeze is not a wall: what is no evidence may be written, and is recorded."""
    token = scene.tokens["contributor"]
    tag = {"name": "credit", "version": "1", "key": "ticket", "value": "R-7"}
    assert send(token, "POST", f"api/2.0/{VERSIONS}/set-tag", tag)[0] == 200
    words = {"name": "credit", "version": "1", "description": "for the board"}
    assert send(token, "PATCH", f"api/2.0/{VERSIONS}/update", words)[0] == 200


def test_there_is_no_admin_site() -> None:
    assert Client().get("/admin/").status_code in {302, 404}
    assert Client().get("/admin/registry/modelversion/").status_code in {302, 404}
