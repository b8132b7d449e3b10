"""What somebody would try who has a genuine bundle and wants a program to read another one than the verifier read.

Each attack takes the bytes of a genuine bundle and returns others; `UNTOUCHED` are rewritten and still genuine. An archive is built
here byte by byte (APPNOTE.TXT 6.3, 4.3 and 4.5), because no library would write these.
"""

from __future__ import annotations

import base64
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

SEAL = "bundle.dsse.json"
REGULAR = 0o100644 << 16
DEFLATE, STORED = 8, 0


@dataclass(frozen=True)
class Entry:
    """A member as it is written; `None`: as it should be."""

    name: bytes
    packed: bytes
    size: int
    crc: int
    method: int = DEFLATE
    flags: int = 0
    local_name: bytes | None = None
    local_method: int | None = None
    local_size: int | None = None
    local_extra: bytes = b""
    extra: bytes = b""
    note: bytes = b""
    attributes: int = REGULAR
    disk: int = 0
    before: bytes = b""
    descriptor: bytes = b""
    moved: int = 0

    def local(self) -> bytes:
        name = self.name if self.local_name is None else self.local_name
        method = self.method if self.local_method is None else self.local_method
        size = self.size if self.local_size is None else self.local_size
        told = (0, 0, 0) if self.flags & 8 else (self.crc, len(self.packed), size)
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, self.flags, method, 0, 33, *told, len(name), len(self.local_extra))  # fmt: skip
        return head + name + self.local_extra + self.packed + self.descriptor

    def central(self, offset: int) -> bytes:
        head = struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, self.flags, self.method, 0, 33, self.crc, len(self.packed), self.size,
            len(self.name), len(self.extra), len(self.note), self.disk, 0, self.attributes, offset + self.moved,
        )  # fmt: skip
        return head + self.name + self.extra + self.note


def entry(name: str, data: bytes, method: int = DEFLATE) -> Entry:
    coder = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = coder.compress(data) + coder.flush() if method else data
    return Entry(name.encode(), packed, len(data), zlib.crc32(data), method)


def entries(data: bytes) -> list[Entry]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [entry(name, archive.read(name)) for name in archive.namelist()]


def directory(listed: Iterable[tuple[Entry, int]]) -> bytes:
    return b"".join(each.central(offset) for each, offset in listed)


def end(count: int, length: int, start: int, *, note: bytes = b"", disk: int = 0) -> bytes:
    return (
        struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, count, count, length, start, len(note))
        + note
    )


def large_end(count: int, length: int, start: int, at: int) -> bytes:
    """The end of an archive in ZIP64 and its locator, the record standing at `at`."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, start)
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)


def body(found: list[Entry]) -> tuple[bytes, list[tuple[Entry, int]]]:
    out, listed = b"", []
    for each in found:
        out += each.before
        listed.append((each, len(out)))
        out += each.local()
    return out, listed


def built(found: list[Entry], *, hole: bytes = b"", note: bytes = b"", count: int = 0, disk: int = 0) -> bytes:  # fmt: skip
    """An archive of these entries."""
    out, listed = body(found)
    told = directory(listed)
    return out + told + hole + end(len(found) + count, len(told), len(out), note=note, disk=disk)


def changed(data: bytes, member: str, /, **fields: object) -> bytes:
    """The archive with the fields of one entry other than they should be."""
    return built([replace(each, **fields) if each.name == member.encode() else each for each in entries(data)])  # type: ignore[arg-type]  # fmt: skip


def _of(data: bytes, name: str) -> Entry:
    return next(each for each in entries(data) if each.name == name.encode())


def shadow(data: bytes) -> bytes:
    """Another card, as a whole member that only a program which reads from the front finds."""
    return entry("version.json", b'{"approved":true}').local()


def two_directories(data: bytes) -> bytes:
    """The old end leads to one directory, the ZIP64 end to another: programs differ in which they follow."""
    found = entries(data)
    out, listed = body(found)
    evil = entry("version.json", b'{"approved":true}')
    others = [(evil, len(out)), *(each for each in listed if each[0].name != b"version.json")]
    out += evil.local()
    good, bad = directory(listed), directory(others)
    at = len(out) + len(bad) + len(good)
    return (
        out + bad + good
        + large_end(len(listed), len(good), len(out) + len(bad), at)
        + end(len(others), len(bad), len(out))
    )  # fmt: skip


def two_directories_reversed(data: bytes) -> bytes:
    """The same, the other way round."""
    found = entries(data)
    out, listed = body(found)
    evil = entry("version.json", b'{"approved":true}')
    others = [(evil, len(out)), *(each for each in listed if each[0].name != b"version.json")]
    out += evil.local()
    good, bad = directory(listed), directory(others)
    at = len(out) + len(bad) + len(good)
    return (
        out + bad + good
        + large_end(len(others), len(bad), len(out), at)
        + end(len(listed), len(good), len(out) + len(bad))
    )  # fmt: skip


def hidden_entry(data: bytes) -> bytes:
    """The directory has one entry more than the end counts."""
    return built([*entries(data), entry("verdict.txt", b"approved")], count=-1)


def twice(data: bytes) -> bytes:
    return built([*entries(data), entry("version.json", b'{"approved":true}')])


def twice_the_same(data: bytes) -> bytes:
    """Two entries of the directory for one member."""
    out, listed = body(entries(data))
    told = directory([*listed, listed[0]])
    return out + told + end(len(listed) + 1, len(told), len(out))


def overlapping(data: bytes) -> bytes:
    """A member inside another one's bytes: a stored file that holds a whole member, to which the directory points."""
    found = entries(data)
    inner = entry("README.txt", b"other words")
    outer = entry("outer.bin", inner.local(), STORED)
    out, listed = body([outer, *found])
    start = len(outer.local()) - len(inner.local())
    listed = [(inner, start) if each.name == b"README.txt" else (each, at) for each, at in listed]
    told = directory(listed)
    return out + told + end(len(listed), len(told), len(out))


