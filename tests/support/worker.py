"""A real worker and a real beat on the test's database, for tests that commit (`transactional_db`)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from tests.support.site import ROOT
from tools.osproc import die_with_parent

TASKS = "tests.support.worker_tasks"


def test_database_url() -> str:
    """The database this test uses, as DATABASE_URL."""
    place = connection.settings_dict
    user = quote(place["USER"] or "postgres", safe="")
    secret = f":{quote(place['PASSWORD'], safe='')}" if place["PASSWORD"] else ""
    port = f"&port={place['PORT']}" if place["PORT"] else ""
    return f"postgresql://{user}{secret}@/{place['NAME']}?host={quote(place['HOST'])}{port}"


@contextmanager
def process(kind: str, **extra: str) -> Iterator[subprocess.Popen[bytes]]:
    """`worker` or `beat` as its own process, ended with the block. Its log is VAR/<kind>.log.

    It shares VAR with the test, and so the queue: what the test enqueues and commits is worked off.
    """
    command = [sys.executable, "-m", "celery", "-A", "config", kind, "--loglevel=INFO"]
    if kind == "worker":
        command += ["--without-gossip", "--without-mingle", "--concurrency=1", f"--include={TASKS}"]
    else:
        command += ["--pidfile="]
    environ = os.environ | {"DATABASE_URL": test_database_url(), "VAR": str(settings.VAR)} | extra
    with (Path(settings.VAR) / f"{kind}.log").open("ab") as log:
        child = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, preexec_fn=die_with_parent(),
        )  # fmt: skip
    try:
        yield child
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asked to stop; killed after 20 seconds, as the site's supervisor does it."""
    child.terminate()
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait(10)
