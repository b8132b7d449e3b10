"""A whole site in processes of its own: what `make run` starts, on a free port and in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# The test run has a database, a key and a folder of its own: a site started from it must not inherit them.
_OURS = ("DATABASE_URL", "DATABASE_OWNER_URL", "SECRET_KEY", "VAR", "BASE_URL", "PORT", "DETACH",
         "KEYS_MADE_WHEN_NEEDED")  # fmt: skip


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**extra: str) -> dict[str, str]:
    """The environment of somebody at a shell."""
    return {key: value for key, value in os.environ.items() if key not in _OURS} | extra


def run(*arguments: str, timeout: float = 240, **extra: str) -> subprocess.CompletedProcess[str]:
    """`python -m ...` to its end."""
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, env=environment(**extra), text=True,
        capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout, check=False,
    )  # fmt: skip


def eventually(seen: Callable[[], object], seconds: float = 60, what: str = "") -> None:
    """Wait until `seen()` is true; fails with the time that passed."""
    deadline = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or seen}"
        time.sleep(0.05)


@dataclass
class Site:
    """A supervisor in the foreground and what it said."""

    var: Path
    port: int
    extra: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    said: Path = Path()

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, what: str = "run", seconds: float = 240) -> None:
        """Start it and wait until it serves; fails with what it said."""
        self.said = self.var.parent / f"{self.var.name}.said"
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tools.serve", what], cwd=ROOT, text=True,
                env=environment(VAR=str(self.var), PORT=str(self.port), **self.extra),
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
            )  # fmt: skip
        deadline = time.monotonic() + seconds
        while "serving at" not in self.said.read_text():
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.1)

    def pid(self, kind: str) -> int:
        """The process id the supervisor wrote down for a child."""
        children = json.loads((self.var / "run" / "supervisor.json").read_text())["children"]
        return next(int(child["pid"]) for child in children if child["kind"] == kind)

    def get(self, path: str) -> int:
        """The status of a page; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def manage(self, *arguments: str) -> str:
        """Run manage.py beside the running site; its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, text=True, check=False,
            env=environment(VAR=str(self.var), BASE_URL=self.url, **self.extra), capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the supervisor; its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def serving(var: Path, **extra: str) -> Iterator[Site]:
    """An empty site that serves; stopped at the end however the test ended."""
    site = Site(var, free_port(), extra)
    try:
        site.start()
        yield site
    finally:
        if site.process is not None:
            site.stop()


def processes_naming(text: str) -> list[int]:
    """The processes whose command line or environment has the text: what a site left behind."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            facts = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
        except OSError:
            continue
        if os.fsencode(text) in facts:
            found.append(int(entry.name))
    return found
