"""What happens to model cards, as the ledger tells it. The prose itself stays out: its digest stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@register
@dataclass(frozen=True, kw_only=True)
class CardSaved(Event):
    """A new revision of the human blocks; `changed` names the blocks that differ from `base`."""

    type: ClassVar[str] = "modelcards.card.saved"
    model: int
    version: int
    revision: int
    number: int
    base: int
    digest: str
    changed: list[str]

    def subject(self) -> str:
        return f"version:{self.version}"

    def scopes(self) -> tuple[str, ...]:
        return (f"version:{self.version}", f"model:{self.model}")
