"""Every harmful sample is found or refused, no harmless one is refused, and the documentation says how many."""

from __future__ import annotations

import contextlib
import io
import pickle
import sys

import joblib
import pytest

from tests.checks.files import samples, table
from tests.checks.files.support import scanned, verdict

CALLED: list[str] = []
sys.addaudithook(lambda event, args: CALLED.append(event) if event == "os.system" else None)

# Those that an unpickler or joblib runs as they are, and what the scan is asked about.
REAL = {
    name: make
    for name, make in samples.HARMFUL.items()
    if name.startswith(("os.system", "joblib,", "behind"))
    or name in {"STACK_GLOBAL from the memo", "getattr of import_module", "a name that is computed", "DUP and POP", "broken after the call", "INST", "OBJ", "BUILD"}
}  # fmt: skip


@pytest.mark.parametrize("name", samples.HARMFUL)
def test_a_harmful_file_does_not_pass(name: str) -> None:
    assert verdict(samples.HARMFUL[name](), samples.NAMES.get(name, "model.bin")) != "PASS"


@pytest.mark.parametrize("name", samples.HARMLESS)
def test_a_harmless_file_passes(name: str) -> None:
    assert verdict(samples.HARMLESS[name]()) == "PASS"


@pytest.mark.parametrize("name", REAL)
def test_the_samples_are_real_and_a_loader_runs_them(name: str) -> None:
    data = REAL[name]()
    ran = 0
    for load in (lambda: pickle.loads(data), lambda: joblib.load(io.BytesIO(data))):  # noqa: S301 - what it is about
        CALLED.clear()
        with contextlib.suppress(Exception):  # many break after what they were made for
            load()
        ran += len(CALLED)
    assert ran, "no loader runs it: the sample proves nothing"


def test_nothing_is_run_imported_or_built_while_scanning() -> None:
    before = set(sys.modules)
    CALLED.clear()
    for name, make in samples.HARMFUL.items():
        scanned(make(), samples.NAMES.get(name, "model.bin"))
    assert CALLED == []
    assert not {"pip", "webbrowser", "cProfile", "idlelib.pyshell", "antigravity"} & (
        set(sys.modules) - before
    )


def test_the_name_of_a_file_decides_nothing_about_a_pickle() -> None:
    for name in ("model.txt", "weights.safetensors", "notes.md", "a.json", "picture.png", "x"):
        assert verdict(samples.SYSTEM.stream(4), name) == "FAIL"
        assert verdict(samples.SYSTEM.stream(0), name) == "FAIL"


def test_the_documentation_counts_what_is_measured() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    written = page.split(table.BEGIN)[1].split(table.END)[0]
    assert written == table.text(), "run python -m tests.checks.files.table"
