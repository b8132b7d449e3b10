"""Findings, waivers, discussion, independence, changes of models and policies, notices: as the API tells them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes.common import Json, Person, person
from apps.notices import wording
from apps.notices.models import Notice
from apps.reviews.models import (
    Conflict,
    Delegation,
    Finding,
    FindingEntry,
    FindingState,
    ModelChange,
    PolicyChange,
    PolicyVersion,
    Severity,
    Waiver,
)
from apps.reviews.policies import files
from apps.reviews.policies.document import parse
from apps.reviews.reads import delegations, findings, independence, waivers
from apps.reviews.reads.discussion import CommentView, ThreadView
from apps.reviews.reads.simulations import Changes, Simulation


class EntryShape(serializers.Serializer[Any]):
    """One thing that happened to a finding."""

    number = serializers.IntegerField()
    kind = serializers.CharField()
    text = serializers.CharField()
    evidence_kind = serializers.CharField()
    evidence = serializers.CharField()
    by = Person()
    at = serializers.DateTimeField()
    digest = serializers.CharField(help_text="SHA-256 of the entry's statement, in the ledger.")


class FindingShape(serializers.Serializer[Any]):
    """Something wrong with one version. `history` is empty in lists."""

    id = serializers.IntegerField()
    key = serializers.CharField(help_text="Unique within its version.")
    model = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    text = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    clause = serializers.CharField()
    reproduction = serializers.CharField()
    owner = Person()
    due = serializers.DateField()
    overdue = serializers.BooleanField()
    blocking = serializers.BooleanField()
    state = serializers.ChoiceField(choices=FindingState.choices)
    raised_by = Person()
    raised_at = serializers.DateTimeField()
    history = EntryShape(many=True)


class FindingList(serializers.Serializer[Any]):
    """The findings of a version, what is open first."""

    items = FindingShape(many=True)


class WaiverShape(serializers.Serializer[Any]):
    """One requirement put aside by signature."""

    id = serializers.IntegerField()
    requirement = serializers.CharField()
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=["in_force", "expired", "revoked"])
    until = serializers.DateTimeField()
    signed_by = Person()
    role = serializers.CharField()
    statement_digest = serializers.CharField()
    signed_at = serializers.DateTimeField()


class WaiverList(serializers.Serializer[Any]):
    """Every waiver of a version, newest first."""

    items = WaiverShape(many=True)


class CommentShape(serializers.Serializer[Any]):
    """A comment as it reads now."""

    id = serializers.IntegerField()
    by = Person()
    text = serializers.CharField()
    at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    editable = serializers.BooleanField()


class ThreadShape(serializers.Serializer[Any]):
    """A question with its answers."""

    id = serializers.IntegerField()
    section = serializers.CharField()
    finding = serializers.IntegerField(allow_null=True)
    resolved = serializers.BooleanField()
    comments = CommentShape(many=True)


class ThreadList(serializers.Serializer[Any]):
    """The discussion of a review, oldest thread first."""

    items = ThreadShape(many=True)


class DelegationShape(serializers.Serializer[Any]):
    """Who may sign for whom, as what, where and until when."""

    id = serializers.IntegerField()
    delegator = Person()
    delegate = Person()
    role = serializers.CharField()
    scope = serializers.CharField(help_text="`review:7`, `model:3` or `team:1`.")
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=["in_force", "ended", "expired"])
    ends_at = serializers.DateTimeField()


class DelegationList(serializers.Serializer[Any]):
    """What one gave and was given, newest first."""

    items = DelegationShape(many=True)


class ConflictShape(serializers.Serializer[Any]):
    """A declared conflict of interest."""

    id = serializers.IntegerField()
    person = Person()
    review = serializers.IntegerField(allow_null=True, help_text="Null: in the whole model.")
    reason = serializers.CharField()
    declared_by = Person()
    at = serializers.DateTimeField()
    stands = serializers.BooleanField()


class ConflictList(serializers.Serializer[Any]):
    """Every declaration in a model, newest first."""

    items = ConflictShape(many=True)


class ModelChangeShape(serializers.Serializer[Any]):
    """A change of how a model stands, which somebody else signs."""

    id = serializers.IntegerField()
    key = serializers.CharField()
    model = serializers.CharField()
    loosens = serializers.ListField(child=serializers.CharField())
    reason = serializers.CharField()
    status = serializers.CharField()
    digest = serializers.CharField(help_text="What is signed.")
    proposed_by = Person()
    at = serializers.DateTimeField()


class ModelChangeList(serializers.Serializer[Any]):
    """The changes of a model, newest first."""

    items = ModelChangeShape(many=True)


class PolicyShape(serializers.Serializer[Any]):
    """One version of a policy; `yaml` is the document as people write it."""

    key = serializers.CharField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    digest = serializers.CharField()
    in_force = serializers.BooleanField()
    yaml = serializers.CharField()


class PolicyList(serializers.Serializer[Any]):
    """Versions of policies."""

    items = PolicyShape(many=True)


class PolicyChangeShape(serializers.Serializer[Any]):
    """A proposal to change a policy."""

    id = serializers.IntegerField()
    policy = serializers.CharField()
    version = serializers.IntegerField(allow_null=True, help_text="Null: to retire it.")
    replaces = serializers.IntegerField(allow_null=True)
    loosens = serializers.ListField(child=serializers.CharField())
    needed = serializers.IntegerField(help_text="How many must sign.")
    signed = serializers.IntegerField()
    reason = serializers.CharField()
    status = serializers.CharField()
    effective_at = serializers.DateTimeField(allow_null=True)
    digest = serializers.CharField(help_text="What is signed.")
    proposed_by = Person()
    at = serializers.DateTimeField()


class PolicyChangeList(serializers.Serializer[Any]):
    """The newest proposals."""

    items = PolicyChangeShape(many=True)


class CaseShape(serializers.Serializer[Any]):
    """A past review, or a version in use, that would come out differently."""

    what = serializers.CharField(help_text="`review` or `version`.")
    id = serializers.IntegerField()
    name = serializers.CharField()
    ended = serializers.CharField()
    targets = serializers.ListField(child=serializers.CharField())
    reasons = serializers.ListField(child=serializers.CharField())


class CasesShape(serializers.Serializer[Any]):
    """`total` in all; `items` tells those that are told one by one and that the caller may see, `hidden` are not told."""

    total = serializers.IntegerField()
    hidden = serializers.IntegerField()
    items = CaseShape(many=True)


class SimulationShape(serializers.Serializer[Any]):
    """What a proposed policy would have changed. `current` is false once something else is in force."""

    digest = serializers.CharField(help_text="Signatures name it.")
    current = serializers.BooleanField()
    reviews = serializers.IntegerField(help_text="How many past reviews were replayed.")
    versions = serializers.IntegerField(help_text="How many versions in use were judged.")
    blocked = CasesShape()
    let_through = CasesShape()
    asked = CasesShape()
    unreadable = serializers.ListField(child=serializers.CharField())
    at = serializers.DateTimeField()


class NoticeShape(serializers.Serializer[Any]):
    """Something one was told."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    read = serializers.BooleanField()
    event = serializers.IntegerField(help_text="Its place in the ledger.")
    at = serializers.DateTimeField()


