"""Verbs on the files of runs and logged models.

A file is a row that points at immutable bytes: nothing of an upload is visible before all its bytes
are stored and counted, and overwriting moves the pointer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from django.db import transaction

from apps.core import blobs, clock
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.core.models import Blob
from apps.experiments import access, paths, sql
from apps.experiments.models import LoggedModel, Run

Root = Run | LoggedModel


def put_artifact(
    actor: Actor,
    root: Root,
    path: str,
    stream: BinaryIO | Iterable[bytes],
    *,
    size: int | None = None,
    max_size: int | None = None,
) -> Blob:
    """Store a file under the run or logged model, replacing what was at the path.

    Refuses: an unsafe path, a file where a folder is and the reverse, another number of bytes than
    announced, a root that is deleted, sealed or not the actor's to write. Rights are asked before the
    first byte is read and again, under the lock, when the file appears.
    """
    path = paths.safe(path)
    access.check_writable(actor, root)
    blob = blobs.put(stream, expected_size=size, max_size=max_size)
    with transaction.atomic():
        column, pk = _writable(actor, root)
        parts = path.split("/")
        place = {
            "root": pk,
            "path": path,
            "below": f"{path}/",
            "folders": ["/".join(parts[:depth]) for depth in range(1, len(parts))],
        }
        written = {"blob": blob.digest, "user": actor.user_id, "at": clock.now()}
        if not sql.run(_PUT[column], place | written):
            raise Conflict(f"{path!r} cannot be a file: a folder, or a file above it, is there.")
    return blob


def delete_artifacts(actor: Actor, root: Root, path: str = "") -> int:
    """Remove a file, or everything below a folder, or everything; how many files it was.

    Only the rows go: bytes that a registered version refers to stay where they are.
    """
    path = paths.safe(path, empty=True)
    with transaction.atomic():
        column, pk = _writable(actor, root)
        return sql.run(_DELETE[column], {"root": pk, "path": path, "below": f"{path}/"})


def _writable(actor: Actor, root: Root) -> tuple[str, int]:
    if isinstance(root, Run):
        return "run_id", access.writable_run(actor, root.run_id).id
    return "logged_model_id", access.writable_model(actor, root.model_id).id


def _per_root(statement: str) -> dict[str, str]:
    return {column: statement.format(root=column) for column in ("run_id", "logged_model_id")}


# A path is a file or a folder. Two uploads at once could still make it both: a listing then shows the
# file, and nothing is lost.
_PUT = _per_root(
    """
    INSERT INTO experiments_artifact ({root}, path, blob_id, created_by_id, created_at)
    SELECT %(root)s, %(path)s, %(blob)s, %(user)s, %(at)s
     WHERE NOT EXISTS (
        SELECT FROM experiments_artifact a
         WHERE a.{root} = %(root)s
           AND (a.path = ANY(%(folders)s::text[]) OR starts_with(a.path, %(below)s)))
    ON CONFLICT ({root}, path) DO UPDATE
        SET blob_id = excluded.blob_id, created_by_id = excluded.created_by_id,
            created_at = excluded.created_at
    """
)
_DELETE = _per_root(
    """
    DELETE FROM experiments_artifact
     WHERE {root} = %(root)s
       AND (%(path)s::text = '' OR path = %(path)s OR starts_with(path, %(below)s))
    """
)
