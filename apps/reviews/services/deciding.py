"""Decide: one signed decision on the evidence of a round. What the last one brings about is in `completing`.

The order in `decide`:
 0. before the transaction, re-hash the bytes behind the evidence; damage voids the round and ends here;
 1. lock model, version, review;
 2. the review is open and has not expired, its round lives and is the one the signer was shown;
 3. the signer has the role at this moment, or it is delegated to her by somebody who has it at this moment, is an
    active human being, no author, has not stepped aside, has no conflict of interest and says so, has not
    decided yet (nor whoever she signs for), and has just re-authenticated in her own session;
 4. write the decision with the statement she signed and the site's envelope around it; the ledger has both digests;
 5. a rejection closes the review; a request for changes hands it back; an approval that completes the quorum
    mints the authorizations and promotes, if every gate passes at this moment.
A gate that fails in step 5 leaves the signature standing: "signed, not promoted".
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.accounts.services import ReauthProof
from apps.audits import keys
from apps.audits.log import Verb, verb
from apps.core import canonical, dsse
from apps.core import signing as core_signing
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid, Tampered
from apps.registry import services as registry
from apps.reviews import envelopes, evidence, quorum, selectors
from apps.reviews.events import reviews as events
from apps.reviews.models import (
    Decision,
    DecisionEnvelope,
    Delegation,
    Outcome,
    Review,
    ReviewStatus,
    Round,
)
from apps.reviews.policies.document import Step
from apps.reviews.reads import delegations, expiry, findings
from apps.reviews.services import rounds, signing
from apps.reviews.services.completing import complete
from apps.reviews.services.locks import lock_review
from apps.reviews.services.reasons import check_text
from apps.reviews.services.submitting import close

STATEMENT = "countersign.decision.v1"


def decide(
    actor: Actor,
    review: Review,
    *,
    outcome: str,
    evidence_digest: str,
    comment: str,
    proof: ReauthProof,
    no_conflict: bool,
    step: str = "",
    delegation: int | None = None,
    findings_shown: str = "",
) -> Decision:
    """Record one signed decision about the evidence whose digest the signer was shown.

    `no_conflict` is her own word that she has no conflict of interest in this; it is part of what she signs.
    `delegation` chooses whom she signs for; without it she signs for herself where her own role allows it, else for
    the first who delegated an open step to her. The open findings are counted in what she signs; `findings_shown` is
    the digest (`findings.counted`) of those she was shown, and others by then are a Conflict. Refuses: other evidence than the live round's (Conflict, saying what
    happened), an author of it, somebody who stepped aside or has a conflict of interest, somebody without the role
    now, a second decision on the round, no comment, a stale or foreign proof, a site without its key (Blocked).
    """
    chosen = _outcome(outcome)
    if not no_conflict:
        raise Invalid(
            "Say that you have no conflict of interest in this. If you have one, declare it or step aside.",
            fields={"no_conflict": "Needed to sign."},
        )
    check_text(comment, "comment")
    proof.require_for(actor)
    core_signing.ledger_key()  # a site that cannot sign refuses before anything is touched
    _stop_if_damaged(actor, review)
    with verb(actor) as v:
        review = lock_review(review.pk)
        round_ = _require_round(review, evidence_digest)
        user = _require_signer(actor, round_)
        signed = _require_step(actor, review, round_, step, delegation)
        found = findings.as_shown(review.version, findings_shown)
        decision = _write(review, round_, user, signed, chosen, comment, proof, found)
        registry.mark_decided(review.version)
        sealed = _seal(actor, decision)
        v.record(_recorded(review, round_, decision, user, sealed))
        _follow(v, actor, review, round_, decision)
    return decision


def _outcome(text: str) -> Outcome:
    if text not in Outcome.values:
        raise Invalid(
            f"Unknown decision {text[:40]!r}.",
            fields={"outcome": f"one of {', '.join(Outcome.values)}"},
        )
    return Outcome(text)


def _stop_if_damaged(actor: Actor, review: Review) -> None:
    reason = evidence.damaged_bytes(review.version) or ""
    if reason:
        rounds.void_live_round(Actor.system(actor.door), review, reason=reason)
        raise Tampered(f"Nothing was signed: {reason}. The evidence of {review.key} is void.")
    lost = rounds.void_if_lost(Actor.system(actor.door), review)
    if lost:
        raise Conflict(f"Nothing was signed: {lost}. The evidence of {review.key} is void.")


def _require_round(review: Review, evidence_digest: str) -> Round:
    late = expiry.refusal(review)
    if late is not None:
        raise late
    if review.state is not ReviewStatus.OPEN:
        raise Conflict(
            f"{review.key} is {review.state.label.lower()}; nothing is open for signature."
        )
    round_ = selectors.live_round(review)
    if round_ is None:
        raise Conflict(f"The evidence of {review.key} is void; a new round is needed.")
    if round_.digest != evidence_digest:
        raise Conflict(
            f"The evidence moved: you were shown {evidence_digest[:12]}, it is now {round_.digest[:12]} "
            f"(round {round_.number}).",
            hint="Look at what changed, then sign again.",
        )
    lost = evidence.lost_items(round_)
    if lost:
        raise Conflict(f"Nothing was signed: {lost[0]}.")
    return round_


def _require_signer(actor: Actor, round_: Round) -> User:
    if actor.user_id is None:
        raise Forbidden("Only a person signs.")
    if actor.user_id in round_.authors:
        raise Forbidden(
            "You made part of what is reviewed, so another person must sign.",
            hint="Authors are computed from who wrote the run, files, data, uploaded results, card and registration.",
        )
    if actor.user_id in quorum.barred(round_):
        raise Forbidden(
            "You stepped aside from this review, or have a declared conflict of interest in it.",
            hint="A recusal holds for every round; a withdrawn conflict, for rounds made after that.",
        )
    if actor.user_id in quorum.taken(quorum.decisions_of(round_)):
        raise Conflict(
            "You have decided about this round already, or somebody for you; a decision stays."
        )
    return accounts.get_user(actor.user_id)


@dataclass(frozen=True, slots=True)
class _Signed:
    """Which step is signed, and by whose delegation, if by one."""

    step: Step
    delegation: Delegation | None = None


def _require_step(
    actor: Actor, review: Review, round_: Round, key: str, delegation: int | None
) -> _Signed:
    """The step signed for: the one named, else the first open one whose role the actor has right now, else the
    first open one that is delegated to her."""
    document = selectors.document(review)
    states = quorum.steps(document, round_, quorum.decisions_of(round_))
    wanted = [state for state in states if not key or state.step.key == key]
    if key and not wanted:
        document.step(key)
    own = _own_step(actor, review, round_, [] if delegation else wanted, named=bool(key))
    found = own or _lent_step(actor, review, round_, wanted, delegation)
    if found is not None:
        return found
    if delegation is not None:
        raise Conflict(delegations.why_not_by(actor, delegation))
    unsigned = [state for state in wanted if not state.complete] or wanted
    needed = next((s for s in unsigned if policy.can(actor, s.step.verb, review)), unsigned[0])
    policy.require_fresh(actor, needed.step.verb, review)
    raise _not_now(needed, actor, round_)


def _own_step(
    actor: Actor, review: Review, round_: Round, wanted: list[quorum.StepState], *, named: bool
) -> _Signed | None:
    """The first open step of her own role. One that she named is refused with the reason if it is not hers."""
    lent = named and delegations.any_for(actor, review)
    for state in wanted:
        mine = actor.user_id not in quorum.excluded(state.step, round_)
        may = (named and not lent) or policy.can(actor, state.step.verb, review)
        if state.is_open and mine and may:
            policy.require_fresh(actor, state.step.verb, review)
            return _Signed(state.step)
    return None


def _lent_step(
    actor: Actor,
    review: Review,
    round_: Round,
    wanted: list[quorum.StepState],
    delegation: int | None,
) -> _Signed | None:
    """The first open step that is delegated to her, by the one delegation if it is named."""
    taken = quorum.taken(quorum.decisions_of(round_))
    for state in wanted:
        if not state.is_open:
            continue
        for row in delegations.ways(actor, review, state.step, round_, taken):
            if delegation in {None, row.pk}:
                return _for_another(actor, review, state.step, row)
    return None


def _for_another(actor: Actor, review: Review, step: Step, row: Delegation) -> _Signed:
    """With both people's rows locked: the delegator still has the role, and has not taken the delegation back."""
    policy.require_fresh_delegate(actor, row.delegator_id, step.verb, review)
    if not delegations.all_in_force().filter(pk=row.pk).exists():
        raise Conflict(f"{row.delegator} has ended the delegation.")
    return _Signed(step, row)


