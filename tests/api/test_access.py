"""Who gets in, and what each role may do: every route that changes anything, as every role."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver

from apps.accounts import services as accounts
from apps.accounts.models import AccessToken, RoleVerb, User
from apps.accounts.verbs import ROLES, SCOPES, SCOPES_OF_VERB
from apps.api.mlflow.call import Route
from apps.api.mlflow.routes import PREFIXES, ROUTES
from apps.api.mlflow.views import unknown
from apps.audits.selectors import attempts
from apps.core import clock
from apps.experiments import selectors
from apps.registry import services as registry
from tests.api.wire import API, PROXY, Caller, basic
from tests.experiments import makers
from tests.support.people import PASSWORD, as_actor, hire, token_for

pytestmark = pytest.mark.django_db

MUTATING = [route for route in ROUTES if route.mutates]
READING = [route for route in ROUTES if not route.mutates and not route.open]


class World:
    """Omar's experiment, run, files, logged model and registered model with one version."""

    def __init__(self, omar: User) -> None:
        actor = as_actor(omar)
        self.experiment = makers.experiment(actor, "world")
        self.run = makers.run(actor, self.experiment, name="run")
        self.logged = makers.logged_model(actor, self.experiment, source=self.run)
        makers.file(actor, self.run, "f.txt")
        self.model = registry.create_model(actor, name="credit")
        self.version = registry.create_version(actor, self.model, source="s3://bucket/x")

    def fields(self, route: Route) -> dict[str, Any]:
        """A body with which the route would do something."""
        return {
            "experiment_id": str(self.experiment.pk),
            "experiment_ids": [str(self.experiment.pk)],
            "experiment_name": "world",
            "run_id": self.run.run_id,
            "run_ids": self.run.run_id,
            "metric_key": "m",
            "model_id": self.logged.model_id,
            "name": "fresh"
            if route.path.endswith("/create") and "version" not in route.path
            else "credit",
            "new_name": "renamed",
            "source": "s3://bucket/y",
            "version": "1",
            "alias": "challenger",
            "stage": "Staging",
            "status": 2 if "logged" in route.path else "FINISHED",
            "key": "k",
            "value": 1 if route.path.endswith("log-metric") else "v",
            "timestamp": 1,
            "max_results": 10,
            "path": f"{self.experiment.pk}/{self.run.run_id}/artifacts",
            "metrics": [{"key": "m", "value": 1, "timestamp": 1}],
            "tags": [{"key": "a", "value": "b"}],
            "params": [{"key": "a", "value": "b"}],
            "datasets": [],
            "models": [{"model_id": self.logged.model_id, "step": 1}],
        }

    def send(self, caller: Caller, route: Route, prefix: str = "api") -> Any:
        address = re.sub(r"<str:model_id>", self.logged.model_id, route.path)
        address = re.sub(r"<path:tag_key>", "a", address)
        address = address.replace(
            "<path:path>", f"{self.experiment.pk}/{self.run.run_id}/artifacts/f.txt"
        )
        whole = f"/{prefix}/{route.version}/{address}"
        fields = self.fields(route)
        if route.method == "GET":
            asked = "&".join(f"{k}={v}" for k, v in fields.items() if isinstance(v, str | int))
            return caller.send("GET", f"{whole}?{asked}", b"", "")
        body: Any = b"bytes" if route.method == "PUT" else fields
        return caller.send(route.method, whole, body)

    def state(self) -> tuple[object, ...]:
        """What nobody without the right may have changed."""
        self.model.refresh_from_db()
        self.version.refresh_from_db()
        self.experiment.refresh_from_db()
        return (
            selectors.run_digest(selectors.get_run(self.run.run_id)),
            selectors.logged_model_digest(selectors.get_logged_model(self.logged.model_id)),
            (self.experiment.name, self.experiment.lifecycle_stage, self.experiment.tags.count()),
            (
                self.model.name,
                self.model.deleted_at,
                self.model.tags.count(),
                self.model.aliases.count(),
            ),
            (self.version.stage, self.version.description, self.version.deleted_at),
        )


@pytest.fixture
def world(omar: User) -> World:
    return World(omar)


def caller_of(user: User, *scopes: str) -> Caller:
    return Caller(f"Bearer {token_for(user, *scopes)}")


