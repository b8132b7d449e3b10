"""The files of a run or logged model."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from apps.core.errors import NotFound
from apps.experiments import paths
from apps.experiments.models import Artifact, LoggedModel, Run

Root = Run | LoggedModel


@dataclass(frozen=True, slots=True)
class ArtifactView:
    """A file: its path below the root, the SHA-256 of its bytes, their number."""

    path: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands directly in a folder. A folder has no size."""

    name: str
    is_dir: bool
    size: int | None = None


def artifacts_under(root: Root, prefix: str = "") -> list[ArtifactView]:
    """Every file at or below the path, sorted by path (which stays relative to the root)."""
    rows = _below(root, paths.safe(prefix, empty=True)).order_by("path")
    return [ArtifactView(*row) for row in rows.values_list("path", "blob_id", "blob__size")]


def find_artifact(root: Root, path: str) -> ArtifactView | None:
    """The file at exactly this path."""
    row = (
        _of(root).filter(path=paths.safe(path)).values_list("path", "blob_id", "blob__size").first()
    )
    return None if row is None else ArtifactView(*row)


def get_artifact(root: Root, path: str) -> ArtifactView:
    """The file at exactly this path; NotFound."""
    found = find_artifact(root, path)
    if found is None:
        raise NotFound(f"No such artifact: '{path}'")
    return found


def list_folder(root: Root, folder: str = "") -> list[Entry]:
    """What stands directly in the folder, folders and files by name; empty for what does not exist."""
    folder = paths.safe(folder, empty=True)
    return entries(artifacts_under(root, folder), folder)


def entries(files: list[ArtifactView], folder: str) -> list[Entry]:
    """The direct members of a folder among files given by full path."""
    skip = len(folder) + 1 if folder else 0
    found: dict[str, Entry] = {}
    for file in files:
        if file.path == folder:
            continue
        name, below, _ = file.path[skip:].partition("/")
        found.setdefault(name, Entry(name, bool(below), None if below else file.size))
    return [found[name] for name in sorted(found)]


def _of(root: Root) -> QuerySet[Artifact]:
    if isinstance(root, Run):
        return Artifact.objects.filter(run=root)
    return Artifact.objects.filter(logged_model=root)


def _below(root: Root, prefix: str) -> QuerySet[Artifact]:
    if not prefix:
        return _of(root)
    return _of(root).filter(Q(path=prefix) | Q(path__startswith=f"{prefix}/"))
