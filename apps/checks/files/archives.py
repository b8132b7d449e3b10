"""What zip and tar archives hold, member by member: names and kinds judged first, contents unpacked by the caller.

Readers differ in what they make of a strange archive. So whatever Python's readers refuse, and bytes that belong to
no member, are reported as not verified: another reader may see something there.
"""

from __future__ import annotations

import posixpath
import stat
import struct
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, Final

MOST_MEMBERS: Final = 20_000
_DIRECTORY_LIMIT: Final = 16 * 1024 * 1024
_EOCD, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
TAIL: Final = 22 + 65535


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive. `trick` says what is wrong with its name or kind, `why_not` why it cannot be read."""

    name: str
    packed: int
    stream: IO[bytes] | None = None
    trick: str = ""
    why_not: str = ""
    raw: bool = False


class ArchiveError(Exception):
    """The archive (or the rest of it) cannot be read."""


def trick(name: str) -> str:
    """What is wrong with a path in an archive, "" for nothing: where would it be written?"""
    plain = name.replace("\\", "/")
    if plain.startswith("/") or plain[1:2] == ":":
        return f"a path that starts at the root: {name[:200]!r}"
    if ".." in plain.split("/"):
        return f"a path that leads out: {name[:200]!r}"
    if "\0" in name or not name.isprintable():
        return f"a path with control characters: {name[:200]!r}"
    return ""


def ends_as_zip(file: BinaryIO, size: int) -> bool:
    """Whether a zip reader would find its directory at the end of this file."""
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    at = tail.rfind(_EOCD)
    if at < 0 or len(tail) - at < 22:
        return False
    directory, offset = struct.unpack("<II", tail[at + 12 : at + 20])
    room = size - len(tail) + at
    return (directory <= room and offset <= room) or 0xFFFFFFFF in {directory, offset}


@contextmanager
def opened_zip(file: BinaryIO, size: int) -> Iterator[zipfile.ZipFile]:
    """A zip whose directory was read. Raises ArchiveError; too large a directory is not read at all."""
    if _directory_size(file, size) > _DIRECTORY_LIMIT:
        raise ArchiveError(f"it names more than {MOST_MEMBERS} members")
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, struct.error) as error:
        raise ArchiveError(f"its directory cannot be read: {error}") from error
    with archive:
        if len(archive.infolist()) > MOST_MEMBERS:
            raise ArchiveError(f"it names more than {MOST_MEMBERS} members")
        yield archive


def zip_members(file: BinaryIO, size: int) -> Iterator[Member]:
    """The members of a zip as its directory names them. Raises ArchiveError, also after some of them.

    A storage of a PyTorch archive (`<root>/data/<number>` beside `<root>/data.pkl` and `<root>/version`) is `raw`:
    numbers that the pickle beside it refers to.
    """
    with opened_zip(file, size) as archive:
        infos = archive.infolist()
        roots = _torch_roots({info.filename for info in infos})
        names = [info.filename for info in infos]
        if len(set(names)) < len(names):
            raise ArchiveError("it names one path twice; readers differ in which they take")
        for info in infos:
            yield from _zip_member(archive, info, roots)
        _require_whole(file, archive, infos)


def _torch_roots(listed: set[str]) -> set[str]:
    ends = "/data.pkl"
    roots = {name.removesuffix(ends) for name in listed if name.endswith(ends)}
    return {root for root in roots if f"{root}/version" in listed}


def _zip_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, torch: set[str]
) -> Iterator[Member]:
    root, _, number = info.filename.rpartition("/data/")
    found = trick(info.orig_filename) or trick(info.filename)
    if stat.S_ISLNK(info.external_attr >> 16):
        found = found or f"a link: {info.filename[:200]!r}"
    if info.is_dir() and not info.file_size:
        if found:
            yield Member(info.filename, 0, trick=found)
        return
    if info.flag_bits & 1:
        yield Member(info.filename, info.compress_size, trick=found, why_not="it is encrypted")
        return
    try:
        with archive.open(info) as stream:
            raw = root in torch and number.isdigit()
            yield Member(info.filename, info.compress_size, stream, found, raw=raw)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, struct.error) as error:  # fmt: skip
        yield Member(info.filename, info.compress_size, None, found, f"it cannot be read: {error}")


def _require_whole(file: BinaryIO, archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> None:
    """Before the directory lie the members and nothing else, but for 24 bytes behind each."""
    taken = 0
    for info in infos:
        file.seek(info.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
        taken += 30 + name + extra + info.compress_size
    slack = archive.start_dir - taken
    if not 0 <= slack <= 24 * len(infos):
        raise ArchiveError("it holds bytes that belong to no member")


def _directory_size(file: BinaryIO, size: int) -> int:
    """As the end of the file says; a zip of many members must not be read into memory to be refused."""
    start = max(0, size - TAIL - 20)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(_EOCD)
    if at < 0:
        return 0
    (found,) = struct.unpack("<I", tail[at + 12 : at + 16].ljust(4, b"\0"))
    if at >= 20 and tail[at - 20 : at - 16] == _LOCATOR:
        (where,) = struct.unpack("<Q", tail[at - 12 : at - 4])
        file.seek(min(where, size))
        record = file.read(56)
        if len(record) == 56:
            found = max(found if found != 0xFFFFFFFF else 0, *struct.unpack("<Q", record[40:48]))
    return int(found)


def tar_members(file: BinaryIO, size: int) -> Iterator[Member]:
    """The members of a tar, in order. Raises ArchiveError, also after some of them."""
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for count, info in enumerate(archive):
                if count >= MOST_MEMBERS:
                    raise ArchiveError(f"it holds more than {MOST_MEMBERS} members")
                yield from _tar_member(archive, info)
                archive.members = []  # type: ignore[attr-defined]  # tarfile keeps every member otherwise
            end = archive.offset
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        raise ArchiveError(f"it cannot be read: {error}") from error
    file.seek(end)
    while piece := file.read(1024 * 1024):
        if piece.strip(b"\0"):
            raise ArchiveError("bytes follow its last member")


def _tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Iterator[Member]:
    found = trick(info.name)
    if info.issym() or info.islnk():
        target = info.linkname
        start = posixpath.dirname(info.name) if info.issym() else ""
        leads = (
            trick(target)
            if target.startswith("/")
            else trick(posixpath.normpath(posixpath.join(start, target)))
        )
        found = found or (f"a link that leads out: {target[:200]!r}" if leads else "")
        yield Member(info.name, 0, trick=found, why_not="it is a link, which is not followed")
    elif info.isdir():
        if found:
            yield Member(info.name, 0, trick=found)
    elif info.isreg():
        yield Member(info.name, info.size, archive.extractfile(info), found)
    else:
        yield Member(info.name, 0, trick=found or f"a device: {info.name[:200]!r}")
