"""Scans the files of a version, from the blob store, as bytes. See apps.checks.files for what a scan is."""

from __future__ import annotations

from apps.checks.engine.compute import Workshop
from apps.checks.files.report import FileScan, FilesResult, FilesStatistics, NameCount, Params
from apps.checks.files.scan import Scanner
from apps.checks.models import Measurement
from apps.checks.statistics import from_data
from apps.core import blobs
from apps.core.errors import Invalid


def scan(measurement: Measurement, workshop: Workshop) -> tuple[FilesStatistics, FilesResult]:
    """Every file of the manifest that was asked for, in its order. The same bytes give the same result."""
    version = measurement.version
    if measurement.inputs[0]["digest"] != version.manifest_digest:
        raise Invalid("The files it was asked for are not those of the version.")
    params = from_data(measurement.params, Params)
    scanner = Scanner(workshop.scratch, workshop.tick, params.unpack_bytes or 0)
    files: list[FileScan] = []
    names: list[NameCount] = []
    unpacked = 0
    for entry in version.manifest:
        with blobs.path(entry["digest"]).open("rb") as file:
            files.append(scanner.scan(entry["path"], entry["digest"], entry["size"], file))
        names += scanner.names_of(entry["path"])
        unpacked += scanner.notes.unpacked
    parts = sum(file.parts for file in files)
    statistics = FilesStatistics(
        files=len(files),
        bytes=version.total_size,
        unpacked_bytes=unpacked,
        parts=parts,
        names=tuple(names),
    )
    return statistics, FilesResult(version.manifest_digest, tuple(files), parts)
