"""Where evaluation data come from: an upload, a file, table or folder in the files of the version's run, or a data set that the
run logged as its input, or an address in S3.

Whatever the place, what is handed on is the same: files that lie on disk and do not change any more, each with its name.
An artifact is read where it is stored, after its bytes were compared with their digest; everything else lies in the scratch
folder until the data were found good. Only then is it stored.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from apps.accounts import policy
from apps.checks import loggedinputs, parts, selectors
from apps.checks.engine import tables
from apps.checks.engine.folders import Part, check_extent, is_data
from apps.checks.engine.inspect import is_table, refused
from apps.checks.parts import StoredPart
from apps.checks.services import fetching
from apps.core import blobs
from apps.core.actor import Actor
from apps.core.canonical import JSON
from apps.core.errors import Invalid, NotFound
from apps.core.models import Blob
from apps.experiments.models import LoggedModel, Run
from apps.experiments.selectors import ArtifactView, artifacts_under, visible_run
from apps.registry.models import ModelVersion

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """A file that was gathered. `digest` is empty until it is stored."""

    name: str
    path: Path
    size: int
    digest: str = ""

    def part(self) -> Part:
        """As the engine takes it."""
        return Part(self.name, self.path, self.size)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was gathered: one file, or a folder of several in the order of their names. `source` says from where."""

    pieces: tuple[Piece, ...]
    source: dict[str, JSON]
    folder: bool = False

    def store(self) -> Blob:
        """Store what is not stored yet; the blob of the file, or of the folder's manifest."""
        stored = [_stored(piece) for piece in self.pieces]
        if not self.folder:
            return Blob.objects.get(digest=stored[0].digest)
        return blobs.put_bytes(parts.to_bytes(stored))


@contextmanager
def gathered(
    actor: Actor,
    version: ModelVersion,
    *,
    stream: BinaryIO | None = None,
    artifact: str = "",
    logged_input: str = "",
    s3: str = "",
) -> Iterator[Gathered]:
    """The bytes as files. Raises Invalid unless there is exactly one place, NotFound for one the actor may not read,
    Tampered for stored bytes that are not what they were."""
    if sum((stream is not None, bool(artifact), bool(logged_input), bool(s3))) != 1:
        raise Invalid(
            "Give either a file, or the path of an artifact of the run, or one of its logged inputs, or an S3 address.",
            fields={"file": "give a file or choose an artifact"},
        )
    with scratch() as folder:
        if stream is not None:
            path = _copied(stream, folder / "upload")
            piece = Piece("upload", path, path.stat().st_size)
            yield Gathered((piece,), {"kind": "upload"})
        elif artifact:
            yield _of_run(actor, version, artifact, folder)
        elif s3:
            yield _of_s3(s3, folder)
        else:
            yield _of_input(actor, version, logged_input, folder)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that goes with the block."""
    folder = Path(tempfile.mkdtemp(prefix="attach-", dir=settings.CHECKS_SCRATCH))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _of_run(actor: Actor, version: ModelVersion, path: str, folder: Path) -> Gathered:
    """A file, table or folder in the version's run or logged model that the actor may read there as well."""
    for root in (version.run, version.logged_model):
        if root is not None and policy.can(actor, "experiment.read", root):
            found = artifacts_under(root, path)
            if found:
                return of_artifacts(found, path, _named(root) | {"path": path.strip("/")}, folder)
    raise NotFound(f"The run of {version} has no artifact {path!r}.")


