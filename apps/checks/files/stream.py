"""The opcodes of a pickle, one at a time, in flat memory. Nothing is built and nothing is imported.

Texts of up to KEPT bytes are handed out, longer texts and all bytes are stepped over. Frames are ignored: they
only say how far to read ahead. Raises `Broken` where the stream ends too early or holds what is no opcode.
"""

from __future__ import annotations

import pickletools
import re
from dataclasses import dataclass
from typing import BinaryIO, Final

KEPT: Final = 512
LINE: Final = 4096
_NAME: Final = re.compile(rb"[\w.]{4096}")
_STEP: Final = 1024 * 1024
_LENGTHS: Final = {
    pickletools.TAKEN_FROM_ARGUMENT1: (1, False),
    pickletools.TAKEN_FROM_ARGUMENT4: (4, True),
    pickletools.TAKEN_FROM_ARGUMENT4U: (4, False),
    pickletools.TAKEN_FROM_ARGUMENT8U: (8, False),
}


class Broken(Exception):
    """The stream cannot be read further; what was read before stands."""


class Limit(Broken):
    """The stream goes on; it is longer or holds more than is followed here."""


@dataclass(frozen=True, slots=True)
class Op:
    """An opcode: its name, and how its argument lies in the stream (see pickletools)."""

    name: str
    fixed: int  # bytes, or -1 for a line, -2 for two lines, -3 for a counted text or number
    width: int = 0
    signed: bool = False


def _table() -> dict[int, Op]:
    found = {}
    for op in pickletools.opcodes:
        size = op.arg.n if op.arg is not None else 0
        if size >= 0:
            entry = Op(op.name, size)
        elif size == pickletools.UP_TO_NEWLINE:
            entry = Op(op.name, -2 if op.name in {"GLOBAL", "INST"} else -1)
        else:
            entry = Op(op.name, -3, *_LENGTHS[size])
        found[ord(op.code)] = entry
    return found


OPS: Final = _table()


class Reader:
    """Opcodes from a file, from where it stands."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.at = file.tell()

    def next(self) -> tuple[int, str, bytes | None]:
        """Where the opcode lies, its name, its argument (None: too long to be kept)."""
        start, code = self.at, self.take(1)
        op = OPS.get(code[0])
        if op is None:
            raise Broken(f"0x{code[0]:02x} is no opcode")
        if op.fixed == 0:
            return start, op.name, b""
        if op.fixed > 0:
            return start, op.name, self.take(op.fixed)
        if op.fixed == -1:
            return start, op.name, self._line()
        if op.fixed == -2:
            return start, op.name, self._name() + b"\n" + self._name()
        length = int.from_bytes(self.take(op.width), "little", signed=op.signed)
        if length < 0:
            raise Broken("a length is negative")
        if length <= KEPT:
            return start, op.name, self.take(length)
        self.skip(length)
        return start, op.name, None

    def take(self, size: int) -> bytes:
        """Exactly so many bytes (few)."""
        data = self.file.read(size)
        self.at += len(data)
        if len(data) < size:
            raise Broken("it ends in the middle")
        return data

    def skip(self, size: int) -> None:
        """Step over bytes; reads them, so that a length beyond the end is noticed in any file."""
        left = size
        while left:
            got = len(self.file.read(min(left, _STEP)))
            if not got:
                raise Broken("it ends in the middle")
            self.at += got
            left -= got

    def seek(self, at: int) -> None:
        self.file.seek(at)
        self.at = at

    def _line(self) -> bytes | None:
        """A line without its end; None for a long one, which is stepped over."""
        line = self._piece()
        if line.endswith(b"\n"):
            return line[:-1]
        while not (piece := self._piece()).endswith(b"\n"):
            if not piece:
                raise Broken("a line does not end")
        return None

    def _name(self) -> bytes:
        line = self._piece()
        if line.endswith(b"\n"):
            return line[:-1]
        raise (
            Limit("a name is too long") if _NAME.fullmatch(line) else Broken("a name does not end")
        )

    def _piece(self) -> bytes:
        line = self.file.readline(LINE)
        self.at += len(line)
        return line
