"""The manifest digest of a version, computed from a folder of its files as the site computes it.

A manifest is the list of {"path", "digest", "size"} of every file, sorted by path (by code point); the digest of a file
is the SHA-256 of its bytes in lower-case hexadecimal. The manifest digest is the SHA-256 of the list's canonical JSON
(RFC 8785): members in alphabetical order, no white space, UTF-8, nothing escaped that need not be.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

_PIECE = 1024 * 1024


class Unreadable(Exception):
    """The folder cannot be a version's files."""


def digest_of_folder(folder: str | os.PathLike[str]) -> str:
    """`sha256:...` of all files below the folder.

    Refuses: a folder that is none or is empty, and links, devices and pipes in it: what is hashed must be what is deployed.
    """
    root = Path(folder)
    if not root.is_dir():
        raise Unreadable(f"{root} is not a folder.")
    entries = sorted(_entries(root), key=lambda entry: str(entry["path"]))
    if not entries:
        raise Unreadable(f"There are no files in {root}.")
    canonical = json.dumps(entries, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return "sha256:" + hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _entries(root: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for here, folders, names in os.walk(root, onerror=_unreadable):
        place = Path(here)
        for name in [*folders, *names]:
            path = place / name
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise Unreadable(f"{path} is neither a file nor a folder.")
        found += [_entry(root, place / name) for name in names]
    return found


def _entry(root: Path, path: Path) -> dict[str, object]:
    whole, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            if not piece:
                break
            whole.update(piece)
            size += len(piece)
    return {"path": path.relative_to(root).as_posix(), "digest": whole.hexdigest(), "size": size}


def _unreadable(error: OSError) -> None:
    raise Unreadable(str(error)) from error
