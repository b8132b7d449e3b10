"""The runtime role can do the site's work and nothing to the records behind it."""

from __future__ import annotations

import psycopg
import pytest
from django.db import ProgrammingError, connection

from apps.core import blobs, outbox, roles
from apps.core.errors import Conflict
from apps.core.models import Blob, OutboxMessage
from tests.support import roles as support


@pytest.mark.django_db
def test_privileges_on_every_table_are_those_the_settings_list(runtime_role):
    from django.conf import settings

    assert support.tables_without("SELECT") == set()
    assert support.tables_without("INSERT") == set(settings.READ_ONLY_TABLES)
    assert support.tables_without("UPDATE") == support.closed_tables()
    assert support.tables_without("DELETE") == support.closed_tables()
    with connection.cursor() as cursor:
        everything = set(connection.introspection.table_names(cursor))
    for never in ("TRUNCATE", "REFERENCES", "TRIGGER"):
        assert support.tables_without(never) == everything


def test_the_platform_works_as_the_runtime_role(as_runtime_role, tmp_path, settings):
    settings.BLOB_ROOT = tmp_path
    assert blobs.read_all(blobs.put_bytes(b"x").digest) == b"x"
    message = outbox.enqueue("t", {})
    with outbox.claimed(message.pk) as mine:
        assert mine
    assert outbox.queue_state().queued == 0


def test_code_that_would_change_a_blob_is_stopped_by_the_database(
    as_runtime_role, tmp_path, settings
):
    settings.BLOB_ROOT = tmp_path
    blob = blobs.put_bytes(b"x")
    with pytest.raises(ProgrammingError, match="permission denied"):
        Blob.objects.filter(pk=blob.pk).update(size=2)


@pytest.mark.parametrize(
    "statement",
    [
        "SET session_replication_role = replica",
        "TRUNCATE core_outbox",
        "DROP TABLE core_outbox",
        "ALTER TABLE audits_event DISABLE TRIGGER ALL",
        "CREATE TABLE mine (id int)",
        "SET ROLE postgres",
        "CREATE ROLE friend SUPERUSER",
        "ALTER SYSTEM SET fsync = off",
        "COPY core_outbox TO PROGRAM 'cat'",
        "UPDATE core_blob SET size = 0",
        "DELETE FROM core_blob",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
        "UPDATE pg_trigger SET tgenabled = 'D'",
    ],
)
def test_a_thief_of_the_password_is_refused(runtime_connection, statement):
    with pytest.raises(
        (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidParameterValue)
    ):
        runtime_connection.execute(statement)


@pytest.mark.django_db
def test_a_table_made_later_is_closed_until_it_is_granted(runtime_role):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE later (id int)")
        assert support.tables_without("SELECT") == {"later"}
        roles.grant_runtime(cursor, runtime_role)
    assert support.tables_without("SELECT") == set()


@pytest.mark.django_db
def test_a_misspelt_table_in_the_lists_is_refused(runtime_role, settings):
    settings.APPEND_ONLY_TABLES = [*settings.APPEND_ONLY_TABLES, "audits_evnet"]
    with connection.cursor() as cursor, pytest.raises(Conflict, match="audits_evnet"):
        roles.grant_runtime(cursor, runtime_role)


@pytest.mark.django_db
def test_a_role_that_guards_nothing_is_named(runtime_role):
    with connection.cursor() as cursor:
        assert roles.too_mighty(cursor, runtime_role) == ""
        assert roles.too_mighty(cursor, "postgres") == "is a superuser"
        cursor.execute("CREATE ROLE builder CREATEROLE")
        assert roles.too_mighty(cursor, "builder") == "may create roles"
        cursor.execute("CREATE TABLE its_own (id int)")
        cursor.execute("ALTER TABLE its_own OWNER TO builder")
        assert "owns 1" in roles.too_mighty(cursor, "builder")
    assert not OutboxMessage.objects.exists()
