"""ZIP archives written while they are sent: memory does not grow with their size, and the same members give the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_THE_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # of the format: when a member was made says nothing here
_READABLE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Member:
    """One member: its name and its bytes, a piece at a time. `packed`: worth compressing."""

    name: str
    pieces: Iterable[bytes]
    packed: bool = True


class _Pipe(io.RawIOBase):
    """What was written and not yet taken."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # zipfile writes bytes only
        self._waiting.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def archive(members: Iterable[Member]) -> Iterator[bytes]:
    """The archive in pieces. Where a member's pieces raise, the archive ends without its directory: no program opens it."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as written:
        for member in members:
            info = zipfile.ZipInfo(member.name, _THE_FIRST_DAY)
            info.compress_type = zipfile.ZIP_DEFLATED if member.packed else zipfile.ZIP_STORED
            info.external_attr = _READABLE
            with written.open(info, "w", force_zip64=True) as stream:
                for piece in member.pieces:
                    stream.write(piece)
                    if data := pipe.taken():
                        yield data
    yield pipe.taken()