class NoticeList(serializers.Serializer[Any]):
    """One's newest notices, unread first."""

    items = NoticeShape(many=True)


def entry(row: FindingEntry) -> Json:
    return {
        "number": row.number,
        "kind": row.kind,
        "text": row.text,
        "evidence_kind": row.evidence_kind,
        "evidence": row.evidence,
        "by": person(row.user),
        "at": row.created_at,
        "digest": row.digest,
    }


def finding(row: Finding, history: list[FindingEntry] | None = None) -> Json:
    return {
        "id": row.pk,
        "key": row.key,
        "model": row.version.model.name,
        "version": row.version.number,
        "title": row.title,
        "text": row.text,
        "severity": row.severity,
        "clause": row.clause,
        "reproduction": row.reproduction,
        "owner": person(row.owner),
        "due": row.due,
        "overdue": findings.is_overdue(row),
        "blocking": row.blocking,
        "state": row.state,
        "raised_by": person(row.raised_by),
        "raised_at": row.created_at,
        "history": [entry(each) for each in history or ()],
    }


def waiver(row: Waiver) -> Json:
    return {
        "id": row.pk,
        "requirement": row.requirement,
        "reason": row.reason,
        "state": waivers.standing(row).state,
        "until": row.expires_at,
        "signed_by": person(row.user),
        "role": row.role,
        "statement_digest": row.statement_digest,
        "signed_at": row.created_at,
    }


