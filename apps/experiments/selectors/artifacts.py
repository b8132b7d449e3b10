"""The files of a run or logged model."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from apps.core.errors import NotFound
from apps.experiments import paths, sql
from apps.experiments.models import LoggedModel, Run

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


class _Logged(msgspec.Struct):
    """One entry of the client's tag."""

    path: str = ""
    type: str = ""


_FILES = """
SELECT a.path, a.blob_id, b.size
  FROM experiments_artifact a JOIN core_blob b ON b.digest = a.blob_id
"""
_TABLES = (
    "SELECT value FROM experiments_runtag WHERE run_id = %s AND key = 'mlflow.loggedArtifacts'"
)
_COLUMNS = {Run: "run_id", LoggedModel: "logged_model_id"}
_UNDER = {
    root: f"""{_FILES} WHERE a.{column} = %(root)s
        AND (%(path)s::text = '' OR a.path = %(path)s OR starts_with(a.path, %(below)s))
        ORDER BY a.path"""
    for root, column in _COLUMNS.items()
}
_AT = {root: f"{_FILES} WHERE a.{column} = %s AND a.path = %s" for root, column in _COLUMNS.items()}


def artifacts_under(root: Root, prefix: str = "") -> list[ArtifactView]:
    """Every file at or below the path, sorted by path (which stays relative to the root)."""
    path = paths.safe(prefix, empty=True)
    found = sql.rows(_UNDER[type(root)], {"root": root.pk, "path": path, "below": f"{path}/"})
    return [ArtifactView(*row) for row in found]


def find_artifact(root: Root, path: str) -> ArtifactView | None:
    """The file at exactly this path."""
    row = sql.row(_AT[type(root)], (root.pk, paths.safe(path)))
    return None if row is None else ArtifactView(*row)


def get_artifact(root: Root, path: str) -> ArtifactView:
    """The file at exactly this path; NotFound."""
    found = find_artifact(root, path)
    if found is None:
        raise NotFound(f"No such artifact: '{path}'")
    return found


def logged_tables(run: Run) -> list[str]:
    """The paths that the client's tag names as tables (`mlflow.log_table`), as far as the tag can be read. A claim, no more."""
    row = sql.row(_TABLES, (run.pk,))
    try:
        told = msgspec.json.decode(row[0] if row else "[]", type=list[_Logged])
    except msgspec.DecodeError:
        return []
    return sorted({each.path for each in told if each.type == "table"})


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
