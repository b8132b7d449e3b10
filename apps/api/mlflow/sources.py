"""Which files a new model version is made of: its source, resolved to paths and digests.

Strict, because the source is what an approval will be about: it must name the run or logged model that the
request names, and lie inside it. A source elsewhere (s3:, gs:, ...) is taken as text without files; such
a version cannot pass review, since there are no bytes to bind an approval to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from django.conf import settings

from apps.api.mlflow import places
from apps.api.mlflow.places import Place
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.experiments import paths, selectors
from apps.experiments.models import LoggedModel, Run
from apps.experiments.selectors import ArtifactView
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.services import NewFile

PROMPT_SOURCES: Final = {"dummy-source", "prompt-template"}
_PROXY: Final = "/mlflow-artifacts/artifacts/"
_MODEL_ID: Final = re.compile(r"m-[0-9a-f]{32}")
_REGISTERED: Final = re.compile(r"([^/@]+)(?:/([^/@]+)|@([^/@]+))")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A source with what it stands for; `root` is what the files are read from, None where there are none here."""

    source: str
    run: Run | None = None
    logged_model: LoggedModel | None = None
    run_uuid: str = ""
    files: tuple[NewFile, ...] = ()
    root: Run | LoggedModel | ModelVersion | None = None


def resolve(actor: Actor, *, source: str, run_id: str, model_id: str, prompt: bool) -> Resolved:
    """What a version with this source holds.

    Refuses: a source that does not lie in the run or logged model named with it, relative and local
    paths, what the actor may not read.
    """
    if prompt:
        if source not in PROMPT_SOURCES:
            raise _invalid(source, "Prompt sources must use an MLflow placeholder.")
        return Resolved(source)
    _refuse_tricks(source)
    parts = urlsplit(source)
    if parts.scheme in {"", "file"}:
        raise _invalid(
            source,
            "To use a local path as a model version source, the run_id request parameter has to be "
            "specified and the local path has to be contained within the artifact directory of the "
            "run specified by the run_id.",
        )
    if parts.scheme == "runs":
        return _from_run(actor, source, parts.path, run_id, model_id)
    if parts.scheme == "models":
        return _from_models(actor, source, parts.path, run_id, model_id)
    proxied = _proxied_path(source)
    if proxied is not None:
        return _from_place(actor, source, proxied, run_id, model_id)
    return _elsewhere(actor, source, run_id, model_id)


def _from_run(actor: Actor, source: str, path: str, run_id: str, model_id: str) -> Resolved:
    """runs:/<run id>/<path>"""
    named, _, below = path.lstrip("/").partition("/")
    if not run_id or named != run_id or urlsplit(source).netloc:
        raise _not_in(source, "run_id")
    run = _run(actor, source, run_id)
    folder = paths.safe(below, empty=True)
    model = _logged_model(actor, source, model_id) if model_id else None
    return Resolved(
        source, run, model, run.run_id, _files(selectors.artifacts_under(run, folder), folder), run
    )


def _from_models(actor: Actor, source: str, path: str, run_id: str, model_id: str) -> Resolved:
    """models:/m-<id>, models:/<name>/<version or stage>, models:/<name>@<alias>"""
    name = unquote(path.lstrip("/"))
    if urlsplit(source).netloc:
        raise _not_in(source, "model_id")
    if _MODEL_ID.fullmatch(name):
        if name != model_id:
            raise _not_in(source, "model_id")
        return _of_model(actor, source, _logged_model(actor, source, model_id), run_id, "")
    match = _REGISTERED.fullmatch(name)
    if match is None:
        raise _not_in(source, "model_id")
    version = _registered(actor, source, match[1], match[2] or "", match[3] or "")
    return _of_version(source, version, run_id, model_id)


def _from_place(actor: Actor, source: str, path: str, run_id: str, model_id: str) -> Resolved:
    """mlflow-artifacts:/<where files of a run, logged model or version are>"""
    owner = "model_id" if model_id else "run_id"
    try:
        place = places.find(actor, path)
    except NotFound:
        raise _not_in(source, owner) from None
    if isinstance(place.root, Run):
        if place.root.run_id != run_id:
            raise _not_in(source, "run_id")
        model = _logged_model(actor, source, model_id) if model_id else None
        return Resolved(source, place.root, model, run_id, _files_of(place), place.root)
    if isinstance(place.root, LoggedModel):
        if place.root.model_id != model_id:
            raise _not_in(source, "model_id")
        return _of_model(actor, source, place.root, run_id, place.below)
    return _of_version(source, place.root, run_id, model_id)


