"""Raise a finding, answer it, re-test, close, accept what is left of the risk, re-open.

Each act, in one transaction: lock model, version, finding; the state allows it; the actor may at this moment;
whoever judges made no part of the version and did not answer the finding; the entry with its statement; the
ledger's event with the statement's digest. Raising takes the version's lock, as a promotion does: one of the two
comes first, wholly.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.accounts.services import ReauthProof
from apps.audits.log import verb
from apps.core import canonical, clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version
from apps.reviews.events import reviews as events
from apps.reviews.models import (
    POSSIBLE_FROM,
    EntryKind,
    Finding,
    FindingEntry,
    FindingState,
    Review,
    Severity,
)
from apps.reviews.reads import findings
from apps.reviews.services import wording

STATEMENT = "countersign.finding.v1"
FURTHEST = dt.timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFinding:
    """What is wrong, how grave it is, who is to answer by when. `clause`: of which policy or law."""

    title: str
    text: str
    severity: str
    owner_id: int
    due: dt.date
    blocking: bool
    clause: str = ""
    reproduction: str = ""


def raise_finding(
    actor: Actor, version: ModelVersion, new: NewFinding, *, review: Review | None = None
) -> Finding:
    """Record what is wrong with a version; it lives on with the version whatever becomes of the review.

    Refuses: an actor without finding.raise, an owner who may not see the model, a due date in the past, a link
    that is not http(s), a closed review or one of another version. Voids nothing that was signed.
    """
    policy.require(actor, "finding.raise", version)
    values = _values(new)
    with verb(actor) as v:
        version = lock_version(version.pk)
        policy.require_fresh(actor, "finding.raise", version)
        row = Finding.objects.create(
            version=version,
            review=_require_review(version, review),
            number=version.findings.count() + 1,
            owner=_require_owner(version, new.owner_id),
            raised_by_id=_person(actor).pk,
            created_at=clock.now(),
            **values,
        )
        entry = _write(row, EntryKind.RAISED, _person(actor), text=row.text, extra=_found(row))
        v.record(
            events.FindingRaised(
                **_about(row, entry),
                severity=row.severity,
                blocking=row.blocking,
                owner=str(row.owner.uuid),
                due=row.due.isoformat(),
            )
        )
    return row


def respond(actor: Actor, finding: Finding, *, text: str, evidence: str = "") -> FindingEntry:
    """Answer a finding, with evidence or without. For its owner, and for whoever may submit the version."""
    text = wording.text(text, "text")
    kind, value = wording.evidence(actor, finding.version, evidence, "evidence")
    with verb(actor) as v:
        row = _locked(actor, finding, EntryKind.RESPONDED)
        if actor.user_id != row.owner_id:
            policy.require_fresh(actor, "review.submit", row)
        entry = _write(row, EntryKind.RESPONDED, _person(actor), text=text, evidence=(kind, value))
        v.record(events.FindingResponded(**_about(row, entry), evidence_kind=kind))
    return entry


def retest(
    actor: Actor, finding: Finding, *, passed: bool, text: str, evidence: str = ""
) -> FindingEntry:
    """Say what testing the answer gave. For somebody with a signing role who is no author and did not answer."""
    text = wording.text(text, "text")
    kind, value = wording.evidence(actor, finding.version, evidence, "evidence")
    act = EntryKind.RETEST_PASSED if passed else EntryKind.RETEST_FAILED
    with verb(actor) as v:
        row = _locked(actor, finding, act)
        _require_judge(actor, row, act)
        entry = _write(row, act, _person(actor), text=text, evidence=(kind, value))
        event = events.FindingRetested(**_about(row, entry), passed=passed, evidence_kind=kind)
        v.record(event)
    return entry


def close_finding(actor: Actor, finding: Finding, *, text: str, evidence: str) -> FindingEntry:
    """Close what passed its re-test, pointing at the evidence. Refuses whom `retest` refuses, and no evidence."""
    text = wording.text(text, "text")
    kind, value = wording.evidence(actor, finding.version, evidence, "evidence")
    if not kind:
        problem = "A finding is closed with evidence: a measurement, a run or an address."
        raise Invalid("Evidence is missing.", fields={"evidence": problem})
    with verb(actor) as v:
        row = _locked(actor, finding, EntryKind.CLOSED)
        _require_judge(actor, row, EntryKind.CLOSED)
        entry = _write(row, EntryKind.CLOSED, _person(actor), text=text, evidence=(kind, value))
        v.record(events.FindingClosed(**_about(row, entry), evidence_kind=kind))
    return entry


def accept_risk(actor: Actor, finding: Finding, *, reason: str, proof: ReauthProof) -> FindingEntry:
    """Sign for the risk that is left: the finding stays, and blocks no more.

    Refuses: another role than the policy names, an author, whoever answered it, a stale or foreign proof.
    """
    reason = wording.text(reason, "reason")
    proof.require_for(actor)
    with verb(actor) as v:
        row = _locked(actor, finding, EntryKind.ACCEPTED)
        _require_judge(actor, row, EntryKind.ACCEPTED)
        person, role = _person(actor), ",".join(findings.residual_risk_roles(row.version))
        entry = _write(row, EntryKind.ACCEPTED, person, text=reason, signed=_Signature(role, proof))
        v.record(
            events.FindingAccepted(
                **_about(row, entry),
                role=role,
                method=proof.method,
                signer=str(person.uuid),
                signer_name=str(person),
            )
        )
    return entry


def reopen(actor: Actor, finding: Finding, *, reason: str) -> FindingEntry:
    """Ask again about a closed finding or an accepted risk. For whoever may raise one."""
    reason = wording.text(reason, "reason")
    with verb(actor) as v:
        row = _locked(actor, finding, EntryKind.REOPENED)
        policy.require_fresh(actor, "finding.raise", row)
        entry = _write(row, EntryKind.REOPENED, _person(actor), text=reason)
        v.record(events.FindingReopened(**_about(row, entry)))
    return entry


def _values(new: NewFinding) -> dict[str, Any]:
    """The checked columns of a new finding."""
    if new.severity not in Severity.values:
        raise Invalid("Unknown severity.", fields={"severity": "Choose one of the list."})
    today = clock.now().date()
    if not today <= new.due <= today + FURTHEST:
        problem = "Today or later, and within five years."
        raise Invalid("The due date cannot be.", fields={"due": problem})
    return {
        "title": wording.line(new.title, "title"),
        "text": wording.text(new.text, "text"),
        "severity": new.severity,
        "clause": wording.line(new.clause, "clause", required=False),
        "reproduction": wording.link(new.reproduction, "reproduction"),
        "due": new.due,
        "blocking": new.blocking,
    }


def _require_review(version: ModelVersion, review: Review | None) -> Review | None:
    if review is None:
        return None
    if review.version_id != version.pk:
        raise Conflict(f"{review.key} is not about {version}.")
    current = Review.objects.get(pk=review.pk)
    if not current.state.is_active:
        raise Conflict(
            f"{review.key} is {current.state.label.lower()}.",
            hint=f"Raise the finding on the page of {version} itself.",
        )
    return current


def _require_owner(version: ModelVersion, owner_id: int) -> User:
    owner = findings.possible_owners(version).filter(pk=owner_id).first()
    if owner is None:
        problem = f"Somebody who may see {version.model.name}."
        raise Invalid("This person cannot own the finding.", fields={"owner": problem})
    return owner


def _person(actor: Actor) -> User:
    if actor.user_id is None:
        raise Forbidden("Findings are the business of people.")
    return accounts.get_user(actor.user_id)


def _locked(actor: Actor, finding: Finding, kind: EntryKind) -> Finding:
    """The finding's row, locked, if its state allows the act and the actor may see it."""
    policy.require(actor, "review.read", finding)
    version = lock_version(finding.version_id)
    row = Finding.objects.select_for_update(of=("self",)).get(pk=finding.pk)
    row.version = version
    state = FindingState(row.state)
    if state not in POSSIBLE_FROM[kind]:
        asked = " or ".join(each.label.lower() for each in POSSIBLE_FROM[kind])
        raise Conflict(
            f"{row.key} is {state.label.lower()}; this takes one that is {asked}.",
            hint="Look at its history.",
        )
    return row


