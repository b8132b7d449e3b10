"""What happens in reviews, as the ledger tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.audits.events import Event, Personal, register


@dataclass(frozen=True, kw_only=True)
class _ReviewEvent(Event):
    review: int
    version: int
    model: int

    def subject(self) -> str:
        return f"review:{self.review}"

    def scopes(self) -> tuple[str, ...]:
        return (f"review:{self.review}", f"version:{self.version}", f"model:{self.model}")


@register
@dataclass(frozen=True, kw_only=True)
class ReviewSubmitted(_ReviewEvent):
    type: ClassVar[str] = "reviews.review.submitted"
    targets: list[str]
    policy: str
    policy_digest: str
    justification: str


@register
@dataclass(frozen=True, kw_only=True)
class RoundMade(_ReviewEvent):
    """The evidence people are asked to sign: its digest is what they sign."""

    type: ClassVar[str] = "reviews.round.made"
    round: int
    number: int
    digest: str


@register
@dataclass(frozen=True, kw_only=True)
class RoundVoided(_ReviewEvent):
    """The signatures of this round count no more."""

    type: ClassVar[str] = "reviews.round.voided"
    round: int
    number: int
    digest: str
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class DecisionRecorded(_ReviewEvent):
    type: ClassVar[str] = "reviews.decision.recorded"
    decision: int
    round: int
    number: int
    evidence_digest: str
    statement_digest: str
    step: str
    role: str
    outcome: str
    meaning: str
    method: str
    signer: str
    signer_name: Personal


@register
@dataclass(frozen=True, kw_only=True)
class ReviewClosed(_ReviewEvent):
    """`status` is rejected, withdrawn or promoted."""

    type: ClassVar[str] = "reviews.review.closed"
    status: str
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class ChangesRequested(_ReviewEvent):
    type: ClassVar[str] = "reviews.review.changes_requested"
    decision: int


@register
@dataclass(frozen=True, kw_only=True)
class QuorumCompleted(_ReviewEvent):
    """The last signature was given; `blocked` names the gates that kept the version where it was."""

    type: ClassVar[str] = "reviews.review.signed"
    round: int
    blocked: list[str]


@dataclass(frozen=True, kw_only=True)
class _FindingEvent(Event):
    """`entry` is the row of its history, `digest` that of the entry's statement, which holds the words."""

    finding: int
    number: int
    version: int
    model: int
    review: int | None
    entry: int
    digest: str

    def subject(self) -> str:
        return f"finding:{self.finding}"

    def scopes(self) -> tuple[str, ...]:
        about = (f"version:{self.version}", f"model:{self.model}")
        return about if self.review is None else (*about, f"review:{self.review}")


@register
@dataclass(frozen=True, kw_only=True)
class FindingRaised(_FindingEvent):
    """`owner` is asked to answer by `due`; a `blocking` one stops promotions until it is closed or accepted."""

    type: ClassVar[str] = "reviews.finding.raised"
    severity: str
    blocking: bool
    owner: str
    due: str


@register
@dataclass(frozen=True, kw_only=True)
class FindingResponded(_FindingEvent):
    type: ClassVar[str] = "reviews.finding.responded"
    evidence_kind: str


@register
@dataclass(frozen=True, kw_only=True)
class FindingRetested(_FindingEvent):
    """Somebody independent tested what was answered."""

    type: ClassVar[str] = "reviews.finding.retested"
    passed: bool
    evidence_kind: str


@register
@dataclass(frozen=True, kw_only=True)
class FindingClosed(_FindingEvent):
    type: ClassVar[str] = "reviews.finding.closed"
    evidence_kind: str


@register
@dataclass(frozen=True, kw_only=True)
class FindingAccepted(_FindingEvent):
    """Somebody with the policy's role signed for the risk that is left."""

    type: ClassVar[str] = "reviews.finding.accepted"
    role: str
    method: str
    signer: str
    signer_name: Personal


@register
@dataclass(frozen=True, kw_only=True)
class FindingReopened(_FindingEvent):
    type: ClassVar[str] = "reviews.finding.reopened"
