"""The packages that a version's own files ask for, for programs; and the library that MLmodel names. Read, never executed.

Pure: bytes in, facts out. Lines with options, paths or addresses name no package and may hold credentials: left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from apps.core import strict_yaml
from apps.core.errors import Invalid
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


@dataclass(frozen=True, slots=True)
class Found:
    """The packages in the files' order, each once; the files that could not be read as what they are; how many lines with
    options, paths or addresses were left out."""

    packages: tuple[Package, ...]
    unread: tuple[str, ...]
    left: int


class _UnreadError(ValueError):
    """A file that is not what its name says."""


def read(files: Files) -> Found:
    """What the files name."""
    found: list[Package] = []
    unread: list[str] = []
    left = 0
    for path, data in sorted(files.items()):
        try:
            named = [_package(line, manager, path) for line, manager in _named(path, data)]
        except ValueError:
            unread.append(path)
            continue
        found += [package for package in named if package is not None]
        left += named.count(None)
    return Found(tuple(dict.fromkeys(found))[:MAX_PACKAGES], tuple(unread), left)


def library(files: Files) -> str:
    """The library of the first MLmodel under Hugging Face's name, or ""."""
    for said in mlmodels(files):
        flavors = said.get("flavors")
        named = [flavor for flavor in _LIBRARIES if isinstance(flavors, dict) and flavor in flavors]
        if named:
            return _LIBRARIES[named[0]]
    return ""


def mlmodels(files: Files) -> Iterator[dict[str, Any]]:
    """What each MLmodel says; one that is no plain YAML says nothing."""
    for path, data in sorted(files.items()):
        if _name(path) == "MLmodel":
            with suppress(ValueError):
                yield _yaml(_text(data))


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _text(data: bytes | None) -> str:
    """Raises ValueError for bytes that are not there, too many, or no UTF-8."""
    if data is None or len(data) > MAX_BYTES:
        raise _UnreadError("it is gone or too large")
    return data.decode("utf-8")


def _named(path: str, data: bytes | None) -> Iterator[tuple[str, str]]:
    """Each line that says something, and whose it is. Raises ValueError for a file that is not what its name says."""
    name, text = _name(path), _text(data)
    if name == "requirements.txt":
        lines = (line.strip() for line in text.splitlines())
        yield from ((line, "pypi") for line in lines if line and not line.startswith("#"))
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
    """Raises ValueError for what is no plain YAML mapping."""
    try:
        return strict_yaml.composed(text, most=MAX_BYTES, what="A file", keys="names")[1]
    except Invalid as error:
        raise _UnreadError(error.message) from error


def _package(line: str, manager: str, path: str) -> Package | None:
    """None for an option, a path or an address: those may hold credentials, and name no package."""
    line = line.strip()
    if not line or line[0] in "-./" or "://" in line or "@" in line:
        return None
    match = (_PIP if manager == "pypi" else _CONDA).match(line)
    if match is None:
        return None
    asked = " ".join(match[2].replace("\\", "").split())[:_LONGEST]
    exact = _EXACT.fullmatch(asked)
    return Package(match[1][:_LONGEST], asked, path, exact[1] if exact else "", manager)