def _require_judge(actor: Actor, row: Finding, kind: EntryKind) -> None:
    """The right and a signing role at this moment, and independence from what is judged."""
    fresh = actor
    for right in findings.rights_for(row, kind):
        fresh = policy.require_fresh(actor, right, row)
    if not findings.signs(policy.verbs_on(fresh, row)):
        raise Forbidden(
            f"{actor.label} signs in no role here; whoever judges a finding does.",
            hint="Whoever administers people does not sign.",
        )
    obstacle = findings.not_independent(actor, row)
    if obstacle:
        raise Forbidden(
            obstacle,
            hint="Authors are computed from who wrote the run, files, data, uploaded results and card.",
        )


@dataclass(frozen=True, slots=True)
class _Signature:
    role: str
    proof: ReauthProof


def _write(
    row: Finding,
    kind: EntryKind,
    person: User,
    *,
    text: str,
    evidence: tuple[str, str] = ("", ""),
    signed: _Signature | None = None,
    extra: dict[str, Any] | None = None,
) -> FindingEntry:
    """The next entry with its statement, and the state it leads to."""
    now = clock.now()
    number = row.entries.count() + 1
    columns: dict[str, Any] = {
        "number": number,
        "kind": kind.value,
        "text": text,
        "evidence_kind": evidence[0],
        "evidence": evidence[1],
        "role": signed.role if signed else "",
        "method": signed.proof.method if signed else "",
    }
    statement = canonical.dumps(
        {
            "type": STATEMENT,
            "finding": row.pk,
            "finding_number": row.number,
            "model": row.version.model.name,
            "version": row.version.number,
            "manifest_digest": row.version.manifest_digest,
            "person": str(person.uuid),
            "at": now.isoformat(),
            "reauthenticated_at": signed.proof.at.isoformat() if signed else None,
            **columns,
            **(extra or {}),
        }
    )
    entry = FindingEntry.objects.create(
        finding=row,
        user=person,
        reauthenticated_at=signed.proof.at if signed else None,
        statement=statement,
        digest=canonical.digest(statement),
        created_at=now,
        **columns,
    )
    row.state = kind.leads_to
    row.save(update_fields=["state"])
    return entry


def _found(row: Finding) -> dict[str, Any]:
    """What the first statement says of the finding itself."""
    return {
        "title": row.title,
        "severity": row.severity,
        "clause": row.clause,
        "reproduction": row.reproduction,
        "owner": str(row.owner.uuid),
        "due": row.due.isoformat(),
        "blocking": row.blocking,
        "review": row.review_id,
    }


def _about(row: Finding, entry: FindingEntry) -> dict[str, Any]:
    """What every event of a finding says."""
    return {
        "finding": row.pk,
        "number": row.number,
        "version": row.version_id,
        "model": row.version.model_id,
        "review": row.review_id,
        "entry": entry.pk,
        "digest": entry.digest,
    }