def _elsewhere(actor: Actor, source: str, run_id: str, model_id: str) -> Resolved:
    """A store that this server does not keep."""
    run = _run(actor, source, run_id) if run_id else None
    model = _logged_model(actor, source, model_id) if model_id else None
    return Resolved(source, run, model, run_id)


def _of_model(actor: Actor, source: str, model: LoggedModel, run_id: str, folder: str) -> Resolved:
    """A logged model comes with the run that made it, whether or not the client says so."""
    made_by = model.source_run
    if run_id and (made_by is None or made_by.run_id != run_id):
        made_by = _run(actor, source, run_id)
    files = _files(selectors.artifacts_under(model, folder), folder)
    return Resolved(source, made_by, model, made_by.run_id if made_by else "", files, model)


def _of_version(source: str, version: ModelVersion, run_id: str, model_id: str) -> Resolved:
    """A copy: the very files of the version, its run and its logged model."""
    logged = version.logged_model.model_id if version.logged_model else ""
    if (run_id and run_id != version.run_uuid) or (model_id and model_id != logged):
        raise _invalid(
            source,
            "The run_id and model_id request parameters must match the referenced model version.",
        )
    files = tuple(
        NewFile(*row)
        for row in version.files.order_by("path").values_list("path", "blob_id", "size")
    )
    return Resolved(source, version.run, version.logged_model, version.run_uuid, files, version)


def _registered(actor: Actor, source: str, name: str, which: str, alias: str) -> ModelVersion:
    model = registry.get_model(actor, name)
    if which.isdecimal() and len(which) < 10:
        return registry.get_version(actor, name, int(which))
    found = registry.find_by_alias(model, alias) if alias else None
    if not alias:
        versions = registry.latest_versions(model)
        found = (
            versions if which.lower() == "latest" else versions.filter(stage__iexact=which)
        ).first()
    if found is None:
        raise _invalid(source, "No version of that model matches.")
    return found


def _run(actor: Actor, source: str, run_id: str) -> Run:
    try:
        return selectors.visible_run(actor, run_id)
    except (NotFound, Invalid):
        raise _not_in(source, "run_id") from None


def _logged_model(actor: Actor, source: str, model_id: str) -> LoggedModel:
    try:
        model = selectors.visible_logged_model(actor, model_id)
    except NotFound:
        raise _not_in(source, "model_id") from None
    if model.deleted_at is not None:
        raise _not_in(source, "model_id")
    return model


def _files_of(place: Place) -> tuple[NewFile, ...]:
    return _files(places.files_at(place), place.below)


def _files(found: list[ArtifactView], folder: str) -> tuple[NewFile, ...]:
    """The files with paths from the folder; a single file keeps its name."""
    skip = len(folder) + 1 if folder else 0
    return tuple(
        NewFile(
            file.path.rpartition("/")[2] if file.path == folder else file.path[skip:],
            file.digest,
            file.size,
        )
        for file in found
    )


def _proxied_path(source: str) -> str | None:
    """The artifact path in mlflow-artifacts:/..., or in the address of this server's own proxy."""
    parts = urlsplit(source)
    if parts.scheme == "mlflow-artifacts":
        if parts.netloc:
            raise _not_in(source, "run_id")
        return parts.path.lstrip("/")
    ours = urlsplit(settings.BASE_URL)
    if parts.scheme in {"http", "https"} and _PROXY in parts.path:
        if parts.netloc != ours.netloc:
            raise _not_in(source, "run_id")
        return parts.path.partition(_PROXY)[2]
    return None


def _refuse_tricks(source: str) -> None:
    """Parent folders, however often encoded, backslashes, control characters."""
    seen = source
    for _ in range(8):
        hidden = "\\" in seen or not seen.isprintable()
        if hidden or any(segment in {".", ".."} for segment in re.split(r"[/?#]", seen)):
            break
        decoded = unquote(seen)
        if decoded == seen:
            return
        seen = decoded
    raise _invalid(
        source,
        "If supplying a source as an http, https, local file path, ftp, objectstore, or "
        "mlflow-artifacts uri, an absolute path must be provided without relative path references "
        "present. Please provide an absolute path.",
    )


def _invalid(source: str, why: str) -> Invalid:
    return Invalid(f"Invalid model version source: '{source[:500]}'. {why}", fields={"source": why})


def _not_in(source: str, name: str) -> Invalid:
    return _invalid(
        source,
        f"The {name} request parameter must identify the resource that contains the source.",
    )
