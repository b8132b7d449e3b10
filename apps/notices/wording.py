"""A notice in words: the same for the page and the mail."""

from __future__ import annotations

from dataclasses import dataclass

from apps.notices.kinds import BY_KEY
from apps.notices.models import Notice


@dataclass(frozen=True, slots=True)
class Words:
    """Plain text, to be escaped by whoever shows it; `path` is where it leads, on this site."""

    title: str
    text: str
    path: str


class _Parts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


def words(notice: Notice) -> Words:
    """What the notice says. One of a kind that is no longer known says only what it was about."""
    kind = BY_KEY.get(notice.kind)
    if kind is None:
        return Words(notice.kind, notice.subject, "/notices/")
    parts = _Parts(notice.parts)
    parts["who"] = str(notice.caused_by) if notice.caused_by else "Countersign"
    return Words(
        kind.title.format_map(parts), kind.text.format_map(parts), kind.path.format_map(parts)
    )


def label(kind: str) -> str:
    """The kind's name."""
    return BY_KEY[kind].label if kind in BY_KEY else kind
