"""The archive of a bundle, read so that no two programs can read two things out of it (APPNOTE.TXT 6.3).

Python 3.9 or later, standard library only; a part of `verify_bundle.pyz`. The module `zipfile` is helpful: it skips what stands between
members, follows one of two directories, and believes the directory where the member's own head says something else. This is not:

1. The file ends with one end record without a comment, for one disk; where a ZIP64 end stands before it, both say the same.
2. The directory ends where the end begins, has exactly the entries that the end counts, and says nothing besides: no comments, no
   extra fields but the ZIP64 one, and that only for what does not fit; plain files only, stored or deflated, not encrypted.
3. The members follow each other from the first byte of the file to the directory, in the order of the directory, without a byte between them.
4. Each member's own head, and the sizes after it where it has them, say what the directory says.
5. A member's packed bytes are used up to the last one, and give the size and the CRC-32 of the directory.
6. No name is there twice, also where case or Unicode composition are not told apart; none leaves its folder.

Raises Wrong for anything else.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from verify_ledger import Wrong

MOST_MEMBERS = 100_000
LONGEST_DIRECTORY = 64 << 20
CHUNK = 1 << 20
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
AFTER, UTF8 = 0x0008, 0x0800  # flags: sizes stand after the bytes; the name is UTF-8
DEFLATED = 8
END = struct.Struct("<4s4H2LH")
LARGE_END = struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
ENTRY = struct.Struct("<4s6H3L5H2L")
HEAD = struct.Struct("<4s5H3L2H")


@dataclass
class Member:
    """What the directory says of one."""

    name: str
    written: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    begins: int = 0


class Archive:
    """One archive, from the first byte of the file to the last."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        try:
            self.length = self.file.seek(0, 2)
            count, length, start = self._end()
            self.members = self._directory(count, length, start)
            self._members(start)
        except BaseException:
            self.file.close()
            raise

    def close(self) -> None:
        self.file.close()

    def _at(self, place: int, size: int) -> bytes:
        if place < 0:
            return b""
        self.file.seek(place)
        return self.file.read(size)

    def _end(self) -> tuple[int, int, int]:
        """1. How many entries, how long the directory is, and where it begins."""
        at = self.length - END.size
        tail = self._at(at, END.size)
        if len(tail) != END.size or not tail.startswith(b"PK\5\6"):
            raise Wrong("this is no ZIP archive, or there is something after it")
        _, *disks, total, length, start, note = END.unpack(tail)
        if note or any(disks[:2]) or disks[2] != total:
            raise Wrong("its end has a comment, or it is a part of several")
        told = (total, length, start)
        if self._at(at - LOCATOR.size, 4) == b"PK\6\7":
            at, told = self._large_end(at - LOCATOR.size, told)
        if told[2] + told[1] != at or told[0] > MOST_MEMBERS or told[1] > LONGEST_DIRECTORY:
            raise Wrong("its directory is not where its end says, or too long")
        return told

    def _large_end(self, at: int, small: tuple[int, int, int]) -> tuple[int, tuple[int, int, int]]:
        _, disk, place, disks = LOCATOR.unpack(self._at(at, LOCATOR.size))
        record = self._at(place, LARGE_END.size)
        if place + LARGE_END.size != at or disk or disks != 1 or len(record) != LARGE_END.size:
            raise Wrong("its ZIP64 end is not where it says")
        sign, size, _, _, one, two, here, total, length, start = LARGE_END.unpack(record)
        if (sign, size, one, two, here) != (b"PK\6\6", LARGE_END.size - 12, 0, 0, total):
            raise Wrong("its ZIP64 end cannot be read")
        large = (total, length, start)
        for said, known, full in zip(small, large, (FULL16, FULL32, FULL32)):  # noqa: B905 -- Python 3.9 has no strict
            if said not in (known, full):
                raise Wrong("it has two ends, which say different things")
        return place, large

    def _directory(self, count: int, length: int, start: int) -> dict[str, Member]:
        """2. and 6."""
        data, at = self._at(start, length), 0
        found: dict[str, Member] = {}
        folded: set[str] = set()
        for _ in range(count):
            each, at = entry(data, at)
            require_safe(each.name)
            alike = unicodedata.normalize("NFC", each.name).casefold()
            if each.name in found or (alike in folded and not of_the_model(each.name)):
                raise Wrong(f"it has the name {each.name} twice")
            folded.add(alike)
            found[each.name] = each
        if at != length or not found:
            raise Wrong("its directory has more in it than its end counts, or nothing")
        return found

    def _members(self, until: int) -> None:
        """3. and 4."""
        at = 0
        for each in self.members.values():
            if each.offset != at:
                raise Wrong(f"there is something before {each.name} that is no member of it")
            at = self._head(each)
        if at != until:
            raise Wrong("there is something between the last member and the directory")

    def _head(self, each: Member) -> int:
        """4. Where the member ends."""
        head = self._at(each.offset, HEAD.size)
        if len(head) != HEAD.size or not head.startswith(b"PK\3\4"):
            raise Wrong(f"{each.name} is not where the directory says")
        _, _, flags, method, _, _, *told, named, more = HEAD.unpack(head)
        rest = self._at(each.offset + HEAD.size, named + more)
        if (flags, method, rest[:named]) != (each.flags, each.method, each.written):
            raise Wrong(f"the head of {each.name} says something else than the directory")
        wide = self._told(each, told, rest[named:])
        each.begins = each.offset + HEAD.size + named + more
        return self._after(each, wide=wide)

    def _told(self, each: Member, told: list[int], extra: bytes) -> bool:
        """Sizes in the head: those of the directory, or none where they stand after the bytes. Whether in ZIP64."""
        crc, packed, size = told
        wide = bool(extra)
        if wide:
            if len(extra) != 20 or (packed, size) != (FULL32, FULL32):
                odd(each)
            kind, length, size, packed = struct.unpack("<2H2Q", extra)
            if (kind, length) != (1, 16):
                odd(each)
        known = (0, 0, 0) if each.flags & AFTER else (each.crc, each.packed, each.size)
        if (crc, packed, size) != known:
            odd(each)
        return wide

    def _after(self, each: Member, *, wide: bool) -> int:
        at = each.begins + each.packed
        if not each.flags & AFTER:
            return at
        form = "<4sL2Q" if wide else "<4s3L"
        told = self._at(at, struct.calcsize(form))
        if told != struct.pack(form, b"PK\7\x08", each.crc, each.packed, each.size):
            odd(each)
        return at + len(told)

    def pieces(self, name: str, most: int) -> Iterator[bytes]:
        """5. The bytes of a member, a piece at a time, and no more than `most`."""
        if name not in self.members:
            raise Wrong("it is not in the archive")
        each = self.members[name]
        if each.size > most:
            raise Wrong(f"it is longer than the {most} bytes that it may have")
        crc = size = 0
        for piece in self._inflated(each) if each.method == DEFLATED else self._packed(each):
            size, crc = size + len(piece), zlib.crc32(piece, crc)
            if size > each.size:
                break
            yield piece
        if (size, crc) != (each.size, each.crc):
            raise Wrong("it cannot be unpacked: size or check sum are not those of the directory")

    def _packed(self, each: Member) -> Iterator[bytes]:
        for at in range(0, each.packed, CHUNK):
            yield self._at(each.begins + at, min(CHUNK, each.packed - at))

    def _inflated(self, each: Member) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(-15)
        try:
            for data in self._packed(each):
                waiting = data
                while waiting and not unpacker.eof:
                    yield unpacker.decompress(waiting, CHUNK)
                    waiting = unpacker.unconsumed_tail
                if waiting or unpacker.unused_data:
                    raise Wrong("it cannot be unpacked: there is more behind its packed bytes")
            yield unpacker.flush()
        except zlib.error as error:
            raise Wrong(f"it cannot be unpacked: {error}") from None
        if not unpacker.eof:
            raise Wrong("it cannot be unpacked: its packed bytes break off")


