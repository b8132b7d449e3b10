"""What is in these files, taken as one data set? The same answer as `inspect` gives of one file that holds all their rows.

Steps: 1 how many and how large, 2 each file's head, held against that of the first: same format, same columns in the same
order, same types, 3 rows and kinds in one pass over all. The error names the file, and the column where there is one.
Files without rows are allowed as long as some file has rows. Not read: values that stand only in the name of a folder
(`year=2018/`): what is measured lies in the files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.checks.engine.inspect import (
    Head,
    Profile,
    check_size,
    counted,
    head_of,
    profile,
    refused,
)
from apps.checks.engine.source import Caps, raw
from apps.checks.numbers import grouped
from apps.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a data set: its name in it, where its bytes lie, and how many."""

    name: str
    path: Path
    size: int


def is_data(name: str) -> bool:
    """Whether a file of a folder holds rows: marks and checksums of writers (`_SUCCESS`, `.part-0.crc`) do not."""
    return not any(segment.startswith(("_", ".")) for segment in name.split("/"))


def inspect_parts(
    parts: Sequence[Part],
    *,
    expected: str = "",
    caps: Caps,
    scratch: Path,
    tick: Callable[[], None] = lambda: None,
) -> Profile:
    """Read every file once. Raises Invalid (field "file") that names the file which is not clean data or does not fit."""
    check_extent(parts, caps)
    heads = _heads(parts, expected, caps, tick)
    check_size(sum(head.rows for head in heads), sum(head.unpacked for head in heads), caps)
    first, *more = [part.path for part in parts]
    try:
        with raw(first, heads[0].format, heads[0].names, caps, scratch, more) as source:
            return profile(source, heads[0])
    except Invalid as error:
        raise _culprit(parts, heads[0], caps, scratch, error) from error


def check_extent(parts: Sequence[Part], caps: Caps) -> None:
    """Step 1. Raises Invalid (field "file")."""
    if not parts:
        raise refused("the folder holds no files")
    if len(parts) > caps.max_parts:
        raise refused(f"{grouped(len(parts))} files; at most {grouped(caps.max_parts)} are taken")
    size = sum(part.size for part in parts)
    if size > caps.max_bytes:
        raise refused(f"{grouped(size)} bytes in all; at most {grouped(caps.max_bytes)} are taken")


def _heads(
    parts: Sequence[Part], expected: str, caps: Caps, tick: Callable[[], None]
) -> list[Head]:
    """Step 2."""
    heads: list[Head] = []
    for part in parts:
        try:
            head = head_of(part.path, expected=expected, caps=caps)
        except Invalid as error:
            raise _about(part, error.fields.get("file", error.message)) from error
        if heads and (reason := _unlike(head, heads[0])):
            raise _about(part, f"{reason} in {parts[0].name}")
        heads.append(head)
        tick()
    return heads


def _unlike(head: Head, first: Head) -> str:
    """How a file differs from the first one, to be read before "in <its name>"; "" if it does not."""
    if head.format != first.format:
        return f"{head.format}, not {first.format} as"
    lacks = _first(name for name in first.names if name not in head.names)
    if lacks is not None:
        return f"has no column {lacks!r}, which stands"
    adds = _first(name for name in head.names if name not in first.names)
    if adds is not None:
        return f"has a column {adds!r}, which does not stand"
    for name, here in zip(first.names, head.names, strict=True):
        if name != here:
            return f"has its columns in another order: {here!r} where {name!r} stands"
    for name, before, here in zip(first.names, first.types, head.types, strict=False):
        if before != here:
            return f"column {name!r} holds {here}, not {before} as"
    return ""


def _first(names: Iterable[str]) -> str | None:
    return next(iter(names), None)


def _culprit(
    parts: Sequence[Part], head: Head, caps: Caps, scratch: Path, error: Invalid
) -> Invalid:
    """Step 3 failed: the same said of the first file that fails alone, or of all where none does."""
    for part in parts:
        try:
            with raw(part.path, head.format, head.names, caps, scratch) as source:
                counted(source, head)
        except Invalid as alone:
            return _about(part, alone.message)
    return refused(error.message)


def _about(part: Part, reason: str) -> Invalid:
    return refused(f"{part.name}: {reason}")
