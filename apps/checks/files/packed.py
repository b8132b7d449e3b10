"""Streams that are compressed as a whole (zlib, gzip, bz2, xz, lzma: joblib's forms), unpacked in flat memory.

What follows the end of a stream is another one of the same kind or is reported: no byte is left out in silence.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Final

_STEP: Final = 64 * 1024
_MEMORY: Final = 256 * 1024 * 1024


def kind_of(head: bytes) -> str:
    """zlib, gzip, bz2, xz or lzma; "" for anything else."""
    if head.startswith(b"\x1f\x8b\x08"):
        return "gzip"
    if head.startswith(b"BZh") and head[3:4].isdigit():
        return "bz2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if head.startswith(b"\x5d\x00\x00") and len(head) > 13:
        return "lzma"
    if len(head) > 6 and head[0] & 0x8F == 8 and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib" if _begins(head) else ""
    return ""


def _begins(head: bytes) -> bool:
    """Two bytes say little: what follows must be deflated."""
    try:
        zlib.decompressobj().decompress(head[:4096], 1024)
    except zlib.error:
        return False
    return True


def unpack(
    kind: str, file: BinaryIO, write: Callable[[bytes], None], tick: Callable[[], None]
) -> str:
    """Write out what is packed; the reason why it is not all of it, or "". `write` may raise to stop."""
    file.seek(0)
    machine, data = _machine(kind), b""
    while True:
        if not data and _hungry(kind, machine):
            data = file.read(_STEP)
        fed = bool(data)
        try:
            out = machine.decompress(data, _STEP)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            return f"it cannot be unpacked: {error}"
        write(out)
        tick()
        if machine.eof:
            data = machine.unused_data + file.read(_STEP)
            if not data:
                return ""
            if kind in {"zlib", "lzma"} or kind_of(data[:64].ljust(64, b"\0")) != kind:
                return "bytes follow its end"
            machine = _machine(kind)
            continue
        data = machine.unconsumed_tail if kind in {"zlib", "gzip"} else b""
        if not (fed or out):
            return "it breaks off"


def _hungry(kind: str, machine: Any) -> bool:
    """Whether more has to go in before more comes out."""
    return True if kind in {"zlib", "gzip"} else bool(machine.needs_input)


def _machine(kind: str) -> Any:
    if kind == "bz2":
        return bz2.BZ2Decompressor()
    if kind in {"xz", "lzma"}:
        form = lzma.FORMAT_XZ if kind == "xz" else lzma.FORMAT_ALONE
        return lzma.LZMADecompressor(format=form, memlimit=_MEMORY)
    return zlib.decompressobj(zlib.MAX_WBITS | 16 if kind == "gzip" else zlib.MAX_WBITS)