def _not_now(state: quorum.StepState, actor: Actor, round_: Round) -> Conflict | Forbidden:
    """Why somebody with the role cannot sign the step at this moment."""
    if actor.user_id in quorum.excluded(state.step, round_):
        return Forbidden(f"The policy keeps the owner of the model out of {state.step.title}.")
    if state.waits_for:
        first = ", ".join(step.title for step in state.waits_for)
        return Conflict(f"{state.step.title} comes after {first}, which is not complete yet.")
    return Conflict("This step has its signatures already.")


def _write(
    review: Review,
    round_: Round,
    user: User,
    by: _Signed,
    outcome: Outcome,
    comment: str,
    proof: ReauthProof,
    found: findings.Open,
) -> Decision:
    step, delegation = by.step, by.delegation
    meaning = found.meaning(outcome)
    signed = signing.sign(
        STATEMENT,
        user,
        proof,
        {
            "review": review.pk,
            "round": round_.number,
            "evidence_digest": round_.digest,
            "model": review.version.model.name,
            "version": review.version.number,
            "manifest_digest": review.version.manifest_digest,
            "targets": review.targets,
            "policy_digest": review.policy_version.digest,
            "outcome": outcome.value,
            "meaning": meaning,
            "open_findings": list(found.keys),
            "comment": comment,
            "step": step.key,
            "role": step.role,
            "on_behalf_of": str(delegation.delegator.uuid) if delegation else None,
            "delegation": delegation.pk if delegation else None,
            "no_conflict": True,
        },
    )
    return Decision.objects.create(
        review=review,
        round=round_,
        on_behalf_of=delegation.delegator if delegation else None,
        delegation=delegation,
        step=step.key,
        role=step.role,
        outcome=outcome,
        meaning=meaning,
        comment=comment,
        evidence_digest=round_.digest,
        **signed.columns,
    )


