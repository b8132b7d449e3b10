"""Small facts about processes and folders that the set-up programs share. Standard library only, Linux."""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

# sun_path is 108 bytes with its closing zero; PostgreSQL adds "/.s.PGSQL.5432".
SOCKET_FOLDER_LIMIT = 107 - len("/.s.PGSQL.5432")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Refusal(Exception):
    """A circumstance the person at the keyboard must change; its text is the one sentence she reads."""


def die_with_parent(
    number: int = signal.SIGTERM, *, parent: int | None = None
) -> Callable[[], None]:
    """A `preexec_fn`: the kernel sends `number` to the child when the thread that forked it ends.

    Start such children from the main thread only: the signal is bound to the forking thread.
    A parent (this process, unless named) that died between fork and prctl is noticed too.
    """
    parent = os.getpid() if parent is None else parent

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return prepare


def command_line(pid: int) -> list[str]:
    """The arguments of a running process, or an empty list when there is none (or a zombie)."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(part) for part in raw.split(b"\0") if part]


def start_ticks(pid: int) -> int:
    """When the process started, in clock ticks since boot; 0 when there is no such process.

    A pid together with this number names one process for good: pids are used again.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    fields = text.rpartition(")")[2].split()
    return 0 if fields[0] in {"Z", "X"} else int(fields[19])


def private_folder(path: Path) -> Path:
    """Make (or take over) a folder of mode 0700 that is ours; refuses somebody else's and links."""
    try:
        path.mkdir(parents=True, mode=0o700, exist_ok=True)
        facts = path.lstat()
    except OSError as error:
        msg = f"The folder {path} cannot be made: {error.strerror}."
        raise Refusal(msg) from error
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
        msg = f"The folder {path} belongs to somebody else: remove it or choose another VAR."
        raise Refusal(msg)
    if stat.S_IMODE(facts.st_mode) != 0o700:
        path.chmod(0o700)
    return path


def socket_folder(wanted: Path, key: str) -> Path:
    """`wanted` when a socket's name fits there and needs no quoting, else a short one under the temporary folder."""
    text = str(wanted)
    if len(os.fsencode(text)) <= SOCKET_FOLDER_LIMIT and not set(text) & set(" ,\"'\\%?#&"):
        return private_folder(wanted)
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - the folder is private and checked
        short = Path(base) / f"countersign-{os.geteuid()}-{key}"
        if len(os.fsencode(str(short))) <= SOCKET_FOLDER_LIMIT:
            return private_folder(short)
    msg = "No folder with a name short enough for a socket was found: set TMPDIR to a short path."
    raise Refusal(msg)
