"""Attaching evaluation data: hostile until it was read once from end to end and fits what is said of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from apps.accounts import policy
from apps.audits.log import verb
from apps.checks import events, selectors
from apps.checks.engine.declared import check_declared, normal_label
from apps.checks.engine.inspect import Profile, inspect
from apps.checks.engine.source import opened
from apps.checks.mapping import Mapping as Meaning
from apps.checks.mapping import Role
from apps.checks.models import EvaluationDataset
from apps.core import blobs, clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Forbidden, Invalid, NotFound
from apps.core.models import Blob
from apps.experiments.selectors import find_artifact
from apps.registry.models import ModelVersion
from apps.registry.selectors import review_url
from apps.registry.services.locks import lock_version

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read and fits its declaration. `blob` is set when the bytes are stored already."""

    path: Path
    profile: Profile
    favourable: str
    blob: Blob | None


@dataclass(frozen=True, slots=True)
class _Said:
    """What somebody says about a file, and who."""

    role: Role
    name: str
    meaning: Meaning
    artifact: str
    by: int


def attach_dataset(
    actor: Actor,
    version: ModelVersion,
    *,
    role: str,
    mapping: Mapping[str, Any],
    favourable: str | int | float | bool = "",
    name: str = "",
    stream: BinaryIO | None = None,
    artifact: str = "",
    format: str = "",
) -> EvaluationDataset:
    """Attach a Parquet or CSV file, uploaded (`stream`) or taken from the version's run (`artifact`, a path).

    The newest data set per role is the one that checks measure; earlier ones stay. Refuses with Invalid
    (a message per field): a file that is not whole and clean, columns that are missing or do not hold
    what is said, more than two outcomes, a favourable outcome that does not occur. With Blocked: a
    version under review. After a refusal nothing is stored.
    """
    policy.require(actor, "model.edit", version)
    if actor.user_id is None:
        raise Forbidden("Data are attached by a person or a service account.")
    _require_unfrozen(version)
    purpose, meaning = _role(role), Meaning.parse(mapping)
    title = _name(name or artifact.rpartition("/")[2] or f"{purpose} data")
    with _file(actor, version, stream, artifact) as (path, blob):
        read = _read(path, blob, purpose, meaning, favourable, format)
        stored = read.blob or _store(read.path)
    said = _Said(purpose, title, meaning, artifact, actor.user_id)
    return _attach(actor, version, said, read, stored)


def _attach(
    actor: Actor, version: ModelVersion, said: _Said, read: _Read, blob: Blob
) -> EvaluationDataset:
    with verb(actor) as v:
        version = lock_version(version.pk)
        _require_unfrozen(version)
        row = EvaluationDataset.objects.create(
            version=version,
            role=said.role.value,
            name=said.name,
            blob=blob,
            format=read.profile.format,
            digest=blob.digest,
            rows=read.profile.rows,
            columns=[
                {"name": column.name, "kind": column.kind, "missing": column.missing}
                for column in read.profile.columns
            ],
            mapping=said.meaning.to_data(),
            favourable=read.favourable,
            artifact=said.artifact,
            created_by_id=said.by,
            created_at=clock.now(),
        )
        v.record(
            events.DatasetAttached(
                model=version.model_id,
                version=version.pk,
                dataset=row.pk,
                role=row.role,
                name=row.name,
                format=row.format,
                rows=row.rows,
                digest=row.digest,
                meaning=selectors.meaning_of(row),
            )
        )
    return row


def _read(
    path: Path, blob: Blob | None, role: Role, meaning: Meaning, favourable: object, format: str
) -> _Read:
    """Inspect the file and hold it against what was declared about it."""
    caps = selectors.caps()
    if format not in {"", "parquet", "csv"}:
        raise Invalid("Expected parquet or csv.", fields={"format": "expected parquet or csv"})
    with _scratch() as scratch:
        profile = inspect(path, expected=format, caps=caps, scratch=scratch)
        with opened(path, profile.format, profile.columns, caps=caps, scratch=scratch) as source:
            label = normal_label(favourable, source, meaning.target)
            check_declared(source, role, meaning, label)
    return _Read(path, profile, label, blob)


@contextmanager
def _file(
    actor: Actor, version: ModelVersion, stream: BinaryIO | None, artifact: str
) -> Iterator[tuple[Path, Blob | None]]:
    """The bytes as a file: an upload in the scratch folder, an artifact where it is stored (verified)."""
    if (stream is None) == (not artifact):
        raise Invalid(
            "Give either a file or the path of an artifact of the run.",
            fields={"file": "give a file or choose an artifact"},
        )
    if stream is None:
        digest = _artifact_digest(actor, version, artifact)
        blobs.check(digest)
        yield blobs.path(digest), Blob.objects.get(digest=digest)
        return
    with _scratch() as folder:
        yield _copied(stream, folder / "upload"), None


@contextmanager
def _scratch() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="attach-", dir=settings.CHECKS_SCRATCH))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def _store(path: Path) -> Blob:
    with path.open("rb") as file:
        return blobs.put(file)


def _artifact_digest(actor: Actor, version: ModelVersion, path: str) -> str:
    """Of a file in the version's run or logged model that the actor may read there as well."""
    for root in (version.run, version.logged_model):
        if root is not None and policy.can(actor, "experiment.read", root):
            found = find_artifact(root, path)
            if found is not None:
                return found.digest
    raise NotFound(f"The run of {version} has no artifact {path!r}.")


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        known = ", ".join(Role)
        raise Invalid("Unknown role.", fields={"role": f"expected one of {known}"}) from None


def _name(name: str) -> str:
    clean = name.strip()
    if len(clean) > 200 or not clean.isprintable():
        raise Invalid(
            "The name cannot be used.", fields={"name": "at most 200 printable characters"}
        )
    return clean


def _require_unfrozen(version: ModelVersion) -> None:
    if version.is_frozen:
        raise Blocked(
            f"{version} was submitted for review: its data cannot change.",
            hint="Withdraw the review, or register a new version.",
            url=review_url(version),
        )
