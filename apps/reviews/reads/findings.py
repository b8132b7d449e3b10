"""Reads of findings: what is open, what blocks, who may do what next and why not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Case, IntegerField, QuerySet, Value, When

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.policy import who_may
from apps.accounts.verbs import is_signing, right_of
from apps.checks.models import Measurement
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.canonical import JSON
from apps.core.errors import Conflict, Forbidden, NotFound
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.reviews import evidence
from apps.reviews.in_force import document_over
from apps.reviews.models import (
    POSSIBLE_FROM,
    SETTLED,
    EntryKind,
    EvidenceKind,
    Finding,
    FindingEntry,
    FindingState,
    Outcome,
    Review,
    Round,
    Severity,
)

RETESTS = (EntryKind.RETEST_PASSED, EntryKind.RETEST_FAILED)
# Acts by which somebody independent judges what was answered.
JUDGING = (*RETESTS, EntryKind.CLOSED, EntryKind.ACCEPTED)
_OWN = "You made part of this version, so somebody else must judge what was done about it."
_ANSWERED = "You answered this finding, so somebody else must judge the answer."


def residual_risk_roles(version: ModelVersion) -> tuple[str, ...]:
    """The roles, all of which somebody holds who accepts what is left of a risk, by signature."""
    return document_over(version).findings.residual_risk_roles


def authors_of(version: ModelVersion) -> set[int]:
    """Everybody who made part of the version, as of now and as of every round of it: none of them judges it."""
    found = set(evidence.authors(version, version.created_by_id))
    found.update(Review.objects.filter(version=version).values_list("submitted_by_id", flat=True))
    for ids in Round.objects.filter(review__version=version).values_list("authors", flat=True):
        found.update(ids)
    return found


def possible_owners(version: ModelVersion) -> QuerySet[User]:
    """The people who may see the version and so can be asked to answer."""
    return who_may("review.read", version).filter(kind=User.Kind.HUMAN)


def _rows() -> QuerySet[Finding]:
    return Finding.objects.select_related("version__model", "review", "owner", "raised_by")


def get_finding(actor: Actor, pk: int) -> Finding:
    """One finding; NotFound if there is none or its model is out of the actor's sight."""
    row = _rows().filter(pk=pk, version__deleted_at__isnull=True).first()
    if row is None or not policy.can(actor, "review.read", row):
        raise NotFound("No such finding.")
    return row


def findings_of(version: ModelVersion) -> list[Finding]:
    """Every finding about a version: what is open first, the gravest first."""
    rows = _rows().filter(version=version)
    return sorted(rows, key=lambda row: (row.is_settled, Severity(row.severity).rank, row.number))


def open_findings(version: ModelVersion) -> list[Finding]:
    """The findings of a version that are neither closed nor accepted, the gravest first."""
    return [row for row in findings_of(version) if not row.is_settled]


@dataclass(frozen=True, slots=True)
class Open:
    """The open findings of a version, as a signature counts them. `digest` changes with any of them."""

    keys: tuple[str, ...]
    blocking: int
    digest: str

    @property
    def total(self) -> int:
        return len(self.keys)

    @property
    def sentence(self) -> str:
        """`2 open non-blocking findings`, `1 open non-blocking and 1 blocking finding`; "no open finding"."""
        free, noun = self.total - self.blocking, "finding" if self.total == 1 else "findings"
        if not self.total:
            return "no open finding"
        if not self.blocking:
            return f"{free} open non-blocking {noun}"
        if not free:
            return f"{self.blocking} open blocking {noun}"
        return f"{free} open non-blocking and {self.blocking} blocking {noun}"

    def meaning(self, outcome: Outcome) -> str:
        """The meaning of a signature that is given now: an approval says with how many open findings."""
        if outcome is not Outcome.APPROVE or not self.total:
            return outcome.meaning
        return f"{outcome.meaning} with {self.sentence}"


def counted(rows: Sequence[Finding]) -> Open:
    """What `open_findings` returned, as somebody sees it who is about to sign."""
    standing: list[JSON] = [
        [row.key, row.severity, row.blocking] for row in sorted(rows, key=lambda row: row.number)
    ]
    return Open(
        tuple(row.key for row in sorted(rows, key=lambda row: row.number)),
        sum(row.blocking for row in rows),
        canonical.digest_of(standing),
    )


def as_shown(version: ModelVersion, shown: str) -> Open:
    """The findings open now, for a signature. With the version locked nobody raises or settles one meanwhile.

    Conflict where others are open than the signer was shown; an empty `shown` compares nothing.
    """
    found = counted(open_findings(version))
    if shown and shown != found.digest:
        raise Conflict(
            f"The findings changed while you read: there is {found.sentence} now.",
            hint="Look at the findings, then sign again.",
        )
    return found


