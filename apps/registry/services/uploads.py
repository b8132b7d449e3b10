"""Register a version from uploaded files, for models that never saw a tracking client.

All or nothing: every file is judged by its bytes first, then stored, and only then are model and version made, in
one transaction. Stored bytes that no version refers to are harmless: a blob has no name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from apps.accounts import policy
from apps.accounts.models import Team
from apps.audits.log import verb
from apps.core import blobs
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.registry import contents, selectors
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.services.models import create_model, name_taken, update_model
from apps.registry.services.text import check_name
from apps.registry.services.versions import NewFile, create_version

SOURCE = "upload"
MAX_NAMED = 5


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file: its path below the version, a seekable stream, its size."""

    path: str
    file: BinaryIO
    size: int


def upload_version(
    actor: Actor, model: RegisteredModel, *, files: Sequence[Upload], description: str = ""
) -> ModelVersion:
    """Register the next version of a model from files.

    Refuses (Invalid, on the field `files`): none, a path that escapes or comes twice, a file that is not what its
    name says. Nothing is registered then.
    """
    policy.require(actor, "model.register", model)
    return create_version(
        actor, model, source=SOURCE, files=_stored(files), description=description
    )


def upload_model(
    actor: Actor,
    *,
    name: str,
    files: Sequence[Upload],
    team: Team | None = None,
    governance: str | None = None,
    description: str = "",
    settings: Mapping[str, str] | None = None,
) -> ModelVersion:
    """Make a model with its first version from files; `settings` as in `update_model`.

    The files are judged before anything is made, so a wrong one leaves no model without a version behind.
    """
    policy.require(actor, "model.create", team or policy.default_team(actor, "model.create"))
    check_name(name)
    if selectors.find_model(name) is not None:
        raise name_taken(actor, name)
    stored = _stored(files)
    with verb(actor):
        model = create_model(
            actor, name=name, description=description, governance=governance, team=team
        )
        if settings:
            update_model(actor, model, **settings)
        return create_version(actor, model, source=SOURCE, files=stored)


def _stored(files: Sequence[Upload]) -> list[NewFile]:
    if not files:
        raise Invalid("Choose at least one file.", fields={"files": "Choose at least one file."})
    _refuse_paths(files)
    wrong = [
        f"{upload.path}: {said}."
        for upload in files
        if (said := contents.problem(upload.path, upload.file, upload.size))
    ]
    if wrong:
        more = f" And {len(wrong) - MAX_NAMED} more." if len(wrong) > MAX_NAMED else ""
        said = " ".join(wrong[:MAX_NAMED]) + more
        raise Invalid(f"Nothing was registered. {said}", fields={"files": said})
    stored = []
    for upload in files:
        upload.file.seek(0)
        blob = blobs.put(upload.file, expected_size=upload.size)
        stored.append(NewFile(upload.path, blob.digest, blob.size))
    return stored


def _refuse_paths(files: Sequence[Upload]) -> None:
    """Said before the bytes are read; `create_version` refuses the same again for every door."""
    seen = set()
    for upload in files:
        path = upload.path
        bad = posixpath.normpath(path) != path or path.startswith(("/", "..")) or "\\" in path
        if bad or not path or not path.isprintable() or len(path) > 1000:
            said = f"{path[:100]!r} is not a safe path."
            raise Invalid(f"Nothing was registered: {said}", fields={"files": said})
        if path in seen:
            said = f"{path} is given twice."
            raise Invalid(f"Nothing was registered: {said}", fields={"files": said})
        seen.add(path)
