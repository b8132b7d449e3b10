"""The forms that sign, and the receipt of a signature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.accounts import policy
from apps.accounts.verbs import SIGNING_ROLES
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.core.errors import Conflict
from apps.reviews import evidence
from apps.reviews import selectors as reviews
from apps.reviews.models import Decision, Review, Round
from apps.reviews.reads import delegations, findings
from apps.reviews.selectors import Way
from apps.web import addresses, cells, status
from apps.web.pages import decision_box, review_viewed
from apps.web.parts import Crumb, Fact, Notice, PageHeader, SignBox

SIGNING = tuple(f"review.sign.{role}" for role in SIGNING_ROLES)


@dataclass(frozen=True, slots=True)
class DecidePage:
    """`sign` is None where the reader cannot decide now; `cannot` says why and who can."""

    title: str
    sign: SignBox | None
    cannot: Notice | None
    back: str
    back_label: str


def require_a_signing_role(actor: Actor, review: Review) -> None:
    """Forbidden, naming whom to ask, for somebody who signs in no role on this model, nor ever did for anybody else.

    Whose delegation is over is told that by the page.
    """
    if not (
        policy.verbs_on(actor, review).intersection(SIGNING) or delegations.ever_for(actor, review)
    ):
        policy.require(actor, SIGNING[0], review)


def page(actor: Actor, review: Review, *, changed: str = "", step: str = "") -> DecidePage:
    """The signature form of the first step that is open to the actor, or why there is none."""
    reason = reviews.why_not(actor, review)
    round_ = reviews.live_round(review)
    box = None
    if not reason and round_ is not None:
        ways = reviews.ways(actor, review)
        chosen = next((each for each in ways if each.step.key == step), ways[0])
        box = _sign_box(actor, review, round_, chosen, changed, named=bool(step))
    notice = None
    if box is None:
        text = changed if reason in changed else f"{changed} {reason}".strip()
        notice = Notice(text, "warn" if changed else "info", "You cannot decide here now")
    return DecidePage(
        f"Decide on {review.key}", box, notice, addresses.review(review.pk), f"Back to {review.key}"
    )


def _sign_box(
    actor: Actor, review: Review, round_: Round, way: Way, changed: str, *, named: bool
) -> SignBox:
    found = findings.counted(findings.open_findings(review.version))
    step, fields = way.step, {"evidence_digest": round_.digest, "findings": found.digest}
    if named or way.delegation is not None:
        fields["step"] = step.key
    whom = actor.label
    if way.delegation is not None:
        fields["delegation"] = str(way.delegation.pk)
        whom = f"{actor.label} for {way.delegation.delegator}"
    return SignBox(
        title=f"Sign {review.key}",
        statement=statement(review, round_, found),
        digest=round_.digest,
        as_whom=f"{whom}, {step.role}: {step.title.lower()}",
        submit_label="Sign this decision",
        action_url=addresses.review(review.pk, "decide/"),
        cancel_url=addresses.review(review.pk),
        fields=fields,
        changed=changed,
        note=review_viewed.note(actor, review),
    )


def statement(review: Review, round_: Round, found: findings.Open) -> str:
    """The decision in one sentence: what, for where, on which evidence, with how many open findings."""
    manifest = evidence.read(round_)
    verdicts = [(entry["kind"], entry["verdict"]) for entry in manifest["checks"]]
    parts = [decision_box.count_verdicts(verdicts) or "no check demanded", _card(manifest["card"])]
    return (
        f"You decide whether {review.version} may enter {decision_box.in_words(review.target_list)}, on evidence "
        f"{round_.digest[:8]} (round {round_.number}): {', '.join(parts)}, "
        f"with {found.sentence}."
    )


def _card(entry: dict[str, Any] | None) -> str:
    if entry is None:
        return "no model card"
    gaps = len(entry.get("gaps", ()))
    return f"card revision {entry['revision']}" + (f" with {gaps} gaps" if gaps else "")


def what_changed(review: Review, shown: str, error: Conflict) -> str:
    """Why nothing was signed, and what is different now: the form stays and asks again."""
    old, new = reviews.round_shown(review, shown), reviews.live_round(review)
    said = f"Nothing was signed. {error}"
    if old is None or new is None or old.pk == new.pk:
        return said
    different = evidence.between(old, new)
    changed = f"Changed: {', '.join(different)}." if different else "Its contents are the same."
    return f"{said} {changed} The sentence and the digest below are the new ones."


def stepping_aside(actor: Actor, review: Review) -> SignBox:
    """What stepping aside does. Raises what keeps her from it."""
    if refusal := reviews.refusal_to_step_aside(actor, review):
        raise refusal
    return SignBox(
        title=f"Step aside from {review.key}",
        statement=f"You decide nothing about {review.version} in this review, in this round or any later one. That counts "
        "neither for nor against it, and is not undone.",
        digest=review.version.manifest_digest,
        as_whom=actor.label,
        submit_label="Step aside",
        action_url=addresses.review(review.pk, "step-aside/"),
        cancel_url=addresses.review(review.pk),
        danger=True,
        digest_label="Files",
        stays="The reason and your name stay in the record.",
    )


def withdrawal(actor: Actor, review: Review) -> SignBox:
    """What withdrawing does."""
    if not review.state.is_active:
        raise Conflict(f"{review.key} is {review.state.label.lower()} already.")
    decided = review.version.decided
    then = (
        "Somebody has decided about this version, so it stays frozen; a later request starts anew."
        if decided
        else "Nobody has decided anything, so the version, its run and its data open again."
    )
    return SignBox(
        title=f"Withdraw {review.key}",
        statement=f"The request for {review.version} to enter "
        f"{decision_box.in_words(review.target_list)} is taken back. {then}",
        digest=review.version.manifest_digest,
        as_whom=actor.label,
        submit_label="Withdraw the request",
        action_url=addresses.review(review.pk, "withdraw/"),
        cancel_url=addresses.review(review.pk),
        danger=True,
        digest_label="Files",
        stays="The reason and your name stay in the record.",
    )


@dataclass(frozen=True, slots=True)
class RoundQuestion:
    """What a new round would do."""

    title: str
    newer: Sequence[str]
    void: Sequence[str]
    url: str
    back: str


def round_question(review: Review) -> RoundQuestion:
    """What is newer than the live round, and whose signatures a new one would void."""
    if not review.state.is_active:
        raise Conflict(f"{review.key} is {review.state.label.lower()}; ask for a new review.")
    round_ = reviews.live_round(review)
    void = [row.signer_name for row in round_.decisions.order_by("pk")] if round_ else []
    newer = evidence.newer(round_, reviews.document(review)) if round_ else []
    return RoundQuestion(
        f"Make a new round of {review.key}",
        newer,
        void,
        addresses.review(review.pk, "new-round/"),
        addresses.review(review.pk),
    )


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """A signature on one sheet of paper."""

    header: PageHeader
    sentence: str
    comment: str
    signed: Sequence[Fact]
    record: Sequence[Fact]
    void: Notice | None
    statement: str
    statement_digest: str
    seq: int | None


def receipt(actor: Actor, review: Review, decision: Decision) -> ReceiptPage:
    """The decision with its place in the ledger and what it takes to verify it."""
    event = reviews.event_of(decision)
    round_ = decision.round
    void = None
    if not round_.is_live:
        void = Notice(
            f"Round {round_.number} ended: {round_.void_reason}.",
            "warn",
            "This signature counts no more",
        )
    mine = decision.user_id == actor.user_id
    return ReceiptPage(
        header=PageHeader(
            title="Your signature is recorded" if mine else "A recorded signature",
            ref=review.key,
            chips=[status.chip("decision", decision.outcome)],
            crumbs=[
                Crumb("Reviews", "/reviews/"),
                Crumb(review.key, addresses.review(review.pk)),
                Crumb("Receipt"),
            ],
        ),
        sentence=f"{signer(decision)} {_did(decision)} {review.version} for "
        f"{decision_box.in_words(review.target_list)}.",
        comment=decision.comment,
        signed=_signed(decision),
        record=_record(event, decision),
        void=void,
        statement=bytes(decision.statement).decode(),
        statement_digest=decision.statement_digest,
        seq=event.seq if event else None,
    )


def signer(decision: Decision) -> str:
    """Who signed, in her own name, and for whom if she did not sign for herself."""
    other = decision.on_behalf_of
    return decision.signer_name if other is None else f"{decision.signer_name} for {other}"


def _did(decision: Decision) -> str:
    words = {"approve": "approved", "reject": "rejected", "request_changes": "asked for changes to"}
    return words[decision.outcome]


def _signed(decision: Decision) -> list[Fact]:
    return [
        Fact("Meaning", cells.text(decision.meaning)),
        Fact("Signed by", cells.person(signer(decision))),
        Fact("As", cells.text(decision.role, note=f"step {decision.step}")),
        Fact("At", cells.text(f"{decision.created_at:%Y-%m-%d %H:%M:%S} UTC")),
        Fact(
            "Confirmed by",
            cells.text(f"{decision.method}, {decision.reauthenticated_at:%H:%M:%S} UTC"),
        ),
        Fact("Evidence", cells.digest(decision.evidence_digest)),
    ]


def _record(event: EventView | None, decision: Decision) -> list[Fact]:
    facts = [Fact("Statement digest", cells.digest(decision.statement_digest))]
    if event is None:
        missing = cells.missing("no event of the ledger tells of this decision: verify the ledger")
        return [Fact("Event", missing), *facts]
    return [
        Fact("Event", cells.link(f"EVT-{event.seq}", addresses.event(event.seq))),
        Fact("Its proof", cells.link("as a file", addresses.event(event.seq) + "extract.json")),
        Fact("Leaf", cells.digest(event.leaf_hash)),
        Fact(f"Root at size {event.seq}", cells.digest(event.root)),
        *facts,
    ]
