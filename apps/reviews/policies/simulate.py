"""A draft policy tried on what was decided: the gates' own judges, asked twice, under what is in force and under what
would be. Pure: cases in, differences out.

A case is one past review as it was decided, or one version now in a governed target. Nothing is said of a case that
comes out the same both ways. Signatures count by role here: the names of steps are the draft's own affair.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from apps.checks import judging as checks_judging
from apps.checks.demands import CheckLimits
from apps.checks.kinds import Result
from apps.checks.library.judging import Assessment
from apps.checks.selectors import CheckResult, assess_result
from apps.core import canonical
from apps.impact import judging as impact_judging
from apps.impact.assessed import Assessed
from apps.modelcards import judging as card_judging
from apps.modelcards.judging import CardFacts
from apps.registry.explain import unmet
from apps.registry.gates import GateResult, state_of
from apps.registry.targets import Target
from apps.reviews import quorum
from apps.reviews.judging import card as waived_card
from apps.reviews.judging import findings as findings_judging
from apps.reviews.judging import rules as rules_judging
from apps.reviews.judging import signatures as signatures_judging
from apps.reviews.judging.findings import Blocking
from apps.reviews.judging.rules import RuleFacts
from apps.reviews.models import Outcome
from apps.reviews.policies import covering
from apps.reviews.policies.combine import combine
from apps.reviews.policies.document import PolicyDocument

_MOST_REMEMBERED = 50_000
Verdict = Literal["blocked", "let_through", "asked"]


@dataclass(frozen=True, slots=True)
class Signature:
    """A decision as the quorum asks for it."""

    pk: int
    user_id: int
    signer_name: str
    step: str
    role: str
    outcome: str
    evidence_digest: str
    people: frozenset[int]
    created_at: dt.datetime


@dataclass(frozen=True)
class PastRound:
    """A round as it was when it was decided: alive, with whoever was kept out then."""

    pk: int
    number: int
    digest: str
    authors: list[int]
    owner_id: int | None
    barred_ids: frozenset[int]
    is_live: bool = True


@dataclass(frozen=True, slots=True)
class CheckFacts:
    """What was known of one kind of check: the digest of a result, or why there is none."""

    kind: str
    result_digest: str
    unmeasured: CheckResult


@dataclass(frozen=True, slots=True)
class Case:
    """What is replayed. `what` is `review` or `version`; `tags` are pairs of key and value."""

    what: str
    pk: int
    version: int
    label: str
    ended: str
    targets: tuple[Target, ...]
    tier: int
    team: str
    tags: tuple[tuple[str, str], ...]
    round: PastRound
    decisions: Sequence[Signature]
    checks: Mapping[str, CheckFacts]
    card: CardFacts
    waived: Mapping[str, str]
    findings: Sequence[Blocking]
    rules: RuleFacts
    impact: Assessed | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One case that comes out differently, with the requirements that make it so."""

    case: Case
    verdict: Verdict
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Memory:
    """Results by digest, and what was already worked out of them: the same result under the same limits is assessed
    once. Results are put in by whoever reads them."""

    results: dict[str, Result] = field(default_factory=dict)
    assessed: dict[tuple[str, str], Assessment | None] = field(default_factory=dict)

    def forget(self) -> None:
        """Let go of what a chunk needed, so that many cases take no more room than a few."""
        if len(self.assessed) > _MOST_REMEMBERED:
            self.results.clear()
            self.assessed.clear()


@dataclass(frozen=True)
class Ruling:
    """One document (or combination) with what the judges need of it, and a key of the part that each gate reads."""

    document: PolicyDocument
    terms: Mapping[str, Any]
    limits: CheckLimits
    keys: Mapping[str, str]
    check_keys: Mapping[str, str]


def ruling(document: PolicyDocument) -> Ruling:
    """Ready to be asked often."""
    terms = document.terms()
    own = {
        "checks",
        "card_complete",
        "card_templates",
        "accept_inconclusive",
        "impact_assessment",
    }
    parts: dict[str, Any] = {
        "checks": {"checks": terms["checks"], "inconclusive": terms["accept_inconclusive"]},
        "card": [terms["card_complete"], terms["card_templates"]],
        "impact": terms["impact_assessment"],
        "rules": {key: value for key, value in terms.items() if key not in own},
        "findings": None,
        "review": [
            {"key": s.key, "title": s.title, "role": s.role, "count": s.count, "after": list(s.after), "out": s.exclude_owner}
            for s in document.steps
        ],
    }  # fmt: skip
    return Ruling(
        document,
        terms,
        CheckLimits.parse(terms["checks"]),
        {name: canonical.digest_of(part) for name, part in parts.items()},
        {kind: canonical.digest_of(limits) for kind, limits in terms["checks"].items()},
    )


class Side:
    """The policies in force on one side of the change; each combination is made once."""

    def __init__(self, documents: Mapping[int, PolicyDocument]) -> None:
        self.documents = documents
        self._rulings: dict[tuple[int, ...], Ruling] = {}
        self._chosen: dict[tuple[Any, ...], tuple[int, ...]] = {}

    def over(self, case: Case) -> Ruling | None:
        """What counts for the case; None where nothing governs any of its targets."""
        standing = (case.targets, case.tier, case.team, case.tags)
        chosen = self._chosen.get(standing)
        if chosen is None:
            governed = covering.governing(self.documents, case.targets)
            chosen = ()
            if governed:
                chosen = covering.chosen(
                    self.documents, case.targets, case.tier, case.team, case.tags
                )
            self._chosen[standing] = chosen
        if not chosen:
            return None
        if chosen not in self._rulings:
            self._rulings[chosen] = ruling(combine([self.documents[pk] for pk in chosen]))
        return self._rulings[chosen]

    @property
    def all_terms(self) -> list[Mapping[str, Any]]:
        """The terms of every policy in force: what facts could be asked for."""
        return [document.terms() for document in self.documents.values()]


