"""The test database as the site's own role sees it."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

from apps.core import roles

RUNTIME = "countersign_app"
_PASSWORD = "of-the-tests"
_LOCK = 815


def prepare() -> None:
    """Create the role once per server (xdist's workers share it) and grant it this worker's database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        try:
            roles.ensure_runtime_role(cursor, RUNTIME, _PASSWORD)
            roles.grant_runtime(cursor, RUNTIME)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def connect(**options: Any) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of its own, logged in as the runtime role. It sees only what was committed."""
    place = connection.settings_dict
    return psycopg.connect(
        dbname=place["NAME"],
        user=RUNTIME,
        password=_PASSWORD,
        host=place["HOST"] or None,
        port=place["PORT"] or None,
        **options,
    )


def become_runtime() -> None:
    """Let Django's own connection act with the runtime role's rights from here on."""
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(RUNTIME)).as_string())


def become_superuser() -> None:
    """Back to the rights that the tests' set-up has."""
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def tables_without(privilege: str) -> set[str]:
    """The tables on which the runtime role lacks a privilege."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r' AND NOT has_table_privilege(%s, oid, %s)",
            [RUNTIME, privilege],
        )
        return {row[0] for row in cursor.fetchall()}


def closed_tables() -> set[str]:
    """What the settings say the role may not change."""
    return {*settings.APPEND_ONLY_TABLES, *settings.READ_ONLY_TABLES}
