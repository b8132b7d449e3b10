"""Reviews: what was asked, on which evidence, who signed, who is asked."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes import addresses
from apps.api.v1.shapes.common import Json, Person, PolicyRef, person, policy_ref
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.reviews import selectors as reviews
from apps.reviews.models import Decision, Outcome, Recusal, Review, ReviewStatus, Round
from apps.reviews.reads import independence
from apps.reviews.selectors import Asked


class ReviewSummary(serializers.Serializer[Any]):
    """A review in a list."""

    id = serializers.IntegerField()
    key = serializers.CharField(help_text="As people say it: `REV-7`.")
    model = serializers.CharField()
    version = serializers.IntegerField()
    targets = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(choices=ReviewStatus.choices)
    submitted_by = Person()
    wanted_by = serializers.DateField(
        allow_null=True,
        help_text="The day (UTC) by which the submitter would like it to be there.",
    )
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    signed = serializers.IntegerField(help_text="Signatures that count now.")
    needed = serializers.IntegerField(help_text="Signatures that the policy asks for.")
    policy = PolicyRef()
    url = serializers.CharField()


class RoundShape(serializers.Serializer[Any]):
    """One immutable round of evidence."""

    number = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the manifest's bytes; what is signed.")
    manifest = serializers.CharField(help_text="Where the manifest's bytes are.")
    live = serializers.BooleanField()
    void_reason = serializers.CharField(help_text="Why it counts no more; empty while it lives.")
    voided_at = serializers.DateTimeField(allow_null=True)
    created_by = Person()
    created_at = serializers.DateTimeField()


class DecisionShape(serializers.Serializer[Any]):
    """A signature: printed name, date and time, meaning (21 CFR 11.50), and what it covers."""

    id = serializers.IntegerField()
    review = serializers.IntegerField()
    round = serializers.IntegerField()
    printed_name = serializers.CharField()
    signer = serializers.UUIDField()
    signed_at = serializers.DateTimeField()
    meaning = serializers.CharField()
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    on_behalf_of = Person(
        allow_null=True, help_text="Who delegated the role to the signer, if somebody did."
    )
    step = serializers.CharField()
    role = serializers.CharField()
    comment = serializers.CharField()
    evidence_digest = serializers.CharField()
    statement_digest = serializers.CharField(help_text="Of the signed statement; in the ledger.")
    method = serializers.CharField(help_text="How the signer identified herself.")
    reauthenticated_at = serializers.DateTimeField()
    void = serializers.BooleanField(help_text="Whether the round behind it is void.")


class StepShape(serializers.Serializer[Any]):
    """One step of the quorum."""

    key = serializers.CharField()
    title = serializers.CharField()
    role = serializers.CharField()
    count = serializers.IntegerField()
    missing = serializers.IntegerField()
    complete = serializers.BooleanField()
    signed_by = serializers.ListField(child=serializers.CharField())
    asked = Person(many=True, help_text="Who may sign it now.")


class Aside(serializers.Serializer[Any]):
    """Somebody who was asked and decides nothing about this review."""

    person = Person()
    reason = serializers.CharField()
    round = serializers.IntegerField(
        help_text="The round it was said in; it holds for later ones too."
    )
    at = serializers.DateTimeField()


class You(serializers.Serializer[Any]):
    """What the caller can do here."""

    open_steps = serializers.ListField(child=serializers.CharField())
    why_not = serializers.CharField(help_text="Why the caller cannot decide now; empty if she can.")


class ReviewShape(ReviewSummary):
    """One review, whole."""

    justification = serializers.CharField()
    note = serializers.CharField()
    rounds = RoundShape(many=True, help_text="Newest first.")
    decisions = DecisionShape(many=True, help_text="Oldest first, void ones too.")
    steps = StepShape(many=True)
    stepped_aside = Aside(many=True)
    you = You()


class EventProof(serializers.Serializer[Any]):
    """An event of the ledger with its proof under a head: the hashes beside its way to the root, RFC 9162."""

    seq = serializers.IntegerField(help_text="Its place in the ledger, from 1.")
    leaf_hash = serializers.CharField(help_text="SHA-256 of 0x00 and the body, hexadecimal.")
    body = serializers.CharField(help_text="The event's canonical bytes, base64.")
    proof = serializers.ListField(
        child=serializers.CharField(), help_text="Inclusion proof, hexadecimal."
    )
    size = serializers.IntegerField(help_text="Of the ledger whose root this is.")
    root_hash = serializers.CharField(help_text="Hexadecimal.")


class ReceiptShape(serializers.Serializer[Any]):
    """A decision, the bytes that were signed, and its place in the ledger (null: none tells of it; verify the ledger)."""

    decision = DecisionShape()
    statement = serializers.CharField(
        help_text="What was signed, canonical JSON; its SHA-256 is `statement_digest`."
    )
    counts = serializers.BooleanField(help_text="False where its round ended: it counts no more.")
    void_reason = serializers.CharField()
    event = EventProof(allow_null=True)


def summary(review: Review) -> Json:
    """Of a review from `list_reviews`: no query of its own."""
    signed, needed = reviews.tally(review)
    return {**_head(review), "signed": signed, "needed": needed}


def _head(review: Review) -> Json:
    return {
        "id": review.pk,
        "key": review.key,
        "model": review.version.model.name,
        "version": review.version.number,
        "targets": review.targets,
        "status": review.status,
        "submitted_by": person(review.submitted_by),
        "wanted_by": review.wanted_by,
        "created_at": review.created_at,
        "closed_at": review.closed_at,
        "policy": policy_ref(review.policy_version),
        "url": addresses.review(review.pk),
    }


def detail(actor: Actor, review: Review) -> Json:
    """The review as this caller may see it."""
    rounds = list(reviews.rounds_of(review))
    asked = reviews.who_is_asked(review)
    needed = sum(each.step.count for each in asked)
    decisions = [row for each in rounds for row in each.decisions.all()]
    by_round = {each.pk: each for each in rounds}
    return {
        **_head(review),
        "signed": needed - sum(each.missing for each in asked),
        "needed": needed,
        "justification": review.justification,
        "note": review.note,
        "rounds": [round_(review, each) for each in rounds],
        "decisions": [
            decision(review, by_round[row.round_id], row)
            for row in sorted(decisions, key=lambda row: row.pk)
        ],
        "steps": [_step(each) for each in asked],
        "stepped_aside": [_aside(row) for row in independence.recusals_of(review)],
        "you": {
            "open_steps": [step.key for step in reviews.open_steps(actor, review)],
            "why_not": reviews.why_not(actor, review),
        },
    }


def round_(review: Review, row: Round) -> Json:
    return {
        "number": row.number,
        "digest": row.digest,
        "manifest": f"/api/v1/reviews/{review.pk}/rounds/{row.number}/manifest",
        "live": row.is_live,
        "void_reason": row.void_reason,
        "voided_at": row.voided_at,
        "created_by": person(row.created_by),
        "created_at": row.created_at,
    }


def receipt(review: Review, row: Decision) -> Json:
    """The decision with its event and the proof of it under the present head."""
    found = reviews.event_of(row)
    return {
        "decision": decision(review, row.round, row),
        "statement": bytes(row.statement).decode(),
        "counts": row.round.is_live,
        "void_reason": row.round.void_reason,
        "event": _proved(found) if found is not None else None,
    }


def _proved(found: EventView) -> Json:
    told = audits.extract([found.seq], reveal=False)
    (event,) = told["events"]
    return {
        "seq": found.seq,
        "leaf_hash": found.leaf_hash,
        "body": event["body"],
        "proof": event["proof"],
        "size": told["size"],
        "root_hash": told["root"],
    }


def decision(review: Review, of: Round, row: Decision) -> Json:
    return {
        "id": row.pk,
        "review": review.pk,
        "round": of.number,
        "printed_name": row.signer_name,
        "signer": row.user.uuid,
        "signed_at": row.created_at,
        "meaning": row.meaning,
        "outcome": row.outcome,
        "on_behalf_of": person(row.on_behalf_of) if row.on_behalf_of else None,
        "step": row.step,
        "role": row.role,
        "comment": row.comment,
        "evidence_digest": row.evidence_digest,
        "statement_digest": row.statement_digest,
        "method": row.method,
        "reauthenticated_at": row.reauthenticated_at,
        "void": not of.is_live,
    }


def _aside(row: Recusal) -> Json:
    return {
        "person": person(row.user),
        "reason": row.reason,
        "round": row.round.number,
        "at": row.created_at,
    }


def _step(asked: Asked) -> Json:
    return {
        "key": asked.step.key,
        "title": asked.step.title,
        "role": asked.step.role,
        "count": asked.step.count,
        "missing": asked.missing,
        "complete": asked.missing == 0,
        "signed_by": [row.signer_name for row in asked.signed],
        "asked": [person(user) for user in asked.people],
    }
