"""What happens to policies, as the ledger tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, Personal, register


@dataclass(frozen=True, kw_only=True)
class _PolicyEvent(Event):
    change: int
    key: str

    def subject(self) -> str:
        return f"policychange:{self.change}"

    def scopes(self) -> tuple[str, ...]:
        return (f"policychange:{self.change}", f"policy:{self.key}")


@register
@dataclass(frozen=True, kw_only=True)
class PolicyProposed(_PolicyEvent):
    """`version` is "" for a proposal to retire the policy; `digest` is what is signed; `effective_at` is "" for at once."""

    type: ClassVar[str] = "reviews.policy.proposed"
    version: str
    version_digest: str
    replaces: str
    loosens: list[str]
    needed: int
    reason: str
    digest: str
    effective_at: str


@register
@dataclass(frozen=True, kw_only=True)
class PolicySigned(_PolicyEvent):
    type: ClassVar[str] = "reviews.policy.signed"
    signature: int
    approves: bool
    digest: str
    statement_digest: str
    method: str
    signer: str
    signer_name: Personal


@register
@dataclass(frozen=True, kw_only=True)
class PolicyScheduled(_PolicyEvent):
    """It has its signatures and comes into force later. `version` is "" if the policy is to be retired."""

    type: ClassVar[str] = "reviews.policy.scheduled"
    version: str
    effective_at: str


@register
@dataclass(frozen=True, kw_only=True)
class PolicyHeld(_PolicyEvent):
    """Its time came and it could not be put in force; the site tries again."""

    type: ClassVar[str] = "reviews.policy.held"
    version: str
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class PolicyActivated(_PolicyEvent):
    """`version` is "" when the policy was retired."""

    type: ClassVar[str] = "reviews.policy.activated"
    activation: int
    version: str
    version_digest: str


@register
@dataclass(frozen=True, kw_only=True)
class PolicyChangeClosed(_PolicyEvent):
    """`status` is rejected or withdrawn."""

    type: ClassVar[str] = "reviews.policy.change_closed"
    status: str
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class PolicySimulated(_PolicyEvent):
    """`digest` is that of the result's bytes; the numbers are how many cases were replayed and came out differently."""

    type: ClassVar[str] = "reviews.policy.simulated"
    simulation: int
    digest: str
    reviews: int
    versions: int
    blocked: int
    let_through: int
    asked: int

    def scopes(self) -> tuple[str, ...]:
        return (*super().scopes(), f"simulation:{self.simulation}")
