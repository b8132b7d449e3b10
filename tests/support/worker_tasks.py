"""A task for tests of the queue itself: it leaves a trace of each step in the file its payload names."""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import shared_task

from apps.core import outbox


@shared_task
def trace(message_id: int) -> None:
    """Write "begin <pid>", wait for the file `go` beside it, write "end"."""
    with outbox.claimed(message_id) as message:
        if message is None:
            return
        file = Path(message.payload["file"])
        with file.open("a") as lines:
            lines.write(f"begin {os.getpid()}\n")
        while not file.with_name("go").exists():
            message.renew()
            time.sleep(0.05)
        with file.open("a") as lines:
            lines.write("end\n")
