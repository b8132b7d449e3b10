"""Requests that clients asked for, as the ledger tells them. They carry no authority: nothing is compared with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@dataclass(frozen=True, kw_only=True)
class _DraftEvent(Event):
    draft: int
    version: int
    model: int

    def subject(self) -> str:
        return f"version:{self.version}"

    def scopes(self) -> tuple[str, ...]:
        return (f"model:{self.model}", f"draft:{self.draft}")


@register
@dataclass(frozen=True, kw_only=True)
class ReviewDrafted(_DraftEvent):
    """A refused promotion became a draft of a request, or was added to the one that was there."""

    type: ClassVar[str] = "reviews.draft.kept"
    targets: list[str]
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class DraftClosed(_DraftEvent):
    """A person submitted what was drafted, or discarded it."""

    type: ClassVar[str] = "reviews.draft.closed"
    status: str