def _seal(actor: Actor, decision: Decision) -> DecisionEnvelope:
    """The site's signature around the decision."""
    key = keys.ledger_key(actor)
    data = dsse.envelope(envelopes.payload(decision), key)
    return DecisionEnvelope.objects.create(
        decision=decision, data=data, digest=canonical.digest(data), key_id=key.key_id
    )


def _recorded(
    review: Review, round_: Round, row: Decision, user: User, sealed: DecisionEnvelope
) -> events.DecisionRecorded:
    return events.DecisionRecorded(
        review=review.pk,
        version=review.version_id,
        model=review.version.model_id,
        decision=row.pk,
        round=round_.pk,
        number=round_.number,
        evidence_digest=row.evidence_digest,
        statement_digest=row.statement_digest,
        step=row.step,
        role=row.role,
        outcome=row.outcome,
        meaning=row.meaning,
        method=row.method,
        signer=str(user.uuid),
        signer_name=row.signer_name,
        on_behalf_of=str(row.on_behalf_of.uuid) if row.on_behalf_of else "",
        envelope=sealed.digest,
    )


def _follow(v: Verb, actor: Actor, review: Review, round_: Round, decision: Decision) -> None:
    """What a decision brings about."""
    if decision.outcome == Outcome.REJECT:
        close(v, review, ReviewStatus.REJECTED, decision.comment)
    elif decision.outcome == Outcome.REQUEST_CHANGES:
        review.status = ReviewStatus.CHANGES_REQUESTED
        review.save(update_fields=["status"])
        v.record(
            events.ChangesRequested(
                review=review.pk,
                version=review.version_id,
                model=review.version.model_id,
                decision=decision.pk,
            )
        )
    else:
        complete(v, actor, review, round_)