def entry(data: bytes, at: int) -> tuple[Member, int]:
    """2. The entry of the directory at this place, and where the next one begins."""
    head = data[at : at + ENTRY.size]
    if len(head) != ENTRY.size or not head.startswith(b"PK\1\2"):
        raise Wrong("its directory cannot be read")
    _, _, _, flags, method, _, _, crc, packed, size, named, more, note, disk, _, attributes, offset = ENTRY.unpack(head)  # fmt: skip
    begins = at + ENTRY.size
    written, extra = data[begins : begins + named], data[begins + named : begins + named + more]
    found = Member(spelled(written, flags), written, flags, method, crc, packed, size, offset)
    if len(extra) != more or note or disk or method not in (0, DEFLATED):
        odd(found)
    if flags & ~(AFTER | UTF8) or not plain(attributes) or (method == 0 and packed != size):
        odd(found)
    widen(found, extra)
    return found, begins + named + more


def widen(found: Member, extra: bytes) -> None:
    """The ZIP64 field: the values that do not fit, in their order, and it alone."""
    names = [name for name in ("size", "packed", "offset") if getattr(found, name) == FULL32]
    if not names:
        if extra:
            odd(found)
        return
    if len(extra) != 4 + 8 * len(names) or extra[:4] != struct.pack("<2H", 1, 8 * len(names)):
        odd(found)
    for name, value in zip(names, struct.unpack(f"<{len(names)}Q", extra[4:])):  # noqa: B905 -- as above
        setattr(found, name, value)


def odd(found: Member) -> NoReturn:
    raise Wrong(f"{found.name} is written in a way that programs read differently")


def plain(attributes: int) -> bool:
    """A file: no folder, no link, no device."""
    return not attributes & 0xFF and attributes >> 28 in (0, 8)


def spelled(written: bytes, flags: int) -> str:
    try:
        return written.decode("utf-8" if flags & UTF8 else "ascii")
    except UnicodeDecodeError:
        raise Wrong("a name in it is not written in UTF-8 that says so") from None


def require_safe(name: str) -> None:
    parts = name.split("/")
    bad = (
        "\\" in name or ":" in parts[0] or any(ord(char) < 32 or ord(char) == 127 for char in name)
    )
    if bad or any(part in ("", ".", "..") for part in parts):
        raise Wrong(f"the name {name!r} is not safe")


def of_the_model(name: str) -> bool:
    """Model files may have names that differ in case only: a system wrote them so, and their manifest names both."""
    return name.startswith("files/") or "/files/" in name
