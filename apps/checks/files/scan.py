"""One file of a version, and all that is packed in it, followed to the last byte or reported as not verified.

Steps for each part: 1 one pass over the bytes (text? secrets? tags?), 2 what is it, by content, 3 programs, 4 what it
packs is unpacked under the caps and is a part of its own, 5 pickles are followed, 6 documents are read for names,
7 what no step took is not verified. An error, a cap reached or bytes left over is a gap; a gap is never clean.

Memory is flat: bytes go by 1 MiB at a time, unpacked parts lie in the scratch folder, one per level of nesting.
"""

from __future__ import annotations

import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Final
from zipfile import BadZipFile

import msgspec

from apps.checks.files import archives, bytescan, documents, formats, names, packed
from apps.checks.files.archives import ArchiveError, Member
from apps.checks.files.machine import Machine
from apps.checks.files.report import (
    DANGEROUS,
    LISTED,
    MOST_KEPT,
    FileScan,
    Found,
    Gap,
    NameCount,
    readable,
)
from apps.checks.files.values import Account, Import

MOST_DEPTH: Final = 6
MOST_PARTS: Final = 20_000
RATIO: Final = 200  # how much larger than packed a part may be, from RATIO_FROM bytes on
RATIO_FROM: Final = 64 * 1024 * 1024
SECOND_READING: Final = 1024 * 1024
SOURCES: Final = (".py", ".pyx", ".sh", ".bat", ".cmd", ".ps1", ".js", ".r", ".jl", ".lua", ".rb", ".pl")  # fmt: skip
_TORCH_MAGIC: Final = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_RENEW_SECONDS: Final = 2.0


class CapReached(Exception):
    """A part is larger, deeper or more than is unpacked."""


@dataclass(slots=True)
class Part:
    """A file or what was unpacked from one."""

    file: BinaryIO
    size: int
    inside: str
    name: str
    depth: int
    raw: bool = False  # a storage of a PyTorch archive: numbers without a form of their own


@dataclass(slots=True)
class Notes:
    """What is noted about one file of the version."""

    found: list[Found] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    names: dict[tuple[str, str], int] = field(default_factory=dict)
    parts: int = 0
    unpacked: int = 0
    counted: int = 0
    gap_count: int = 0

    def add(self, found: Found) -> None:
        """Keep it, or of the same level only its number where there are many."""
        self.counted += 1
        found = msgspec.structs.replace(
            found, detail=readable(found.detail), inside=readable(found.inside)
        )
        if sum(each.level == found.level for each in self.found) < MOST_KEPT:
            self.found.append(found)

    def add_gap(self, gap: Gap) -> None:
        self.gap_count += 1
        gap = msgspec.structs.replace(gap, reason=readable(gap.reason), inside=readable(gap.inside))
        if len(self.gaps) < MOST_KEPT:
            self.gaps.append(gap)

    def worst_found(self) -> tuple[Found, ...]:
        """What is dangerous first."""
        return tuple(sorted(self.found, key=lambda each: each.level)[:MOST_KEPT])


