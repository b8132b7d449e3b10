"""The unmodified client where the site wants the uses of a model read first: told where, and let in afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker, Settings

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.compliance import uses
from apps.experiments.models import LoggedModel, Run
from apps.modelcards import services as cards
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from tests import factories
from tests.api.server import PROXY, Server, serving
from tests.api.wire import Caller
from tests.experiments import makers
from tests.support.people import SYSTEM, as_actor, token_for

pytestmark = pytest.mark.timeout(240)
MLMODEL = b"flavors: {}\n"
TOLD = ("address", "load", "version", "alias", "logged model", "copy", "register")
READ = ("version", "alias", "logged model", "run", "one file")


@dataclass(frozen=True)
class Trained:
    """A run with files of its own and a logged model of the same bytes, registered as credit v1."""

    run: Run
    logged: LoggedModel
    version: ModelVersion


@pytest.fixture(scope="module")
def _asking(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    with django_db_blocker.unblock(), serving(USES_ACKNOWLEDGED_FIRST="1") as server:
        yield server


@pytest.fixture
def asking(_asking: Server, transactional_db: None) -> Server:
    return _asking


@pytest.fixture
def trained(ana: User) -> Trained:
    actor = as_actor(ana)
    experiment = makers.experiment(actor)
    run = makers.run(actor, experiment)
    logged = makers.logged_model(actor, experiment, source=run)
    digest = makers.file(actor, logged, "MLmodel", MLMODEL)
    makers.file(actor, run, "model/MLmodel", MLMODEL)
    makers.file(actor, run, "notes.txt", b"free")
    version = registry.create_version(
        actor,
        factories.model(actor, "credit"),
        source=f"models:/{logged.model_id}",
        files=[registry.NewFile("MLmodel", digest, len(MLMODEL))],
        run=run,
        logged_model=logged,
    )
    registry.set_alias(actor, version, alias="fit")
    cards.save_card(as_actor(ana), version, {"primary_uses": "For credit up to 5 000 €."}, 0)
    return Trained(run, logged, version)


@pytest.fixture
def kim(aud: User) -> User:
    """She reads everything and registers in the models of her team."""
    team = accounts.create_team(SYSTEM, key="pricing", name="Pricing")
    accounts.grant_role(SYSTEM, "contributor", aud, on=team)
    return aud


def read(server: Server, token: str, of: Trained) -> dict[str, str]:
    seen: dict[str, str] = server.client(
        "reading", token, "credit", "1", of.run.run_id, of.logged.model_id
    )
    return seen


def test_the_client_is_told_where_and_gets_the_files_afterwards(asking: Server, kim: User, trained: Trained, settings: Settings) -> None:  # fmt: skip
    token = token_for(kim)
    before = read(asking, token, trained)
    page = f"{settings.BASE_URL}/models/credit/1/use/"
    for way in TOLD:
        assert page in before[way], (way, before[way])
        assert "Say first that you read what credit v1 may and must not be used for" in before[way]
    # Of a run's files the client says only that it got none: it keeps every reason to itself.
    assert "Failed to download artifacts" in before["run"]
    assert "Failed to download artifacts" in before["one file"]
    assert before["address"].startswith("RestException: PERMISSION_DENIED")
    assert before["other file"] == "['notes.txt']"
    assert not ModelVersion.objects.filter(model__name="mine").exists()
    said = uses.uses_of(trained.version)
    uses.acknowledge(as_actor(kim), trained.version, uses_digest=said.digest)
    after = read(asking, token, trained)
    for way in READ:
        assert "MLmodel" in after[way], (way, after[way])
    assert after["address"] == f"mlflow-artifacts:/versions/{trained.version.uuid}/artifacts"
    assert after["load"].startswith("MlflowException: Model does not have the \"python_function\" flavor")  # fmt: skip
    assert after["copy"] == "mine v1"
    assert after["register"] == "registered"


def test_who_trains_or_edits_is_not_asked(asking: Server, ana: User, trained: Trained) -> None:
    seen = read(asking, token_for(ana), trained)
    for way in READ:
        assert "MLmodel" in seen[way], (way, seen[way])


def test_a_service_waits_until_somebody_says_it_for_the_service(asking: Server, aud: User, trained: Trained, settings: Settings) -> None:  # fmt: skip
    service = accounts.create_service(SYSTEM, username="ci", display_name="CI", owners=[aud])
    accounts.grant_role(SYSTEM, "viewer", service)
    _, token = accounts.issue_token(
        as_actor(aud),
        name="of a test",
        scopes=["read"],
        expires_in=dt.timedelta(1),
        service=service,
    )
    refused = asking.get("model-versions/get-download-uri", token, name="credit", version="1")
    assert (refused.status, refused.code) == (403, "PERMISSION_DENIED")
    assert refused.json["message"] == (
        "Somebody who answers for CI says first, for it, that they read what credit v1 may and must not be used for. "
        f"{settings.BASE_URL}/models/credit/1/use/"
    )
    said = uses.uses_of(trained.version)
    uses.acknowledge(as_actor(aud), trained.version, uses_digest=said.digest, service=service)
    given = asking.get("model-versions/get-download-uri", token, name="credit", version="1")
    assert given.status == 200


def _get(person: User, path: str) -> tuple[int, int]:
    """The status, and how many queries it took."""
    caller = Caller(f"Bearer {token_for(person)}")
    caller.send("GET", path)
    with CaptureQueriesContext(connection) as queries:
        answer = caller.send("GET", path)
    return answer.status_code, len(queries)


@pytest.mark.django_db
def test_files_of_runs_that_nobody_registered_cost_one_query_more_and_none_where_the_site_does_not_ask(ana: User, settings: Settings) -> None:  # fmt: skip
    actor = as_actor(ana)
    run = makers.run(actor, makers.experiment(actor))
    makers.file(actor, run, "f.bin")
    path = f"{PROXY}/{run.experiment_id}/{run.run_id}/artifacts/f.bin"
    off = _get(ana, path)
    settings.USES_ACKNOWLEDGED_FIRST = True
    on = _get(ana, path)
    assert (off[0], on) == (200, (200, off[1] + 1))


@pytest.mark.django_db
def test_through_a_run_nobody_gets_a_version_that_they_may_not_see(otto: User, ana: User, trained: Trained, settings: Settings) -> None:  # fmt: skip
    accounts.grant_role(SYSTEM, "viewer", otto, on=trained.run.experiment)
    path = f"{PROXY}/{trained.run.experiment_id}/{trained.run.run_id}/artifacts/model/MLmodel"
    assert _get(otto, path)[0] == 200
    settings.USES_ACKNOWLEDGED_FIRST = True
    answer = Caller(f"Bearer {token_for(otto)}").send("GET", path)
    assert answer.status_code == 403
    assert "which you may not see" in answer.json()["message"]
    assert "credit" not in answer.json()["message"]
