"""The unmodified MLflow client against the served site: what people did before, they go on doing."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.audits.selectors import attempts
from apps.experiments import selectors
from apps.registry import selectors as registry
from apps.registry import services as registry_services
from apps.registry.models import ModelVersion
from apps.reviews.models import ReviewDraft
from tests import factories
from tests.api.server import Server
from tests.experiments import makers
from tests.support.people import as_actor

pytestmark = pytest.mark.timeout(240)


def test_experiments_runs_batches_and_searches(server: Server, token: str) -> None:
    seen = server.client("tracking", token)
    assert seen["experiment"] == {"team": "risk"}
    assert seen["missing"] is None
    assert seen["deleted"] == "deleted"
    assert seen["experiments"] == ["Default", "credit risk", "to be deleted"]
    assert seen["by tag"] == ["credit risk"]
    assert seen["active only"] == 3
    assert seen["parent"] == {
        "status": "FINISHED",
        "params": {"model": "forest", "depth": "3", "seed": "7"},
        "metrics": {"auc": "0.9", "inf": "1.7976931348623157e+308", "loss": "0.2", "nan": "nan"},
        "tags": {"phase": "tuning", "a": "1"},
        "data": [["toy", "local", {"mlflow.data.context": "training", "split": "all"}]],
    }
    assert seen["children"] == [["child 1", 0.81], ["child 0", 0.8]]
    assert seen["history"] == [[step, 1 / (step + 1)] for step in range(5)]
    assert seen["batch"] == [10, 999 / 7, 100, "KILLED", 77, "batch renamed"]
    assert seen["changed"] == ["INVALID_PARAMETER_VALUE", True]
    assert seen["after deletion"] == 3
    assert seen["late"] == "INVALID_PARAMETER_VALUE"
    assert seen["found"] == ["s6", "s4", "s2", "s0"]
    assert seen["table"] == [[f"s{n}" for n in range(7)], ["even", "odd"] * 3 + ["even"]]
    assert seen["bad filter"] == "INVALID_PARAMETER_VALUE"


def test_files_tables_and_figures(server: Server, token: str) -> None:
    seen = server.client("artifacts", token)
    sizes = seen["files"]
    assert sizes["plain.txt"] == 5
    assert sizes["sub/empty.bin"] == 0
    assert sizes["all/big.bin"] == 256 * 4096 * 5
    assert "all/deep/er/with space ü.txt" in sizes
    assert {"conf/a.json", "notes/hello.md", "plots/line.png", "table.json"} <= set(sizes)
    assert seen["big equal"] is True
    assert seen["empty"] is True
    assert (seen["deep"], seen["twice"]) == ("deep", "second")
    assert seen["dict"] == {"a": 1}
    assert seen["table"] == {"q": ["x", "y", "z"], "n": [1, 2, 3]}
    assert seen["png"] == "89504e47"
    assert seen["missing"] != "found"


def test_a_model_is_logged_registered_moved_copied_and_predicts(
    server: Server, token: str, ana: User
) -> None:
    seen = server.client("models", token)
    assert seen["autolog"]["C"] == "0.5"
    assert seen["autolog"]["outputs"] == 1
    assert "training_accuracy_score" in seen["autolog"]["metrics"]
    assert seen["logged"]["run"] is True
    assert seen["logged"]["status"] == "READY"
    assert seen["logged"]["params"] == {"solver": "lbfgs"}
    assert seen["logged"]["metrics"] == [["auc", 0.91]]
    assert seen["found models"] == ["classifier"]
    assert seen["version"] == {
        "version": "2",
        "stage": "Staging",
        "description": "the second",
        "tags": {"by": "uri"},
        "aliases": ["challenger"],
        "run": True,
        "status": "READY",
    }
    assert seen["model"] == {
        "description": "scores credit",
        "tags": {"domain": "retail"},
        "aliases": {"challenger": "2"},
        "latest": [["None", "1"], ["Staging", "2"]],
    }
    assert seen["search models"] == ["credit"]
    assert seen["search versions"] == ["1", "2"]
    assert seen["copy"] == ["credit-copy", "1", True]
    assert all(seen["predictions"].values()), seen["predictions"]
    for code, message in seen["refused"].values():
        assert code == "PERMISSION_DENIED"
        assert "http://localhost:8000/models/credit/1/submit/" in message
    _files_of_the_version_are_those_of_the_model(ana, seen["uri"])
    refusals = [a for a in attempts() if a.outcome == "refused"]
    assert {a.act for a in refusals} == {
        "POST mlflow/model-versions/transition-stage",
        "POST mlflow/registered-models/alias",
    }
    version = ModelVersion.objects.get(model__name="credit", number=1)
    assert {a.subject for a in refusals} == {f"version:{version.pk}"}


def _files_of_the_version_are_those_of_the_model(ana: User, uri: str) -> None:
    version = registry.get_version(as_actor(ana), "credit", 1)
    assert uri == f"mlflow-artifacts:/versions/{version.uuid}/artifacts"
    assert version.logged_model is not None
    logged = selectors.artifacts_under(version.logged_model)
    assert [(f["path"], f["digest"]) for f in version.manifest] == [
        (file.path, file.digest) for file in logged
    ]
    assert {"MLmodel", "requirements.txt"} <= {file.path for file in logged}
    assert registry.version_authors(version).keys() == {ana.pk}


def test_after_submission_the_client_changes_nothing_and_is_told_where_to_look(
    server: Server, token: str, ana: User
) -> None:
    actor = as_actor(ana)
    experiment = makers.experiment(actor)
    run = makers.run(actor, experiment, name="sealed")
    model = makers.logged_model(actor, experiment, source=run)
    digest = makers.file(actor, model, "MLmodel", b"flavors: {}\n")
    run = makers.ended(actor, run)
    registered = registry_services.create_model(actor, name="credit")
    version = registry_services.create_version(
        actor,
        registered,
        source=f"models:/{model.model_id}",
        files=[registry_services.NewFile("MLmodel", digest, 12)],
        run=run,
        logged_model=model,
    )
    registry_services.freeze(actor, version, review_id=12)
    before = (selectors.run_digest(run), selectors.logged_model_digest(model))

    seen = server.client("sealed", token, run.run_id, model.model_id, "credit")

    assert seen.pop("another run's metric") == "let through"
    assert seen.pop("another version") == "2"
    for what, refusal in seen.items():
        assert refusal != "let through", what
        assert "403" in refusal[1] or refusal[0] == "PERMISSION_DENIED", (what, refusal)
        assert "/reviews/12/" in refusal[1] or what == "file", (what, refusal)
    assert before == (
        selectors.run_digest(selectors.get_run(run.run_id)),
        selectors.logged_model_digest(selectors.get_logged_model(model.model_id)),
    )
    assert registry.get_version(actor, "credit", 1).stage == "None"


def test_a_refused_promotion_becomes_a_draft_where_the_client_asked_for_that(
    server: Server, token: str, ana: User
) -> None:
    model = factories.model(as_actor(ana), "credit")
    factories.version(as_actor(ana), model)
    seen = server.client("requesting", token, "credit")
    assert [code for code, _ in seen.values()] == ["PERMISSION_DENIED"] * 3
    assert "draft" not in seen["before"][1]
    for what in ("alias", "stage"):
        assert "A draft of the request is kept" in seen[what][1]
        assert seen[what][1].endswith("/models/credit/1/submit/")
    row = ReviewDraft.objects.get()
    assert row.targets == ["alias:champion", "stage:production"]
    assert row.reason == "replaces v2, adds tenure"