# --- the matrix -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_its_verbs_say_and_nothing_else(world: World, role: str) -> None:
    verbs = set(RoleVerb.objects.filter(role_id=role).values_list("verb", flat=True))
    caller = caller_of(hire("probe", "Probe", role))
    deletions_last = sorted(
        MUTATING, key=lambda r: ("delete" in r.path or r.method == "DELETE", r.name)
    )
    for route in deletions_last:
        allowed = route.verb in verbs and route.verb in SCOPES_OF_VERB
        before = world.state()
        answer = world.send(caller, route)
        if allowed:
            assert answer.status_code not in {401, 403}, (route.name, answer.content)
            continue
        status, code, _ = caller.refused(answer)
        assert (status, code) in {
            (403, "PERMISSION_DENIED"),
            (404, "RESOURCE_DOES_NOT_EXIST"),
        }, route.name
        assert world.state() == before, route.name


@pytest.mark.parametrize("route", MUTATING + READING, ids=lambda route: route.name)
def test_a_stranger_learns_nothing(world: World, otto: User, route: Route) -> None:
    caller = caller_of(otto)
    before = world.state()
    answer = world.send(caller, route)
    if answer.status_code == 200:  # a search finds nothing
        told = answer.content.decode()
        assert world.run.run_id not in told
        assert "credit" not in told
    else:
        status, code, message = caller.refused(answer)
        assert (status, code) in {
            (404, "RESOURCE_DOES_NOT_EXIST"),
            (403, "PERMISSION_DENIED"),
            (400, "INVALID_PARAMETER_VALUE"),
        }
        assert "Omar" not in message or route.path.endswith("/create")
    assert world.state() == before


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("route", MUTATING + READING, ids=lambda route: route.name)
def test_nobody_gets_in_without_credentials(world: World, route: Route, prefix: str) -> None:
    nobody = Caller()
    answer = world.send(nobody, route, prefix)
    assert nobody.refused(answer)[:2] == (401, "UNAUTHENTICATED")
    assert "Basic" in answer["WWW-Authenticate"]


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_token_carries_the_verbs_of_its_scopes_only(world: World, omar: User, scope: str) -> None:
    caller = caller_of(omar, scope)
    deletions_last = sorted(
        MUTATING, key=lambda r: ("delete" in r.path or r.method == "DELETE", r.name)
    )
    for route in deletions_last:
        carried = scope in SCOPES_OF_VERB.get(route.verb, ())
        before = world.state()
        answer = world.send(caller, route)
        if carried:
            assert answer.status_code not in {401, 403}, (route.name, answer.content)
        else:
            assert answer.status_code in {403, 404}, (route.name, answer.content)
            assert world.state() == before, route.name


def test_the_table_names_verbs_and_scopes_that_exist() -> None:
    known = set(RoleVerb.objects.values_list("verb", flat=True))
    for route in ROUTES:
        assert route.open or route.verb in known, route.name
        carried = SCOPES_OF_VERB.get(route.verb, frozenset({"read"} if route.open else {""}))
        assert route.scope in carried, route.name


# --- credentials ----------------------------------------------------------------------------------


def test_a_token_is_taken_as_bearer_and_as_password(ana: User) -> None:
    raw = token_for(ana)
    for header in (f"Bearer {raw}", f"bearer {raw}", basic("ana", raw), basic("ANA", raw)):
        assert Caller(header).get("experiments/get", experiment_id="0").status_code == 200
    assert (
        Caller(basic("ana", PASSWORD)).get("experiments/get", experiment_id="0").status_code == 200
    )


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer cs_" + "0" * 64,
        "Bearer cs_\xff",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\x00").decode(),
        basic("ana", "wrong"),
        basic("nobody", "wrong"),
        basic("ana\x00", "x"),
        "Negotiate abc",
        "Token cs_1",
    ],
)
def test_bad_credentials_are_401_and_never_a_redirect(ana: User, header: str) -> None:
    caller = Caller(header)
    answer = caller.get("experiments/get", experiment_id="0")
    assert caller.refused(answer)[:2] == (401, "UNAUTHENTICATED")
    assert "WWW-Authenticate" in answer


def test_somebody_elses_token_is_no_password(ana: User, rui: User) -> None:
    assert (
        Caller(basic("ana", token_for(rui))).get("experiments/get", experiment_id="0").status_code
        == 401
    )


def test_an_expired_or_revoked_token_is_refused_and_noted(ana: User) -> None:
    raw = token_for(ana)
    row = AccessToken.objects.get(user=ana)
    AccessToken.objects.filter(pk=row.pk).update(expiry=clock.now() - dt.timedelta(seconds=1))
    caller = Caller(f"Bearer {raw}")
    assert caller.get("experiments/get", experiment_id="0").status_code == 401
    AccessToken.objects.filter(pk=row.pk).update(expiry=clock.now() + dt.timedelta(days=1))
    assert caller.get("experiments/get", experiment_id="0").status_code == 200
    row.refresh_from_db()
    accounts.revoke_token(as_actor(ana), row)
    assert caller.get("experiments/get", experiment_id="0").status_code == 401
    assert [a.act for a in attempts() if a.outcome == "refused"].count("token") >= 1