def _comment(view: CommentView) -> Json:
    return {
        "id": view.comment.pk,
        "by": person(view.comment.author),
        "text": view.text,
        "at": view.comment.created_at,
        "edited_at": view.edited_at,
        "editable": view.editable,
    }


def thread(view: ThreadView) -> Json:
    return {
        "id": view.thread.pk,
        "section": view.thread.section,
        "finding": view.thread.finding_id,
        "resolved": view.resolved is not None,
        "comments": [_comment(each) for each in view.comments],
    }


def delegation(row: Delegation) -> Json:
    return {
        "id": row.pk,
        "delegator": person(row.delegator),
        "delegate": person(row.delegate),
        "role": row.role,
        "scope": delegations.scope_of(row),
        "reason": row.reason,
        "state": delegations.stand(row).state,
        "ends_at": row.ends_at,
    }


def conflict(row: Conflict) -> Json:
    return {
        "id": row.pk,
        "person": person(row.person),
        "review": row.review_id,
        "reason": row.reason,
        "declared_by": person(row.declared_by),
        "at": row.created_at,
        "stands": independence.stands(row),
    }


def model_change(row: ModelChange) -> Json:
    return {
        "id": row.pk,
        "key": str(row),
        "model": row.model.name,
        "loosens": row.loosens,
        "reason": row.reason,
        "status": row.status,
        "digest": row.digest,
        "proposed_by": person(row.proposed_by),
        "at": row.proposed_at,
    }


def policy(row: PolicyVersion, *, in_force: bool) -> Json:
    return {
        "key": row.key,
        "number": row.number,
        "title": row.title,
        "digest": row.digest,
        "in_force": in_force,
        "yaml": files.dump(parse(row.document)),
    }


def policy_change(row: PolicyChange) -> Json:
    return {
        "id": row.pk,
        "policy": row.key,
        "version": row.version.number if row.version else None,
        "replaces": row.replaces.number if row.replaces else None,
        "loosens": row.loosens,
        "needed": row.needed,
        "signed": sum(each.approves for each in row.signatures.all()),
        "reason": row.reason,
        "status": row.status,
        "effective_at": row.effective_at,
        "digest": row.digest,
        "proposed_by": person(row.proposed_by),
        "at": row.proposed_at,
    }


def simulation(found: Simulation) -> Json:
    return {
        "digest": found.row.digest,
        "current": found.is_current,
        "reviews": found.reviews,
        "versions": found.versions,
        "blocked": _cases(found.blocked),
        "let_through": _cases(found.let_through),
        "asked": _cases(found.asked),
        "unreadable": found.unreadable,
        "at": found.row.created_at,
    }


def _cases(found: Changes) -> Json:
    items = [
        {
            "what": each.what,
            "id": each.pk,
            "name": each.label,
            "ended": each.ended,
            "targets": each.targets,
            "reasons": each.reasons,
        }
        for each in found.seen
    ]
    return {"total": found.total, "hidden": found.hidden, "items": items}


def notice(row: Notice) -> Json:
    said = wording.words(row)
    return {
        "id": row.pk,
        "kind": row.kind,
        "title": said.title,
        "text": said.text,
        "read": not row.is_unread,
        "event": row.event_seq,
        "at": row.created_at,
    }
