"""Where an artifact path leads: the files of a run, of a logged model, or of a registered version.

<experiment>/<run id>/artifacts/...
<experiment>/models/<model id>/artifacts/...
versions/<version uuid>/artifacts/...
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TypeVar

from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.experiments import paths, selectors
from apps.experiments.models import LoggedModel, Run
from apps.experiments.selectors import ArtifactView
from apps.registry.models import ModelVersion
from apps.registry.selectors import visible_versions

VERSIONS = "versions"
Root = TypeVar("Root", Run, LoggedModel)


@dataclass(frozen=True, slots=True)
class Place:
    """A root and the path below it; empty for the root itself."""

    root: Run | LoggedModel | ModelVersion
    below: str

    @property
    def subject(self) -> str:
        """The root as an id."""
        if isinstance(self.root, Run):
            return f"run:{self.root.run_id}"
        if isinstance(self.root, LoggedModel):
            return f"logged_model:{self.root.model_id}"
        return f"version:{self.root.pk}"


def find(actor: Actor, path: str) -> Place:
    """The place of a path, if the actor may read there; NotFound otherwise, Invalid for a bad path."""
    safe = paths.safe(path)
    match safe.split("/"):
        case [first, key, "artifacts", *below] if first == VERSIONS:
            return Place(_version(actor, key, path), "/".join(below))
        case [experiment, "models", model_id, "artifacts", *below]:
            model = selectors.visible_logged_model(actor, model_id)
            return Place(_in(model, experiment, path), "/".join(below))
        case [experiment, run_id, "artifacts", *below]:
            run = selectors.visible_run(actor, run_id)
            return Place(_in(run, experiment, path), "/".join(below))
    raise Invalid(
        f"Invalid path: {path[:200]!r} is not below the artifacts of a run, logged model or version.",
        fields={"path": "not a place of this server"},
    )


def files_at(place: Place) -> list[ArtifactView]:
    """The files at or below a place, paths from its root."""
    if not isinstance(place.root, ModelVersion):
        return selectors.artifacts_under(place.root, place.below)
    rows = place.root.files.order_by("path").values_list("path", "blob_id", "size")
    files = [ArtifactView(*row) for row in rows]
    if not place.below:
        return files
    return [f for f in files if f.path == place.below or f.path.startswith(f"{place.below}/")]


def file_at(place: Place) -> ArtifactView | None:
    """The file at exactly this place."""
    if not place.below:
        return None
    if not isinstance(place.root, ModelVersion):
        return selectors.find_artifact(place.root, place.below)
    rows = place.root.files.filter(path=place.below).values_list("path", "blob_id", "size")
    found = rows.first()
    return None if found is None else ArtifactView(*found)


def version_uri(version: ModelVersion) -> str:
    """Where clients read exactly the files that were registered and signed."""
    return f"mlflow-artifacts:/{VERSIONS}/{version.uuid}/artifacts"


def _version(actor: Actor, key: str, path: str) -> ModelVersion:
    try:
        wanted = uuid.UUID(key)
    except ValueError:
        raise NotFound(f"No such artifact: '{path[:200]}'") from None
    found = visible_versions(actor).filter(uuid=wanted).first()
    if found is None:
        raise NotFound(f"No such artifact: '{path[:200]}'")
    return found


def _in(root: Root, experiment: str, path: str) -> Root:
    if experiment != str(root.experiment_id):
        raise NotFound(f"No such artifact: '{path[:200]}'")
    return root
