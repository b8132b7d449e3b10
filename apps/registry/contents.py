"""Is a file what its name says? Told by its bytes, never by loading it: nothing here unpickles or executes.

`problem(name, file)` answers with a sentence for the person who uploads, or "" where nothing speaks against it.
An extension that is not listed is not judged. It does not say that a file is safe, only what kind it is.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO

import yaml

TEXT_LIMIT = 16 * 1024 * 1024
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
# What joblib.dump(compress=...) writes: zlib, gzip, bz2, xz, lzma, lz4.
_COMPRESSED = (b"\x78", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x5d\x00\x00", b"\x04\x22\x4d\x18")
_ZIP = b"PK\x03\x04"
_HDF5 = b"\x89HDF\r\n\x1a\n"
# Top-level fields of an ONNX ModelProto by wire type; `graph` (7) must be there.
_ONNX_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_ONNX_GRAPH = 7

Test = Callable[[BinaryIO, int], str]


def problem(path: str, file: BinaryIO, size: int) -> str:
    """What is wrong with this file under this name; "" if nothing is. Leaves the file at its start."""
    name = PurePosixPath(path).name
    if size == 0:
        return "" if name.endswith(".py") else "it is empty"
    test = _BY_NAME.get(name) or _BY_ENDING.get(PurePosixPath(name.lower()).suffix)
    if test is None:
        return ""
    file.seek(0)
    try:
        return test(file, size)
    finally:
        file.seek(0)


def _pickle(file: BinaryIO, size: int) -> str:
    if not _PICKLE.match(file.read(2)):
        return "it is not a pickle (of protocol 2 or later)"
    file.seek(size - 1)
    return "" if file.read(1) == b"." else "it is a pickle that breaks off"


def _joblib(file: BinaryIO, size: int) -> str:
    head = file.read(6)
    if head.startswith(_COMPRESSED):
        return ""
    file.seek(0)
    return "it is not a joblib file" if _pickle(file, size) else ""


def _torch(file: BinaryIO, size: int) -> str:
    if file.read(4) == _ZIP:
        return ""
    file.seek(0)
    return "it is not a PyTorch file" if _pickle(file, size) else ""


def _starts(magic: bytes, what: str) -> Test:
    def test(file: BinaryIO, size: int) -> str:
        return "" if file.read(len(magic)) == magic else f"it is not {what}"

    return test


def _parquet(file: BinaryIO, size: int) -> str:
    whole = size >= 12 and file.read(4) == b"PAR1"
    if whole:
        file.seek(size - 4)
        whole = file.read(4) == b"PAR1"
    return "" if whole else "it is not a whole Parquet file"


def _onnx(file: BinaryIO, size: int) -> str:
    """Walks the outermost fields: each must be one of a model, and the last must end with the file."""
    seen = set()
    while file.tell() < size:
        tag = _varint(file)
        if tag is None or _ONNX_FIELDS.get(tag >> 3) != tag & 7:
            return "it is not an ONNX model"
        seen.add(tag >> 3)
        length = _varint(file)
        if length is None:
            return "it is an ONNX model that breaks off"
        if tag & 7 == 2:
            file.seek(length, 1)
    if file.tell() != size:
        return "it is an ONNX model that breaks off"
    return "" if _ONNX_GRAPH in seen else "it is not an ONNX model: there is no graph in it"


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None


def _safetensors(file: BinaryIO, size: int) -> str:
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= size - 8 or length > TEXT_LIMIT:
        return "it is not a safetensors file"
    try:
        header = json.loads(file.read(length))
    except ValueError:
        header = None
    return "" if isinstance(header, dict) else "it is not a safetensors file"


def _json(file: BinaryIO, size: int) -> str:
    if size > TEXT_LIMIT:  # a large tree ensemble: its ends must do
        head = file.read(64).lstrip()[:1]
        file.seek(max(0, size - 64))
        tail = file.read(64).rstrip()[-1:]
        return "" if (head, tail) in {(b"{", b"}"), (b"[", b"]")} else "it is not JSON"
    try:
        json.loads(file.read())
    except (ValueError, RecursionError):
        return "it is not JSON"
    return ""


def _yaml(file: BinaryIO, size: int) -> str:
    return "" if _parsed(file, size) is not None else "it is not YAML"


def _mlmodel(file: BinaryIO, size: int) -> str:
    said = _parsed(file, size)
    if not isinstance(said, dict) or not isinstance(said.get("flavors"), dict):
        return "it is not an MLmodel file: that is YAML with a part “flavors”"
    return ""


def _parsed(file: BinaryIO, size: int) -> object:
    """The YAML document, read by the loader that makes plain values only; None if it is none."""
    if size > TEXT_LIMIT:
        return None
    try:
        text = file.read().decode("utf-8")
        depth = max((len(line) - len(line.lstrip(" ")) for line in text.splitlines()), default=0)
        parsed: object = None if depth > 400 else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        return None
    return parsed


def _text(file: BinaryIO, size: int) -> str:
    """UTF-8 without NUL, read in pieces: a character may lie across two of them."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while piece := file.read(1024 * 1024):
            if b"\x00" in piece:
                return "it is not text"
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "it is not text in UTF-8"
    return ""


_BY_NAME: dict[str, Test] = {"MLmodel": _mlmodel}
_BY_ENDING: dict[str, Test] = {
    ".pkl": _pickle,
    ".pickle": _pickle,
    ".cloudpickle": _pickle,
    ".joblib": _joblib,
    ".pt": _torch,
    ".pth": _torch,
    ".onnx": _onnx,
    ".parquet": _parquet,
    ".safetensors": _safetensors,
    ".npy": _starts(b"\x93NUMPY", "a NumPy array"),
    ".npz": _starts(_ZIP, "a NumPy archive"),
    ".zip": _starts(_ZIP, "a zip archive"),
    ".keras": _starts(_ZIP, "a Keras archive"),
    ".skops": _starts(_ZIP, "a skops archive"),
    ".h5": _starts(_HDF5, "an HDF5 file"),
    ".hdf5": _starts(_HDF5, "an HDF5 file"),
    ".gz": _starts(b"\x1f\x8b", "a gzip file"),
    ".pdf": _starts(b"%PDF-", "a PDF"),
    ".png": _starts(b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    ".json": _json,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".txt": _text,
    ".md": _text,
    ".py": _text,
    ".csv": _text,
}
