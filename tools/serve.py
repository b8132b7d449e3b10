"""The supervisor: `python -m tools.serve run|demo` starts the whole site and keeps it running until Ctrl-C.

Order: folder and lock, system libraries, port, database, bootstrap, worker, beat and web, and for the demo its
story. Whatever stands in the way is one sentence and code 1, with everything already started stopped again.
`python -m tools.serve web|worker|beat` runs one process alone; `stop` ends the supervisor of VAR.

Standard library only; the children are programs of the same environment.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from tools import logins, pg, system
from tools.detach import detached
from tools.osproc import Refusal, die_with_parent
from tools.place import Place
from tools.processes import KINDS, ROOT, Process, command, end_leftovers, environment

_READY_WITHIN = 120.0
_STOP_WITHIN = 20.0


class Supervisor:
    """One running site in one VAR."""

    def __init__(self, place: Place, port: int, *, demo: bool) -> None:
        self.place = place
        self.port = port
        self.demo = demo
        self.url = os.environ.get("BASE_URL", f"http://localhost:{self.port}").rstrip("/")
        self.embedded = not os.environ.get("DATABASE_URL")
        self.postgres: pg.Server | None = None
        self.processes: list[Process] = []
        self._told = ""
        self._began = time.monotonic()

    def start(self) -> None:
        """Everything up to the answer on /health; raises Refusal and leaves it to stop() to clear up."""
        system.require("site")
        end_leftovers(self.place.state().get("children", []))
        _require_port(os.environ.get("HOST", "127.0.0.1"), self.port)
        story = self.demo and self.place.prepare_demo(embedded=self.embedded)
        self._start_database()
        self._told = self._manage("bootstrap", *([] if self.demo else ["--setup-token"]))
        self._say("database is ready")
        self._start_processes()
        self._wait_until_serving()
        if story:
            self._tell_story()
        if self.demo:
            self.place.demo_told(self.url)

    def greet(self) -> None:
        """What a person needs to go on."""
        if self.demo:
            say(logins.table(self.place.demo))
        elif self._told:
            say(self._told)
        self._say(f"serving at {self.url}")

    def tend(self) -> None:
        """Look after the children until a signal ends us."""
        while True:
            if self.postgres is not None and not self.postgres.alive():
                self._log("the database ended; starting it again")
                self.postgres.start_again()
            told = [process.tend() for process in self.processes]
            if any(told):
                for sentence in filter(None, told):
                    self._log(sentence)
                self._write_state()
            time.sleep(0.2)

    def stop(self) -> None:
        """In good order: who serves, then who works, then the database."""
        deadline = time.monotonic() + _STOP_WITHIN
        for process in self.processes:
            process.ask_to_stop()
        for process in self.processes:
            process.stop(deadline)
        if self.postgres is not None:
            self.postgres.stop()
        self.place.forget()

    def _start_database(self) -> None:
        if not self.embedded:
            return
        self.postgres = pg.Server(self.place.var / "postgres")
        self.postgres.start()
        self.postgres.prepare()
        self.place.write_database(
            DATABASE_URL=self.postgres.url(pg.RUNTIME), DATABASE_OWNER_URL=self.postgres.url(pg.OWNER)
        )  # fmt: skip

    def _start_processes(self) -> None:
        for kind in KINDS:
            process = Process(kind, self._environ(), self.place.logs / f"{kind}.log")
            self.processes.append(process)
            process.start()
        self._write_state()

    def _write_state(self) -> None:
        self.place.write_state(self.url, {p.kind: p.pid for p in self.processes})

    def _wait_until_serving(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        address = f"http://{_reachable(os.environ.get('HOST', '127.0.0.1'))}:{self.port}/health"
        while not _answers(address):
            for process in self.processes:
                sentence = process.tend()
                if process.deaths > 2:
                    raise Refusal(f"The {process.kind} does not start: {process.last_words()}")
                if sentence:
                    self._log(sentence)
            if time.monotonic() > deadline:
                raise Refusal(
                    f"The site did not answer within {_READY_WITHIN:.0f} s; see {self.place.logs}."
                )
            time.sleep(0.1)

    def _tell_story(self) -> None:
        self._say(f"answering at {self.url}; loading the demo's story")
        code = subprocess.run(
            [sys.executable, "-m", "demo.story"], cwd=ROOT, env=self._environ(), check=False,
            stdin=subprocess.DEVNULL, preexec_fn=die_with_parent(signal.SIGTERM),
        ).returncode  # fmt: skip
        if code:
            raise Refusal(
                "The demo's story failed (see above); the next `make demo` starts it over."
            )

    def _environ(self) -> dict[str, str]:
        given = dict(os.environ) | {
            "VAR": str(self.place.var), "BASE_URL": self.url, "PORT": str(self.port),
        }  # fmt: skip
        if self.demo and not self.embedded and not {"SECRET_KEY", "SECRET_KEY_FILE"} & set(given):
            given["SECRET_KEY_FILE"] = str(self.place.secret_key())  # a demo is no production
        return given

    def _manage(self, *arguments: str) -> str:
        """Run manage.py; what it wrote to standard output. Its last error line is the refusal's sentence."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=self._environ(), text=True,
            capture_output=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        with (self.place.logs / "set-up.log").open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode:
            raise Refusal(f"Setting up failed: {_sentence(done.stderr)}")
        for line in done.stderr.splitlines():
            if not line.startswith("{"):  # a sentence for the person, not a line of the log
                say(line)
        return done.stdout.strip()

    def _say(self, text: str) -> None:
        say(f"[{time.monotonic() - self._began:5.1f} s] {text}")

    def _log(self, text: str) -> None:
        say(f"{time.strftime('%H:%M:%S')} {text}")


