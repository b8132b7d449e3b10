"""Migration operations that guard tables with plain SQL triggers.

Plain SQL, not a trigger library: the libraries' triggers honour a session variable that switches
them off. `ENABLE ALWAYS` makes them fire under `session_replication_role = replica` too. What no
trigger can do: stop the table's owner or a superuser from disabling it (docs/threat-model.md).
"""

from __future__ import annotations

import re

from django.db.migrations.operations import RunSQL

_NAME = re.compile(r"[a-z][a-z0-9_]{0,50}")

# One function for all tables: it only refuses, and says which table, so it needs no arguments.
_REFUSE = """
CREATE OR REPLACE FUNCTION countersign_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'append-only: % refused on %', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '42501', HINT = 'Rows of this table are never changed or removed.';
END $$;
"""


def append_only(table: str, *, erasable: bool = False) -> RunSQL:
    """Refuse UPDATE, DELETE and TRUNCATE on `table`, for every role, with SQLSTATE 42501.

    `erasable` leaves DELETE allowed (rows that hold personal data); UPDATE and TRUNCATE stay refused.
    Run it in the migration that creates the table, and add the table to settings.APPEND_ONLY_TABLES
    so that the runtime role lacks the privilege as well.
    """
    if not _NAME.fullmatch(table):
        msg = f"not a plain table name: {table!r}"
        raise ValueError(msg)
    verbs = "UPDATE" if erasable else "UPDATE OR DELETE"
    return RunSQL(
        _REFUSE
        + f"""
CREATE TRIGGER {table}_rows BEFORE {verbs} ON {table}
    FOR EACH ROW EXECUTE FUNCTION countersign_append_only();
CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION countersign_append_only();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_rows;
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_truncate;
""",
        f"DROP TRIGGER {table}_rows ON {table}; DROP TRIGGER {table}_truncate ON {table};",
    )
