"""Approvals that are questioned, and emergency rollbacks, as the ledger tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, Personal, register


@register
@dataclass(frozen=True, kw_only=True)
class RereviewRequired(Event):
    """The approval by which a version was let in is questioned by `item`; the deployment gate denies until it is renewed."""

    type: ClassVar[str] = "reviews.rereview.required"
    rereview: int
    review: int
    version: int
    model: int
    trigger: str
    item: str
    reason: str

    def subject(self) -> str:
        return f"version:{self.version}"

    def scopes(self) -> tuple[str, ...]:
        return (f"model:{self.model}", f"review:{self.review}", f"rereview:{self.rereview}")


@dataclass(frozen=True, kw_only=True)
class _RollbackEvent(Event):
    rollback: int
    review: int
    version: int
    model: int
    target: str

    def subject(self) -> str:
        return f"version:{self.version}"

    def scopes(self) -> tuple[str, ...]:
        return (f"model:{self.model}", f"rollback:{self.rollback}")


@register
@dataclass(frozen=True, kw_only=True)
class RolledBack(_RollbackEvent):
    """One person put the version back by its earlier approval; somebody else is to review that by `review_by`."""

    type: ClassVar[str] = "reviews.rollback.made"
    authorization: int
    earlier: int
    replaced: int | None
    reason: str
    policy: str
    review_by: str
    statement_digest: str
    method: str
    signer: str
    signer_name: Personal


@register
@dataclass(frozen=True, kw_only=True)
class RollbackReviewed(_RollbackEvent):
    """Somebody else signed, afterwards, that the rollback was right, or that it was not."""

    type: ClassVar[str] = "reviews.rollback.reviewed"
    accepts: bool
    role: str
    statement_digest: str
    method: str
    signer: str
    signer_name: Personal
