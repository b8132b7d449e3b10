"""The packages that a version's own files ask for, for programs; and the library that MLmodel names. Read, never executed.

Pure: bytes in, facts out. Lines with options, paths or addresses name no package and may hold credentials: left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from apps.modelcards.machine import Package

READ: Final = ("requirements.txt", "conda.yaml", "python_env.yaml", "MLmodel")
MAX_BYTES: Final = 200_000
MAX_PACKAGES: Final = 1_000
_LONGEST: Final = 200
# PEP 508: a name, extras, what is asked of it; then a marker (";") or a comment (" #"), left out.
_PIP = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*([^;#]*)")
_CONDA = re.compile(r"(?:[\w./-]+::)?([A-Za-z0-9_][\w.-]*)\s*([^;#]*)")
_EXACT = re.compile(r"(?:===?|=)\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)(?:=[\w.*]+)?")
# Hugging Face's names for what MLflow calls a flavour.
_LIBRARIES: Final = {
    "sklearn": "sklearn", "pytorch": "pytorch", "transformers": "transformers", "tensorflow": "tf-keras",
    "keras": "keras", "onnx": "onnx", "spacy": "spacy", "sentence_transformers": "sentence-transformers",
    "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost", "fastai": "fastai",
}  # fmt: skip

Files = Mapping[str, bytes | None]


class _UnreadError(ValueError):
    """A file that is not what its name says."""


def read(files: Files) -> tuple[tuple[Package, ...], tuple[str, ...]]:
    """The packages in the files' order, each once; and the files that could not be read as what they are."""
    found: list[Package] = []
    unread: list[str] = []
    for path, data in sorted(files.items()):
        name = path.rpartition("/")[2]
        try:
            text = _text(data)
            found += [
                package for line, manager in _lines(name, text)
                if (package := _package(line, manager, path)) is not None
            ]  # fmt: skip
        except ValueError:
            unread.append(path)
    return tuple(dict.fromkeys(found))[:MAX_PACKAGES], tuple(unread)


def library(files: Files) -> str:
    """The library of the first MLmodel under Hugging Face's name, or ""."""
    for path, data in sorted(files.items()):
        if path.rpartition("/")[2] != "MLmodel":
            continue
        try:
            flavors = _yaml(_text(data)).get("flavors")
        except ValueError:
            continue
        named = [flavor for flavor in _LIBRARIES if isinstance(flavors, dict) and flavor in flavors]
        if named:
            return _LIBRARIES[named[0]]
    return ""


def _text(data: bytes | None) -> str:
    """Raises ValueError for bytes that are not there, too many, or no UTF-8."""
    if data is None or len(data) > MAX_BYTES:
        raise _UnreadError("it is gone or too large")
    return data.decode("utf-8")


def _lines(name: str, text: str) -> Iterator[tuple[str, str]]:
    if name == "requirements.txt":
        yield from ((line, "pypi") for line in text.splitlines())
    elif name in {"conda.yaml", "python_env.yaml"}:
        manager = "conda" if name == "conda.yaml" else "pypi"
        entries = _yaml(text).get("dependencies")
        yield from _listed(entries if isinstance(entries, list) else [], manager)


def _listed(entries: list[Any], manager: str) -> Iterator[tuple[str, str]]:
    """Conda's list: texts, and below `pip` another list of texts."""
    for entry in entries:
        if isinstance(entry, str):
            yield entry, manager
        elif isinstance(entry, dict) and isinstance(entry.get("pip"), list):
            yield from ((line, "pypi") for line in entry["pip"] if isinstance(line, str))


def _yaml(text: str) -> dict[str, Any]:
    """Raises ValueError for what is no plain YAML mapping, and for aliases, which can make a small file huge."""
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise _UnreadError("it holds aliases")
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise _UnreadError("it is no YAML") from error
    if not isinstance(found, dict):
        raise _UnreadError("it is no mapping")
    return found


def _package(line: str, manager: str, path: str) -> Package | None:
    line = line.strip()
    if not line or line[0] in "#-./" or "://" in line or "@" in line:
        return None
    match = (_PIP if manager == "pypi" else _CONDA).match(line)
    if match is None:
        return None
    asked = " ".join(match[2].replace("\\", "").split())[:_LONGEST]
    exact = _EXACT.fullmatch(asked)
    return Package(match[1][:_LONGEST], asked, path, exact[1] if exact else "", manager)