def member_elsewhere(data: bytes) -> bytes:
    """The member that is read stands in a hole; at its place, for whoever reads from the front, stands another."""
    found = entries(data)
    good = _of(data, "version.json")
    out, listed = body([entry("version.json", b'{"approved":true}') if each.name == good.name else each for each in found])  # fmt: skip
    listed = [(good, len(out)) if each.name == good.name else (each, at) for each, at in listed]
    out += good.local()
    told = directory(listed)
    return out + told + end(len(listed), len(told), len(out))


def added(name: str) -> Callable[[bytes], bytes]:
    flags = 0 if name.isascii() else 0x800
    return lambda data: built([*entries(data), replace(entry(name, b"x"), flags=flags)])


def raw_name(name: bytes) -> Callable[[bytes], bytes]:
    """`version.json` under another spelling that some programs take for it."""
    return lambda data: changed(data, "version.json", name=name)


def longer_packed(data: bytes) -> bytes:
    """Bytes after the end of the packed ones, counted as theirs."""
    return changed(data, "version.json", packed=_of(data, "version.json").packed + b"evil")


def stored_in_front(data: bytes) -> bytes:
    return changed(data, "version.json", local_method=STORED)


def wrong_descriptor(data: bytes) -> bytes:
    found = _of(data, "version.json")
    told = struct.pack("<4s3L", b"PK\7\x08", found.crc ^ 1, len(found.packed), found.size)
    return changed(data, "version.json", flags=8, descriptor=told)


def described(data: bytes) -> bytes:
    """Genuine: sizes after the bytes, as streaming programs write them."""
    return built(
        [replace(each, flags=8, descriptor=struct.pack("<4s3L", b"PK\7\x08", each.crc, len(each.packed), each.size)) for each in entries(data)]
    )  # fmt: skip


def wide(first: int, second: int) -> bytes:
    return struct.pack("<2H2Q", 1, 16, first, second)


def zip64_lie(data: bytes) -> bytes:
    """The member's own ZIP64 field says another size than the directory."""
    return changed(data, "version.json", local_extra=wide(5, 5))


def zip64_twice(data: bytes) -> bytes:
    """Two ZIP64 fields in the directory: programs take the first or the last."""
    found = _of(data, "version.json")
    both = wide(found.size, len(found.packed)) + wide(1, 1)
    return changed(data, "version.json", extra=both)


def unicode_path(data: bytes) -> bytes:
    """Info-ZIP's field with another name, which unzip follows."""
    told = b"\1" + struct.pack("<L", zlib.crc32(b"version.json")) + b"README.TXT"
    field = struct.pack("<2H", 0x7075, len(told)) + told
    return changed(data, "version.json", extra=field, local_extra=field)