def say(text: str) -> None:
    """A line for the person; nobody listening is no reason to stop serving."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def serve(*, demo: bool) -> int:
    """Run the site; 0 after Ctrl-C or SIGTERM, 1 after a refusal."""
    port = _port()  # before a folder is made for nothing
    with detached() as detachment:
        place = Place.named("var" if demo else "var/site")
        place.lock()
        supervisor = Supervisor(place, port, demo=demo)
        try:
            with pg.ended_by_signals(), contextlib.suppress(KeyboardInterrupt):
                supervisor.start()
                supervisor.greet()
                if detachment is None:
                    say("Ctrl-C ends it.")
                else:
                    detachment.serving(place.logs / "supervisor.log")
                supervisor.tend()
        except SystemExit:
            return 0
        finally:
            _uninterrupted(supervisor.stop)
    return 0


def stop() -> int:
    """End the supervisor of VAR (of both usual folders when VAR is not given) and wait until it is gone."""
    folders = [os.environ["VAR"]] if os.environ.get("VAR") else ["var", "var/site"]
    running = [
        (place, pid)
        for folder in folders
        if (ROOT / folder).is_dir() and (pid := (place := Place(ROOT / folder)).supervisor())
    ]
    if not running:
        say(f"Nothing runs in {' or '.join(folders)}.")
    for place, pid in running:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 2 * _STOP_WITHIN
        while place.supervisor() == pid:
            if time.monotonic() > deadline:
                raise Refusal(f"Process {pid} did not end; see {place.logs}.")
            time.sleep(0.1)
        say(f"Stopped what ran in {place.var}.")
    return 0


def alone(kind: str) -> int:
    """Become one process of the site, in the foreground; refuses without a database that is ready."""
    place = Place.named("var/site")
    if not os.environ.get("DATABASE_URL") and not place.database.exists():
        raise Refusal(
            f"No database: start the site in {place.var} with `make run`, or set DATABASE_URL."
        )
    environ = environment(kind, os.environ | {"VAR": str(place.var)})
    environ.setdefault("BASE_URL", f"http://localhost:{_port()}")
    if kind == "web":
        _require_port(environ.get("HOST", "127.0.0.1"), _port())
    done = subprocess.run(
        [sys.executable, "manage.py", "ready"], cwd=ROOT, env=environ, text=True, capture_output=True, check=False
    )  # fmt: skip
    if done.returncode:
        raise Refusal(_sentence(done.stderr))
    os.chdir(ROOT)
    arguments = command(kind, environ)
    os.execve(arguments[0], arguments, environ)


def _sentence(said: str) -> str:
    """What a management command or a traceback ends with, without the name of the exception."""
    failed_check = re.search(r"\([\w.]+\.E\d+\) .*", said)
    if failed_check:
        return failed_check.group()
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("{")]
    last = next((line for line in reversed(lines) if line.startswith("CommandError: ")), "")
    last = last or (lines[-1] if lines else "no reason given")
    return re.sub(r"^[\w.]*(Error|ImproperlyConfigured|Exception): ", "", last)


def _port() -> int:
    text = os.environ.get("PORT") or "8000"
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise Refusal(f"PORT={text!r}: expected a number from 1 to 65535.")
    return int(text)


def _require_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = (
                "is in use"
                if error.errno == errno.EADDRINUSE
                else f"cannot be used ({error.strerror})"
            )
            raise Refusal(
                f"Port {port} on {host} {reason}: choose another, for example PORT={port + 1}."
            ) from None


def _reachable(host: str) -> str:
    """An address to knock at: a wildcard is none."""
    wildcard = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104
    return wildcard.get(host, f"[{host}]" if ":" in host else host)


def _answers(address: str) -> bool:
    # The Host header is one the site allows, whatever address it listens on.
    request = urllib.request.Request(address, headers={"Host": "localhost"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def _uninterrupted(act: object) -> None:
    """A second Ctrl-C while stopping must not leave processes behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if callable(act):
        act()


def main() -> int:
    """The command line."""
    what = sys.argv[1] if len(sys.argv) > 1 else ""
    try:
        if what in {"run", "demo"}:
            return serve(demo=what == "demo")
        if what == "stop":
            return stop()
        if what in KINDS:
            return alone(what)
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    sys.stderr.write("usage: python -m tools.serve run|demo|stop|web|worker|beat\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
