"""What a version can be made of in a run: the models that it logged, and each folder of its own files that is a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.core import canonical
from apps.core.canonical import JSON
from apps.experiments import selectors as experiments
from apps.experiments.models import LoggedModel, Run
from apps.experiments.selectors import ArtifactView

MARK = "MLmodel"


@dataclass(frozen=True, slots=True)
class Source:
    """Files of a run that make a version, as they are now; `digest` is the manifest's that the version would have."""

    uri: str
    title: str
    files: tuple[ArtifactView, ...]
    digest: str
    logged_model: LoggedModel | None = None

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def sources(run: Run) -> list[Source]:
    """Every source of the run that has files, the newest logged model first. Asks no rights."""
    found = []
    for each in reversed(experiments.models_of_run(run)):
        model = experiments.get_logged_model(each.model_id)
        files = experiments.artifacts_under(model)
        title = f"Logged model {each.name} ({each.model_id[:10]}…)"
        found.append(_source(f"models:/{each.model_id}", title, files, "", model))
    own = experiments.artifacts_under(run)
    for folder in _folders(own):
        files = [file for file in own if file.path.startswith(f"{folder}/")]
        title = f"Folder {folder} of the run"
        found.append(_source(f"runs:/{run.run_id}/{folder}", title, files, folder))
    return [source for source in found if source.files]


def _folders(files: Sequence[ArtifactView]) -> list[str]:
    """The folders in which a client said that a model lies."""
    return [file.path.removesuffix(f"/{MARK}") for file in files if file.path.endswith(f"/{MARK}")]


def _source(
    uri: str,
    title: str,
    files: Sequence[ArtifactView],
    folder: str,
    model: LoggedModel | None = None,
) -> Source:
    skip = len(folder) + 1 if folder else 0
    below = tuple(ArtifactView(file.path[skip:], file.digest, file.size) for file in files)
    ordered = sorted(below, key=lambda file: file.path)
    manifest: list[JSON] = [{"path": f.path, "digest": f.digest, "size": f.size} for f in ordered]
    return Source(uri, title, tuple(ordered), canonical.digest_of(manifest), model)
