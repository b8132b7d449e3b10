"""Verbs on versions: register, describe, delete, freeze and thaw."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Max

from apps.accounts import policy
from apps.audits.log import verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, Forbidden, Invalid
from apps.experiments import services as experiments
from apps.experiments.models import LoggedModel, Run
from apps.registry import events, selectors
from apps.registry.models import ModelVersion, RegisteredModel, VersionFile, VersionTag
from apps.registry.services.locks import lock_model, lock_version
from apps.registry.services.models import refuse_governed_tag
from apps.registry.services.retired import refuse_if_retired
from apps.registry.services.text import check_key, check_text

MAX_FILES = 10_000


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to register: its path below the version, the SHA-256 of its bytes, its size in bytes."""

    path: str
    digest: str
    size: int


def create_version(
    actor: Actor,
    model: RegisteredModel,
    *,
    source: str = "",
    files: Sequence[NewFile] = (),
    run: Run | None = None,
    logged_model: LoggedModel | None = None,
    run_uuid: str = "",
    run_link: str = "",
    description: str = "",
    tags: Mapping[str, str] | None = None,
) -> ModelVersion:
    """Register the next version with its file manifest, which never changes afterwards.

    The number is one more than the highest ever given, deleted versions included. A client may
    register a source without files (an external store); such a version says so in its manifest and
    cannot pass review, because there are no bytes to bind an approval to.
    Refuses: paths that escape, duplicate paths, no right to register on this model.
    """
    policy.require(actor, "model.register", model)
    if actor.user_id is None:
        raise Forbidden("A version is registered by a person or a service account.")
    check_text(description, "description")
    manifest = _manifest(files)
    now = clock.now()
    with verb(actor) as v:
        model = lock_model(model.pk)
        refuse_if_retired(model)
        highest = ModelVersion.objects.filter(model=model).aggregate(n=Max("number"))["n"] or 0
        version = ModelVersion.objects.create(
            model=model,
            number=highest + 1,
            source=check_text(source, "source", 4000),
            run=run,
            run_uuid=run.run_id if run is not None else run_uuid,
            run_link=check_text(run_link, "run_link", 4000),
            logged_model=logged_model,
            description=description,
            manifest=manifest,
            manifest_digest=canonical.digest_of(manifest),
            total_size=sum(entry["size"] for entry in manifest),
            created_by_id=actor.user_id,
            created_at=now,
            updated_at=now,
        )
        VersionFile.objects.bulk_create(
            VersionFile(version=version, path=f["path"], blob_id=f["digest"], size=f["size"])
            for f in manifest
        )
        model.updated_at = now
        model.save(update_fields=["updated_at"])
        v.record(
            events.VersionRegistered(
                model=model.pk,
                version=version.pk,
                name=model.name,
                number=version.number,
                source=source,
                run=version.run_uuid,
                manifest_digest=version.manifest_digest,
                files=len(manifest),
            )
        )
        for key, value in (tags or {}).items():
            check_key(key)
            refuse_governed_tag(model, key)
            VersionTag.objects.create(version=version, key=key, value=check_text(value, "value"))
            v.record(
                events.VersionTagChanged(
                    model=model.pk, version=version.pk, key=key, old=None, value=value
                )
            )
    return version


def _manifest(files: Sequence[NewFile]) -> list[dict[str, str | int]]:
    """Sorted by path; raises Invalid for too many files, a path that escapes, or one given twice."""
    if len(files) > MAX_FILES:
        raise Invalid(f"{len(files)} files; at most {MAX_FILES} in one version.")
    seen: set[str] = set()
    for file in files:
        path = file.path
        clean = posixpath.normpath(path)
        if clean != path or path.startswith(("/", "..")) or "\\" in path or not path.isprintable():
            raise Invalid(f"Not a safe path: {path[:100]!r}.", fields={"files": "unsafe path"})
        if path in seen:
            raise Invalid(f"The path {path!r} is given twice.", fields={"files": "duplicate path"})
        seen.add(path)
    ordered = sorted(files, key=lambda file: file.path)
    return [{"path": f.path, "digest": f.digest, "size": f.size} for f in ordered]


