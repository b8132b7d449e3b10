"""What a file is, told by its bytes. Each function answers for one format; none loads, builds or executes anything.

What recognising proves: the outer structure is that of the format, to the last byte where it says so. It does not
prove that a reader of the format has no fault, nor that the numbers in it are those of a good model.
"""

from __future__ import annotations

import ast
import json
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

HEADER_LIMIT = 16 * 1024 * 1024
_PROGRAMS = {
    b"\x7fELF": "a Linux program or library (ELF)",
    b"\xcf\xfa\xed\xfe": "a macOS program or library",
    b"\xce\xfa\xed\xfe": "a macOS program or library",
    b"\xca\xfe\xba\xbe": "a macOS program or Java class",
    b"\x00asm": "a WebAssembly program",
    b"#!": "a script with an interpreter line",
}
_UNREADABLE = {
    b"\x89HDF\r\n\x1a\n": "HDF5: nothing here reads it",
    b"7z\xbc\xaf\x27\x1c": "7z: nothing here unpacks it",
    b"Rar!\x1a\x07": "RAR: nothing here unpacks it",
    b"\x28\xb5\x2f\xfd": "Zstandard: nothing here unpacks it",
    b"\x04\x22\x4d\x18": "LZ4: nothing here unpacks it",
}
# Top-level fields of an ONNX ModelProto by wire type.
_ONNX_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_GRAPH, _INITIALIZER, _EXTERNAL, _VALUE = 7, 5, 13, 2


def program(head: bytes) -> str:
    """What kind of program this is, "" for none."""
    if head[:2] == b"MZ" and len(head) >= 64:
        at = int.from_bytes(head[60:64], "little")
        if head[at : at + 4] == b"PE\0\0" or at > len(head):
            return "a Windows program or library"
    return next((what for magic, what in _PROGRAMS.items() if head.startswith(magic)), "")


def unreadable(head: bytes) -> str:
    """Why nothing here reads this known format, "" for any other."""
    return next((why for magic, why in _UNREADABLE.items() if head.startswith(magic)), "")


def is_safetensors(file: BinaryIO, size: int) -> bool:
    """A header of JSON whose tensors lie one after the other and end with the file. Holds numbers only."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(size - 8, HEADER_LIMIT):
        return False
    try:
        header = json.loads(file.read(length))
        spans = sorted(
            tuple(entry["data_offsets"]) for name, entry in header.items() if name != "__metadata__"
        )
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        return False
    end = 0
    for span in spans:
        if len(span) != 2 or not all(type(each) is int for each in span) or span[0] != end:
            return False
        end = span[1]
        if end < span[0]:
            return False
    return bool(8 + length + end == size)


def is_parquet(file: BinaryIO, size: int) -> bool:
    """Begins and ends as Parquet does, with a footer that fits. A table of values."""
    file.seek(0)
    if size < 12 or file.read(4) != b"PAR1":
        return False
    file.seek(size - 8)
    length, magic = struct.unpack("<I4s", file.read(8))
    return bool(magic == b"PAR1" and length <= size - 12)


def numpy_objects_at(file: BinaryIO, size: int) -> tuple[bool, int]:
    """Whether a NumPy array holds objects (a pickle then follows), and where its data begin. ValueError if its
    header or its size is not that of an array."""
    file.seek(6)
    major = file.read(2)[:1]
    width = 2 if major == b"\x01" else 4
    length = int.from_bytes(file.read(width), "little")
    if major not in {b"\x01", b"\x02", b"\x03"} or not 0 < length <= 10_000:
        raise ValueError("the header of a NumPy array cannot be read")
    try:
        header = ast.literal_eval(file.read(length).decode("utf-8"))
        described = str(header["descr"])
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise ValueError("the header of a NumPy array cannot be read") from None
    return "O" in described or "object" in described, 8 + width + length


def fields(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a protobuf message: number, wire type, where the value begins and ends. ValueError if broken."""
    at = start
    while at < end:
        file.seek(at)
        tag = _varint(file)
        number, wire = tag >> 3, tag & 7
        value = file.tell()
        if wire == 0:
            _varint(file)
            after = file.tell()
        elif wire == 2:
            length = _varint(file)
            value = file.tell()
            after = value + length
        elif wire in {1, 5}:
            after = value + (8 if wire == 1 else 4)
        else:
            raise ValueError("not protobuf")
        if number == 0 or after > end:
            raise ValueError("not protobuf")
        yield number, wire, value, after
        at = after


def is_onnx(file: BinaryIO, size: int) -> bool:
    """Every outermost field is one of an ONNX model, to the last byte, and one is the graph."""
    seen = set()
    try:
        for number, wire, _, _ in fields(file, 0, size):
            if _ONNX_FIELDS.get(number) != wire:
                return False
            seen.add(number)
    except ValueError:
        return False
    return _GRAPH in seen


def onnx_locations(file: BinaryIO, size: int) -> Iterator[str]:
    """The texts of the external-data entries of the main graph's tensors: paths that a runtime would open."""
    for number, _, start, end in fields(file, 0, size):
        if number != _GRAPH:
            continue
        for inner, _, first, last in fields(file, start, end):
            if inner == _INITIALIZER:
                yield from _external(file, first, last)


def _external(file: BinaryIO, start: int, end: int) -> Iterator[str]:
    for number, wire, first, last in fields(file, start, end):
        if number == _EXTERNAL and wire == 2:
            for inner, kind, begin, after in fields(file, first, last):
                if inner == _VALUE and kind == 2:
                    file.seek(begin)
                    yield file.read(min(after - begin, 4096)).decode("utf-8", "replace")


def json_of(file: BinaryIO, size: int) -> Any:
    """The JSON document; ValueError for none, or one too large or too deep to be read."""
    file.seek(0)
    if size > HEADER_LIMIT or file.read(64).lstrip()[:1] not in {b"{", b"["}:
        raise ValueError("not read as JSON")
    file.seek(0)
    try:
        return json.loads(file.read())
    except RecursionError:
        raise ValueError("too deep") from None


def _varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("not protobuf")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("not protobuf")
