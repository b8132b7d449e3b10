"""The site's processes: how each is started, kept alive and stopped. Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tools.osproc import die_with_parent, start_ticks

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("web", "worker", "beat")
_LONGEST_WAIT = 30.0
_STEADY = 60.0
_LOG_LIMIT = 20 * 1024 * 1024


def command(kind: str, environ: Mapping[str, str]) -> list[str]:
    """The command line of one process of the site."""
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    if kind == "worker":
        return [
            *celery, "worker", "--without-gossip", "--without-mingle", "--loglevel=INFO",
            f"--concurrency={environ.get('WORKER_PROCESSES', '2')}",
        ]  # fmt: skip
    if kind == "beat":
        return [*celery, "beat", "--loglevel=INFO", "--pidfile="]
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws",
        "--host", environ.get("HOST", "127.0.0.1"), "--port", environ.get("PORT", "8000"),
        "--workers", environ.get("WEB_PROCESSES", "1"),
        "--blocking-threads", environ.get("WEB_THREADS", "8"),
        "--workers-kill-timeout", "5", "--log-level", "warning", "config.wsgi:application",
    ]  # fmt: skip


def environment(kind: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The process's environment. The web process gets a pool with a connection for each of its threads."""
    given = dict(environ) | {"PYTHONUNBUFFERED": "1"}
    if kind == "web":
        given.setdefault("DATABASE_POOL", given.get("WEB_THREADS", "8"))
        # Its workers are grandchildren of the supervisor: each asks the kernel to end with its parent.
        given["DIE_WITH_PARENT"] = "1"
    return given


class Process:
    """One supervised child: restarted with growing pauses when it dies, ended with us."""

    def __init__(self, kind: str, environ: Mapping[str, str], log: Path) -> None:
        self.kind = kind
        self.log = log
        self._environ = environment(kind, environ)
        self._child: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._due = 0.0
        self._wait = 1.0
        self.deaths = 0

    @property
    def pid(self) -> int:
        """The running child's process id, or 0."""
        return self._child.pid if self._child and self._child.poll() is None else 0

    def start(self) -> None:
        """Start the child; its output goes to the log. From the main thread only (see die_with_parent)."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        # A worker finishes its task on SIGTERM; when we are gone so is its database: end at once.
        orphaned = signal.SIGQUIT if self.kind == "worker" else signal.SIGTERM
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                command(self.kind, self._environ),
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(orphaned),
            )
        self._started = time.monotonic()

    def tend(self) -> str:
        """Restart the child if it died and its pause is over; a sentence when something happened."""
        if self._child is None or self._child.poll() is None:
            return ""
        now = time.monotonic()
        if self._due == 0.0:
            self.deaths += 1
            self._wait = 1.0 if now - self._started > _STEADY else self._wait
            self._due = now + self._wait
            return f"{self.kind} ended ({_fate(self._child.returncode)}); starting it again in {self._wait:.0f} s"
        if now < self._due:
            return ""
        self._wait = min(self._wait * 2, _LONGEST_WAIT)
        self._due = 0.0
        self.start()
        return f"{self.kind} started again"

    def ask_to_stop(self) -> None:
        """SIGTERM: requests and tasks in progress are finished."""
        if self._child and self._child.poll() is None:
            self._child.terminate()

    def stop(self, deadline: float) -> None:
        """Wait for the end until `deadline` (monotonic), then kill it and what it started."""
        if not self._child:
            return
        try:
            self._child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(10)
        self._child = None

    def last_words(self) -> str:
        """The last line of its log that names an error."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, self.log.stat().st_size - 20_000))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        telling = [line for line in lines if "rror" in line]
        return (telling or lines or [""])[-1].strip()[:400]


def end_leftovers(children: list[dict[str, int]], seconds: float = 8) -> None:
    """End what a killed supervisor left, each named by pid and start time so that no stranger is hit."""
    deadline = time.monotonic() + seconds
    alive = [c for c in children if c["pid"] and start_ticks(c["pid"]) == c["ticks"]]
    for number in (signal.SIGTERM, signal.SIGKILL):
        for child in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child["pid"], number)
        while alive and time.monotonic() < deadline:
            time.sleep(0.1)
            alive = [c for c in alive if start_ticks(c["pid"]) == c["ticks"]]
        deadline += 3


def _fate(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
