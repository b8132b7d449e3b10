"""DETACH=1: give the terminal back once the site serves, with what was said until then. Standard library only."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SERVING = "\0serving"


@dataclass(frozen=True)
class Detachment:
    """The supervisor's end of the pipe to whoever waits at the terminal."""

    def serving(self, log: Path) -> None:
        """Let the waiting process return with 0; from now on what is said goes to the log."""
        sys.stdout.write(f"{_SERVING}\n")
        sys.stdout.flush()
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(target, 1)
        os.dup2(target, 2)
        os.close(target)


@contextlib.contextmanager
def detached() -> Iterator[Detachment | None]:
    """With DETACH set go on in a process of its own session; the caller relays its words and ends with its code."""
    if os.environ.get("DETACH", "") in {"", "0"}:
        yield None
        return
    sys.stdout.flush()
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        sys.exit(_relay(read, child))
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(write, 1)
    os.dup2(write, 2)
    os.closerange(3, 256)  # make's own pipes would keep its caller waiting
    yield Detachment()


def _relay(read: int, child: int) -> int:
    with os.fdopen(read, encoding="utf-8", errors="replace") as words:
        for line in words:
            if line.startswith(_SERVING):
                return 0
            sys.stdout.write(line)
            sys.stdout.flush()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) or 1
