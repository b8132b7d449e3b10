"""The stand-alone verifier, run as an auditor runs it: another process that sees none of our code."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

VERIFIER = Path(__file__).parents[2] / "tools" / "verify_ledger.py"


@dataclass(frozen=True)
class Verdict:
    """How the verifier ended, and what it said."""

    status: int
    text: str


def verify(folder: Path, *arguments: str | Path) -> Verdict:
    """Run it in `folder` with `-I -S`: no environment, no installed packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(VERIFIER), *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        env={},
        check=False,
    )
    return Verdict(done.returncode, done.stdout + done.stderr)
