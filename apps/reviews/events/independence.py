"""Who stepped aside, has a conflict of interest, or signs for whom, as the ledger tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, register


@register
@dataclass(frozen=True, kw_only=True)
class Recused(Event):
    """Somebody who was asked will not decide about this review, in any round."""

    type: ClassVar[str] = "reviews.review.recused"
    recusal: int
    review: int
    version: int
    model: int
    round: int
    number: int
    person: int
    reason: str

    def subject(self) -> str:
        return f"review:{self.review}"

    def scopes(self) -> tuple[str, ...]:
        return (
            f"recusal:{self.recusal}",
            f"version:{self.version}",
            f"model:{self.model}",
            f"user:{self.person}",
        )


@register
@dataclass(frozen=True, kw_only=True)
class ReviewReopened(Event):
    """A signature counts no more, so what was signed is open for signature again."""

    type: ClassVar[str] = "reviews.review.reopened"
    review: int
    version: int
    model: int
    round: int
    reason: str

    def subject(self) -> str:
        return f"review:{self.review}"

    def scopes(self) -> tuple[str, ...]:
        return (f"version:{self.version}", f"model:{self.model}")


@dataclass(frozen=True, kw_only=True)
class _ConflictEvent(Event):
    conflict: int
    model: int
    review: int | None
    person: int
    reason: str

    def subject(self) -> str:
        return f"conflict:{self.conflict}"

    def scopes(self) -> tuple[str, ...]:
        about = (f"model:{self.model}", f"user:{self.person}")
        return about if self.review is None else (*about, f"review:{self.review}")


@register
@dataclass(frozen=True, kw_only=True)
class ConflictDeclared(_ConflictEvent):
    """The person signs nothing of the model, or of the one review, while this stands."""

    type: ClassVar[str] = "reviews.conflict.declared"


@register
@dataclass(frozen=True, kw_only=True)
class ConflictWithdrawn(_ConflictEvent):
    """It stands no more; the rounds it touched stay closed to the person."""

    type: ClassVar[str] = "reviews.conflict.withdrawn"


@dataclass(frozen=True, kw_only=True)
class _DelegationEvent(Event):
    """`scope` names what it is for: "review:7", "model:3" or "team:1"."""

    delegation: int
    delegator: int
    delegate: int
    role: str
    scope: str
    reason: str

    def subject(self) -> str:
        return f"delegation:{self.delegation}"

    def scopes(self) -> tuple[str, ...]:
        return (self.scope, f"user:{self.delegator}", f"user:{self.delegate}")


@register
@dataclass(frozen=True, kw_only=True)
class DelegationGiven(_DelegationEvent):
    """One person signs for another in one role, until a moment."""

    type: ClassVar[str] = "reviews.delegation.given"
    until: str


@register
@dataclass(frozen=True, kw_only=True)
class DelegationEnded(_DelegationEvent):
    """It was taken back, given back, or the delegator lost the role."""

    type: ClassVar[str] = "reviews.delegation.ended"
