"""Who signed, who must still sign, whose signature is void since when and why: a node a step, a leaf a signature.

Which signatures count is for `quorum.steps`; what is told here is how they stand and what would help.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from apps.registry.gates import Fix, GateResult, all_of, some_of
from apps.registry.targets import Target
from apps.reviews import quorum
from apps.reviews.models import Outcome
from apps.reviews.policies.document import PolicyDocument, Step

KEY, TITLE = "review", "Review"
SUBMITTER = "whoever may ask for reviews of the model"


@dataclass(frozen=True, slots=True)
class Void:
    """An approval of an ended round, by somebody who has not decided about the live one."""

    user: int
    name: str
    step: str
    since: str
    why: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign a step now."""

    user: int
    name: str


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """How a review stands. `round` is the live one; `asked` says for each open step who may sign it, None if nobody
    looked. `lost` are items of the round that no longer stand, `ended` why there is no live round."""

    key: str
    url: str
    targets: Sequence[Target]
    round: quorum.Judged | None
    decisions: Sequence[quorum.Signed]
    number: int = 0
    lost: Sequence[str] = ()
    void: Sequence[Void] = ()
    ended: str = ""
    asked: Mapping[str, Sequence[Person]] | None = None


def unasked(document: PolicyDocument | None, fact: str, url: str) -> GateResult:
    """No review is under way: somebody asks for one, then every step signs. None for a policy that cannot be told."""
    ask = Fix("review.submit", "ask for a review", SUBMITTER, url)
    request = GateResult(f"{KEY}.request", "Request", "missing", fact, fixes=(ask,))
    steps = [_unsigned(step, url) for step in document.steps] if document else []
    why = fact.removesuffix(".")
    return all_of(KEY, TITLE, fact, [request, *steps], act_label="Ask for a review", act_url=url, reason=why[:1].lower() + why[1:] if why.startswith("No ") else why)  # fmt: skip


def judge(facts: SignatureFacts, document: PolicyDocument, targets: Sequence[Target]) -> GateResult:
    """The review asks for these targets, its round lives, nothing in it was lost, nobody decided against, and every
    step has its signatures."""
    states = _states(facts, document)
    before = [_request(facts, states, targets), _round(facts, states), _against(facts, states)]
    steps = [_step(facts, state) for state in states]
    found = all_of(KEY, TITLE, "", [*before, *steps])
    fact = next((leaf.fact for leaf in before[:2] if not leaf.passes), "") or _summary(states)
    return GateResult(KEY, TITLE, found.state, fact, f"Open {facts.key}", facts.url, found.children)


def _states(facts: SignatureFacts, document: PolicyDocument) -> list[quorum.StepState]:
    if facts.round is not None:
        return quorum.steps(document, facts.round, facts.decisions)
    by_key = {step.key: step for step in document.steps}
    return [
        quorum.StepState(step, (), tuple(by_key[key] for key in step.after))
        for step in document.steps
    ]


def _summary(states: Sequence[quorum.StepState]) -> str:
    missing = [f"{state.missing} {state.step.role}" for state in states if not state.complete]
    told = f"; missing: {', '.join(missing)}" if missing else ""
    return f"{quorum.summary(states)}{told}."


def again(facts: SignatureFacts, document: PolicyDocument) -> tuple[Fix, ...]:
    """The acts of a new round: it is made, and whoever signed the live one signs again."""
    return _again(facts, _states(facts, document))


def _again(facts: SignatureFacts, states: Sequence[quorum.StepState]) -> tuple[Fix, ...]:
    new = Fix("round.new", f"make a new round of {facts.key}", SUBMITTER, facts.url)
    signed = [(state.step, row) for state in states for row in state.signed]
    return (new, *(_signs(facts, step, row.user_id, row.signer_name) for step, row in signed))


def _signs(facts: SignatureFacts, step: Step, user: int, name: str) -> Fix:
    act = f"{name} signs again as {step.role}"
    return Fix(f"sign.{step.key}.{user}", act, f"{name}, as {step.role}", facts.url)


def _request(
    facts: SignatureFacts, states: Sequence[quorum.StepState], targets: Sequence[Target]
) -> GateResult:
    key, title = f"{KEY}.request", "Request"
    other = [target.label for target in targets if target not in set(facts.targets)]
    if not other:
        return GateResult(key, title, "pass", f"{facts.key} asks for it.")
    names = ", ".join(other)
    act = Fix("review.submit", f"ask for a review that names {names}", SUBMITTER, facts.url, cost=2)
    fact = f"{facts.key} did not ask for {names}."
    return GateResult(key, title, "fail", fact, fixes=(act, *_again(facts, states)[1:]))


def _round(facts: SignatureFacts, states: Sequence[quorum.StepState]) -> GateResult:
    key, title = f"{KEY}.round", "Round"
    if facts.round is None:
        fact = f"The evidence of {facts.key} is void; make a new round."
        why = f"the evidence of {facts.key} is void{f' ({facts.ended})' if facts.ended else ''}"
        return GateResult(key, title, "fail", fact, fixes=_again(facts, states), reason=why)
    if facts.lost:
        fact = f"{facts.lost[0].capitalize()}."
        return GateResult(
            key, title, "fail", fact, fixes=_again(facts, states), reason=facts.lost[0]
        )
    return GateResult(key, title, "pass", f"Round {facts.number} is what is signed.")