class Scanner:
    """Scans files one after the other. `scratch` is a folder of this run, `tick` says that work goes on."""

    def __init__(self, scratch: Path, tick: Callable[[], None], unpack_bytes: int) -> None:
        self.scratch, self.unpack_bytes = scratch, unpack_bytes
        self._renew, self._renewed = tick, time.monotonic()
        self.notes = Notes()

    def tick(self) -> None:
        if time.monotonic() - self._renewed > _RENEW_SECONDS:
            self._renew()
            self._renewed = time.monotonic()

    def scan(self, path: str, digest: str, size: int, file: BinaryIO) -> FileScan:
        """The whole of one file. Raises only what reading the disk raises."""
        self.notes = Notes()
        part = Part(file, size, "", path.rpartition("/")[2], 0)
        try:
            told = self._part(part)
        except CapReached as error:
            told = "unknown"
            self.gap(part, str(error))
        notes = self.notes
        return FileScan(
            path=path,
            digest=digest,
            size=size,
            format=told,
            parts=notes.parts,
            found=notes.worst_found(),
            gaps=tuple(notes.gaps),
            more_found=notes.counted - len(notes.worst_found()),
            more_gaps=notes.gap_count - min(notes.gap_count, MOST_KEPT),
        )

    def names_of(self, path: str) -> Iterator[NameCount]:
        """Every name that the file scanned last imports."""
        for (name, level), count in sorted(self.notes.names.items()):
            yield NameCount(path, name, level, count)

    def gap(self, part: Part, reason: str, at: int | None = None) -> None:
        self.notes.add_gap(Gap(reason, part.inside, at))

    def find(self, part: Part, what: str, detail: str, at: int | None = None) -> None:
        self.notes.add(Found(what, DANGEROUS, detail, part.inside, at))

    def _part(self, part: Part) -> str:
        """The format of a part, all of it looked at."""
        self.notes.parts += 1
        if not part.size:
            return "empty"
        seen = bytescan.look(part.file, self.tick)  # step 1
        for what, at in seen.secrets:
            self.find(part, "secret", what, at)
        part.file.seek(0)
        head = part.file.read(8192)
        if seen.text:
            for what, at in seen.tags:
                self.find(part, "tag", what, at)
        if kind := formats.program(head):  # step 3
            self.find(part, "program", kind, 0)
            return "program"
        two = archives.ends_as_zip(part.file, part.size) and not head.startswith(b"PK\x03\x04")
        if two and not head.startswith(b"PK\x05\x06"):
            self.gap(part, "it is one thing from its start and a zip archive from its end")
            self._members(part, archives.zip_members(part.file, part.size))
        return self._by_content(part, head, text=seen.text)

    def _by_content(self, part: Part, head: bytes, *, text: bool) -> str:
        told = self._container(part, head)
        if told:
            return told
        if formats.is_safetensors(part.file, part.size):
            return "safetensors"
        if formats.is_parquet(part.file, part.size):
            return "Parquet"
        if text:
            return self._text(part)
        if formats.is_onnx(part.file, part.size):
            return self._onnx(part)
        return self._pickle_or_unknown(part, head)

    def _container(self, part: Part, head: bytes) -> str:
        """Formats with a beginning of their own; "" for any other."""
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            self._members(part, archives.zip_members(part.file, part.size))
            return "zip"
        if head[257:262] == b"ustar":
            self._members(part, archives.tar_members(part.file, part.size))
            return "tar"
        if kind := packed.kind_of(head):
            return self._packed(part, kind)
        if why := formats.unreadable(head):
            self.gap(part, why)
            return why.partition(":")[0]
        return self._numpy(part) if head.startswith(b"\x93NUMPY") else ""

    # Step 4: what is packed

    def _members(self, part: Part, members: Iterator[Member]) -> None:
        try:
            for member in members:
                self._member(part, member)
        except (ArchiveError, CapReached) as error:
            self.gap(part, str(error))

    def _member(self, part: Part, member: Member) -> None:
        inside = f"{part.inside} > {member.name}" if part.inside else member.name
        here = Part(part.file, 0, inside[:500], member.name.rpartition("/")[2], part.depth + 1)
        if member.trick:
            self.find(here, "path", member.trick)
        if member.why_not:
            self.gap(here, member.why_not)
        if member.stream is None:
            return
        here.raw = member.raw
        with self._scratch_file() as file:
            try:
                self._copy(member.stream, file, member.packed)
            except (
                BadZipFile,
                OSError,
                EOFError,
                ValueError,
                NotImplementedError,
                zlib.error,
            ) as error:
                self.gap(here, f"it cannot be unpacked: {error}")
            self._unpacked(here, file)

    def _copy(self, source: IO[bytes], file: BinaryIO, packed_size: int) -> None:
        written = 0
        while piece := source.read(bytescan.CHUNK):
            written += len(piece)
            self._count(len(piece), written, packed_size)
            file.write(piece)
            self.tick()

    def _count(self, more: int, written: int, packed_size: int) -> None:
        self.notes.unpacked += more
        if self.notes.unpacked > self.unpack_bytes:
            raise CapReached(f"more than {self.unpack_bytes} bytes came out; the rest was not read")
        if written > RATIO_FROM and written > RATIO * max(packed_size, 1):
            raise CapReached(
                f"it unpacks to more than {RATIO} times its size; the rest was not read"
            )

    def _packed(self, part: Part, kind: str) -> str:
        inside = f"{part.inside} > {kind}" if part.inside else kind
        here = Part(part.file, 0, inside, part.name, part.depth + 1)
        with self._scratch_file() as file:
            written = 0

            def write(piece: bytes) -> None:
                nonlocal written
                written += len(piece)
                self._count(len(piece), written, part.size)
                file.write(piece)

            try:
                why = packed.unpack(kind, part.file, write, self.tick)
            except CapReached as reached:
                why = str(reached)
            if why:
                self.gap(part, why)
            return f"{kind} of {self._unpacked(here, file)}"

    def _unpacked(self, part: Part, file: BinaryIO) -> str:
        if part.depth > MOST_DEPTH:
            self.gap(part, f"it is packed more than {MOST_DEPTH} times over")
            return "unknown"
        if self.notes.parts >= MOST_PARTS:
            raise CapReached(f"it holds more than {MOST_PARTS} parts")
        file.flush()
        part.file, part.size = file, file.tell()
        return self._part(part)

    @contextmanager
    def _scratch_file(self) -> Iterator[BinaryIO]:
        path = self.scratch / uuid.uuid4().hex
        with path.open("x+b", buffering=bytescan.CHUNK) as file:
            path.unlink()  # gone with the process, whatever ends it
            yield file

    # Steps 5 to 7

    def _text(self, part: Part) -> str:
        if (account := self._probe(part)) is not None:
            self._account(part, account)
            return "pickle (text)"
        if part.name.lower().endswith(SOURCES):
            self.gap(part, "source code: nothing here tells what it does")
            return "source code"
        try:
            document = formats.json_of(part.file, part.size)
        except ValueError:
            return "text"
        for found in documents.found_in(document, part.inside):
            self._note(found)
        return "JSON"

    def _onnx(self, part: Part) -> str:
        try:
            for location in formats.onnx_locations(part.file, part.size):
                if trick := archives.trick(location):
                    self.find(part, "path", f"external data: {trick}")
        except ValueError:
            self.gap(part, "its graph cannot be read")
        return "ONNX"

    def _numpy(self, part: Part) -> str:
        try:
            objects, at = formats.numpy_objects_at(part.file, part.size)
        except ValueError as error:
            self.gap(part, str(error))
            return "NumPy array"
        if objects:
            self._pickles(part, at)
        return "NumPy array of objects" if objects else "NumPy array"

    def _pickle_or_unknown(self, part: Part, head: bytes) -> str:
        if head[:1] == b"\x80" and head[1:2] <= b"\x05" and not part.raw:
            self._pickles(part, 0)
            return "pickle"
        if (account := self._probe(part)) is not None:
            self._account(part, account)
            return "pickle"
        if part.raw:
            return "numbers"
        self.gap(part, "an unknown format")
        return "unknown"

    def _pickles(self, part: Part, start: int) -> None:
        """One pickle after the other, as long as bytes are left; PyTorch's old form ends in numbers."""
        at, count, old_torch = start, 0, False
        while at < part.size:
            part.file.seek(at)
            machine = Machine(part.file, tick=self.tick)
            account = machine.run()
            if count and not account.ended and not account.calls:
                if not (old_torch and count >= 5):
                    self.gap(part, "bytes follow the end of the pickle", at)
                break
            self._account(part, account)
            if not account.ended:
                break
            part.file.seek(at)
            old_torch = old_torch or (count == 0 and _TORCH_MAGIC in part.file.read(64))
            at, count = account.at, count + 1
        if start == 0 and part.size <= SECOND_READING:
            self._second_reading(part)

    def _second_reading(self, part: Part) -> None:
        part.file.seek(0)
        for module, name in names.second_reading(part.file.read()):
            known = {(each.detail) for each in self.notes.found}
            if f"{module}.{name}" not in known:
                self._note(Found("call", DANGEROUS, f"{module}.{name}", part.inside))

    def _probe(self, part: Part) -> Account | None:
        """What the bytes would do as a pickle, if they would do anything; None if they are none."""
        part.file.seek(0)
        account = Machine(part.file, tick=self.tick).run()
        real = [each for each in account.imports.values() if names.is_name(each.module, each.name)]
        bad = any(names.level_of(each.module, each.name) == DANGEROUS for each in real)
        ends = account.ended and account.ops > 2 and account.at == part.size
        if account.calls or bad or ends or account.limited or (account.ended and real):
            return account
        return None

    def _account(self, part: Part, account: Account) -> None:
        for entry in account.imports.values():
            self._import(part, entry)
        if not account.ended:
            self.gap(
                part, f"a pickle that cannot be followed to its end: {account.broken}", account.at
            )

    def _import(self, part: Part, entry: Import) -> None:
        level = names.level_of(entry.module, entry.name)
        name = f"{entry.module}.{entry.name}"
        self._count_name(name, level, entry.count)
        if entry.hidden:
            told = "a name that is made up while loading"
            self.notes.add(Found("hidden", DANGEROUS, told, part.inside, entry.at))
        elif level != LISTED:
            what = "call" if level == DANGEROUS else "name"
            self.notes.add(Found(what, level, name, part.inside, entry.at, called=entry.called))

    def _note(self, found: Found) -> None:
        if found.what in {"call", "name"}:
            self._count_name(found.detail, found.level, 1)
        if found not in self.notes.found:
            self.notes.add(found)

    def _count_name(self, name: str, level: str, count: int) -> None:
        key = (readable(name), level)
        if key in self.notes.names or len(self.notes.names) < 2000:
            self.notes.names[key] = self.notes.names.get(key, 0) + count
