"""The rows of reviews, by subject."""

from apps.reviews.models.discussion import Comment, CommentRevision, Section, Thread, ThreadMark
from apps.reviews.models.drafts import DraftStatus, ReviewDraft
from apps.reviews.models.envelopes import DecisionEnvelope
from apps.reviews.models.findings import (
    POSSIBLE_FROM,
    SETTLED,
    EntryKind,
    EvidenceKind,
    Finding,
    FindingEntry,
    FindingState,
    Severity,
    Waiver,
    WaiverRevocation,
)
from apps.reviews.models.independence import (
    Conflict,
    ConflictWithdrawal,
    Delegation,
    DelegationEnd,
    Recusal,
)
from apps.reviews.models.policies import (
    PENDING,
    ChangeStatus,
    PolicyActivation,
    PolicyChange,
    PolicySignature,
    PolicyVersion,
)
from apps.reviews.models.reminders import Reminder, ReminderKind
from apps.reviews.models.rereview import ALWAYS, DECLARED, Rereview, RereviewTrigger
from apps.reviews.models.reviews import ACTIVE, Decision, Outcome, Review, ReviewStatus, Round
from apps.reviews.models.rollbacks import Rollback, RollbackReview
from apps.reviews.models.simulations import PolicySimulation
from apps.reviews.models.standing import ModelChange, ModelChangeSignature, ModelChangeStatus
from apps.reviews.models.viewing import EvidenceSection, Viewed

__all__ = [
    "ACTIVE",
    "ALWAYS",
    "DECLARED",
    "PENDING",
    "POSSIBLE_FROM",
    "SETTLED",
    "ChangeStatus",
    "Comment",
    "CommentRevision",
    "Conflict",
    "ConflictWithdrawal",
    "Decision",
    "DecisionEnvelope",
    "Delegation",
    "DelegationEnd",
    "DraftStatus",
    "EntryKind",
    "EvidenceKind",
    "EvidenceSection",
    "Finding",
    "FindingEntry",
    "FindingState",
    "ModelChange",
    "ModelChangeSignature",
    "ModelChangeStatus",
    "Outcome",
    "PolicyActivation",
    "PolicyChange",
    "PolicySignature",
    "PolicySimulation",
    "PolicyVersion",
    "Recusal",
    "Reminder",
    "ReminderKind",
    "Rereview",
    "RereviewTrigger",
    "Review",
    "ReviewDraft",
    "ReviewStatus",
    "Rollback",
    "RollbackReview",
    "Round",
    "Section",
    "Severity",
    "Thread",
    "ThreadMark",
    "Viewed",
    "Waiver",
    "WaiverRevocation",
]
