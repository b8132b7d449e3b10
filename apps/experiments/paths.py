"""Which artifact paths exist at all."""

from __future__ import annotations

from urllib.parse import unquote

from apps.core.errors import Invalid

MAX_LENGTH = 1024


def safe(path: str, *, empty: bool = False) -> str:
    """The path below a root, without a slash at either end.

    Refuses whatever could mean another place to somebody on the way, also when percent-decoded again
    and again: parent folders, absolute paths, drive letters and schemes, backslashes, fragments,
    control characters, what is not UTF-8, empty segments.
    """
    trimmed = path.strip("/")
    if not trimmed:
        if empty and path in {"", "/"}:
            return ""
        raise _invalid(path)
    if len(trimmed) > MAX_LENGTH or path.startswith("/"):
        raise _invalid(path)
    seen = trimmed
    for _ in range(8):
        _check(seen, path)
        decoded = unquote(seen)
        if decoded == seen:
            return trimmed
        seen = decoded
    raise _invalid(path)


def _check(path: str, given: str) -> None:
    if any(mark in path for mark in "\\#\N{REPLACEMENT CHARACTER}") or not path.isprintable():
        raise _invalid(given)
    segments = path.split("/")
    if ":" in segments[0] or any(segment in {"", ".", ".."} for segment in segments):
        raise _invalid(given)


def _invalid(path: str) -> Invalid:
    return Invalid(
        f"Invalid path: {path[:200]!r}", fields={"path": "not a plain path below the artifact root"}
    )
