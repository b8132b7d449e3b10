"""Execute a check in a process of its own, started for it, which has nothing in memory and asks no database.

What it is told is one line of JSON: kind, parameters, caps, where the bytes are and what was declared about them. What it
answers lies in its folder: counts, numbers, and with which code and libraries it made them, as that process found them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from django.conf import settings

from apps.checks import kinds
from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.engine.crosscheck import Disagreement
from apps.checks.engine.source import Caps, Column
from apps.checks.kinds.base import File, Task
from apps.checks.mapping import Mapping as Meaning
from apps.checks.statistics import from_data, to_data
from apps.checks.versions import code_version, engine_of, libraries
from apps.core.errors import DomainError

COMMAND: Final = "execute_check"
ANSWER: Final = "answer.json"
_ERRORS: Final = "errors.txt"
_PATIENCE: Final = 2.0


class NotExecuted(Exception):
    """There are no numbers; the message says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be executed."""

    kind: str
    params: Mapping[str, Any]
    caps: Caps
    asked_on: dt.date
    data: tuple[DataSet, ...] = ()
    files: tuple[File, ...] = ()
    manifest_digest: str = ""

    def to_line(self, folder: Path) -> bytes:
        """As the process reads it."""
        told = {
            "kind": self.kind,
            "params": self.params,
            "caps": asdict(self.caps),
            "asked_on": self.asked_on.isoformat(),
            "data": [_told(each) for each in self.data],
            "files": [asdict(each) for each in self.files],
            "manifest_digest": self.manifest_digest,
            "folder": str(folder),
        }
        return json.dumps(told).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Executed:
    """What came out, and with what it was made."""

    statistics: dict[str, Any]
    result: dict[str, Any]
    code_version: str
    libraries: dict[str, str]


def execute(plan: Plan, folder: Path, tick: Callable[[], None]) -> Executed:
    """Run the plan in a new process; `tick` is called every two seconds and may raise, which ends the process.

    Raises NotExecuted where the check refused its input, broke off, or the process died.
    """
    errors = folder / _ERRORS
    with errors.open("wb") as log, _started(log) as process:
        stdin = cast("IO[bytes]", process.stdin)
        with suppress(BrokenPipeError):  # it died before it read; its status says so below
            stdin.write(plan.to_line(folder))
            stdin.flush()
        status = _wait(process, tick)
    answer = folder / ANSWER
    if status != 0 or not answer.exists():
        raise NotExecuted(_how_it_ended(status))
    told = json.loads(answer.read_bytes())
    if "refused" in told:
        raise NotExecuted(told["refused"])
    return Executed(**told)


def _wait(process: subprocess.Popen[bytes], tick: Callable[[], None]) -> int:
    while True:
        try:
            return process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            tick()


def _how_it_ended(status: int) -> str:
    if status < 0:
        return f"The process that executed it was ended by signal {-status}; it may need more memory than there is."
    return f"The process that executed it ended with status {status} and no answer."


@contextmanager
def _started(log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended with the block however that ends. It ends itself when this side of its stdin is closed."""
    places = {
        "VAR": str(settings.VAR),
        "BLOB_ROOT": str(settings.BLOB_ROOT),
        "CHECKS_ENGINE": str(settings.CHECKS_ENGINE),
    }
    process = subprocess.Popen(  # noqa: S603 - our own program, nothing of a stranger's in its words
        [sys.executable, "manage.py", COMMAND],
        cwd=settings.BASE_DIR,
        env=os.environ | places,
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
    )
    try:
        yield process
    finally:
        process.kill()  # nothing happens to one that has ended
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def answer(line: bytes) -> None:
    """The other side: execute what the line says and leave the answer in its folder, whole or not at all.

    What the check refuses is an answer; anything else it raises is one too, by the name of its kind only, and goes on to
    the log.
    """
    told = json.loads(line)
    folder = Path(told["folder"])
    problem: BaseException | None = None
    try:
        said = _execute(told, folder)
    except (DomainError, Disagreement) as error:
        said = {"refused": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever a check raises, the worker is told
        said, problem = {"refused": f"The check broke off: {type(error).__name__}."}, error
    draft = folder / f"{ANSWER}.draft"
    draft.write_text(json.dumps(said))
    draft.rename(folder / ANSWER)
    if problem is not None:
        sys.excepthook(type(problem), problem, problem.__traceback__)


def _execute(told: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    kind = kinds.get(told["kind"])
    data = tuple(_data_set(each) for each in told["data"])
    files = tuple(File(**each) for each in told["files"])
    workshop = Workshop(Caps(**told["caps"]), folder, engine=engine_of(kind.key))
    params = from_data(told["params"], kind.params)
    asked_on = dt.date.fromisoformat(told["asked_on"])
    task = Task(workshop, data, files, told["manifest_digest"], asked_on)
    statistics, result = kind.run(task, params)
    return {
        "statistics": to_data(statistics),
        "result": to_data(result),
        "code_version": code_version(kind.key),
        "libraries": libraries(kind.key),
    }


def _told(data: DataSet) -> dict[str, Any]:
    return {
        "path": str(data.path),
        "format": data.format,
        "columns": [asdict(column) for column in data.columns],
        "mapping": data.mapping.to_data(),
        "favourable": data.favourable,
        "more": [str(path) for path in data.more],
    }


def _data_set(told: Mapping[str, Any]) -> DataSet:
    return DataSet(
        path=Path(told["path"]),
        format=told["format"],
        columns=tuple(Column(**each) for each in told["columns"]),
        mapping=Meaning.parse(told["mapping"]),
        favourable=told["favourable"],
        more=tuple(map(Path, told["more"])),
    )