def _of_input(actor: Actor, version: ModelVersion, key: str, folder: Path) -> Gathered:
    """What a data set that the run logged leads to; Invalid (field "logged_input") where it leads nowhere."""
    inputs = loggedinputs.of_run(actor, version.run) if version.run else []
    found = loggedinputs.find(inputs, key)
    if found is None:
        raise NotFound(f"The run of {version} logged no such input.")
    if found.place.why_not:
        reason = found.place.why_not
        raise Invalid(
            f"The source of {found.name} cannot be read here: {reason}.",
            fields={"logged_input": f"its source cannot be read here: {reason}"},
        )
    claim: dict[str, JSON] = {"name": found.name, "digest": found.digest, "context": found.context}
    if found.place.s3:
        copied = _of_s3(found.place.s3, folder)
        return replace(copied, source={**copied.source, "input": claim})
    run = visible_run(actor, found.place.run_id)
    path = found.place.path
    files = artifacts_under(run, path)
    if not files:
        raise NotFound(
            f"The source of {found.name} names {path!r}, which run {run.run_id} does not hold."
        )
    return of_artifacts(files, path, {**_named(run), "path": path, "input": claim}, folder)


def _of_s3(address: str, folder: Path) -> Gathered:
    """Copies of what lies at an S3 address (see `fetching`)."""
    copies = folder / "s3"
    copies.mkdir()
    found = fetching.fetch(address, copies)
    pieces = tuple(Piece(part.name, part.path, part.size) for part in found.parts)
    source: dict[str, JSON] = {"kind": "s3", "url": address.removesuffix("/")}
    if found.folder:
        source |= {"parts": len(pieces), "left_out": found.left_out}
    return Gathered(pieces, source, folder=found.folder)


def _named(root: Run | LoggedModel) -> dict[str, JSON]:
    return {"run": root.run_id} if isinstance(root, Run) else {"logged_model": root.model_id}


def of_artifacts(
    found: Sequence[ArtifactView], path: str, source: dict[str, JSON], folder: Path
) -> Gathered:
    """The stored files at a path: the one that stands there, or those below it."""
    below = path.strip("/") + "/"
    if len(found) == 1 and found[0].path + "/" == below:
        return _file(found[0], source, folder)
    files = [replace(file, path=file.path.removeprefix(below)) for file in found]
    data = sorted((file for file in files if is_data(file.path)), key=lambda file: file.path)
    if not data:
        raise refused("the folder holds no data, only names that begin with _ or .")
    pieces = [Piece(file.path, blobs.path(file.digest), file.size, file.digest) for file in data]
    check_extent([piece.part() for piece in pieces], selectors.caps())
    blobs.check_all((piece.name, piece.digest) for piece in pieces)
    told = {"kind": "folder", **source, "parts": len(pieces), "left_out": len(files) - len(data)}
    return Gathered(tuple(pieces), told, folder=True)


def _file(file: ArtifactView, source: dict[str, JSON], folder: Path) -> Gathered:
    blobs.check(file.digest)
    path = blobs.path(file.digest)
    if not file.size or not is_table(path):
        piece = Piece(file.path, path, file.size, file.digest)
        return Gathered((piece,), {"kind": "artifact", **source})
    caps = selectors.caps()
    if file.size > caps.max_bytes:
        raise refused(f"a table of more than {caps.max_bytes} bytes")
    made = folder / "table.parquet"
    tables.to_parquet(path, made, caps)
    piece = Piece(file.path, made, made.stat().st_size)
    told = {"kind": "table", **source, "digest": file.digest, "size": file.size}
    return Gathered((piece,), told)


def _copied(stream: BinaryIO, path: Path) -> Path:
    written = 0
    with path.open("xb") as file:
        while piece := stream.read(_PIECE):
            written += len(piece)
            if written > settings.CHECKS_MAX_FILE_BYTES:
                most = settings.CHECKS_MAX_FILE_BYTES
                raise Invalid("The file is too large.", fields={"file": f"more than {most} bytes"})
            file.write(piece)
    return path


def _stored(piece: Piece) -> StoredPart:
    if piece.digest:
        return StoredPart(piece.name, piece.digest, piece.size)
    with piece.path.open("rb") as file:
        blob = blobs.put(file, expected_size=piece.size)
    return StoredPart(piece.name, blob.digest, blob.size)
