"""`manage.py bootstrap`: bring database and static files to this version of the code."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DatabaseError, OperationalError, connection, transaction

from apps.core import roles
from config import local

OLDEST_POSTGRES = 150_000
# The frameworks' own pages are not served here, and compressing their files takes longest.
_FOREIGN_STATIC = ["rest_framework", "guardian"]


class Command(BaseCommand):
    """Migrate as the owner, grant the runtime role what it needs and no more, collect the static files.

    Safe to repeat and to run from several machines at once (an advisory lock). Ends with one sentence and a
    non-zero code when the database cannot be reached, is too old, or does not allow it.
    """

    help = __doc__ or ""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """One process start less for the supervisor."""
        parser.add_argument(
            "--setup-token",
            action="store_true",
            help="print a set-up token while there is no administrator",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """The order matters: static files first, they need no database and may fail cheaply."""
        if settings.STATIC_MANIFEST:
            _collect_static()
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
        if options["setup_token"]:
            with contextlib.suppress(CommandError):  # refused once there is an administrator
                call_command("setup_token", stdout=self.stdout, stderr=self.stderr)

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


def _collect_static() -> None:
    """Collect and compress, unless no source has changed since the last time."""
    stamp = Path(settings.STATIC_ROOT) / ".sources"
    fingerprint = _static_fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == fingerprint:
        return
    call_command(
        "collectstatic", interactive=False, verbosity=0, clear=True, ignore_patterns=_FOREIGN_STATIC
    )
    stamp.write_text(fingerprint, encoding="ascii")


def _static_fingerprint() -> str:
    facts = hashlib.sha256(settings.STATIC_URL.encode())
    for finder in get_finders():
        for name, storage in finder.list(_FOREIGN_STATIC):
            source = Path(storage.path(name)).stat()
            facts.update(f"{name} {source.st_size} {source.st_mtime_ns}\n".encode())
    return facts.hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
