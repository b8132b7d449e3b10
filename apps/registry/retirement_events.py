"""A model's end, and its coming back, as the ledger tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@dataclass(frozen=True, kw_only=True)
class _RetirementEvent(Event):
    model: int
    retirement: int
    name: str
    reason: str
    method: str

    def subject(self) -> str:
        return f"model:{self.model}"


@register
@dataclass(frozen=True, kw_only=True)
class ModelRetired(_RetirementEvent):
    """`checklist` is the version of the questions, `answers` maps each to its answer and note."""

    type: ClassVar[str] = "registry.model.retired"
    checklist: int
    answers: dict[str, dict[str, str]]
    successor: int | None
    no_successor: str


@register
@dataclass(frozen=True, kw_only=True)
class ModelRestored(_RetirementEvent):
    type: ClassVar[str] = "registry.model.restored"
