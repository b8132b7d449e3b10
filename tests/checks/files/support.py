"""Scanning bytes in memory and judging them, for the tests of the file scan."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from apps.checks.files.report import FileScan, FilesResult
from apps.checks.files.scan import Scanner
from apps.checks.library.files import assess
from apps.checks.library.judging import Assessment
from apps.checks.limits import FilesLimits

ROOM = 2 * 1024**3


def scanned(data: bytes, name: str = "model.bin", room: int = ROOM) -> FileScan:
    with tempfile.TemporaryDirectory(prefix="cs-scan-") as folder:
        scanner = Scanner(Path(folder), lambda: None, room)
        scan = scanner.scan(name, "0" * 64, len(data), io.BytesIO(data))
        assert list(Path(folder).iterdir()) == [], "the scan left something in its scratch folder"
    return scan


def judged(*scans: FileScan, **limits: Any) -> Assessment:
    result = FilesResult("0" * 64, scans, sum(scan.parts for scan in scans))
    return assess(result, FilesLimits(**limits))


def verdict(data: bytes, name: str = "model.bin", **limits: Any) -> str:
    return judged(scanned(data, name), **limits).verdict.value
