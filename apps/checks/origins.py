"""Where data were taken from, in words: what `EvaluationDataset.source` holds, for pages, cards and documents. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.checks.numbers import plural


def told(source: Mapping[str, Any]) -> str:
    """One phrase, without a full stop; "" where nothing was noted (before schema 2 of the event)."""
    claim = source.get("input")
    place = _place(source)
    if not claim:
        return place
    return f"{place}; logged as input {claim['name']} (digest {claim['digest']}, says the client)"


def _place(source: Mapping[str, Any]) -> str:
    kind = source.get("kind", "")
    if kind == "upload":
        return "uploaded"
    if kind == "artifact":
        return f"{_root(source)}'s file {source['path']}"
    if kind == "table":
        return f"{_root(source)}'s table {source['path']}, as Parquet"
    if kind == "folder":
        return f"{_root(source)}'s folder {source['path']}: {_files(source)}"
    if kind == "s3":
        files = f": {_files(source)}" if "parts" in source else ""
        return f"a copy of {source['url']}{files}"
    return ""


def _root(source: Mapping[str, Any]) -> str:
    if "input" in source:
        return f"run {source['run']}"
    return "the logged model" if "logged_model" in source else "the run"


def _files(source: Mapping[str, Any]) -> str:
    """How many files, and how many were no data."""
    files = plural(int(source["parts"]), "file")
    left_out = int(source.get("left_out", 0))
    return f"{files}, {left_out} left out (names with _ or . in front)" if left_out else files