def _against(facts: SignatureFacts, states: Sequence[quorum.StepState]) -> GateResult:
    key, title = f"{KEY}.against", "No decision against"
    rows = [row for row in facts.decisions if row.outcome != Outcome.APPROVE]
    if facts.round is None or not rows:
        return GateResult(key, title, "pass", "Nobody decided against it.")
    done = {Outcome.REJECT: "rejected", Outcome.REQUEST_CHANGES: "requested changes of"}
    told = [f"{row.signer_name} {done[Outcome(row.outcome)]} round {facts.number}" for row in rows]
    fact = f"{'; '.join(told)}."
    return GateResult(key, title, "fail", fact, fixes=_again(facts, states))


def _step(facts: SignatureFacts, state: quorum.StepState) -> GateResult:
    key, step = f"{KEY}.{state.step.key}", state.step
    signed = [_signed(key, step, row) for row in state.signed]
    if state.complete:
        fact = f"{len(signed)} of {step.count} signed as {step.role}."
        return some_of(step.count, key, step.title, fact, signed)
    void = [row for row in facts.void if row.step == step.key]
    children = [*signed, *(_void(facts, key, state, row) for row in void)]
    children += _places(facts, key, state, {row.user for row in void})
    why = _why(state, void)
    return some_of(
        step.count, key, step.title, f"{why[:1].upper()}{why[1:]}.", children, reason=why
    )


def _why(state: quorum.StepState, void: Sequence[Void]) -> str:
    """`1 of 2 risk signatures is void since round 3 (new evidence)`, or is missing."""
    step = state.step
    gone = min(len(void), state.missing)
    number = gone or state.missing
    noun, verb = (
        ("signature" if step.count == 1 else "signatures"),
        ("is" if number == 1 else "are"),
    )
    told = f"{number} of {step.count} {step.role} {noun} {verb} "
    if gone:
        told += f"void since {void[0].since} ({void[0].why})"
        left = state.missing - gone
        return f"{told}, {left} more {'is' if left == 1 else 'are'} missing" if left else told
    after = ", ".join(other.title for other in state.waits_for)
    return f"{told}missing{f' (asked after {after})' if after else ''}"


def _signed(key: str, step: Step, row: quorum.Signed) -> GateResult:
    fact = f"{row.signer_name} signed as {step.role}."
    return GateResult(f"{key}.{row.user_id}", row.signer_name, "pass", fact)


def _void(facts: SignatureFacts, key: str, state: quorum.StepState, row: Void) -> GateResult:
    fact = f"{row.name} signed as {state.step.role}; that is void since {row.since}: {row.why}."
    fixes: tuple[Fix, ...] = (_signs(facts, state.step, row.user, row.name),)
    if state.is_open and facts.asked is not None:
        able = {person.user for person in facts.asked.get(state.step.key, ())}
        if row.user not in able:
            fact, fixes = f"{fact} {row.name} may not sign it now.", ()
    return GateResult(f"{key}.{row.user}", row.name, "missing", fact, fixes=fixes)


def _places(
    facts: SignatureFacts, key: str, state: quorum.StepState, known: set[int]
) -> Iterator[GateResult]:
    """A leaf for each signature that is missing, to be given by somebody else than whoever had signed."""
    step, asked = state.step, None
    if state.is_open and facts.asked is not None:
        asked = [each for each in facts.asked.get(step.key, ()) if each.user not in known]
    for place in range(state.missing):
        number = f"{place + 1 + len(state.signed)} of {step.count}"
        fact = f"Signature {number} as {step.role} is not given."
        fix = _place(facts.url, step, place, asked)
        yield GateResult(
            f"{key}.place.{place}", f"Signature {number}", "missing", fact, fixes=(fix,)
        )


def _place(url: str, step: Step, place: int, asked: Sequence[Person] | None) -> Fix:
    key = f"sign.{step.key}.place.{place}"
    who = f"somebody with the role {step.role}"
    if asked is None:
        return Fix(key, f"{who} signs", who, url)
    if place < len(asked):
        names = " or ".join(person.name for person in asked[:3]) + (
            f" or {len(asked) - 3} more" if len(asked) > 3 else ""
        )
        return Fix(key, f"{names} signs as {step.role}", names, url)
    act = f"give somebody else the role {step.role}, who then signs"
    return Fix(key, act, "an administrator", url, cost=2)


def _unsigned(step: Step, url: str) -> GateResult:
    key = f"{KEY}.{step.key}"
    noun = "signature" if step.count == 1 else "signatures"
    leaves = []
    for place in range(step.count):
        title = f"Signature {place + 1} of {step.count}"
        fact, fix = f"{title} as {step.role} is not given.", _place(url, step, place, None)
        leaves.append(GateResult(f"{key}.place.{place}", title, "missing", fact, fixes=(fix,)))
    fact = f"{step.count} {step.role} {noun} {'is' if step.count == 1 else 'are'} asked for."
    return some_of(step.count, key, step.title, fact, leaves)