def test_a_browsers_session_opens_nothing_here(ana: User) -> None:
    http = Client()
    http.force_login(ana)
    assert http.get(f"{API}experiments/get?experiment_id=0").status_code == 401


def test_a_locked_account_is_told_so(ana: User) -> None:
    caller = Caller(basic("ana", "wrong"))
    for _ in range(settings.SIGN_IN_FAILURES + 1):
        answer = caller.get("experiments/get", experiment_id="0")
    assert caller.refused(answer)[:2] == (403, "PERMISSION_DENIED")


# --- refusals leave a trace -----------------------------------------------------------------------


def test_a_refused_act_is_recorded_under_what_it_was_about(world: World) -> None:
    caller = caller_of(hire("rita", "Rita", "viewer"))
    caller.post("runs/set-tag", run_id=world.run.run_id, key="k", value="v")
    caller.send("DELETE", f"{PROXY}/{world.experiment.pk}/{world.run.run_id}/artifacts/f.txt")
    caller.send("PATCH", f"{API}registered-models/update", {"name": "credit", "description": "x"})
    noted = {(a.act, a.subject) for a in attempts() if a.outcome == "refused"}
    assert noted == {
        ("POST mlflow/runs/set-tag", f"run:{world.run.run_id}"),
        ("DELETE mlflow-artifacts/artifacts/<path:path>", f"run:{world.run.run_id}"),
        ("PATCH mlflow/registered-models/update", f"model:{world.model.pk}"),
    }


# --- what is served and what is not ---------------------------------------------------------------


def _resolved() -> Iterator[str]:
    """Every address of the protocol that the site's own resolver knows, but for those that refuse."""

    def walk(patterns: list[Any], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns, path)
            elif pattern.callback is not unknown:
                yield path

    return (
        path
        for path in walk(get_resolver().url_patterns, "")
        if path.startswith(("api/", "ajax-api/")) and not path.startswith("api/v1/")
    )


def test_every_address_of_the_protocol_is_in_the_table() -> None:
    expected = {f"{prefix}/{r.version}/{r.path}" for r in ROUTES for prefix in PREFIXES}
    assert set(_resolved()) == expected


DOCUMENT = (Path(settings.BASE_DIR) / "docs/mlflow.md").read_text()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_is_documented_with_its_verb(route: Route) -> None:
    address = re.sub(r"<\w+:(\w+)>", r"{\1}", route.path)
    (line,) = [
        text for text in DOCUMENT.splitlines() if f"| {route.method} | `{address}` |" in text
    ]
    assert f"`{route.verb}`" in line or (not route.verb and "everybody" in line)


REFUSED = re.findall(r"^- `(\w+) (/\S+)`", DOCUMENT, re.MULTILINE)


@pytest.mark.parametrize(("method", "path"), REFUSED)
def test_what_the_document_says_is_refused_is_refused(ana: User, method: str, path: str) -> None:
    caller = caller_of(ana)
    for address in (path, path.replace("/api/", "/ajax-api/", 1)):
        assert caller.refused(caller.send(method, address, {}))[:2] == (404, "ENDPOINT_NOT_FOUND")


def test_something_is_refused() -> None:
    assert len(REFUSED) >= 20


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "2.0/mlflow/nothing"),
        ("GET", "2.0/mlflow/runs/create"),
        ("POST", "3.0/mlflow/runs/log-metric"),
        ("GET", "4.0/mlflow/runs/get"),
        ("PUT", "2.0/mlflow-artifacts/mpu/create/1/2/artifacts/x"),
        ("GET", ""),
        ("POST", "2.0/mlflow/runs/log-metric/"),
    ],
)
def test_any_other_route_is_the_protocols_own_not_found(
    ana: User, prefix: str, method: str, path: str
) -> None:
    caller = caller_of(ana)
    answer = caller.send(method, f"/{prefix}/{path}", {})
    assert caller.refused(answer)[:2] == (404, "ENDPOINT_NOT_FOUND")


def test_what_the_client_asks_about_the_server_needs_no_sign_in() -> None:
    nobody = Caller()
    assert nobody.send("GET", "/version", b"", "").content == b"3.17.2"
    assert nobody.send("GET", "/health", b"", "").status_code == 200
    info = nobody.send("GET", "/api/3.0/mlflow/server-info", b"", "").json()
    assert info["multipart_uploads_enabled"] is False
