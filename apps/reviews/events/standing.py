"""What happens to the standing of models, as the ledger tells it. `name` is the model's, for the sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from apps.audits.events import Event, Personal, register


@dataclass(frozen=True, kw_only=True)
class _ChangeEvent(Event):
    change: int
    model: int
    name: str

    def subject(self) -> str:
        return f"model:{self.model}"

    def scopes(self) -> tuple[str, ...]:
        return (f"model:{self.model}", f"modelchange:{self.change}")


@register
@dataclass(frozen=True, kw_only=True)
class ModelChangeProposed(_ChangeEvent):
    """`digest` is what is signed: of the manifest with `before` and `after`."""

    type: ClassVar[str] = "reviews.model_change.proposed"
    before: dict[str, Any]
    after: dict[str, Any]
    loosens: list[str]
    reason: str
    digest: str


@register
@dataclass(frozen=True, kw_only=True)
class ModelChangeSigned(_ChangeEvent):
    """The one signature: with `approves` the change is applied in the same transaction."""

    type: ClassVar[str] = "reviews.model_change.signed"
    signature: int
    approves: bool
    digest: str
    statement_digest: str
    role: str
    method: str
    signer: str
    signer_name: Personal


@register
@dataclass(frozen=True, kw_only=True)
class ModelChangeClosed(_ChangeEvent):
    """`status` is applied, rejected or withdrawn."""

    type: ClassVar[str] = "reviews.model_change.closed"
    status: str
    reason: str
