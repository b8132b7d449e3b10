"""The process in which a recheck executes: started by a worker for one check, not by people."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand

from apps.checks import fresh


class Command(BaseCommand):
    """Execute the check that one line on standard input describes (apps/checks/fresh.py). Writes to no database."""

    help = "Used by the worker: execute one check as a line of JSON on standard input describes it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        line = sys.stdin.buffer.readline()
        threading.Thread(target=_end_with_the_worker, daemon=True).start()
        fresh.answer(line)


def _end_with_the_worker() -> None:
    """The worker holds the other end open; once it is gone nobody waits for an answer.

    Read past `sys.stdin`: a thread that sits in its lock makes the interpreter abort when it ends.
    """
    while os.read(0, 1):
        pass
    os._exit(3)