def resealed(change: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """The envelope around the index written in another way."""

    def attack(data: bytes) -> bytes:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = change(archive.read(SEAL).decode())
        return built([entry(SEAL, text.encode()) if each.name == SEAL.encode() else each for each in entries(data)])  # fmt: skip

    return attack


def _said_twice(text: str) -> str:
    evil = base64.b64encode(b'{"schema":"evil"}').decode()
    return f'{{"payload":"{evil}",' + text[1:]


def _signed_twice(text: str) -> str:
    said = json.loads(text)
    said["signatures"] *= 2
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def _with_more(text: str) -> str:
    return json.dumps(
        json.loads(text) | {"verdict": "approved"}, sort_keys=True, separators=(",", ":")
    )


def _other_type(text: str) -> str:
    return text.replace("vnd.countersign.bundle", "vnd.in-toto")


def _signer_more(text: str) -> str:
    said = json.loads(text)
    said["signatures"][0]["cert"] = "x"
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


Attack = Callable[[bytes], bytes]
UNTOUCHED: dict[str, Attack] = {
    "written anew": lambda data: built(entries(data)),
    "sizes after the bytes": described,
}
OF_THE_ARCHIVE: dict[str, Attack] = {
    "bytes before": lambda data: built([replace(each, before=b"MZ" * (n == 0)) for n, each in enumerate(entries(data))]),
    "bytes before, not counted": lambda data: b"MZ" + built(entries(data)),
    "bytes between": lambda data: built([replace(each, before=b"hidden" * (n == 2)) for n, each in enumerate(entries(data))]),
    "a member between that is not listed": lambda data: built([replace(each, before=shadow(data) * (n == 2)) for n, each in enumerate(entries(data))]),
    "bytes between the members and the directory": lambda data: built([*entries(data)[:-1], replace(entries(data)[-1], descriptor=b"hidden")]),
    "bytes after the directory": lambda data: built(entries(data), hole=b"hidden"),
    "bytes after": lambda data: built(entries(data)) + b"hidden",
    "a comment": lambda data: built(entries(data), note=b"approved"),
    "a comment that is an end": lambda data: built(entries(data), note=end(0, 0, 0)),
    "an archive after it": lambda data: built(entries(data)) + built([entry("version.json", b"{}")]),
    "an archive before it": lambda data: built([entry("version.json", b"{}")]) + built(entries(data)),
    "a name twice": twice,
    "a member listed twice": twice_the_same,
    "two directories": two_directories,
    "two directories reversed": two_directories_reversed,
    "more entries than counted": hidden_entry,
    "overlapping members": overlapping,
    "a member in a hole": member_elsewhere,
    "another case": added("VERSION.json"),
    "another composition": added("card/re\u0301vision.json"),
    "a backslash": added("card\\revision-9.json"),
    "a path out": added("../evil"),
    "an absolute path": added("/etc/evil"),
    "a drive": added("C:evil"),
    "an empty name": added(""),
    "a folder": added("folder/"),
    "a NUL in a name": raw_name(b"version.json\0.txt"),
    "a backslash for a slash": raw_name(b".\\version.json"),
    "a name of another encoding": raw_name(b"versi\xf3n.json"),
    "another name in front of the member": lambda data: changed(data, "version.json", local_name=b"VERSION.json"),
    "another method in front of the member": stored_in_front,
    "another size in front of the member": lambda data: changed(data, "version.json", local_size=5),
    "bytes after the packed ones": longer_packed,
    "packed in an unknown way": lambda data: changed(data, "version.json", method=12),
    "encrypted": lambda data: changed(data, "version.json", flags=1),
    "a lie in the descriptor": wrong_descriptor,
    "a lie in the check sum": lambda data: changed(data, "version.json", crc=7),
    "a lie in the size": lambda data: changed(data, "version.json", size=7, local_size=7),
    "a lie in ZIP64": zip64_lie,
    "ZIP64 twice": zip64_twice,
    "a name in an extra field": unicode_path,
    "an extra field": lambda data: changed(data, "version.json", extra=b"\x99\x99\x04\x00evil"),
    "an extra field in front of the member": lambda data: changed(data, "version.json", local_extra=b"\x99\x99\x04\x00evil"),
    "a comment of a member": lambda data: changed(data, "version.json", note=b"approved"),
    "a link": lambda data: changed(data, "version.json", attributes=0o120777 << 16),
    "a folder by its attributes": lambda data: changed(data, "version.json", attributes=REGULAR | 0x10),
    "on another disk": lambda data: changed(data, "version.json", disk=1),
    "of several disks": lambda data: built(entries(data), disk=1),
    "no member": lambda data: end(0, 0, 0),
}  # fmt: skip
OF_THE_SEAL: dict[str, Attack] = {
    "a key twice": resealed(_said_twice),
    "signed twice": resealed(_signed_twice),
    "more in the envelope": resealed(_with_more),
    "more beside the signature": resealed(_signer_more),
    "another type": resealed(_other_type),
    "white space": resealed(lambda text: text.replace(",", ", ")),
    "a mark of byte order": resealed(lambda text: "\ufeff" + text),
    "base64 in another form": resealed(lambda text: text.replace("=", "")),
}
