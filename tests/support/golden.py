"""Files that an exporter's bytes are compared with. `RENEW_GOLDEN=1` writes them anew; the diff is then read by a person."""

from __future__ import annotations

import os
from pathlib import Path


def compare(path: Path, data: bytes) -> None:
    """Fails where the bytes are not those of the golden file, naming the first line that differs."""
    if os.environ.get("RENEW_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    golden = path.read_bytes()
    if golden == data:
        return
    pairs = zip(golden.splitlines(), data.splitlines(), strict=False)
    for number, (old, new) in enumerate(pairs, start=1):
        if old != new:
            raise AssertionError(f"{path.name}:{number}: golden {old[:200]!r}, got {new[:200]!r}")
    raise AssertionError(f"{path.name}: {len(golden)} bytes in the golden file, got {len(data)}")
