"""Copy what lies at an S3 address into a folder, so that nothing that is measured later depends on S3.

1 the address is allowed, 2 what lies there is listed: one object, or several below the name, marks of writers aside,
3 their number and size may be read, 4 the ETag and length of each are noted, 5 each is streamed to a file in pieces of 4 MiB and
must have as many bytes as announced, 6 the list of 2 and what was noted in 4 are still the same. What changed is refused with its
name. Credentials come from the environment only (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN); the machine's
metadata service is never asked.

Not detected: an object that is replaced while it is read and replaced again by the very one before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from apps.checks import s3, selectors
from apps.checks.engine.folders import Part, check_extent, is_data
from apps.checks.s3 import Address
from apps.core import objects
from apps.core.errors import Invalid

if TYPE_CHECKING:
    from pyarrow.fs import FileInfo, S3FileSystem

log = logging.getLogger(__name__)
_PIECE = 4 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """The copies, by name; whether they were several below a name; how many others were marks of writers."""

    parts: tuple[Part, ...]
    folder: bool
    left_out: int


@dataclass(frozen=True, slots=True)
class _Object:
    """What tells whether it is still the same."""

    name: str
    path: str
    size: int
    time: int


def fetch(text: str, folder: Path) -> Fetched:
    """Copy what lies at the address. Raises Invalid (field "s3"), naming the object, for whatever cannot be read whole."""
    address = s3.parse(text)
    s3.require_allowed(address)
    with _readable(address):
        return _fetched(_connected(), address, folder)


def _fetched(store: S3FileSystem, address: Address, folder: Path) -> Fetched:
    found, is_folder = _listed(store, address)
    data = [each for each in found if not is_folder or is_data(each.name)]
    if not data:
        raise s3.refused(f"{address} holds no data")
    parts = [Part(each.name, folder / f"{n}", each.size) for n, each in enumerate(data)]
    _require_extent(parts)
    before = [_state(store, each) for each in data]
    for each, part in zip(data, parts, strict=True):
        _copy(store, each, part.path)
    for each, state in zip(data, before, strict=True):
        if _state(store, each) != state:
            raise _changed(each)
    if _listed(store, address)[0] != found:
        raise s3.refused(f"what lies at {address} changed while it was read; try again")
    return Fetched(tuple(parts), is_folder, len(found) - len(data))


def _require_extent(parts: list[Part]) -> None:
    try:
        check_extent(parts, selectors.caps())
    except Invalid as error:
        raise s3.refused(error.fields["file"]) from error


def _listed(store: S3FileSystem, address: Address) -> tuple[list[_Object], bool]:
    """Step 2: by name, and whether it is a folder. One level after the other, so that a bucket is not listed beyond what is taken."""
    from pyarrow.fs import FileSelector, FileType

    info = store.get_file_info(address.path)
    if info.type == FileType.File:
        return [_object(info, address.name.rpartition("/")[2])], False
    if info.type == FileType.NotFound:
        raise s3.refused(f"there is nothing at {address}")
    most = selectors.caps().max_parts
    found: list[_Object] = []
    waiting = [address.path]
    while waiting:
        for each in store.get_file_info(FileSelector(waiting.pop())):
            if each.type == FileType.Directory:
                waiting.append(each.path)
            else:
                found.append(_object(each, each.path.removeprefix(f"{address.path}/")))
        if len(found) + len(waiting) > 2 * most:
            raise s3.refused(f"{address} holds more than {most} files")
    return sorted(found, key=lambda each: each.name), True


def _object(info: FileInfo, name: str) -> _Object:
    return _Object(name, info.path, info.size or 0, info.mtime_ns or 0)


def _copy(store: S3FileSystem, each: _Object, to: Path) -> None:
    """Step 5."""
    try:
        with store.open_input_stream(each.path) as stream, to.open("xb") as file:
            written = _streamed(cast("BinaryIO", stream), file, each.size)
    except FileNotFoundError:
        raise _changed(each) from None
    if written != each.size:
        raise _changed(each)


def _changed(each: _Object) -> Invalid:
    return s3.refused(f"{each.name} changed while it was read; try again")


def _streamed(stream: BinaryIO, file: BinaryIO, most: int) -> int:
    """The number of bytes copied; it stops with the first beyond `most`."""
    written = 0
    while written <= most and (piece := stream.read(_PIECE)):
        file.write(piece)
        written += len(piece)
    return written


def _state(store: S3FileSystem, each: _Object) -> tuple[object, ...]:
    """ETag, length and time as S3 says them now."""
    try:
        with store.open_input_stream(each.path) as stream:
            told = stream.metadata()
    except FileNotFoundError:
        raise _changed(each) from None
    if "ETag" not in told:
        raise s3.refused(
            f"the server gives no ETag of {each.name}, so that a change would not be noticed"
        )
    return told["ETag"], told.get("Content-Length"), told.get("Last-Modified")


def _connected() -> S3FileSystem:
    if not objects.has_credentials():
        raise s3.refused("this site has no credentials for S3; an administrator can set them")
    return objects.connected()


@contextmanager
def _readable(address: Address) -> Iterator[None]:
    """What the library says of a failure goes to the log; who attaches is told in words, without servers and keys."""
    try:
        yield
    except OSError as error:
        log.warning("S3 could not be read", extra={"address": str(address), "reason": str(error)})
        raise s3.refused(f"{address} {_cause(str(error))}") from error


def _cause(message: str) -> str:
    if "ACCESS_DENIED" in message or "HTTP status 403" in message:
        return "may not be read with this site's credentials"
    if any(word in message for word in ("NO_SUCH", "HTTP status 404", "RESOURCE_NOT_FOUND")):
        return "is not there"
    return "could not be read; the site's log says why"
