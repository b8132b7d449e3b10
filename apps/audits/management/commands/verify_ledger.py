"""`manage.py verify_ledger`: is the record whole, and does the state agree with it?"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from apps.audits.exporting import export_to
from apps.audits.services import make_checkpoint
from apps.audits.verification import MAX_DIFFERENCES, verify
from apps.core.actor import Actor
from apps.core.errors import DomainError

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from apps.audits.models import Verification


class Command(BaseCommand):
    help = (
        "Recompute every leaf and root of the ledger, compare the tables with the events, and name every"
        " difference. Ends with status 1 when there is one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--export", metavar="FILE", help="also write the ledger to FILE")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, **options: Any) -> None:
        if options["export"]:
            with suppress(
                DomainError
            ):  # without a key, or of a damaged ledger, there is an export all the same
                make_checkpoint(Actor.system("command"), occasion="export")
        result = verify()
        exported = self._export(options["export"]) if options["export"] else None
        self.stdout.write(_as_json(result) if options["json"] else _as_text(result))
        if exported:
            # Where the result goes to a program, the remark must not.
            (self.stderr if options["json"] else self.stdout).write(exported)
        if not result.ok:
            raise CommandError(f"FAIL: {_count(result)}", returncode=1)

    def _export(self, name: str) -> str:
        path = Path(name)
        try:
            lines = export_to(path)
        except OSError as error:
            msg = f"cannot write {path}: {error.strerror}"
            raise CommandError(msg, returncode=2) from error
        return f"Exported {lines - 2} events to {path}. Check it with: python tools/verify_ledger.py --export {path}"


def _as_text(result: Verification) -> str:
    lines = [f"{item['subject']}: {item['message']}" for item in result.differences]
    if result.ok:
        lines.append(f"{result.size} events, root {bytes(result.root).hex()}")
        lines.append("PASS: every event is in place and the tables agree with them.")
    return "\n".join(lines)


def _as_json(result: Verification) -> str:
    return json.dumps(
        {
            "ok": result.ok,
            "size": result.size,
            "root": bytes(result.root).hex(),
            "differences": result.differences,
        },
        indent=2,
    )


def _count(result: Verification) -> str:
    found = len(result.differences)
    if found >= MAX_DIFFERENCES:
        return f"{found} differences shown, there may be more"
    return "1 difference" if found == 1 else f"{found} differences"
