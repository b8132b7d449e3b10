"""What the database refuses, whoever asks: as superuser with the triggers on, and as the site's own role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from apps.audits import selectors, services, tasks, tree
from apps.audits.attempts import attempt
from apps.audits.log import verb
from apps.audits.models import Event, Head, Opening
from tests.support.ledger import ThingDone, append_some, someone

REFUSED = "42501"

CHANGES = [
    "UPDATE audits_event SET type = 'x' WHERE seq = 1",
    "UPDATE audits_event SET seq = 99 WHERE seq = 1",
    "DELETE FROM audits_event WHERE seq = 2",
    "TRUNCATE audits_event",
    "TRUNCATE audits_event CASCADE",
    "MERGE INTO audits_event USING (SELECT 1) AS x ON seq = 1 WHEN MATCHED THEN DELETE",
    "INSERT INTO audits_event SELECT * FROM audits_event WHERE seq = 1 ON CONFLICT (seq) DO UPDATE SET type = 'x'",
    "UPDATE audits_head SET size = size - 1",
    "UPDATE audits_head SET root = sha256('') WHERE id = 1",
    "UPDATE audits_head SET size = size + 1",
    "DELETE FROM audits_head",
    "TRUNCATE audits_head",
    "UPDATE audits_attempt SET reason = 'x'",
    "DELETE FROM audits_attempt",
    "TRUNCATE audits_attempt",
    "UPDATE audits_opening SET value = 'x'",
    "TRUNCATE audits_opening",
]


def _fill() -> None:
    append_some(2, person="Ana")
    attempt(someone(), act="model.edit", subject="model:1", outcome="refused", reason="no")


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
def test_triggers_refuse_even_a_superuser(change: str) -> None:
    _fill()
    with (
        pytest.raises(DatabaseError) as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert getattr(refused.value.__cause__, "sqlstate", "") == REFUSED


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change", ["UPDATE audits_event SET type = 'x'", "DELETE FROM audits_event"]
)
def test_a_replication_session_does_not_get_past_them(change: str) -> None:
    _fill()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(change)


SWITCHES = [
    "ALTER TABLE audits_event DISABLE TRIGGER audits_event_rows",
    "ALTER TABLE audits_event DISABLE TRIGGER ALL",
    "DROP TRIGGER audits_event_rows ON audits_event",
    "DROP TABLE audits_event",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION countersign_append_only() RETURNS trigger LANGUAGE sql AS ''",
    "ALTER TABLE audits_event DROP CONSTRAINT audits_event_leaf",
]


@pytest.mark.django_db(transaction=True)
def test_the_sites_own_role_can_neither_change_the_record_nor_switch_its_guards_off(
    runtime_connection: psycopg.Connection[tuple[Any, ...]],
) -> None:
    _fill()
    for statement in [*CHANGES, *SWITCHES]:
        with pytest.raises(psycopg.Error) as refused:
            runtime_connection.execute(statement.encode())
        assert refused.value.sqlstate == REFUSED, statement
    assert Head.objects.get().size == 2


@pytest.mark.django_db
def test_the_sites_own_role_can_do_all_the_ledger_needs(as_runtime_role: None) -> None:
    _fill()
    tasks.anchor_attempts()
    tasks.verify_ledger()
    assert Head.objects.get().size == 3
    last = selectors.last_verification()
    assert last
    assert last.size == 3
    erased = bytes(Opening.objects.earliest("created_at").commitment).hex()
    services.erase_openings(someone(), [erased], reason="asked for")
    assert Head.objects.get().size == 4


def _insert(**changed: object) -> Callable[[], None]:
    """An INSERT past the door: a copy of the last event at the next place, with some columns changed."""

    def insert() -> None:
        row = Event.objects.latest("seq")
        row.seq += 1
        for name, value in changed.items():
            setattr(row, name, value)
        row.save(force_insert=True)

    return insert


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("insert", "complaint"),
    [
        (_insert(), "lies beyond the head"),
        (_insert(seq=7), "no predecessor"),
        (_insert(seq=0), "lies beyond the head"),
        (_insert(body=b"{}"), "audits_event_leaf"),
        (_insert(root=b"short"), "audits_event_root"),
    ],
)
def test_an_event_cannot_be_slipped_in_beside_the_head(
    insert: Callable[[], None], complaint: str
) -> None:
    append_some(2)
    with pytest.raises(DatabaseError, match=complaint), transaction.atomic():
        insert()


@pytest.mark.django_db
def test_a_damaged_head_stops_the_ledger_instead_of_growing_a_second_tree() -> None:
    append_some(3)
    assert tree.EMPTY_ROOT.hex().startswith("e3b0c442")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audits_head DISABLE TRIGGER USER")
        cursor.execute("UPDATE audits_head SET root = sha256('forged')")
    with pytest.raises(Exception, match="head is damaged"), verb(someone()) as v:
        v.record(ThingDone(thing=1))
