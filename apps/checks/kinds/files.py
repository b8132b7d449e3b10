"""File safety: a version's files, scanned as bytes and never loaded. See apps.checks.files for what a scan is."""

from __future__ import annotations

from django.conf import settings

from apps.checks.files.report import FileScan, FilesResult, FilesStatistics, NameCount, Params
from apps.checks.files.scan import Scanner
from apps.checks.kinds import choosing
from apps.checks.kinds.base import Kind, Task
from apps.checks.kinds.numbers import HOME
from apps.checks.library import files
from apps.checks.limits import FilesLimits
from apps.core import blobs


def run(task: Task, params: Params) -> tuple[FilesStatistics, FilesResult]:
    """Every file of the manifest, in its order. The same bytes give the same result."""
    workshop = task.workshop
    scanner = Scanner(workshop.scratch, workshop.tick, params.unpack_bytes or 0)
    scans: list[FileScan] = []
    names: list[NameCount] = []
    unpacked = 0
    for entry in task.files:
        with blobs.path(entry.digest).open("rb") as file:
            scans.append(scanner.scan(entry.path, entry.digest, entry.size, file))
        names += scanner.names_of(entry.path)
        unpacked += scanner.notes.unpacked
    parts = sum(scan.parts for scan in scans)
    statistics = FilesStatistics(
        files=len(scans),
        bytes=sum(entry.size for entry in task.files),
        unpacked_bytes=unpacked,
        parts=parts,
        names=tuple(names),
    )
    return statistics, FilesResult(task.manifest_digest, tuple(scans), parts)


def checked(params: Params) -> Params:
    """No more is unpacked than the site lets one check read."""
    most = settings.CHECKS_MAX_FILE_BYTES
    wanted = most if params.unpack_bytes is None else params.unpack_bytes
    return Params(max(0, min(wanted, most)))


KIND = Kind(
    key="files",
    title="File safety",
    params=Params,
    result=FilesResult,
    limits=FilesLimits,
    run=run,
    assess=files.assess,
    inputs=(),
    checked=checked,
    choices=choosing.FILES,
    no_preview="The files are scanned as a whole.",
    home=HOME,
    sources=("files/*.py",),
    libraries=("picklescan",),
    always_shown=True,
)
