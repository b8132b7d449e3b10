"""Write past the triggers, as only the owner of the database server can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def triggers_off(*tables: str) -> Iterator[None]:
    """The triggers of these tables are off inside, and every one is on again after it, however it ended."""
    with connection.cursor() as cursor:
        if connection.in_atomic_block:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        if not connection.needs_rollback:
            _switch_on(tables)


def _switch_on(tables: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                "SELECT quote_ident(tgname) FROM pg_trigger"
                " WHERE NOT tgisinternal AND tgrelid = %s::regclass",
                [table],
            )
            for (trigger,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}")
