"""Let the flush after a transactional test pass the append-only triggers quickly, and bring the seeded rows back.

Django empties every table after a test that really commits (`transactional_db`, `live_server`). Three
things stand in its way here: triggers refuse TRUNCATE and DELETE; rows that migrations wrote (the ledger's
head, roles, the built-in policy) would be lost for all later tests; and TRUNCATE takes half a second for a
hundred tables, of which a test fills twenty. So, for test databases only, the flush deletes the rows of those
that have any with their triggers off, writes the migrated rows again and restores each trigger to the state
it was in, all in one transaction. tests/audits/test_flush.py holds it to that.

What such a test committed is in the queue too. Nobody works it off, and a later test's worker takes ten messages a
second: after a thousand tests it would be busy for minutes with work whose rows are gone. So the queue is emptied
with the tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from pytest_django import DjangoDbBlocker

_SEEDS = "test_seeds"
_ENABLE = {"A": "ENABLE ALWAYS", "O": "ENABLE", "R": "ENABLE REPLICA", "D": "DISABLE"}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The migrated database, with a copy of what the migrations wrote kept for the flush."""
    with django_db_blocker.unblock():
        _remember_seeds()
    DatabaseOperations.execute_sql_flush = _flush  # type: ignore[method-assign,assignment]


def _remember_seeds() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        _require_test_database()
        cursor.execute(f"DROP SCHEMA IF EXISTS {_SEEDS} CASCADE; CREATE SCHEMA {_SEEDS}")
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608 - quoted by Django
            if table != "django_migrations" and cursor.fetchone() == (True,):
                cursor.execute(f"CREATE TABLE {_SEEDS}.{name} AS TABLE {name}")


def _flush(_operations: DatabaseOperations, _statements: Iterable[str]) -> None:
    _require_test_database()
    with transaction.atomic(), connection.cursor() as cursor:
        seeded = _seeded(cursor)
        left_off = _switch_on(cursor)
        filled = sorted({*_filled(cursor), *seeded})
        guards = _guards(cursor, filled)
        for table in filled:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        # Foreign keys among the rows that go and among the seeds are whole: their order need not be known here.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in filled:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608 - quoted by PostgreSQL
        for table in seeded:
            cursor.execute(f"INSERT INTO {table} SELECT * FROM {_SEEDS}.{table}")  # noqa: S608 - quoted above
        cursor.execute("SET LOCAL session_replication_role = origin")
        _move_sequences(cursor, seeded)
        for table, trigger, state in guards:
            cursor.execute(f"ALTER TABLE {table} {_ENABLE[state]} TRIGGER {trigger}")
    _empty_queue()
    assert not left_off, f"this test left triggers off: {left_off}"


def _filled(cursor: Any) -> list[str]:
    """The tables that hold a row; migrations stay."""
    names = [
        connection.ops.quote_name(name)
        for name in connection.introspection.table_names(cursor)
        if name != "django_migrations"
    ]
    asked = (
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})"  # noqa: S608 - quoted by Django
        for name in names
    )
    cursor.execute(" UNION ALL ".join(asked))
    return [name.strip('"') for (name,) in cursor.fetchall()]


def _empty_queue() -> None:
    folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("data_folder_in")
    for message in Path(folder).glob("*.msg") if folder else ():
        message.unlink(missing_ok=True)


def _move_sequences(cursor: Any, seeded: list[str]) -> None:
    """Behind the ids that came back: a flush may have reset the sequences."""
    for table in seeded:
        for sequence in connection.introspection.get_sequences(cursor, table):
            column = connection.ops.quote_name(sequence["column"])
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence(%s, %s), greatest(max({column}), 1)) FROM {table}",  # noqa: S608 - quoted
                [table, sequence["column"]],
            )


def _seeded(cursor: Any) -> list[str]:
    cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = %s", [_SEEDS])
    return [name for (name,) in cursor.fetchall()]


def _guards(cursor: Any, tables: list[str]) -> list[tuple[str, str, str]]:
    """The triggers of these tables, each with the state it is in."""
    cursor.execute(
        """SELECT tgrelid::regclass::text, quote_ident(tgname), tgenabled::text FROM pg_trigger
           WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY(%s)""",
        [tables],
    )
    return list(cursor.fetchall())


def _switch_on(cursor: Any) -> list[str]:
    """Switch on what a test left off; later ones would pass, or fail, for no reason of their own."""
    cursor.execute(
        "SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger"
        " WHERE NOT tgisinternal AND tgenabled = 'D'"
    )
    left_off = cursor.fetchall()
    for table, trigger in left_off:
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
    return [f"{table}.{trigger}" for table, trigger in left_off]


def _require_test_database() -> None:
    name = connection.settings_dict["NAME"]
    assert str(name).startswith("test_"), f"{name} is not a test database"
