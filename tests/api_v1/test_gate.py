"""The gate allows what is there by a valid approval, and nothing else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from pytest_django import Settings

from apps.core import clock
from apps.registry import services as registry
from apps.registry.models import Authorization
from apps.registry.targets import Target
from tests import factories
from tests.api_v1.conftest import PRODUCTION, Api, Cast, by_session, by_token
from tests.support.people import as_actor
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db

THERE = {"model": "credit", "version": 1, "target": "stage:production"}


def ask(cast: Cast, **changed: Any) -> Any:
    answer = by_token(cast.ana, "read").post("gate/check", {**THERE, **changed})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["decision"] == "allow") == (told["reasons"] == [])
    return told


def test_what_is_there_by_approval_is_allowed(cast: Cast) -> None:
    cast.promote()
    told = ask(cast)
    assert (told["decision"], told["version"]) == ("allow", 1)
    assert [node["state"] for node in told["tree"]] == ["pass"] * 6
    assert told["digest"] == f"sha256:{cast.version.manifest_digest}"
    assert told["policy"]["key"] == "standard"


def test_an_alias_names_the_version(cast: Cast) -> None:
    cast.promote()
    asked = {"model": "credit", "alias": "Champion", "target": "alias:champion"}
    told = by_token(cast.ana, "read").post("gate/check", asked).json()
    assert (told["decision"], told["version"]) == ("allow", 1)


def test_the_files_must_be_those_that_were_approved(cast: Cast) -> None:
    cast.promote()
    right = cast.version.manifest_digest
    assert ask(cast, digest=right)["decision"] == "allow"
    assert ask(cast, digest=f"sha256:{right}")["decision"] == "allow"
    told = ask(cast, digest=f"sha256:{'0' * 64}")
    assert told["decision"] == "deny"
    assert "other files" in told["reasons"][0]


def test_what_is_not_there_is_denied(cast: Cast) -> None:
    assert ask(cast)["decision"] == "deny"
    cast.submit()
    assert ask(cast)["decision"] == "deny"


def test_a_version_that_left_or_was_replaced_is_denied(cast: Cast) -> None:
    cast.promote(PRODUCTION)
    actor = as_actor(cast.ana)
    newer = factories.version(actor, cast.model)
    review = cast.submit(PRODUCTION, version=newer)
    cast.sign(cast.vera, review)
    cast.sign(cast.rui, review)
    told = ask(cast)
    assert told["decision"] == "deny"
    assert "v2 is there now" in told["reasons"][0]
    assert ask(cast, version=2)["decision"] == "allow"
    owner = factories.person("omar", "owner")
    registry.leave_target(
        owner, newer, target=PRODUCTION, reason="rolled back", proof=factories.proof(owner)
    )
    assert ask(cast, version=2)["decision"] == "deny"


def test_an_approval_that_expired_is_denied(cast: Cast) -> None:
    cast.promote()
    later = clock.now() + dt.timedelta(days=5_000)
    with triggers_off("registry_authorization"):
        Authorization.objects.update(expires_at=clock.now() - dt.timedelta(seconds=1))
    told = ask(cast)
    assert told["decision"] == "deny"
    assert "expired" in told["reasons"][0]
    with triggers_off("registry_authorization"):
        Authorization.objects.update(expires_at=later, revoked_at=clock.now())
    told = ask(cast)
    assert told["decision"] == "deny"
    assert "revoked" in told["reasons"][0]


def test_a_sandbox_model_is_denied_whatever_it_holds(cast: Cast) -> None:
    actor = factories.person("ada", "administrator", "contributor")
    model = factories.model(actor, "toy", governance="sandbox")
    version = factories.version(actor, model)
    registry.set_stage(actor, version, stage="Production")
    answer = by_token(factories.user_of(actor)).post("gate/check", {**THERE, "model": "toy"})
    assert answer.json()["decision"] == "deny"
    assert "sandbox" in answer.json()["reasons"][0]


def test_a_target_that_nobody_governs_shows_no_approval(cast: Cast) -> None:
    registry.set_alias(as_actor(cast.ana), cast.version, alias="nightly")
    told = ask(cast, target="alias:nightly")
    assert told["decision"] == "deny"
    assert "not governed" in told["reasons"][0]


def test_for_a_promotion_every_gate_must_pass_and_an_approval_wait(
    cast: Cast, settings: Settings
) -> None:
    review = cast.submit(PRODUCTION)
    purpose = {"for": "promotion"}
    assert ask(cast, **purpose)["decision"] == "deny"
    gates = settings.PROMOTION_GATES
    settings.PROMOTION_GATES = [*gates, "apps.modelcards.gates.card_complete"]
    cast.sign(cast.vera, review)
    cast.sign(cast.rui, review)
    held = ask(cast, **purpose)
    assert held["decision"] == "deny"
    assert len(held["reasons"]) == 1
    settings.PROMOTION_GATES = gates
    assert ask(cast, **purpose)["decision"] == "allow"
    assert ask(cast)["decision"] == "deny"  # it may be promoted; it is not there


@pytest.mark.parametrize(
    "changed",
    [{"model": "nothing"}, {"version": 9}, {"version": 10**30}, {"model": "\u2603"}],
)
def test_what_is_unknown_is_denied(cast: Cast, changed: dict[str, Any]) -> None:
    cast.promote()
    assert ask(cast, **changed)["decision"] == "deny"


def test_what_one_may_not_see_is_denied_as_if_it_were_not_there(cast: Cast) -> None:
    cast.promote()
    api = by_token(cast.otto)
    hidden = api.post("gate/check", THERE).json()
    nothing = api.post("gate/check", {**THERE, "model": "credit2"}).json()
    assert hidden["decision"] == "deny"
    assert hidden["digest"] is None
    assert hidden["reasons"] == [nothing["reasons"][0].replace("credit2", "credit")]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {**THERE, "alias": "champion"},
        {"model": "credit", "target": "stage:production"},
        {**THERE, "target": "production"},
        {**THERE, "target": "stage:moon"},
        {**THERE, "digest": "md5:1"},
        {**THERE, "digest": ""},
        {**THERE, "for": "fun"},
        {**THERE, "version": "1"},
        {**THERE, "extra": True},
        b"not json",
    ],
)
def test_a_question_that_cannot_be_judged_is_a_denial(cast: Cast, body: Any) -> None:
    cast.promote()
    answer = by_token(cast.ana, "read").post("gate/check", body)
    assert (answer.status_code, answer.json()["decision"]) == (400, "deny")


def test_without_credentials_or_scope_it_is_a_denial(cast: Cast) -> None:
    cast.promote()
    nobody = Api().post("gate/check", THERE)
    assert (nobody.status_code, nobody.json()["decision"]) == (401, "deny")
    tracking = by_token(cast.ana, "tracking").post("gate/check", THERE)
    assert (tracking.status_code, tracking.json()["decision"]) == (403, "deny")
    session = by_session(cast.ana)
    del session.headers["X-CSRFToken"]
    forged = session.post("gate/check", THERE)
    assert (forged.status_code, forged.json()["decision"]) == (403, "deny")


def test_damaged_evidence_is_denied(cast: Cast) -> None:
    from apps.reviews.models import Round

    cast.promote()
    with triggers_off("reviews_round"):
        Round.objects.update(manifest=b"{}")
    told = ask(cast)
    assert told["decision"] == "deny"
    assert Target.parse(told["target"]) == PRODUCTION