def history(finding: Finding) -> list[FindingEntry]:
    """Everything that happened to a finding, oldest first, with the people."""
    return list(finding.entries.select_related("user").order_by("number"))


def measured(entries: Sequence[FindingEntry]) -> list[Measurement]:
    """The measurements that these entries point at, with their versions, in one query."""
    wanted = [row.evidence for row in entries if row.evidence_kind == EvidenceKind.MEASUREMENT]
    rows = Measurement.objects.filter(uuid__in=wanted).select_related("version__model")
    return list(rows.defer("statistics", "result"))


def responders(finding: Finding) -> set[int]:
    """Who ever answered it."""
    rows = finding.entries.filter(kind=EntryKind.RESPONDED)
    return set(rows.values_list("user_id", flat=True))


def rights_for(finding: Finding, kind: EntryKind) -> tuple[str, ...]:
    """The rights that an act takes, all of them."""
    if kind is EntryKind.ACCEPTED:
        return tuple(right_of(role) for role in residual_risk_roles(finding.version))
    other = {EntryKind.RESPONDED: "review.submit", EntryKind.REOPENED: "finding.raise"}
    return (other.get(kind, "finding.close"),)


@dataclass(frozen=True, slots=True)
class Possible:
    """What may happen to a finding next: the acts of this reader, and why not the others, in sentences."""

    may: tuple[EntryKind, ...]
    why_not: tuple[str, ...]


def possible(actor: Actor, finding: Finding) -> Possible:
    """What this actor may do with the finding as it stands."""
    state = FindingState(finding.state)
    verbs = policy.verbs_on(actor, finding)
    open_acts = [kind for kind, states in POSSIBLE_FROM.items() if state in states]
    judge = [kind for kind in open_acts if kind in JUDGING]
    obstacle = not_independent(actor, finding) if judge else ""
    may, why = [], []
    for kind in open_acts:
        if not _holds(actor, finding, kind, verbs):
            continue
        if kind in JUDGING and obstacle:
            why.append(obstacle)
        else:
            may.append(kind)
    return Possible(tuple(may), tuple(dict.fromkeys(why)))


def _holds(actor: Actor, finding: Finding, kind: EntryKind, verbs: Collection[str]) -> bool:
    if kind is EntryKind.RESPONDED and actor.user_id == finding.owner_id:
        return True
    if not set(rights_for(finding, kind)) <= set(verbs):
        return False
    return kind not in JUDGING or signs(verbs)


def signs(verbs: Collection[str]) -> bool:
    """Whether these rights hold a signing role."""
    return any(is_signing(verb) for verb in verbs)


def require(actor: Actor, finding: Finding, kind: EntryKind) -> None:
    """Refuse what the services would refuse, before anybody fills in a form: the right first, then the state."""
    if _holds(actor, finding, kind, policy.verbs_on(actor, finding)):
        obstacle = not_independent(actor, finding) if kind in JUDGING else ""
        if obstacle:
            raise Forbidden(obstacle)
    else:
        for right in rights_for(finding, kind):
            policy.require(actor, right, finding)
        raise Forbidden(f"{actor.label} signs in no role here.")
    state = FindingState(finding.state)
    if state not in POSSIBLE_FROM[kind]:
        raise Conflict(f"{finding.key} is {state.label.lower()}: look at its history.")


def not_independent(actor: Actor, finding: Finding) -> str:
    """Why this actor cannot judge the finding's answer, in a sentence; "" for somebody independent."""
    if actor.user_id in authors_of(finding.version):
        return _OWN
    return _ANSWERED if actor.user_id in responders(finding) else ""


@dataclass(frozen=True, slots=True)
class Ageing:
    """What is open on somebody's name: hers to answer, and raised by her. Overdue first."""

    owned: Sequence[Finding]
    raised: Sequence[Finding]
    today: dt.date


def ageing(actor: Actor, *, limit: int = 20) -> Ageing:
    """The open findings that the actor owns, and those that she raised and others own."""
    today = clock.now().date()
    if actor.user_id is None:
        return Ageing((), (), today)
    grave = Case(
        *[When(severity=each.value, then=Value(each.rank)) for each in Severity],
        output_field=IntegerField(),
    )
    rows = (
        _rows()
        .filter(version__model__in=registry.visible_models(actor))
        .filter(version__deleted_at__isnull=True)
        .exclude(state__in=SETTLED)
        .order_by("due", grave, "pk")
    )
    owned = rows.filter(owner_id=actor.user_id)[:limit]
    raised = rows.filter(raised_by_id=actor.user_id).exclude(owner_id=actor.user_id)[:limit]
    return Ageing(list(owned), list(raised), today)


def is_overdue(finding: Finding) -> bool:
    """Whether its due date has passed while it is open."""
    return not finding.is_settled and finding.due < clock.now().date()
