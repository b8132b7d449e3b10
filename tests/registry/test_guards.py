"""The registry's rules as plain SQL meets them: the runtime role, the ORM in a shell, no service in between."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from apps.core import clock
from apps.registry import services
from apps.registry.models import Alias, Authorization, GovernedTarget, ModelVersion, RegisteredModel
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

RUNTIME_REFUSED = [
    "UPDATE registry_modelversion SET stage = 'Production' WHERE id = {version}",
    "UPDATE registry_modelversion SET stage = 'Production', stage_slot = NULL WHERE id = {version}",
    "UPDATE registry_modelversion SET manifest = '[]' WHERE id = {version}",
    "UPDATE registry_modelversion SET manifest_digest = repeat('0', 64) WHERE id = {version}",
    "UPDATE registry_modelversion SET model_id = {sandbox} WHERE id = {version}",
    "DELETE FROM registry_modelversion WHERE id = {version}",
    "TRUNCATE registry_modelversion CASCADE",
    "INSERT INTO registry_alias (model_id, name, version_id) VALUES ({model}, 'champion', {version})",
    "INSERT INTO registry_alias (model_id, name, version_id) VALUES ({model}, 'ChAmPiOn', {version})",
    "INSERT INTO registry_alias (model_id, name, version_id) VALUES ({sandbox}, 'champion', {version})",
    "UPDATE registry_alias SET name = 'champion' WHERE version_id = {version}",
    "INSERT INTO registry_versiontag (version_id, key, value) VALUES ({version}, 'validation_status', 'approved')",
    "INSERT INTO registry_versiontag (version_id, key, value) VALUES ({version}, 'Countersign.x', '1')",
    "INSERT INTO registry_modeltag (model_id, key, value) VALUES ({model}, 'Approved', 'yes')",
    "UPDATE registry_registeredmodel SET governance = 'sandbox' WHERE id = {model}",
    "DELETE FROM registry_registeredmodel WHERE id = {model}",
    "DELETE FROM registry_governedtarget",
    "INSERT INTO registry_governedtarget (kind, name) VALUES ('stage', 'x')",
    "UPDATE registry_versionfile SET path = 'x' WHERE version_id = {version}",
    "DELETE FROM registry_versionfile WHERE version_id = {version}",
    "ALTER TABLE registry_modelversion DISABLE TRIGGER registry_version_guard",
    "DROP TRIGGER registry_version_guard ON registry_modelversion",
    "SET session_replication_role = replica",
    """CREATE OR REPLACE FUNCTION registry_is_governed(model bigint, target_kind text, target_name text)
       RETURNS boolean LANGUAGE sql AS 'SELECT false'""",
    """INSERT INTO registry_authorization (version_id, target_kind, target_name, review_id, round_id,
       evidence_digest, terms, minted_at, expires_at) VALUES ({version}, 'stage', 'production', 1, 1,
       repeat('0', 64), '{{}}', now(), now() + interval '1 day')""",
    "TRUNCATE registry_authorization",
]


@pytest.fixture
def world() -> dict[str, Any]:
    """A governed model with a version and a free alias, and a sandbox model."""
    ana = factories.person("ana", "contributor")
    model = factories.model(ana, "credit")
    version = factories.version(ana, model)
    services.set_alias(ana, version, alias="candidate")
    sandbox = _sandbox()
    return {"model": model, "version": version, "sandbox": sandbox, "ana": ana}


def _sandbox() -> RegisteredModel:
    ada = factories.person("ada", "administrator", "contributor")
    return factories.model(ada, "toy", governance="sandbox")


@pytest.mark.parametrize("statement", RUNTIME_REFUSED)
def test_the_runtime_role_is_refused(
    statement: str, world: dict[str, Any], runtime_connection: psycopg.Connection[Any]
) -> None:
    text = statement.format(**{key: getattr(row, "pk", 0) for key, row in world.items()})
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        runtime_connection.execute(text)
    version = ModelVersion.objects.get(pk=world["version"].pk)
    assert (version.stage, version.manifest_digest) == ("None", world["version"].manifest_digest)
    assert list(Alias.objects.values_list("name", flat=True)) == ["candidate"]
    assert not Authorization.objects.exists()
    assert GovernedTarget.objects.count() == 7


def test_the_orm_in_a_shell_cannot_set_a_governed_stage(world: dict[str, Any]) -> None:
    version = world["version"]
    version.stage = "Production"
    with pytest.raises(DatabaseError, match="no authorization was spent"):
        version.save()
    with pytest.raises(DatabaseError, match="no authorization was spent"):
        ModelVersion.objects.filter(pk=version.pk).update(stage="Production")


def test_the_orm_cannot_insert_a_version_already_in_production(world: dict[str, Any]) -> None:
    version = world["version"]
    version.pk, version.uuid, version.number = None, uuid.uuid4(), 9
    version.stage = "Production"
    with pytest.raises(DatabaseError, match="no authorization was spent"):
        version.save(force_insert=True)


def test_with_no_governed_target_at_all_every_promotion_is_refused(world: dict[str, Any]) -> None:
    GovernedTarget.objects.all().delete()
    with pytest.raises(DatabaseError, match="no authorization was spent"):
        ModelVersion.objects.filter(pk=world["version"].pk).update(stage="Staging")


def test_an_authorization_without_a_review_does_not_survive_the_commit(
    world: dict[str, Any],
) -> None:
    with pytest.raises(DatabaseError, match="does not rest on a live round"), transaction.atomic():
        row = _authorization(world["version"])
        Authorization.objects.filter(pk=row.pk).update(spent_at=clock.now())
        ModelVersion.objects.filter(pk=world["version"].pk).update(stage="Production")
    assert ModelVersion.objects.get(pk=world["version"].pk).stage == "None"


def test_an_authorization_is_spent_in_its_own_transaction_only(world: dict[str, Any]) -> None:
    """As the superuser with the quorum's trigger off: the other guards still hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE registry_authorization DISABLE TRIGGER reviews_authorization_quorum"
        )
    try:
        row = _authorization(world["version"])
        Authorization.objects.filter(pk=row.pk).update(spent_at=clock.now())
        with pytest.raises(DatabaseError, match="no authorization was spent"):
            ModelVersion.objects.filter(pk=world["version"].pk).update(stage="Production")
        with pytest.raises(DatabaseError, match="already spent"):
            Authorization.objects.filter(pk=row.pk).update(spent_at=None)
        with pytest.raises(DatabaseError, match="is refused"):
            Authorization.objects.filter(pk=row.pk).delete()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE registry_authorization ENABLE ALWAYS TRIGGER reviews_authorization_quorum"
            )


def _authorization(version: ModelVersion) -> Authorization:
    return Authorization.objects.create(
        version=version,
        target_kind="stage",
        target_name="production",
        review_id=1,
        round_id=1,
        evidence_digest="0" * 64,
        minted_at=clock.now(),
        expires_at=clock.now() + dt.timedelta(days=1),
    )


def test_a_change_of_governance_stands_only_with_its_event(world: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError, match="is not in the ledger"):
        RegisteredModel.objects.filter(pk=world["model"].pk).update(governance="sandbox")
    assert RegisteredModel.objects.get(pk=world["model"].pk).governance == "governed"
