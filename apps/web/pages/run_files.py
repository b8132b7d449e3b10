"""The files of a run as a tree, and a look into one where that is safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from django.urls import reverse
from django.utils.http import urlencode

from apps.compliance import use_gate
from apps.core import blobs
from apps.core.actor import Actor
from apps.core.errors import Forbidden, Tampered
from apps.experiments import selectors as experiments
from apps.experiments.models import Run
from apps.experiments.selectors import ArtifactView
from apps.web import addresses, words
from apps.web.parts import Notice

MOST: Final = 1000
OPEN_BELOW: Final = 40
TEXT_BYTES: Final = 64 * 1024
PICTURE_BYTES: Final = 4 * 1024 * 1024
_PICTURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file of the tree."""

    name: str
    size: str
    digest: str
    url: str
    look: str


@dataclass(slots=True)
class Folder:
    """A folder of the tree with what is in it."""

    name: str
    folders: dict[str, Folder] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    count: int = 0
    bytes: int = 0

    @property
    def summary(self) -> str:
        return f"{words.plural(self.count, 'file')}, {words.size(self.bytes)}"


@dataclass(frozen=True, slots=True)
class Preview:
    """A look into one file: a picture, the beginning of a text, or why there is none."""

    path: str
    kind: Literal["picture", "text", "none"]
    text: str = ""
    url: str = ""
    note: str = ""
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """All files of a run."""

    tree: Folder
    more: str
    unfolded: bool


def files(run: Run) -> Files:
    """The tree; of very many files the first ones, and how many more there are."""
    found = experiments.artifacts_under(run)
    shown = found[:MOST]
    more = f"and {words.thousands(len(found) - MOST)} more" if len(found) > MOST else ""
    return Files(_tree(run, shown), more, unfolded=len(shown) < OPEN_BELOW)


def _tree(run: Run, found: Sequence[ArtifactView]) -> Folder:
    root = Folder("")
    for each in found:
        *folders, name = each.path.split("/")
        here = root
        _count(here, each.size)
        for folder in folders:
            here = here.folders.setdefault(folder, Folder(folder))
            _count(here, each.size)
        here.files.append(_file(run, each, name))
    return root


def _count(folder: Folder, size: int) -> None:
    folder.count += 1
    folder.bytes += size


def _file(run: Run, file: ArtifactView, name: str) -> File:
    return File(
        name=name,
        size=words.size(file.size),
        digest=file.digest,
        url=_url(run, file.path),
        look=f"{addresses.run(run.run_id)}?{urlencode({'file': file.path})}#file",
    )


def _url(run: Run, path: str) -> str:
    return reverse("web:run-artifact", args=[run.run_id, path])


def preview(actor: Actor, run: Run, path: str) -> Preview | None:
    """A look into the file at the path; None without a path. NotFound for a file that is not there."""
    if not path:
        return None
    file = experiments.get_artifact(run, path)
    url = _url(run, path)
    try:
        use_gate.require_for_files(actor, run, [file.digest])
        head = b"".join(blobs.read(file.digest, 0, min(file.size, TEXT_BYTES)))
    except Forbidden as error:
        told = Notice(
            error.message, "warn", "Not shown yet", url=error.url, url_label="Read the uses"
        )
        return Preview(path, "none", url="", notice=told)
    except Tampered as error:
        return Preview(path, "none", url="", notice=Notice(error.message, "bad", "Damaged file"))
    if picture_type(head) and file.size <= PICTURE_BYTES:
        return Preview(path, "picture", url=url)
    text = _text(head, whole=file.size <= TEXT_BYTES)
    if text is None:
        note = "It is not text, so it is not shown here. Download it to look at it."
        return Preview(path, "none", url=url, note=note)
    cut = f"The first 64 KiB of {words.size(file.size)}." if file.size > TEXT_BYTES else ""
    return Preview(path, "text", text, url, cut or ("" if text else "The file is empty."))


def picture_type(head: bytes) -> str:
    """The media type of a picture by its first bytes, or "". Not SVG: that is a document with scripts."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for magic, kind in _PICTURES.items() if head.startswith(magic)), "")


def _text(head: bytes, *, whole: bool) -> str | None:
    """The bytes as UTF-8 text, a character cut at the end left out; None for what is no text."""
    if b"\x00" in head:
        return None
    try:
        return head.decode()
    except UnicodeDecodeError as error:
        cut = not whole and error.start > len(head) - 4
        return head[: error.start].decode() if cut else None
