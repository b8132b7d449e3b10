"""Memory stays flat and time linear, whatever the size of a file."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.site import ROOT

MIB = 1024 * 1024
PROGRAM = """
import json, resource, sys, tempfile, time
from pathlib import Path
from apps.checks.files.scan import Scanner
path = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with path.open("rb") as file, tempfile.TemporaryDirectory() as folder:
    started = time.process_time()
    scan = Scanner(Path(folder), lambda: None, 2**40).scan("m.pkl", "0" * 64, path.stat().st_size, file)
    spent = time.process_time() - started
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"mib": (after - before) / 1024, "seconds": spent, "gaps": len(scan.gaps), "found": len(scan.found)}))
"""


def measured(path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def one_text(path: Path, size: int) -> Path:
    """A pickle of one object of bytes, not written out: the disk holds its ends only."""
    with path.open("wb") as file:
        file.write(b"\x80\x05\x8e" + struct.pack("<Q", size))
        file.seek(size, 1)
        file.write(b"\x94.")
    return path


def many_opcodes(path: Path, count: int) -> Path:
    with path.open("wb") as file:
        file.write(b"\x80\x02]q\x00")
        for _ in range(count // 1000):
            file.write(b"(" + b"K\x07" * 1000 + b"e")
        file.write(b".")
    return path


@pytest.mark.parametrize(("make", "small", "factor"), [(one_text, 64 * MIB, 8), (many_opcodes, 200_000, 8)])  # fmt: skip
def test_memory_is_flat_and_time_linear(tmp_path: Path, make, small: int, factor: int) -> None:
    one = measured(make(tmp_path / "one", small))
    more = measured(make(tmp_path / "more", small * factor))
    for told in (one, more):
        assert (told["gaps"], told["found"]) == (0, 0)
        assert told["mib"] < 64
    assert more["seconds"] < 3 * factor * max(one["seconds"], 0.02)
