"""21 CFR 11.10(d), (e) and (g): who may is asked at each act; each change leaves a trail, in the same transaction."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from apps.accounts import policy
from apps.accounts.models import RoleVerb
from apps.accounts.verbs import ROLES, VERBS
from apps.audits.exporting import export_to
from apps.audits.models import Event
from apps.core.errors import Forbidden
from apps.registry import services as registry
from apps.registry.models import ModelVersion, RegisteredModel
from apps.reviews.models import Decision
from tests import factories
from tests.reviews.conftest import PRODUCTION, Cast
from tests.reviews.test_signing import sign
from tests.support.outside import verify

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("role", ROLES)
def test_p11_04_each_act_that_a_role_does_not_hold_is_refused(role: str, cast: Cast) -> None:
    """The routes have matrices of their own (tests/web, tests/api_v1, tests/api); this is the one door behind them."""
    actor = factories.person(f"only-{role}", role)
    held = set(RoleVerb.objects.filter(role_id=role).values_list("verb", flat=True))
    missing = sorted(set(VERBS) - held)
    assert missing, f"{role} holds everything"
    for act in missing:
        with pytest.raises(Forbidden, match=act.replace(".", r"\.")):
            policy.require(actor, act, cast.model)


def test_p11_05_a_change_is_told_with_who_when_old_and_new(cast: Cast) -> None:
    registry.update_model(cast.omar, cast.model, description="first")
    registry.update_model(cast.omar, cast.model, description="second")
    events = Event.objects.filter(type="registry.model.updated").order_by("seq")
    told = [_body(event) for event in events]
    assert [body["payload"]["changes"]["description"] for body in told] == [
        ["", "first"],
        ["first", "second"],
    ]
    assert {body["actor"]["id"] for body in told} == {cast.omar.user_id}
    assert [event.at for event in events] == sorted(event.at for event in events)


def test_p11_05_creating_signing_and_deleting_are_told_too(cast: Cast) -> None:
    gone = factories.version(cast.ana, cast.model)
    registry.delete_version(cast.omar, gone)
    review = cast.submit(PRODUCTION)
    decision = sign(cast.vera, review)
    for type_ in (
        "registry.version.registered",
        "registry.version.deleted",
        "reviews.decision.recorded",
    ):
        assert Event.objects.filter(type=type_).exists(), type_
    row = Event.objects.get(type="reviews.decision.recorded")
    assert _body(row)["payload"]["decision"] == decision.pk


def test_p11_05_the_change_and_its_trail_are_one_transaction(cast: Cast) -> None:
    registry.update_model(cast.omar, cast.model, description="first")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.xmin = e.xmin FROM registry_registeredmodel m, audits_event e "
            "WHERE m.id = %s AND e.seq = (SELECT max(seq) FROM audits_event)",
            [cast.model.pk],
        )
        assert cursor.fetchone() == (True,)


def test_p11_05_what_cannot_be_told_does_not_happen(cast: Cast) -> None:
    review = cast.submit(PRODUCTION)
    size = Event.objects.count()
    with _no_room_in_the_ledger():
        with pytest.raises(DatabaseError, match="no room"):
            registry.update_model(cast.omar, cast.model, description="untold")
        with pytest.raises(DatabaseError, match="no room"):
            sign(cast.vera, review)
    assert RegisteredModel.objects.get().description == ""
    assert not Decision.objects.exists()
    assert Event.objects.count() == size
    sign(cast.vera, review)
    sign(cast.rui, review)
    assert ModelVersion.objects.get(pk=cast.version.pk).stage == "Production"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audits_event SET body = body WHERE seq = 1",
        "DELETE FROM audits_event WHERE seq = 1",
        "DELETE FROM reviews_decision",
        "UPDATE reviews_decision SET comment = 'x'",
    ],
)
def test_p11_05_old_values_are_never_obscured(statement: str, cast: Cast) -> None:
    sign(cast.vera, cast.submit(PRODUCTION))
    with (
        pytest.raises(DatabaseError) as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert getattr(refused.value.__cause__, "sqlstate", "") == "42501"


def test_p11_05_the_trail_leaves_the_house_and_verifies_there(cast: Cast, tmp_path: Path) -> None:
    registry.update_model(cast.omar, cast.model, description="first")
    registry.update_model(cast.omar, cast.model, description="second")
    export_to(tmp_path / "ledger.jsonl")
    done = verify(tmp_path, "--export", "ledger.jsonl")
    assert done.status == 0, done.text
    lines = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_bytes().splitlines()]
    bodies = [base64.b64decode(line["body"]) for line in lines if "body" in line]
    assert any(b'["first","second"]' in body for body in bodies)


def _body(event: Event) -> Any:
    return json.loads(bytes(event.body))


@contextmanager
def _no_room_in_the_ledger() -> Iterator[None]:
    """The table of events refuses every row, as a full disk would."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER no_room BEFORE INSERT ON audits_event EXECUTE FUNCTION no_room()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER no_room ON audits_event")
            cursor.execute("DROP FUNCTION no_room()")
