"""Whatever is sent, the answer is the protocol's own refusal: never a 500, nothing half-written, and the
next request works."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core.models import Blob
from apps.experiments.models import Artifact, Experiment, Metric, Param, Run, RunTag
from apps.registry import services as registry
from apps.registry.models import ModelVersion, RegisteredModel
from tests.api.wire import API, PROXY, Caller
from tests.experiments import makers
from tests.support.people import as_actor, token_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(ana: User) -> Caller:
    return Caller(f"Bearer {token_for(ana)}")


@pytest.fixture
def run(ana: User) -> Run:
    return makers.run(as_actor(ana), makers.experiment(as_actor(ana)), name="r")


@pytest.fixture
def model(ana: User) -> RegisteredModel:
    return registry.create_model(as_actor(ana), name="credit")


def rows() -> dict[str, int]:
    """How much of everything there is."""
    kinds = (Experiment, Run, Param, RunTag, Metric, Artifact, Blob, RegisteredModel, ModelVersion)
    return {kind.__name__: kind.objects.count() for kind in kinds}


BODIES: dict[str, bytes] = {
    "not JSON": b"{bad",
    "half of JSON": b'{"run_id": "a',
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "text": b'"text"',
    "bytes that are not UTF-8": b'{"key": "\xff\xfe"}',
    "a lone surrogate": b'{"key": "\\ud800"}',
    "bare NaN": b'{"value": NaN}',
    "bare Infinity": b'{"value": -Infinity}',
    "nesting without end": b"[" * 100_000,
    "objects without end": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "a NUL byte": b"\x00",
    "another encoding": '{"run_id": "x"}'.encode("utf-16"),
    "too many bytes": b'{"a": "' + b"x" * (17 * 1024 * 1024) + b'"}',
}
POSTS = (
    "runs/log-batch",
    "runs/log-metric",
    "runs/create",
    "runs/search",
    "experiments/create",
    "model-versions/create",
    "registered-models/create",
    "logged-models",
)


@pytest.mark.parametrize("route", POSTS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_a_body_that_is_not_a_message_is_refused(
    caller: Caller, run: Run, route: str, body: bytes
) -> None:
    before = rows()
    status, code, _ = caller.refused(caller.send("POST", API + route, body))
    assert status in {400, 413}
    assert code == "INVALID_PARAMETER_VALUE"
    assert rows() == before


WRONG: tuple[Any, ...] = (
    7, 1.5, True, [], {}, ["a"], {"a": "b"}, "a\x00b", "x" * 1_000_000, 10**30, -1, "NaN", "é" * 300,
)  # fmt: skip


def _ids(value: object) -> str:
    return f"{type(value).__name__} {str(value)[:12]!r}"


@pytest.mark.parametrize("value", WRONG, ids=_ids)
@pytest.mark.parametrize(
    ("route", "field"),
    [
        ("experiments/create", "name"),
        ("experiments/create", "tags"),
        ("experiments/get", "experiment_id"),
        ("experiments/search", "max_results"),
        ("experiments/search", "filter"),
        ("experiments/search", "view_type"),
        ("runs/create", "experiment_id"),
        ("runs/create", "start_time"),
        ("runs/create", "tags"),
        ("runs/update", "status"),
        ("runs/search", "experiment_ids"),
        ("runs/search", "order_by"),
        ("runs/search", "page_token"),
        ("runs/log-metric", "key"),
        ("runs/log-metric", "value"),
        ("runs/log-metric", "timestamp"),
        ("runs/log-metric", "step"),
        ("runs/log-metric", "model_id"),
        ("runs/log-batch", "metrics"),
        ("runs/log-batch", "params"),
        ("runs/log-parameter", "key"),
        ("runs/log-inputs", "datasets"),
        ("runs/outputs", "models"),
        ("runs/set-tag", "value"),
        ("logged-models", "name"),
        ("logged-models", "source_run_id"),
        ("logged-models/search", "datasets"),
        ("registered-models/create", "name"),
        ("registered-models/alias", "alias"),
        ("registered-models/get-latest-versions", "stages"),
        ("model-versions/create", "source"),
        ("model-versions/create", "run_id"),
        ("model-versions/create", "tags"),
        ("model-versions/transition-stage", "stage"),
        ("model-versions/transition-stage", "version"),
        ("model-versions/set-tag", "key"),
    ],
)
def test_a_wrong_value_is_answered_in_the_protocols_form(
    caller: Caller, run: Run, model: RegisteredModel, route: str, field: str, value: Any
) -> None:
    fields = {
        "run_id": run.run_id,
        "experiment_id": str(run.experiment_id),
        "experiment_ids": [str(run.experiment_id)],
        "name": model.name,
        "key": "k",
        "value": "1",
        "timestamp": 1,
        "max_results": 5,
        "version": "1",
        "source": "s3://bucket/model",
        "stage": "Staging",
        "alias": "a",
    }
    answer = caller.post(route, **(fields | {field: value}))
    assert answer.status_code in {200, 400, 403, 404}, answer.content
    if answer.status_code != 200:
        caller.refused(answer)
    assert (
        caller.post("runs/set-tag", run_id=run.run_id, key="next", value="works").status_code == 200
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value", True), ("value", "high"), ("value", None), ("value", {}), ("timestamp", 1.5),
        ("timestamp", True), ("timestamp", "1e3"), ("timestamp", -1), ("timestamp", 2**63),
        ("step", "one"), ("step", 2**63), ("key", 7), ("key", ""), ("key", "a//b"), ("key", "../a"),
    ],
)  # fmt: skip
def test_a_bad_point_is_refused_alone_and_in_a_batch(
    caller: Caller, run: Run, field: str, value: Any
) -> None:
    point = {"key": "m", "value": 1.0, "timestamp": 1, "step": 1} | {field: value}
    good = {"key": "fine", "value": 1.0, "timestamp": 1}
    for answer in (
        caller.post("runs/log-metric", run_id=run.run_id, **point),
        caller.post("runs/log-batch", run_id=run.run_id, metrics=[good, point]),
    ):
        status, code, message = caller.refused(answer)
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert field in message or "name" in message
    assert not Metric.objects.exists()


def test_the_quick_reader_and_the_careful_one_store_the_same(caller: Caller, run: Run) -> None:
    """A number as its text takes the careful path; the rows must not differ."""
    quick = [
        {"key": "a", "value": v, "timestamp": 5, "step": 2} for v in (1, 1.5, "NaN", "Infinity")
    ]
    careful = [p | {"key": "b", "timestamp": "5", "step": 2.0} for p in quick]
    assert caller.post("runs/log-batch", run_id=run.run_id, metrics=quick).status_code == 200
    assert caller.post("runs/log-batch", run_id=run.run_id, metrics=careful).status_code == 200
    columns = ("timestamp", "step", "value", "is_nan")
    stored = [
        list(Metric.objects.filter(key=k).order_by(*columns).values_list(*columns)) for k in "ab"
    ]
    assert stored[0] == stored[1]
    assert len(stored[0]) == 4


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_body_must_say_that_it_is_json(caller: Caller, method: str) -> None:
    body = json.dumps({"name": "x"}).encode()
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        route = "registered-models/create" if method == "POST" else "registered-models/delete"
        status, code, message = caller.refused(caller.send(method, API + route, body, kind))
        assert (status, code) == (400, "INVALID_PARAMETER_VALUE")
        assert "Content-Type" in message


@pytest.mark.parametrize(
    ("route", "query"),
    [
        ("runs/get", {}),
        ("runs/get", {"run_id": ""}),
        ("runs/get", {"run_id": "../etc"}),
        ("runs/get", {"run_id": "a\x00"}),
        ("experiments/get", {"experiment_id": "1; DROP TABLE x"}),
        ("experiments/get", {"experiment_id": "9" * 40}),
        ("metrics/get-history", {"run_id": "RUN"}),
        ("metrics/get-history", {"run_id": "RUN", "metric_key": "m", "max_results": "0"}),
        ("metrics/get-history", {"run_id": "RUN", "metric_key": "m", "max_results": "many"}),
        ("metrics/get-history", {"run_id": "RUN", "metric_key": "m", "page_token": "forged"}),
        ("metrics/get-history-bulk-interval", {"run_ids": ["x"] * 101, "metric_key": "m"}),
        (
            "metrics/get-history-bulk-interval",
            {"run_ids": "RUN", "metric_key": "m", "start_step": 3},
        ),
        ("registered-models/search", {"max_results": "1001"}),
        ("registered-models/search", {"filter": "name > 'a'"}),
        ("registered-models/search", {"order_by": "creation_timestamp"}),
        ("model-versions/search", {"filter": "version_number = 'one'"}),
        ("model-versions/get", {"name": "credit", "version": "one"}),
        ("model-versions/get", {"name": "credit", "version": "9" * 30}),
        ("logged-models/m-x", {"allow_deleted": "perhaps"}),
    ],
)
def test_a_bad_query_is_refused(
    caller: Caller, run: Run, route: str, query: dict[str, Any]
) -> None:
    asked = {k: run.run_id if v == "RUN" else v for k, v in query.items()}
    status, code, _ = caller.refused(caller.get(route, **asked))
    assert (status, code) in {
        (400, "INVALID_PARAMETER_VALUE"),
        (404, "RESOURCE_DOES_NOT_EXIST"),
    }


ESCAPES = (
    "../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/x",
    "%252e%252e/x",
    "..%255c..%255cx",
    "a\\..\\b",
    "%5c%5chost%5cshare",
    "a%00b",
    "a%2500b",
    "//etc/passwd",
    "a//b",
    "./a",
    "a/./b",
    "C:/x",
    "file:%2f%2f/etc/passwd",
    "a%23b",
    "%ff%fe",
    "x" * 1100,
)


@pytest.mark.parametrize("path", ESCAPES)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_no_path_leads_out_of_the_run(caller: Caller, run: Run, method: str, path: str) -> None:
    before = rows()
    root = f"{PROXY}/{run.experiment_id}/{run.run_id}/artifacts"
    answer = caller.send(method, f"{root}/{path}", b"evil" if method == "PUT" else b"", "")
    status, code, _ = caller.refused(answer)
    assert (status, code) in {
        (400, "INVALID_PARAMETER_VALUE"),
        (404, "RESOURCE_DOES_NOT_EXIST"),
        (404, "ENDPOINT_NOT_FOUND"),
    }
    assert rows() == before


@pytest.mark.parametrize("path", ESCAPES)
def test_no_query_lists_another_place(caller: Caller, run: Run, path: str) -> None:
    root = f"{run.experiment_id}/{run.run_id}/artifacts"
    for address in (
        f"{PROXY}?path={root}/{path}",
        f"{API}artifacts/list?run_id={run.run_id}&path={path}",
    ):
        answer = caller.send("GET", address, b"", "")
        if answer.status_code == 200:
            assert "files" not in json.loads(answer.content)
        else:
            assert caller.refused(answer)[0] in {400, 404}


def _place(run: Run, other: str) -> list[str]:
    return [
        f"{run.experiment_id}/{other}/artifacts/x",
        f"{run.experiment_id + 1}/{run.run_id}/artifacts/x",
        f"{run.experiment_id}/{run.run_id}/x",
        f"{run.experiment_id}/{run.run_id}",
        f"{run.experiment_id}/models/{run.run_id}/artifacts/x",
        f"{run.experiment_id}/traces/tr-1/artifacts/x",
        "versions/00000000-0000-0000-0000-000000000000/artifacts/x",
        "versions/nonsense/artifacts/x",
        "x",
    ]


@pytest.mark.parametrize("position", range(9))
def test_a_place_that_is_not_there_takes_nothing(caller: Caller, run: Run, position: int) -> None:
    path = _place(run, "0" * 32)[position]
    for method in ("GET", "PUT", "DELETE"):
        status, _, _ = caller.refused(caller.send(method, f"{PROXY}/{path}", b"x", ""))
        assert status in {400, 404}
    assert not Artifact.objects.exists()


SOURCES: dict[str, Callable[[Run], dict[str, str]]] = {
    "another run": lambda r: {"source": f"runs:/{'0' * 32}/model", "run_id": r.run_id},
    "no run named": lambda r: {"source": f"runs:/{r.run_id}/model"},
    "a run by host": lambda r: {"source": f"runs://{r.run_id}/model", "run_id": r.run_id},
    "a run that climbs": lambda r: {"source": f"runs:/{r.run_id}/../x", "run_id": r.run_id},
    "a run that climbs, encoded": lambda r: {
        "source": f"runs:/{r.run_id}/%252e%252e/x",
        "run_id": r.run_id,
    },
    "a local path": lambda r: {"source": "/etc/passwd", "run_id": r.run_id},
    "a file": lambda r: {"source": "file:///etc/passwd", "run_id": r.run_id},
    "a relative path": lambda r: {"source": "models/x", "run_id": r.run_id},
    "an unknown logged model": lambda r: {"source": f"models:/m-{'0' * 32}", "model_id": f"m-{'0' * 32}"},
    "a logged model not named": lambda r: {"source": f"models:/m-{'0' * 32}"},
    "a version that is not there": lambda r: {"source": "models:/credit/7"},
    "a model that is not there": lambda r: {"source": "models:/nothing/1"},
    "a model uri of nothing": lambda r: {"source": "models:/"},
    "files of another run": lambda r: {
        "source": f"mlflow-artifacts:/{r.experiment_id}/{'0' * 32}/artifacts/m",
        "run_id": r.run_id,
    },
    "files by another host": lambda r: {
        "source": f"mlflow-artifacts://elsewhere/{r.experiment_id}/{r.run_id}/artifacts/m",
        "run_id": r.run_id,
    },
    "files that climb": lambda r: {
        "source": f"mlflow-artifacts:/{r.experiment_id}/{r.run_id}/artifacts/../../x",
        "run_id": r.run_id,
    },
    "a bucket that climbs": lambda r: {"source": "s3://bucket/../x"},
    "a backslash": lambda r: {"source": "s3://bucket\\x"},
    "a control character": lambda r: {"source": "s3://bucket/\x07"},
    "another server's proxy": lambda r: {
        "source": f"https://other/api/2.0/mlflow-artifacts/artifacts/{r.experiment_id}/{r.run_id}/artifacts",
        "run_id": r.run_id,
    },
    "a prompt that is none": lambda r: {"source": "dummy-source"},
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_a_source_must_be_what_it_says(
    caller: Caller, run: Run, model: RegisteredModel, source: Callable[[Run], dict[str, str]]
) -> None:
    answer = caller.post("model-versions/create", name="credit", **source(run))
    status, code, _ = caller.refused(answer)
    assert (status, code) in {
        (400, "INVALID_PARAMETER_VALUE"),
        (404, "RESOURCE_DOES_NOT_EXIST"),
    }
    assert not ModelVersion.objects.exists()


def test_an_experiment_cannot_keep_its_files_elsewhere(caller: Caller) -> None:
    for place in ("s3://bucket/x", "file:///models", "/models/x", "mlflow-artifacts:/7"):
        answer = caller.post("experiments/create", name="x", artifact_location=place)
        assert caller.refused(answer)[0] == 400
    assert Experiment.objects.count() == 1