def update_version(actor: Actor, version: ModelVersion, *, description: str) -> ModelVersion:
    """Change the description; recorded, allowed at every time, never evidence."""
    check_text(description, "description")
    policy.require(actor, "model.edit", version)
    with verb(actor) as v:
        version = lock_version(version.pk)
        old, version.description, version.updated_at = version.description, description, clock.now()
        if old != description:
            version.save(update_fields=["description", "updated_at"])
            v.record(
                events.VersionUpdated(
                    model=version.model_id,
                    version=version.pk,
                    changes={"description": [old, description]},
                )
            )
    return version


def delete_version(actor: Actor, version: ModelVersion) -> None:
    """Hide a version and drop its aliases. Refused from submission on, and while it is in a governed target."""
    policy.require(actor, "model.delete", version)
    with verb(actor) as v:
        version = lock_version(version.pk)
        if version.is_frozen or selectors.held_governed_targets(version):
            raise Blocked(
                f"Version {version} cannot be deleted: it was submitted for review.",
                hint="Withdraw the review first; a version about which anything was decided is never deleted.",
                url=selectors.review_url(version),
            )
        version.aliases.all().delete()
        version.stage, version.deleted_at, version.updated_at = "None", clock.now(), clock.now()
        version.save(update_fields=["stage", "deleted_at", "updated_at"])
        v.record(
            events.VersionDeleted(
                model=version.model_id,
                version=version.pk,
                name=version.model.name,
                number=version.number,
            )
        )


def freeze(actor: Actor, version: ModelVersion, *, review_id: int) -> ModelVersion:
    """Submission: from here on the version's files, run and logged model refuse every write.

    Refuses: a version that is under another review. Called by apps.reviews inside its transaction.
    """
    with verb(actor) as v:
        version = lock_version(version.pk)
        if version.submitted_review is not None and not version.decided:
            raise Conflict(f"{version} is already under review REV-{version.submitted_review}.")
        version.submitted_review, version.updated_at = review_id, clock.now()
        version.save(update_fields=["submitted_review", "updated_at"])
        if version.run is not None:
            experiments.seal_run(actor, version.run, review_id=review_id)
        if version.logged_model is not None:
            experiments.seal_logged_model(actor, version.logged_model, review_id=review_id)
        v.record(events.VersionFrozen(model=version.model_id, version=version.pk, review=review_id))
    return version


def thaw(actor: Actor, version: ModelVersion) -> ModelVersion:
    """Undo a submission about which nothing was decided. Called by apps.reviews on withdrawal and expiry."""
    with verb(actor) as v:
        version = lock_version(version.pk)
        if version.decided or version.submitted_review is None:
            return version
        review_id, version.submitted_review = version.submitted_review, None
        version.updated_at = clock.now()
        version.save(update_fields=["submitted_review", "updated_at"])
        if version.run is not None and not _run_needed(version):
            experiments.unseal_run(actor, version.run)
        if version.logged_model is not None and not _logged_model_needed(version):
            experiments.unseal_logged_model(actor, version.logged_model)
        v.record(events.VersionThawed(model=version.model_id, version=version.pk, review=review_id))
    return version


def _run_needed(version: ModelVersion) -> bool:
    """Does another submitted version rest on the same run?"""
    others = ModelVersion.objects.filter(run=version.run).exclude(pk=version.pk)
    return others.exclude(submitted_review=None).exists()


def _logged_model_needed(version: ModelVersion) -> bool:
    others = ModelVersion.objects.filter(logged_model=version.logged_model).exclude(pk=version.pk)
    return others.exclude(submitted_review=None).exists()


def mark_decided(version: ModelVersion) -> None:
    """Somebody signed something about this version: it is never thawed or deleted any more."""
    ModelVersion.objects.filter(pk=version.pk).update(decided=True, updated_at=clock.now())