def concerned(case: Case, before: Side, after: Side) -> bool:
    """Whether the change could matter to the case at all: some gate reads something else than before."""
    old, new = before.over(case), after.over(case)
    if old is None or new is None:
        return old is not new
    return old is not new and old.keys != new.keys


def difference(case: Case, before: Side, after: Side, memory: Memory) -> Difference | None:
    """How the case would have come out otherwise; None if it would not."""
    old, new = before.over(case), after.over(case)
    was = _judged(case, old, memory)
    now = _judged(case, new, memory, was, old)
    if _passes(was) == _passes(now):
        return None
    if _passes(now):
        return Difference(case, "let_through", _reasons(was, now))
    waits = state_of(list(now.values())) == "missing"
    return Difference(case, "asked" if waits else "blocked", _reasons(now, was))


Nodes = dict[str, GateResult]


def _passes(nodes: Nodes) -> bool:
    return all(node.passes for node in nodes.values())


def _judged(
    case: Case,
    under: Ruling | None,
    memory: Memory,
    known: Nodes | None = None,
    known_under: Ruling | None = None,
) -> Nodes:
    """Every gate's answer, what was `known` under a ruling that reads the same taken over."""
    if under is None:
        return {"target": GateResult("target", "Target", "pass", "Nothing governs it.")}
    found = {}
    for name, judge in _GATES.items():
        same = known_under is not None and known_under.keys[name] == under.keys[name]
        found[name] = known[name] if same and known else judge(case, under, memory)
    return found


def _reasons(refused: Nodes, other: Nodes) -> tuple[str, ...]:
    """The requirements unmet on the one side which on the other are met, or not asked."""
    theirs = {node.key for node in unmet(list(other.values()), deep=True)}
    mine = list(unmet(list(refused.values()), deep=True))
    told = [node for node in mine if node.key not in theirs] or mine
    return tuple(dict.fromkeys(node.clause for node in told))


def _checks(case: Case, under: Ruling, memory: Memory) -> GateResult:
    waived = {
        key.removeprefix("checks."): sentence
        for key, sentence in case.waived.items()
        if key.startswith("checks.")
    }
    results = [_result(case.checks[kind], under, memory) for kind in under.limits.kinds]
    return checks_judging.judge(results, {**under.terms, "waived": waived}, "")


def _result(facts: CheckFacts, under: Ruling, memory: Memory) -> CheckResult:
    if not facts.result_digest:
        return facts.unmeasured
    key = (facts.result_digest, under.check_keys[facts.kind])
    if key not in memory.assessed:
        memory.assessed[key] = assess_result(memory.results[facts.result_digest], under.limits)
    found = memory.assessed[key]
    if found is None:
        return facts.unmeasured
    return CheckResult(facts.kind, None, found, found.verdict, found.sentence)


def _card(case: Case, under: Ruling, memory: Memory) -> GateResult:
    found = card_judging.judge(under.terms, case.card, "")
    return found if found.passes else waived_card.or_waived(found, case.waived.get("card", ""))


def _impact(case: Case, under: Ruling, memory: Memory) -> GateResult:
    return impact_judging.judge(case.impact, case.tier, under.terms, case.rules.at, "")


def _rules(case: Case, under: Ruling, memory: Memory) -> GateResult:
    facts = case.rules
    demanded = [row for row in facts.results if row.kind in under.limits.kinds]
    if facts.values is not None:
        verdicts = {
            kind: _result(case.checks[kind], under, memory).verdict.value
            for kind in under.limits.kinds
        }
        facts = replace(facts, values={**facts.values, "checks": verdicts})
    return rules_judging.judge(replace(facts, results=demanded), under.terms)


def _findings(case: Case, under: Ruling, memory: Memory) -> GateResult:
    return findings_judging.judge(case.findings, "")


def _review(case: Case, under: Ruling, memory: Memory) -> GateResult:
    facts = signatures_judging.SignatureFacts(
        key=case.label,
        url="",
        targets=case.targets,
        round=case.round,
        number=case.round.number,
        decisions=by_role(case.decisions, under.document, case.round),
    )
    return signatures_judging.judge(facts, under.document, case.targets)


def by_role(
    decisions: Sequence[Signature], document: PolicyDocument, round_: PastRound
) -> list[Signature]:
    """The decisions under the steps of this document: each for the first step of its role that it could have been given
    for, in the order in which they were given. Whether it counts is for the quorum to say."""
    given: list[Signature] = []
    have = {step.key: 0 for step in document.steps}
    for row in sorted(decisions, key=lambda row: row.pk):
        for step in document.steps:
            ready = all(have[key] >= document.step(key).count for key in step.after)
            if (
                step.role == row.role
                and ready
                and have[step.key] < step.count
                and row.outcome == Outcome.APPROVE
                and row.people.isdisjoint(quorum.excluded(step, round_))
            ):
                have[step.key] += 1
                given.append(replace(row, step=step.key))
                break
        else:
            given.append(replace(row, step=""))
    return given


_GATES: Final[Mapping[str, Callable[[Case, Ruling, Memory], GateResult]]] = {
    "checks": _checks,
    "card": _card,
    "impact": _impact,
    "rules": _rules,
    "findings": _findings,
    "review": _review,
}


def differences(
    cases: Sequence[Case], before: Side, after: Side, memory: Memory
) -> Iterator[Difference]:
    """Each case that comes out differently."""
    for case in cases:
        found = difference(case, before, after, memory)
        if found is not None:
            yield found
