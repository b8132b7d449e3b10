"""A hundred checks while workers are killed, the queue's server goes away and the database is restarted: each has one result."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from tests.checks.hundred import CHECKS, LARGE
from tests.support.site import ROOT, eventually, free_port
from tests.support.worker import process
from tools import pg
from tools.osproc import die_with_parent

pytestmark = [pytest.mark.timeout(900)]


class Broker:
    """A Redis server of the test's own, which keeps nothing: what it held is gone when it comes back."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._server = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent(),
        )  # fmt: skip

    def kill(self) -> None:
        assert self._server is not None
        self._server.kill()
        self._server.wait(10)


class Place:
    """A site's database, queue and folder, without its pages."""

    def __init__(self, folder: Path) -> None:
        self.server = pg.Server(folder / "pg", durable=False)
        self.broker = Broker()
        self.var = folder / "var"

    @property
    def environ(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.server.url(pg.RUNTIME),
            "DATABASE_OWNER_URL": self.server.url(pg.OWNER),
            "CELERY_BROKER_URL": self.broker.url,
            "VAR": str(self.var),
            "BLOB_ROOT": str(self.var / "blobs"),
            "HEARTBEAT_SECONDS": "1",
            "OUTBOX_LEASE_SECONDS": "4",
            "OUTBOX_BACKOFF_SECONDS": "1",
            "OUTBOX_MAX_ATTEMPTS": "50",
            "CHECKS_PIECE_VALUES": "120000",
        }

    def run(self, *arguments: str) -> str:
        """`python ...` beside the site; what it said."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=os.environ | self.environ, text=True,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=180, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("-m", "tests.checks.hundred", "state"))
        return found

    def done(self) -> int:
        """How many have a result; -1 while the database does not answer."""
        try:
            with psycopg.connect(self.server.url(pg.SUPERUSER)) as link:
                row = link.execute(
                    "SELECT count(*) FROM checks_measurement WHERE status = 'done' AND kind <> 'files'"
                ).fetchone()
        except psycopg.Error:
            return -1
        assert row is not None
        return int(row[0])


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    found.broker.start()
    with contextlib.ExitStack() as stack:
        stack.callback(found.broker.kill)
        stack.enter_context(found.server)
        found.server.prepare()
        found.run("manage.py", "bootstrap")
        found.run("-m", "tests.checks.hundred", "ask")
        yield found


def test_a_hundred_checks_in_hard_times_have_one_result_each(place: Place) -> None:
    rng = np.random.default_rng(11)
    killed = 0
    with process("beat", **place.environ):
        for blow in ("database", "broker", None, None, None, None):
            before = place.done()
            with process("worker", **place.environ) as worker:
                eventually(
                    lambda before=before: place.done() > before, 120, "a result after a blow"
                )
                time.sleep(rng.random() / 2)
                if blow == "broker":
                    place.broker.kill()
                    time.sleep(2)
                    place.broker.start()
                elif blow == "database":
                    stop_quickly(place.server)
                    time.sleep(2)
                    place.server.start_again()
                if blow is not None:  # the same worker goes on by itself
                    since = place.done()
                    eventually(
                        lambda since=since: place.done() > since, 120, f"going on after: {blow}"
                    )
                killed += place.done() < CHECKS
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait(10)
        assert killed == 6, "a worker was killed when all was done: that proves nothing"
        with process("worker", **place.environ):
            eventually(lambda: place.done() == CHECKS, 300, "all have a result")
    found = place.state()
    assert (found["errors"], found["differences"]) == ([], [])
    assert found["status"] == {"done": CHECKS}
    assert found["told"] == {"1": CHECKS}  # one event in the ledger each
    assert (found["digests"], found["pieces"]) == (CHECKS, 0)
    assert any(int(attempts) > 1 for attempts in found["attempts"]), "nothing was interrupted"
    assert LARGE  # some were counted in pieces


def stop_quickly(server: pg.Server) -> None:
    """As an administrator's restart does it: open connections are closed."""
    assert server.process is not None
    server.process.send_signal(signal.SIGINT)
    server.process.wait(30)
