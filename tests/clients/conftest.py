"""The command line as somebody else has it: built, installed into an environment of its own, run as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tests.api.conftest import _served, server
from tests.api_v1.conftest import cast

__all__ = ["_served", "cast", "server"]

SOURCE = Path(settings.BASE_DIR) / "clients/countersign"


@dataclass(frozen=True)
class Said:
    """What a run of the command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a fresh environment that holds our package and no other."""
    place = tmp_path_factory.mktemp("client")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--no-index", "-w", place, SOURCE], check=True, timeout=120, cwd=place)
    (wheel,) = place.glob("countersign-*.whl")
    venv.create(place / "env", with_pip=False)
    programs = place / "env/bin"
    install = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "-q"]
    subprocess.run([*install, "--no-index", "--no-deps", wheel], check=True, timeout=120)
    return programs


@pytest.fixture
def run(installed: Path) -> Run:
    """Run the installed program with nothing of ours in its environment but what a test gives."""

    def call(*arguments: str, url: str = "", token: str = "", program: str = "countersign") -> Said:
        command = (
            [str(installed / "python"), "-m", "countersign"]
            if program == "python"
            else [str(installed / "countersign")]
        )
        done = subprocess.run(
            [*command, *arguments],
            env={
                "PATH": os.environ["PATH"],
                "COUNTERSIGN_URL": url,
                "COUNTERSIGN_TOKEN": token,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    return call
