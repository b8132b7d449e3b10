"""Bytes by their SHA-256, on disk under BLOB_ROOT.

Guarantees: nothing of an unfinished upload is visible; a byte that leaves here was compared with the hash taken
when it came in, 1 MiB at a time and before the chunk is handed out. Does not guarantee that a damaged file can be
repaired, only that nobody is given it: putting the same bytes again mends it.

A blob has no owner: who may read it is decided by whoever refers to it.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings

from apps.core.errors import Invalid, NotFound, Tampered
from apps.core.models import Blob

CHUNK = 1024 * 1024
_HASH_BYTES = 32
_DIGEST = re.compile(r"[0-9a-f]{64}")


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...
    def hexdigest(self) -> str: ...


@dataclass
class _Sums:
    """The running whole hash, the hash of each full chunk, and the size."""

    whole: _Hash = field(default_factory=hashlib.sha256)
    chunks: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add(self, chunk: bytes) -> None:
        self.whole.update(chunk)
        self.chunks += hashlib.sha256(chunk).digest()
        self.size += len(chunk)


def put(
    stream: BinaryIO | Iterable[bytes],
    *,
    expected_size: int | None = None,
    max_size: int | None = None,
) -> Blob:
    """Store a stream in flat memory; the blob exists when this returns (and the caller's transaction commits).

    Refuses with `Invalid`: more than `max_size` bytes, or another number than `expected_size`. After any failure,
    a kill included, nothing is visible.
    """
    limit = max_size if max_size is not None else expected_size
    draft = _folder("tmp") / uuid.uuid4().hex
    try:
        with draft.open("xb") as file:
            sums = _copy(_chunks(stream), file, limit)
            file.flush()
            os.fsync(file.fileno())
        if expected_size is not None and sums.size != expected_size:
            raise Invalid(f"{sums.size} bytes arrived, {expected_size} were announced")
        digest = sums.whole.hexdigest()
        # Always replace: equal bytes change nothing, and a damaged file is mended.
        _move_into_place(draft, path(digest))
    finally:
        draft.unlink(missing_ok=True)
    blob = Blob(digest=digest, size=sums.size, chunk_hashes=bytes(sums.chunks))
    Blob.objects.bulk_create([blob], ignore_conflicts=True)
    return blob


def put_bytes(data: bytes) -> Blob:
    """Store a value that is already in memory."""
    return put(io.BytesIO(data))


def read(digest: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes [start, end) in pieces of at most 1 MiB, each verified before it is yielded.

    Raises at once `NotFound` for an unknown digest, `Invalid` for a range outside, `Tampered` for a file
    that is gone or has another size; while reading `Tampered` at the first damaged chunk.
    """
    blob = _get(digest)
    end = blob.size if end is None else min(end, blob.size)
    if not 0 <= start <= end:
        raise Invalid(f"range {start}-{end} is outside the {blob.size} bytes of {digest}")
    return _verified(blob, _open(blob), start, end)


def read_all(digest: str, max_size: int = 64 * CHUNK) -> bytes:
    """All bytes, verified; refuses with `Invalid` what is larger than `max_size`."""
    if size(digest) > max_size:
        raise Invalid(f"{digest} has {size(digest)} bytes, at most {max_size} are read at once")
    return b"".join(read(digest))


def check(digest: str) -> None:
    """Hash the whole file again; raises `Tampered` unless it is what the digest says."""
    _check(_get(digest))


def check_all(named: Iterable[tuple[str, str]], tick: Callable[[], None] = lambda: None) -> None:
    """`check` each digest, given with the name of what it belongs to; `tick` is called after each.

    Raises `Tampered` naming the first that is gone or damaged. The rows are fetched a few hundred at a time.
    """
    items = iter(named)
    while batch := list(itertools.islice(items, 500)):
        rows = Blob.objects.in_bulk([digest for _, digest in batch])
        for name, digest in batch:
            try:
                _check(rows[digest])
            except KeyError:
                raise Tampered(
                    f"{name} is damaged: no bytes with the digest {digest[:80]!r}"
                ) from None
            except Tampered as error:
                raise Tampered(f"{name} is damaged: {error.message}") from error
            tick()


def path(digest: str) -> Path:
    """Where the bytes lie, for readers that want a file. They must `check` first: a path is not verified."""
    if not _DIGEST.fullmatch(digest):
        raise NotFound(f"{digest[:80]!r} is not a digest")
    return Path(settings.BLOB_ROOT) / digest[:2] / digest[2:4] / digest


def size(digest: str) -> int:
    """The number of bytes; `NotFound` for an unknown digest."""
    return _get(digest).size


def clear_unfinished(older_than: float = 24 * 3600) -> int:
    """Remove what uploads left that were killed more than `older_than` seconds ago; the number of files."""
    limit = time.time() - older_than
    stale = [draft for draft in _folder("tmp").iterdir() if draft.stat().st_mtime < limit]
    for draft in stale:
        draft.unlink(missing_ok=True)
    return len(stale)


def _check(blob: Blob) -> None:
    sums = _Sums()
    with _open(blob) as file:
        while chunk := file.read(CHUNK):
            sums.add(chunk)
    if sums.whole.hexdigest() != blob.digest:
        raise Tampered(
            f"the stored bytes of {blob.digest} have the digest {sums.whole.hexdigest()}"
        )
    if bytes(sums.chunks) != bytes(blob.chunk_hashes):
        raise Tampered(f"the chunk hashes recorded for {blob.digest} are not those of its bytes")


def _get(digest: str) -> Blob:
    blob = Blob.objects.filter(digest=digest).first() if _DIGEST.fullmatch(digest) else None
    if blob is None:
        raise NotFound(f"no bytes with the digest {digest[:80]!r} are stored")
    return blob


def _folder(name: str) -> Path:
    folder = Path(settings.BLOB_ROOT) / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _chunks(stream: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """The stream in pieces of exactly 1 MiB (the last one shorter), whatever sizes it came in."""
    pieces: Iterable[bytes] = (
        iter(lambda: stream.read(CHUNK), b"") if hasattr(stream, "read") else stream
    )
    rest = bytearray()
    for piece in pieces:
        rest += piece
        while len(rest) >= CHUNK:
            yield bytes(rest[:CHUNK])
            del rest[:CHUNK]
    if rest:
        yield bytes(rest)


def _copy(chunks: Iterator[bytes], file: BinaryIO, limit: int | None) -> _Sums:
    sums = _Sums()
    for chunk in chunks:
        sums.add(chunk)
        if limit is not None and sums.size > limit:
            raise Invalid(f"more than the {limit} bytes allowed arrived")
        file.write(chunk)
    return sums


def _move_into_place(draft: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft.chmod(0o400)
    draft.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the name, too, survives a power cut
    finally:
        os.close(folder)


def _open(blob: Blob) -> BinaryIO:
    try:
        file = path(blob.digest).open("rb")
    except FileNotFoundError:
        raise Tampered(f"the stored bytes of {blob.digest} are gone") from None
    found = os.fstat(file.fileno()).st_size
    if found != blob.size:
        file.close()
        raise Tampered(f"the stored bytes of {blob.digest} are {found}, expected {blob.size}")
    return file


def _verified(blob: Blob, file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    hashes = bytes(blob.chunk_hashes)
    with file:
        number = start // CHUNK
        file.seek(number * CHUNK)
        while number * CHUNK < end:
            chunk = file.read(CHUNK)
            wanted = hashes[number * _HASH_BYTES : (number + 1) * _HASH_BYTES]
            if hashlib.sha256(chunk).digest() != wanted:
                raise Tampered(
                    f"chunk {number} of {blob.digest} is damaged: nothing of it was sent"
                )
            offset = number * CHUNK
            yield chunk[max(0, start - offset) : end - offset]
            number += 1
