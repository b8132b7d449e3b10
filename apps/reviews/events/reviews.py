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
    """`wanted_by` is the day by which the submitter would like it to be there; empty if she named none."""

    type: ClassVar[str] = "reviews.review.submitted"
    schema: ClassVar[int] = 2
    targets: list[str]
    policy: str
    policy_digest: str
    justification: str
    wanted_by: str


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
    """A signature. `on_behalf_of` is who gave her the role, where she signs under a delegation; else empty. `envelope` is
    the digest of the site's own signature around it."""

    type: ClassVar[str] = "reviews.decision.recorded"
    schema: ClassVar[int] = 3
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
    on_behalf_of: str
    envelope: str


@register
@dataclass(frozen=True, kw_only=True)
class ReviewClosed(_ReviewEvent):
    """`status` is rejected, withdrawn or promoted."""

    type: ClassVar[str] = "reviews.review.closed"
    status: str
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class ReviewExpired(_ReviewEvent):
    """It waited for `days` days after its newest round, of which `moment` was the end, and is closed."""

    type: ClassVar[str] = "reviews.review.expired"
    round: int
    number: int
    days: int
    moment: str


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


@dataclass(frozen=True, kw_only=True)
class _WaiverEvent(Event):
    waiver: int
    version: int
    model: int
    requirement: str

    def subject(self) -> str:
        return f"waiver:{self.waiver}"

    def scopes(self) -> tuple[str, ...]:
        return (f"version:{self.version}", f"model:{self.model}")


@register
@dataclass(frozen=True, kw_only=True)
class WaiverGranted(_WaiverEvent):
    """One requirement of one version need not hold up to and including the day `until`."""

    type: ClassVar[str] = "reviews.waiver.granted"
    until: str
    statement_digest: str
    role: str
    method: str
    signer: str
    signer_name: Personal


@register
@dataclass(frozen=True, kw_only=True)
class WaiverRevoked(_WaiverEvent):
    type: ClassVar[str] = "reviews.waiver.revoked"
    reason: str


@register
@dataclass(frozen=True, kw_only=True)
class CommentAdded(_ReviewEvent):
    """`digest` is the SHA-256 of the comment's words, which the ledger does not hold."""

    type: ClassVar[str] = "reviews.comment.added"
    thread: int
    section: str
    finding: int | None
    comment: int
    digest: str


@register
@dataclass(frozen=True, kw_only=True)
class CommentEdited(_ReviewEvent):
    """Its author gave a comment other words, before anybody had signed; `number` is that of the revision."""

    type: ClassVar[str] = "reviews.comment.edited"
    thread: int
    comment: int
    number: int
    digest: str


@register
@dataclass(frozen=True, kw_only=True)
class CommentMentioned(_ReviewEvent):
    """These people, who may see the review, were called by name."""

    type: ClassVar[str] = "reviews.comment.mentioned"
    thread: int
    comment: int
    people: list[int]

    def scopes(self) -> tuple[str, ...]:
        return (
            f"review:{self.review}",
            f"version:{self.version}",
            f"model:{self.model}",
            *(f"user:{pk}" for pk in self.people),
        )


@register
@dataclass(frozen=True, kw_only=True)
class ThreadResolved(_ReviewEvent):
    type: ClassVar[str] = "reviews.thread.resolved"
    thread: int
    mark: int


@register
@dataclass(frozen=True, kw_only=True)
class ThreadReopened(_ReviewEvent):
    type: ClassVar[str] = "reviews.thread.reopened"
    thread: int
    mark: int
