"""Two database roles: the owner, who migrates, and the runtime role, as which the site serves.

Guarantees after `grant_runtime`: the runtime role owns nothing, cannot TRUNCATE, has neither UPDATE nor DELETE on
settings.APPEND_ONLY_TABLES and no writing on settings.READ_ONLY_TABLES. A table that appeared since is closed to
it until granted: there are no default privileges on purpose. Not guaranteed: anything against the owner or a
superuser (docs/threat-model.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from apps.core.errors import Conflict
from config import local

_BOOTSTRAP_LOCK = 0x_C0_17_E5_16


@contextmanager
def as_owner() -> Iterator[None]:
    """Within, the default connection is the owner's (DATABASE_OWNER_URL), and one process at a time is inside."""
    runtime = dict(connection.settings_dict)
    connection.close()
    owner = local.database(settings.DATABASE_OWNER_URL)
    connection.settings_dict.update(owner | {"NAME": runtime["NAME"]})
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_BOOTSTRAP_LOCK])
        yield
    finally:
        connection.close()  # gives the lock back
        connection.settings_dict.update(runtime)


def runtime_role() -> str:
    """The role of DATABASE_URL; empty when the operating-system user is meant."""
    return str(local.database(settings.DATABASE_URL)["USER"])


def ensure_runtime_role(cursor: CursorWrapper, role: str, password: str = "") -> None:
    """Create the runtime role unless it is there. Raises the database's error when the owner may not."""
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if cursor.fetchone():
        return
    statement = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(
        sql.Identifier(role)
    )
    if password:
        statement += sql.SQL(" PASSWORD {}").format(sql.Literal(password))
    _run(cursor, statement)


def grant_runtime(cursor: CursorWrapper, role: str) -> None:
    """Give the runtime role exactly what the lists say, and take away everything else it had here.

    Raises `Conflict` for a listed table that does not exist: a misspelt name would leave a table open.
    """
    closed = _existing(cursor, [*settings.APPEND_ONLY_TABLES, *settings.READ_ONLY_TABLES])
    name = sql.Identifier(role)
    for text in (
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}",
        "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC, {role}",
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ):
        _run(cursor, sql.SQL(text).format(role=name))
    for table in closed:
        what = "UPDATE, DELETE"
        if table in settings.READ_ONLY_TABLES:
            what += ", INSERT"
        _run(
            cursor,
            sql.SQL("REVOKE {what} ON {table} FROM {role}").format(
                what=sql.SQL(what), table=sql.Identifier(table), role=name
            ),
        )


def too_mighty(cursor: CursorWrapper, role: str) -> str:
    """Why this role is no protection, as half a sentence; empty when it is one."""
    cursor.execute(
        "SELECT rolsuper, rolcreaterole, (SELECT count(*) FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND pg_has_role(r.oid, c.relowner, 'MEMBER'))"
        " FROM pg_roles r WHERE rolname = %s",
        [role],
    )
    found: tuple[Any, ...] = cursor.fetchone() or (False, False, 0)
    superuser, creator, owned = found
    if superuser:
        return "is a superuser"
    if owned:
        return f"owns {owned} of the site's tables"
    return "may create roles" if creator else ""


def _existing(cursor: CursorWrapper, tables: list[str]) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    missing = sorted(set(tables) - {row[0] for row in cursor.fetchall()})
    if missing:
        raise Conflict(
            f"APPEND_ONLY_TABLES or READ_ONLY_TABLES name tables that do not exist: {', '.join(missing)}"
        )
    return sorted(set(tables))


def _run(cursor: CursorWrapper, statement: sql.Composable) -> None:
    cursor.execute(statement.as_string(cursor.cursor))
