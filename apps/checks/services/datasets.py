"""Attaching evaluation data: hostile until it was read once from end to end and fits what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from apps.accounts import policy
from apps.audits.log import verb
from apps.checks import events, selectors
from apps.checks.engine.declared import check_declared, normal_label
from apps.checks.engine.folders import inspect_parts
from apps.checks.engine.inspect import Profile, inspect
from apps.checks.engine.source import opened
from apps.checks.mapping import Mapping as Meaning
from apps.checks.mapping import Role
from apps.checks.models import EvaluationDataset
from apps.checks.services.gathering import Gathered, gathered, scratch
from apps.core import clock
from apps.core.actor import Actor
from apps.core.canonical import JSON
from apps.core.errors import Blocked, Forbidden, Invalid
from apps.core.models import Blob
from apps.registry.models import ModelVersion
from apps.registry.selectors import review_url
from apps.registry.services.locks import lock_version


@dataclass(frozen=True, slots=True)
class _Read:
    """Data that were read and fit their declaration."""

    profile: Profile
    favourable: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What somebody says about the data, who says it, and where they are from (`parts`: of so many files; 0: of one)."""

    role: Role
    name: str
    meaning: Meaning
    artifact: str
    by: int
    source: Mapping[str, JSON]
    parts: int


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
    logged_input: str = "",
    s3: str = "",
    format: str = "",
) -> EvaluationDataset:
    """Attach Parquet or CSV, uploaded (`stream`) or taken from the version's run (`artifact`, the path of a file, of a table
    that mlflow.log_table wrote, or of a folder of files that are one data set), or from where a data set lies that the run
    logged with mlflow.log_input (`logged_input`, its key in apps.checks.loggedinputs), or copied from `s3`, an address that the site is set up to read.

    The newest data set per role is the one that checks measure; earlier ones stay. Refuses with Invalid
    (a message per field): a file that is not whole and clean, files of a folder that do not fit each other, columns that are missing or do not hold
    what is said, more than two outcomes, a favourable outcome that does not occur. With Blocked: a
    version under review. After a refusal nothing is stored.
    """
    policy.require(actor, "model.edit", version)
    if actor.user_id is None:
        raise Forbidden("Data are attached by a person or a service account.")
    _require_unfrozen(version)
    purpose, meaning = _role(role), Meaning.parse(mapping)
    artifact = artifact.rstrip("/")
    title = _name(name or (artifact or s3.rstrip("/")).rpartition("/")[2])
    with gathered(
        actor, version, stream=stream, artifact=artifact, logged_input=logged_input, s3=s3
    ) as found:
        read = _read(found, purpose, meaning, favourable, format)
        stored = found.store()
    title = title or _claimed(found) or f"{purpose} data"
    parts = len(found.pieces) if found.folder else 0
    said = _Said(purpose, title, meaning, artifact, actor.user_id, found.source, parts)
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
            parts=said.parts,
            source=dict(said.source),
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
                parts=row.parts,
                source=row.source,
            )
        )
    return row


def _read(found: Gathered, role: Role, meaning: Meaning, favourable: object, format: str) -> _Read:
    """Inspect the files and hold them against what was declared about them."""
    caps = selectors.caps()
    if format not in {"", "parquet", "csv"}:
        raise Invalid("Expected parquet or csv.", fields={"format": "expected parquet or csv"})
    first, *more = [piece.path for piece in found.pieces]
    with scratch() as folder:
        if found.folder:
            pieces = [piece.part() for piece in found.pieces]
            profile = inspect_parts(pieces, expected=format, caps=caps, scratch=folder)
        else:
            profile = inspect(first, expected=format, caps=caps, scratch=folder)
        with opened(
            first, profile.format, profile.columns, caps=caps, scratch=folder, more=more
        ) as source:
            label = normal_label(favourable, source, meaning.target)
            check_declared(source, role, meaning, label)
    return _Read(profile, label)


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


def _claimed(found: Gathered) -> str:
    """How the client named what it logged, as far as that is a name here; "" for what was not logged as an input."""
    claim = found.source.get("input")
    name = str(claim["name"]) if isinstance(claim, dict) else ""
    return name[:200] if name.isprintable() else ""


def _require_unfrozen(version: ModelVersion) -> None:
    if version.is_frozen:
        raise Blocked(
            f"{version} was submitted for review: its data cannot change.",
            hint="Withdraw the review, or register a new version.",
            url=review_url(version),
        )
