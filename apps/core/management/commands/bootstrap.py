"""`manage.py bootstrap`: bring database and static files to this version of the code."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, OperationalError, connection, transaction

from apps.core import roles
from config import local

OLDEST_POSTGRES = 150_000


class Command(BaseCommand):
    """Migrate as the owner, grant the runtime role what it needs and no more, collect the static files.

    Safe to repeat and to run from several machines at once (an advisory lock). Ends with one sentence and a
    non-zero code when the database cannot be reached, is too old, or does not allow it.
    """

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """The order matters: static files first, they need no database and may fail cheaply."""
        if settings.STATIC_MANIFEST:
            call_command("collectstatic", interactive=False, verbosity=0)
        try:
            with roles.as_owner():
                self._require_recent_server()
                call_command("migrate", interactive=False, verbosity=options["verbosity"] - 1)
                self._grant()
            connection.ensure_connection()
        except OperationalError as error:
            place = connection.settings_dict["HOST"] or "the local socket"
            raise CommandError(
                f"The database at {place} cannot be used: {_first_line(error)}. Check DATABASE_URL."
            ) from error

    def _require_recent_server(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            (found,) = cursor.fetchone()
        if int(found) < OLDEST_POSTGRES:
            raise CommandError(
                f"PostgreSQL {int(found) // 10_000} is too old: version 15 or newer is needed."
            )

    def _grant(self) -> None:
        role = roles.runtime_role()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_user")
            (owner,) = cursor.fetchone()
            if role in {"", owner}:
                self.stderr.write(
                    f"The site's database role {owner} owns its tables: triggers are the only guard. "
                    "Set DATABASE_OWNER_URL to another role to separate them."
                )
                return
            password = local.database(settings.DATABASE_URL)["PASSWORD"]
            try:
                roles.ensure_runtime_role(cursor, role, password)
            except DatabaseError as error:
                raise CommandError(
                    f"The role {role} does not exist and {owner} may not create it: {_first_line(error)}."
                ) from error
            roles.grant_runtime(cursor, role)
            weakness = roles.too_mighty(cursor, role)
        if weakness:
            self.stderr.write(f"The site's database role {role} {weakness}: it guards nothing.")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
