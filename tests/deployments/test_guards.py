"""Deployments as plain SQL meets them, and what verify_ledger names when somebody went round the triggers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, transaction

from apps.core import clock
from apps.registry.models import Authorization, Deployment, Environment, EnvironmentEntry
from apps.reviews import services as reviews
from apps.reviews.models import Round
from tests import factories
from tests.deployments.conftest import Site
from tests.reviews.test_forgery import differences, is_whole
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)

_INSERT = (
    "INSERT INTO registry_deployment (uuid, model_id, version_id, environment_id, governed, authorization_id, traffic,"
    " traffic_since, place, started_at, recorded_by_id, recorded_at, end_reason) VALUES (gen_random_uuid(), {model},"
    " {version}, {environment}, {governed}, {authorization}, {traffic}, {at}, 'by hand', {at}, {user}, now(), '')"
)
REFUSED = [
    "DELETE FROM registry_deployment",
    "TRUNCATE registry_deployment CASCADE",
    "DELETE FROM registry_environment",
    "UPDATE registry_environment SET key = 'other' WHERE id = {prod}",
    "UPDATE registry_deployment SET version_id = {other}",
    "UPDATE registry_deployment SET environment_id = {dev}",
    "UPDATE registry_deployment SET started_at = started_at - interval '1 day'",
    "UPDATE registry_deployment SET authorization_id = NULL, governed = false",
    "UPDATE registry_deployment SET traffic = 100, traffic_since = now()",
    "UPDATE registry_deployment SET traffic_since = now()",
    "UPDATE registry_deployment SET ended_at = now()",
    "UPDATE registry_deployment SET ended_at = now() + interval '1 hour', ended_by_id = {user}",
    "DELETE FROM registry_environmententry",
    "UPDATE registry_environmententry SET version_id = {other}",
    "UPDATE registry_environmententry SET environment = 'dev'",
    "DELETE FROM registry_deploymentshare",
    "INSERT INTO registry_deploymentshare (deployment_id, traffic, since) VALUES ({deployment}, 1, now())",
    (
        "INSERT INTO registry_environmententry (model_id, version_id, environment, authorization_id, entered_at)"
        " VALUES ({model}, {other}, 'prod', {authorization}, now())"
    ),
    (
        "INSERT INTO registry_environmententry (model_id, version_id, environment, authorization_id, entered_at)"
        " VALUES ({model}, {version}, 'stage', {authorization}, now())"
    ),
]
FORGED = {
    "without an approval": {"version": "{other}", "authorization": "NULL"},
    "said to be ungoverned": {"authorization": "NULL", "governed": "false"},
    "by the approval of another version": {"version": "{other}"},
    "more than all of the traffic": {"traffic": "60"},
    "before the approval": {"at": "now() - interval '1 day'"},
    "in the future": {"at": "now() + interval '1 day'"},
    "of another model": {"model": "{sandbox}"},
    "without its event": {},
}


@pytest.fixture
def world(site: Site) -> dict[str, Any]:
    """A governed deployment with half of the traffic, by a spent approval."""
    site.approve()
    made = site.record(traffic="50")
    ada = factories.person("ada", "administrator", "contributor")
    return {
        "site": site,
        "deployment": made.pk,
        "model": made.model_id,
        "version": made.version_id,
        "other": factories.version(site.cast.ana, site.cast.model).pk,
        "sandbox": factories.model(ada, "toy", governance="sandbox").pk,
        "authorization": made.authorization_id,
        "prod": site.prod.pk,
        "dev": site.dev.pk,
        "user": site.cast.ana.user_id,
    }


@pytest.mark.parametrize("statement", REFUSED)
def test_the_site_s_role_is_refused(
    statement: str, world: dict[str, Any], runtime_connection: psycopg.Connection[Any]
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), runtime_connection.transaction():
        runtime_connection.execute(statement.format(**world))
    is_whole()


@pytest.mark.parametrize("how", FORGED)
def test_a_forged_deployment_does_not_stand(
    how: str, world: dict[str, Any], runtime_connection: psycopg.Connection[Any]
) -> None:
    given = {"governed": "true", "environment": "{prod}", "traffic": "10", "at": "now()"} | FORGED[
        how
    ]
    text = _INSERT.format(**(world | {key: value.format(**world) for key, value in given.items()}))
    with pytest.raises(psycopg.errors.InsufficientPrivilege), runtime_connection.transaction():
        runtime_connection.execute(text)
    assert Deployment.objects.count() == 1


def test_the_orm_in_a_shell_ends_no_deployment_without_the_ledger(world: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match="is not in the ledger"), transaction.atomic():
        Deployment.objects.update(ended_at=clock.now(), ended_by=world["user"])
    assert Deployment.objects.get().ended_at is None


def test_an_entry_is_made_only_by_the_transaction_that_spends(world: dict[str, Any]) -> None:
    EnvironmentEntry.objects.update(left_at=world["site"].prod.created_at)
    with pytest.raises(DatabaseError, match="no authorization was spent"):
        EnvironmentEntry.objects.filter(pk=0).bulk_create(
            [
                EnvironmentEntry(
                    model_id=world["model"],
                    version_id=world["version"],
                    environment="prod",
                    authorization=Authorization.objects.get(),
                    entered_at=world["site"].prod.created_at,
                )
            ]
        )


def test_on_void_evidence_nothing_gets_more_to_do(world: dict[str, Any]) -> None:
    with triggers_off("reviews_round"):
        Round.objects.update(voided_at=world["site"].prod.created_at, void_reason="recalled")
    with pytest.raises(DatabaseError, match=r"evidence behind authorization \d+ is void"):
        Deployment.objects.update(traffic=60, traffic_since=Deployment.objects.get().recorded_at)


def _named(act: Callable[[], object]) -> str:
    is_whole()
    with triggers_off(
        "registry_deployment",
        "registry_environmententry",
        "registry_environment",
        "registry_deploymentshare",
    ):
        act()
    return differences()


def test_what_the_owner_of_the_server_changed_is_named(world: dict[str, Any]) -> None:
    rows = Deployment.objects.all()
    assert "deployment" in _named(lambda: rows.update(place="elsewhere"))


def test_an_approval_put_behind_a_deployment_is_named(world: dict[str, Any]) -> None:
    rows = Deployment.objects.all()
    assert "the ledger" in _named(lambda: rows.update(version=world["other"]))


def test_an_entry_removed_or_made_by_hand_is_named(world: dict[str, Any]) -> None:
    found = _named(lambda: EnvironmentEntry.objects.update(left_at=world["site"].prod.created_at))
    assert "environment prod by authorization" in found


def test_an_environment_renamed_by_hand_is_named(world: dict[str, Any]) -> None:
    found = _named(lambda: Environment.objects.filter(key="prod").update(title="Mars"))
    assert "environment prod: the table says ('prod', 'Mars', 'no')" in found


def test_a_share_rewritten_is_named(world: dict[str, Any]) -> None:
    found = _named(lambda: Deployment.objects.get().shares.update(traffic=1))
    assert "'1'" in found


def test_recalled_evidence_stops_the_next_deployment(site: Site) -> None:
    review = site.approve()
    site.record(traffic="10")
    reviews.note_promotion(factories.SYSTEM, review)
    with triggers_off("reviews_round"):
        Round.objects.update(voided_at=site.prod.created_at, void_reason="a data set was recalled")
    with pytest.raises(Exception, match="a data set was recalled"):
        site.record(traffic="10", place="b")
    assert Deployment.objects.count() == 1
