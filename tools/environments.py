"""Virtual environments from hash-pinned requirements, stamped so that a second start costs nothing.

Run by the system's Python before anything is installed: standard library only.
`python -m tools.environments .venv=requirements/site.txt,requirements/dev.txt .venv-client=...`
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.osproc import Refusal

ROOT = Path(__file__).resolve().parent.parent


def provide(folder: Path, requirements: list[Path]) -> None:
    """Make `folder` hold at least these requirements; does nothing when its stamps say so.

    A stamp is written last, so an interrupted installation is repeated. Two builders at once wait for each other.
    """
    lock = ROOT / f".{folder.name.lstrip('.')}.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        due = [path for path in requirements if not _stamped(folder, path)]
        if due:
            _make(folder)
            for path in due:
                _install(folder, path)
                _stamp(folder, path).write_text(_fingerprint(path), encoding="ascii")


def _stamp(folder: Path, requirement: Path) -> Path:
    return folder / f".{requirement.stem}-installed"


def _fingerprint(requirement: Path) -> str:
    version = ".".join(str(part) for part in sys.version_info[:2])
    return hashlib.sha256(requirement.read_bytes() + version.encode()).hexdigest()


def _stamped(folder: Path, requirement: Path) -> bool:
    stamp = _stamp(folder, requirement)
    return (
        (folder / "bin" / "python").exists()
        and stamp.exists()
        and stamp.read_text(encoding="ascii") == _fingerprint(requirement)
    )


def _make(folder: Path) -> None:
    """An environment that is there and works is kept: pip brings it up to date."""
    python = folder / "bin" / "python"
    if python.exists() and not _run([str(python), "-m", "pip", "--version"])[0]:
        return
    code, said = _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    if code:
        raise Refusal(
            f"The environment {folder.name} could not be made ({_last(said)}); "
            "on Debian install it with: sudo apt-get install python3-venv"
        )


def _install(folder: Path, requirement: Path) -> None:
    count = requirement.read_text(encoding="utf-8").count("==")
    _say(f"Installing {count} pinned packages into {folder.name} ...")
    started = time.monotonic()
    code, said = _run(
        [
            str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input",
            "--disable-pip-version-check", "--require-hashes", "--no-deps", "-r", str(requirement),
        ]
    )  # fmt: skip
    if code:
        raise Refusal(f"Installing {requirement.name} into {folder.name} failed: {_last(said)}")
    _say(f"{folder.name} has them after {time.monotonic() - started:.0f} s")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _run(command: list[str]) -> tuple[int, str]:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )  # fmt: skip
    return done.returncode, done.stdout


def _last(said: str) -> str:
    telling = [line for line in said.splitlines() if "rror" in line] or said.splitlines()
    return telling[-1].strip() if telling else "no reason given"


def main() -> int:
    """One argument per environment (folder=requirements,requirements), all at once: pip keeps one core busy."""
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(_provide, sys.argv[1:]))
    for refusal in filter(None, results):
        sys.stderr.write(f"{refusal}\n")
    return 1 if any(results) else 0


def _provide(argument: str) -> str:
    folder, _, files = argument.partition("=")
    try:
        provide(ROOT / folder, [ROOT / file for file in files.split(",")])
    except (Refusal, OSError) as refusal:
        return str(refusal)
    return ""


if __name__ == "__main__":
    sys.exit(main())
