"""`manage.py ready`: 0 when the database answers and is on this version of the code."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    """What a process needs before it may serve: nothing is changed, one sentence says what is missing."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for the unapplied migrations, which needs a connection too."""
        try:
            executor = MigrationExecutor(connection)
            behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except OperationalError as error:
            place = connection.settings_dict["HOST"] or "the local socket"
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"The database at {place} cannot be used: {reason}") from error
        if behind:
            raise CommandError(
                f"The database is {len(behind)} migrations behind the code: run `manage.py bootstrap`."
            )
