"""The doors of the site as tables: what a good try is, which fields it has, how it is sent and what a clear refusal is.

In a good try `{run}`, `{experiment}`, `{review}` and `{digest}` stand for what the world holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_from_bytes

from django.conf import settings
from django.test import Client

from apps.accounts.models import User
from apps.experiments.models import Run
from apps.registry.targets import Target
from apps.reviews import services as reviews
from apps.reviews.models import Review
from tests import factories
from tests.experiments import makers
from tests.journeys.bad_values import DATA
from tests.support import people
from tests.web.browsing import browser, nothing_written

ONNX: Final = b"\x08\x09\x12\x03one\x3a\x02\x0a\x00"
# What the test client returns: a response with more on it than its type says.
Answer = Any

LARGEST_ANSWER: Final = 5_000


@dataclass(slots=True)
class World:
    """credit v1 is under review; fraud v1 and its run are open to change. Ana made them all."""

    ana: User
    vera: User
    ada: User
    eve: User
    run: Run
    review: Review
    token: str

    @property
    def names(self) -> dict[str, str]:
        live = self.review.rounds.order_by("-number").first()
        return {
            "{run}": self.run.run_id,
            "{experiment}": str(self.run.experiment_id),
            "{review}": str(self.review.pk),
            "{digest}": live.digest if live else "",
            "{password}": people.PASSWORD,
            "{vera}": str(self.vera.pk),
        }

    def filled(self, value: Any) -> Any:
        """The value with this world's names in place of the braces."""
        if isinstance(value, dict):
            return {key: self.filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if isinstance(value, str) and len(value) < 1_000:
            for name, real in self.names.items():
                value = value.replace(name, real)
        return value


def build() -> World:
    """Everything through the services."""
    ana = people.hire("ana", "Ana Silva", "contributor")
    actor = people.as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    makers.file(actor, run, "model/MLmodel", b"flavors: {}\n")
    credit = factories.version(actor, factories.model(actor, "credit"))
    factories.version(actor, factories.model(actor, "fraud"))
    review = reviews.submit(
        actor, credit, targets=[Target("stage", "production")], justification="the real one"
    )
    return World(
        ana=ana,
        vera=people.hire("vera", "Vera Lund", "validator"),
        ada=people.hire("ada", "Ada Okafor", "administrator"),
        eve=people.hire("eve", "Eve Ruiz", "administrator", "auditor", "contributor"),
        run=run,
        review=review,
        token=people.token_for(ana),
    )


@contextmanager
def nothing_left() -> Iterator[None]:
    """No row, no event, no stored file and no half of one more than before."""
    before = _files()
    with nothing_written():
        yield
    assert _files() == before


def _files() -> set[Path]:
    roots = [Path(settings.BLOB_ROOT), Path(settings.CHECKS_SCRATCH)]
    return {path for root in roots for path in root.rglob("*") if path.is_file()}


# --- the protocol -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """A route of the MLflow protocol with a message that it accepts."""

    method: str
    path: str
    good: Mapping[str, Any]
    prefix: str = "/api/2.0/mlflow/"

    def send(self, world: World, changes: Mapping[str, Any]) -> Answer:
        """The good message with these changes."""
        return self.raw(world, json.dumps(world.filled({**self.good, **changes})).encode())

    def raw(self, world: World, body: bytes, kind: str = "application/json") -> Answer:
        return protocol(world.token, self.method, self.prefix + self.path, body, kind)


def protocol(
    token: str, method: str, address: str, body: bytes = b"", kind: str = "application/json"
) -> Answer:
    """One request with a bearer token and no cookie; a fault is an answer, not an exception."""
    return Client(raise_request_exception=False).generic(
        method, address, body, content_type=kind, headers={"Authorization": f"Bearer {token}"}
    )


def refused_by_protocol(answer: Answer, *, code: str = "") -> None:
    """JSON with a code and a sentence; a status that the client does not repeat; short, and no redirect."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.content[:300])
    assert answer.status_code not in {408, 429}
    told = json.loads(answer.content)
    assert set(told) == {"error_code", "message"}
    assert told["error_code"] == code if code else told["error_code"] != "INTERNAL_ERROR"
    assert len(told["message"]) > 10
    assert len(answer.content) < LARGEST_ANSWER, "a huge value must not come back"


CALLS: Final[dict[str, Call]] = {
    "experiment": Call("POST", "experiments/create", {"name": "next"}),
    "experiment rename": Call(
        "POST", "experiments/update", {"experiment_id": "{experiment}", "new_name": "renamed"}
    ),
    "experiment search": Call("POST", "experiments/search", {"max_results": 5}),
    "run": Call(
        "POST", "runs/create", {"experiment_id": "{experiment}", "run_name": "r", "start_time": 1}
    ),
    "run end": Call("POST", "runs/update", {"run_id": "{run}", "status": "FINISHED", "end_time": 2}),
    "metric": Call(
        "POST",
        "runs/log-metric",
        {"run_id": "{run}", "key": "auc", "value": 0.5, "timestamp": 1, "step": 0},
    ),
    "param": Call("POST", "runs/log-parameter", {"run_id": "{run}", "key": "p", "value": "v"}),
    "tag": Call("POST", "runs/set-tag", {"run_id": "{run}", "key": "t", "value": "v"}),
    "batch": Call(
        "POST",
        "runs/log-batch",
        {
            "run_id": "{run}",
            "metrics": [{"key": "m", "value": 1.0, "timestamp": 1}],
            "params": [{"key": "q", "value": "v"}],
            "tags": [{"key": "u", "value": "v"}],
        },
    ),
    "run search": Call(
        "POST", "runs/search", {"experiment_ids": ["{experiment}"], "max_results": 5}, "/ajax-api/2.0/mlflow/"
    ),
    "logged model": Call(
        "POST", "logged-models", {"experiment_id": "{experiment}", "name": "m"}, "/ajax-api/2.0/mlflow/"
    ),
    "model": Call("POST", "registered-models/create", {"name": "next", "description": "d"}),
    "model tag": Call(
        "POST", "registered-models/set-tag", {"name": "fraud", "key": "k", "value": "v"}
    ),
    "alias": Call(
        "POST", "registered-models/alias", {"name": "fraud", "alias": "candidate", "version": "1"}
    ),
    "version": Call(
        "POST",
        "model-versions/create",
        {"name": "fraud", "source": "runs:/{run}/model", "run_id": "{run}"},
    ),
    "stage": Call(
        "POST", "model-versions/transition-stage", {"name": "fraud", "version": "1", "stage": "Staging"}
    ),
    "version tag": Call(
        "POST", "model-versions/set-tag", {"name": "fraud", "version": "1", "key": "k", "value": "v"}
    ),
}  # fmt: skip


# --- the pages ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """A form with what it accepts. `files` are sent as multipart, everything else percent-encoded."""

    who: str
    path: str
    good: Mapping[str, Any]
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    done: int = 302

    def send(
        self,
        world: World,
        changes: Mapping[str, Any],
        files: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Answer:
        """The good form with these changes and files, by the person whose page it is."""
        fields = {**world.filled(dict(self.good)), **changes}
        if self.files or files:
            body, kind = _multipart(fields, {**self.files, **(files or {})})
        else:
            body, kind = _urlencoded(fields), "application/x-www-form-urlencoded"
        return self.raw(world, body, kind)

    def raw(self, world: World, body: bytes, kind: str) -> Answer:
        return self.client(world).generic("POST", world.filled(self.path), body, content_type=kind)

    def client(self, world: World) -> Client:
        client = browser(getattr(world, self.who) if self.who else None)
        client.raise_request_exception = False
        return client


def _bytes(value: Any) -> bytes:
    # A line of text is sent as a browser sends it; bytes are sent as they are.
    return value if isinstance(value, bytes) else str(value).encode()


def _urlencoded(fields: Mapping[str, Any]) -> bytes:
    pairs = [
        (key, each)
        for key, value in fields.items()
        for each in (value if isinstance(value, list) else [value])
    ]
    return "&".join(f"{key}={quote_from_bytes(_bytes(each))}" for key, each in pairs).encode()


def _multipart(
    fields: Mapping[str, Any], files: Mapping[str, tuple[str, bytes]]
) -> tuple[bytes, str]:
    parts = [(f'name="{key}"', _bytes(value)) for key, value in fields.items()]
    parts += [(f'name="{key}"; filename="{name}"', data) for key, (name, data) in files.items()]
    body = b"".join(
        b"--edge\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + data + b"\r\n"
        for head, data in parts
    )
    return body + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def refused_by_page(answer: Answer) -> None:
    """A page that says what is wrong: beside the field, or as a notice with a heading."""
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.get("Location"))
    said = answer.content.decode()
    assert "<h1" in said
    assert re.search(
        r'class="field-error|id="error-summary"|class="error-page|class="message tone-', said
    ), said
    assert "Traceback" not in said
    assert "X-Evil" not in answer.headers


PAGES: Final[dict[str, Page]] = {
    "sign in": Page("", "/sign-in/", {"username": "ana", "password": "{password}"}),
    "new model": Page(
        "ana",
        "/models/new/",
        {"name": "next", "purpose": "p", "exposure": "low", "purpose_class": "operational"},
        {"files": ("model.onnx", ONNX)},
    ),
    "new version": Page(
        "ana", "/models/fraud/versions/new/", {"description": "d"}, {"files": ("model.onnx", ONNX)}
    ),
    "description": Page("ana", "/models/fraud/1/describe/", {"description": "words"}),
    "model settings": Page(
        "ana",
        "/models/fraud/settings/",
        {
            "owner": "",
            "purpose": "p",
            "exposure": "low",
            "purpose_class": "decision",
            "reason": "asked",
        },
    ),
    "data": Page(
        "ana",
        "/models/fraud/1/data/",
        {
            "role": "evaluation",
            "name": "scored",
            "target": "y",
            "prediction": "p",
            "score": "s",
            "sensitive": "g",
            "favourable": "1",
        },
        {"file": ("data.csv", DATA)},
    ),
    "uploaded result": Page(
        "ana",
        "/models/fraud/1/checks/uploaded/new/",
        {"name": "unit tests", "tool": "pytest", "tool_version": "9.1"},
        {"file": ("junit.xml", b'<testsuite><testcase name="a"/></testsuite>')},
    ),
    "submit": Page(
        "ana",
        "/models/fraud/1/submit/",
        {"targets": ["stage:production"], "justification": "better"},
    ),
    "decide": Page(
        "vera",
        "/reviews/{review}/decide/",
        {
            "outcome": "approve",
            "comment": "read it all",
            "no_conflict": "on",
            "password": "{password}",
            "evidence_digest": "{digest}",
        },
    ),
    "withdraw": Page("ana", "/reviews/{review}/withdraw/", {"reason": "not yet"}),
    "card": Page("ana", "/models/fraud/1/card/edit/", {"base_revision": "0"}),
    "token": Page(
        "ana",
        "/account/tokens/",
        {"name": "laptop", "scopes": ["read", "tracking"], "expires_in": "30"},
        done=200,
    ),
    "new person": Page(
        "ada",
        "/people/new/",
        {
            "username": "next",
            "display_name": "Next One",
            "email": "next@example.org",
            "password": "harbour-violet-lantern-7",
        },
    ),
    "grant": Page("ada", "/people/{vera}/grant/", {"role": "auditor", "place": "site"}),
    "team": Page("ada", "/people/new-team/", {"name": "Credit", "key": "credit"}),
}
