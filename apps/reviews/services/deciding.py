"""Decide, and promote when the last signature is given.

The order in `decide`:
 0. before the transaction, re-hash the bytes behind the evidence; damage voids the round and ends here;
 1. lock model, version, review;
 2. the review is open, its round lives and is the one the signer was shown;
 3. the signer has the role at this moment, is an active human being, no author, has not decided yet,
    and has just re-authenticated in her own session;
 4. write the decision with the statement she signed; the ledger has its digest;
 5. a rejection closes the review; a request for changes hands it back; an approval that completes the quorum
    mints the authorizations and promotes, if every gate passes at this moment.
A gate that fails in step 5 leaves the signature standing: "signed, not promoted".
"""

from __future__ import annotations

import datetime as dt

from apps.accounts import policy
from apps.accounts import selectors as accounts
from apps.accounts.models import User
from apps.accounts.services import ReauthProof
from apps.audits.log import Verb, verb
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid, Tampered
from apps.registry import gates
from apps.registry import services as registry
from apps.reviews import events, evidence, quorum, selectors
from apps.reviews.models import Decision, Outcome, Review, ReviewStatus, Round
from apps.reviews.policies.document import Step
from apps.reviews.services import rounds, signing
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
    step: str = "",
) -> Decision:
    """Record one signed decision about the evidence whose digest the signer was shown.

    Refuses: other evidence than the live round's (Conflict, saying what happened), an author of it, somebody
    without the role now, a second decision on the round, no comment, a stale or foreign proof.
    """
    chosen = _outcome(outcome)
    check_text(comment, "comment")
    proof.require_for(actor)
    _stop_if_damaged(actor, review)
    with verb(actor) as v:
        review = lock_review(review.pk)
        round_ = _require_round(review, evidence_digest)
        user = _require_signer(actor, round_)
        signed_step = _require_step(actor, review, round_, step)
        decision = _write(review, round_, user, signed_step, chosen, comment, proof)
        registry.mark_decided(review.version)
        v.record(_recorded(review, round_, decision, user))
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
            hint="Authors are computed from who wrote the run, files, data, card and registration.",
        )
    if round_.decisions.filter(user_id=actor.user_id).exists():
        raise Conflict("You have decided about this round already; a decision stays.")
    return accounts.get_user(actor.user_id)


def _require_step(actor: Actor, review: Review, round_: Round, key: str) -> Step:
    """The step signed for: the one named, else the first open one whose role the actor has right now."""
    document = selectors.document(review)
    states = quorum.steps(document, round_, quorum.decisions_of(round_))
    wanted = [state for state in states if not key or state.step.key == key]
    if key and not wanted:
        document.step(key)
    for state in wanted:
        mine = actor.user_id not in quorum.excluded(state.step, round_)
        if state.is_open and mine and (key or policy.can(actor, state.step.verb, review)):
            policy.require_fresh(actor, state.step.verb, review)
            return state.step
    unsigned = [state for state in wanted if not state.complete] or wanted
    needed = next((s for s in unsigned if policy.can(actor, s.step.verb, review)), unsigned[0])
    policy.require_fresh(actor, needed.step.verb, review)
    raise _not_now(needed, actor, round_)


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
    step: Step,
    outcome: Outcome,
    comment: str,
    proof: ReauthProof,
) -> Decision:
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
            "meaning": outcome.meaning,
            "comment": comment,
            "step": step.key,
            "role": step.role,
        },
    )
    return Decision.objects.create(
        review=review,
        round=round_,
        step=step.key,
        role=step.role,
        outcome=outcome,
        meaning=outcome.meaning,
        comment=comment,
        evidence_digest=round_.digest,
        **signed.columns,
    )


def _recorded(review: Review, round_: Round, row: Decision, user: User) -> events.DecisionRecorded:
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
        _complete(v, actor, review, round_)


def _complete(v: Verb, actor: Actor, review: Review, round_: Round) -> None:
    """If the quorum is complete: authorize every target, and promote if every gate passes now."""
    document = selectors.document(review)
    decisions = quorum.decisions_of(round_)
    if not quorum.is_complete(quorum.steps(document, round_, decisions), decisions):
        return
    terms = document.terms()
    for target in review.target_list:
        registry.authorize(
            actor,
            review.version,
            target=target,
            review_id=review.pk,
            round_id=round_.pk,
            evidence_digest=round_.digest,
            terms=terms,
            lives_for=dt.timedelta(days=document.approval_days),
        )
    results = gates.evaluate(review.version, review.target_list, terms)
    blocked = [f"{gate.title}: {gate.fact}" for gate in results if not gate.passes]
    on_request = document.promote == "on_request"
    v.record(
        events.QuorumCompleted(
            review=review.pk,
            version=review.version_id,
            model=review.version.model_id,
            round=round_.pk,
            blocked=blocked,
        )
    )
    review.status = ReviewStatus.SIGNED
    review.note = "; ".join(blocked)
    review.save(update_fields=["status", "note"])
    if not blocked and not on_request:
        registry.promote(actor, review.version, targets=review.target_list)
        close(v, review, ReviewStatus.PROMOTED, "")


def promote_signed(actor: Actor, review: Review) -> Review:
    """Promote what is signed and was held back by a gate; any contributor may ask.

    Refuses (Blocked): a gate that still does not pass, an expired or revoked authorization.
    """
    policy.require(actor, "review.submit", review)
    with verb(actor) as v:
        review = lock_review(review.pk)
        if review.state is not ReviewStatus.SIGNED:
            raise Conflict(f"{review.key} is {review.state.label.lower()}.")
        registry.promote(actor, review.version, targets=review.target_list)
        close(v, review, ReviewStatus.PROMOTED, "")
    return review
