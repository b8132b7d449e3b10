"""What a measurement is made of: the rows behind the inputs that it names, their bytes, and a folder to work in."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.checks import selectors
from apps.checks.engine.compute import DataSet, Workshop
from apps.checks.engine.source import Column
from apps.checks.kinds.base import File, Kind, Task
from apps.checks.mapping import Mapping
from apps.checks.models import EvaluationDataset, Measurement
from apps.checks.parts import StoredPart
from apps.checks.services.watching import Watch
from apps.checks.versions import code_version, engine_of, libraries
from apps.core import blobs
from apps.core.errors import Invalid

_STALE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that is read, and the digests of its bytes by the name of the file."""

    data: tuple[DataSet, ...]
    files: tuple[File, ...]
    digests: list[tuple[str, str]]
    rows: int = 0


def of(measurement: Measurement, kind: Kind) -> Inputs:
    """The inputs that the measurement names; Invalid where they are not there any more."""
    rows = [] if kind.of_files else rows_of(measurement)
    files = files_of(measurement) if kind.of_files else ()
    stored = {row.pk: selectors.files_of(row) for row in rows}
    digests = {row.digest: row.name for row in rows}
    digests |= {part.digest: part.name for found in stored.values() for part in found}
    digests |= {file.digest: file.path for file in files}
    data = tuple(data_set(row, stored[row.pk]) for row in rows)
    named = sorted((name, digest) for digest, name in digests.items())
    return Inputs(data, files, named, sum(row.rows for row in rows))


def asked_on(measurement: Measurement) -> dt.date:
    """The day (UTC) on which it was asked for, whenever it is executed."""
    return measurement.queued_at.astimezone(dt.UTC).date()


def rows_of(measurement: Measurement) -> list[EvaluationDataset]:
    """The rows behind the described inputs: any with the same bytes and meaning gives the same numbers."""
    candidates = list(selectors.datasets(measurement.version))
    found = []
    for part in measurement.inputs:
        row = next(
            (
                row
                for row in candidates
                if row.digest == part["digest"] and selectors.meaning_of(row) == part["meaning"]
            ),
            None,
        )
        if row is None:
            raise Invalid(f"The {part['part']} data it was asked for are not there any more.")
        found.append(row)
    return found


def data_set(row: EvaluationDataset, stored: Sequence[StoredPart]) -> DataSet:
    """The stored files with what was declared about them."""
    path, *more = [blobs.path(part.digest) for part in stored]
    return DataSet(
        path=path,
        format="parquet" if row.format == "parquet" else "csv",
        columns=tuple(Column(**entry) for entry in row.columns),
        mapping=Mapping.parse(row.mapping),
        favourable=row.favourable,
        more=tuple(more),
    )


def files_of(measurement: Measurement) -> tuple[File, ...]:
    """The version's files; Invalid if they are not those that it was asked for (a version's never change)."""
    version = measurement.version
    if measurement.inputs[0]["digest"] != version.manifest_digest:
        raise Invalid("The files it was asked for are not those of the version.")
    return tuple(File(entry["path"], entry["digest"], entry["size"]) for entry in version.manifest)


def verify(digests: Sequence[tuple[str, str]], tick: Callable[[], None]) -> None:
    """Read every byte and hold it against its hash; raises Tampered naming the file and its digest."""
    blobs.check_all(digests, tick)


def require_same_code(measurement: Measurement, kind: Kind) -> None:
    """Raises Invalid where it was asked for under other code or libraries: its key would lie."""
    made_with = (code_version(kind.key), libraries(kind.key))
    if (measurement.code_version, measurement.libraries) != made_with:
        raise Invalid("It was asked for under another version of the checks; ask again.")


def task(measurement: Measurement, taken: Inputs, folder: Path, watch: Watch) -> Task:
    """What the kind is given."""
    engine = engine_of(measurement.kind)
    workshop = Workshop(selectors.caps(), folder, watch.tick, watch.progress, engine)
    manifest = measurement.version.manifest_digest
    return Task(workshop, taken.data, taken.files, manifest, asked_on(measurement))


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder of this run; those of workers that were killed a day ago go too."""
    root = Path(settings.CHECKS_SCRATCH)
    for old in root.glob("*-*"):  # of checks and of uploads
        if time.time() - old.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="check-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
