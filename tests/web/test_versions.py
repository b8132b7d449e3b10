"""The pages of one version: what is there, what can be downloaded, how it leaves production."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from apps.audits import selectors as audits
from apps.core import blobs
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import selectors as reviews
from apps.reviews import services
from tests import factories
from tests.support.people import PASSWORD, as_actor
from tests.web.browsing import browser, nothing_written

pytestmark = pytest.mark.django_db

LEAVE = "/models/churn/1/leave/"


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor, "churn"))


@pytest.fixture
def in_production(
    version: ModelVersion, ana: User, vera: User, rui: User, settings: Settings
) -> ModelVersion:
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    target = Target("stage", "production")
    review = services.submit(as_actor(ana), version, targets=[target], justification="why")
    for user in (vera, rui):
        actor, round_ = as_actor(user), reviews.live_round(review)
        assert round_ is not None
        services.decide(
            actor,
            review,
            outcome="approve",
            evidence_digest=round_.digest,
            comment="fine",
            proof=factories.proof(actor),
            no_conflict=True,
        )
    version.refresh_from_db()
    assert version.stage == "Production"
    return version


def test_the_passport_says_what_is_missing_and_who_can_help(
    ana: User, vera: User, version: ModelVersion
) -> None:
    own = browser(ana).get("/models/churn/1/").content.decode()
    assert "To reach stage Production, alias @champion and alias @production" in own
    assert "3 checks not run (drift, fairness, performance)." in own
    assert "Fill in the card" in own
    others = browser(vera).get("/models/churn/1/").content.decode()
    assert "Fill in the card" not in others
    assert "Ana Silva can write the card." in others
    assert "Submit for review" not in others


def test_a_damaged_file_is_never_sent(ana: User, version: ModelVersion) -> None:
    entry = version.manifest[1]
    path = blobs.path(entry["digest"])
    path.chmod(0o600)
    path.write_bytes(b"X" * entry["size"])
    answer = browser(ana).get(f"/models/churn/1/files/{entry['path']}")
    assert answer.status_code == 409
    assert b"X" * entry["size"] not in answer.content
    assert audits.attempts(outcome="failed")[0].subject == f"version:{version.pk}"
    path.unlink()
    assert browser(ana).get(f"/models/churn/1/files/{entry['path']}").status_code == 409


@pytest.mark.parametrize(
    "path", ["nothing.bin", "../../secret-key", "%2e%2e/x", "MLmodel/", "a\x00b"]
)
def test_a_file_that_is_not_in_the_manifest_is_no_page(
    ana: User, version: ModelVersion, path: str
) -> None:
    assert browser(ana).get(f"/models/churn/1/files/{path}").status_code == 404


@pytest.mark.parametrize("name", ["churn/2/", "nobody/1/", "churn/99999999999999999999/", "%00/1/"])
def test_a_version_that_is_not_there_is_no_page(
    ana: User, version: ModelVersion, name: str
) -> None:
    assert browser(ana).get(f"/models/{name}").status_code == 404


def test_leaving_takes_a_reason_and_the_own_password(
    ana: User, omar: User, in_production: ModelVersion
) -> None:
    client: Client = browser(omar)
    url = f"{LEAVE}?target=stage:production"
    assert "Leave stage Production" in client.get("/models/churn/1/").content.decode()
    assert "leaves stage Production at once" in client.get(url).content.decode()
    form = {"target": "stage:production", "reason": "wrong scores", "password": PASSWORD}
    for change, words in (
        ({"password": "no"}, "That is not your password."),
        ({"reason": " "}, "This is needed."),
    ):
        with nothing_written():
            answer = client.post(LEAVE, form | change)
        assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert client.post(LEAVE, form)["Location"] == "/models/churn/1/"
    in_production.refresh_from_db()
    assert in_production.stage == "Archived"
    assert client.get(url).status_code == 409
    assert "wrong scores" in client.get("/models/churn/1/history/").content.decode()


@pytest.mark.parametrize("target", ["", "stage:nowhere", "alias:@@", "tag:x"])
def test_a_target_that_is_none_is_refused(
    omar: User, in_production: ModelVersion, target: str
) -> None:
    assert browser(omar).get(LEAVE, {"target": target}).status_code == 422


def test_two_versions_are_compared(ana: User, version: ModelVersion) -> None:
    assert "only version" in browser(ana).get("/models/churn/1/compare/").content.decode()
    files = {"MLmodel": b"flavors: {}\n", "model.bin": b"other weights"}
    factories.version(as_actor(ana), version.model, files=files)
    page = browser(ana).get("/models/churn/2/compare/?with=1").content.decode()
    assert "Different from v1: 1 file." in page
    assert browser(ana).get("/models/churn/2/compare/?with=x").status_code == 200


def test_the_description_is_edited_and_recorded(ana: User, version: ModelVersion) -> None:
    client = browser(ana)
    client.post("/models/churn/1/describe/", {"description": "<b>deeper</b> trees"})
    page = client.get("/models/churn/1/").content.decode()
    assert "&lt;b&gt;deeper&lt;/b&gt; trees" in page
    assert audits.events_for(f"version:{version.pk}", 1)[0].type == "registry.version.updated"
