"""The decision box: what stands between a version and production, as the gates say it. No rule lives here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from apps.accounts import policy
from apps.checks import selectors as checks
from apps.checks.verdicts import Verdict
from apps.core.actor import Actor
from apps.modelcards import selectors as modelcards
from apps.registry import explain, gates
from apps.registry import selectors as registry
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import selectors as reviews
from apps.reviews import targets_of
from apps.reviews.in_force import policy_for
from apps.reviews.models import Review
from apps.reviews.policies.document import PolicyDocument
from apps.web import status
from apps.web.parts import Action, Branch, DecisionBox, Remedy, Requirement, RequirementState

# Which right the act of a gate takes: whoever lacks it is told who has it.
ACT_VERBS = {
    "checks": "check.run",
    "card": "card.edit",
    "impact": "impact.edit",
    "review": "review.submit",
}
HELPERS = {
    "checks": "run checks",
    "card": "write the card",
    "impact": "answer the impact assessment",
    "review": "ask for a review",
}


def box(
    actor: Actor, version: ModelVersion, review: Review | None, verbs: Collection[str]
) -> DecisionBox | None:
    """How far the version is from the targets asked for (or, unasked, from all governed ones); None for a sandbox."""
    targets = wanted(version, review)
    if not version.model.is_governed or not targets:
        return None
    results = evaluate(version, targets, review)
    ages = _ages(version, review)
    facts = {"checks": _counted(version, review)}
    rows = [
        _requirement(result, facts.get(result.key, ""), review, verbs, ages) for result in results
    ]
    held = set(targets) <= set(registry.held_targets(version))
    names = in_words(targets)
    title = f"In {names}" if held else f"To reach {names}"
    sentence = _sentence(version, results, review, verbs, held=held)
    if held:
        return DecisionBox(title, rows, sentence)
    because = explain.why(results, "Held back")
    return DecisionBox(
        title,
        rows,
        sentence,
        because=f"{because}." if because else "",
        remedies=_remedies(results),
    )


def _remedies(results: Sequence[GateResult]) -> list[Remedy] | None:
    """The smallest fix; None where nothing that is done here would help."""
    fixes = explain.smallest(results)
    if fixes is None:
        return None
    blocks = [fix for fix in fixes if fix.key.startswith("card.")]
    told = []
    for fix in fixes:
        if len(blocks) > 1 and fix in blocks:
            if fix is blocks[0]:
                act = f"Write {len(blocks)} blocks of the card"
                told.append(Remedy(act, fix.who, urlsplit(fix.url).path))
            continue
        act = f"{fix.act[:1].upper()}{fix.act[1:]}"
        told.append(Remedy(act, "" if fix.who in fix.act else fix.who, urlsplit(fix.url).path))
    return told


def branches(result: GateResult, review: Review | None) -> list[Branch]:
    """What a gate's answer is made of, as far down as it goes."""
    return [
        Branch(
            requirement_state(child, review),
            "" if child.fact.startswith(child.title) else child.title,
            child.fact,
            _needs(child),
            "" if child.passes else " and ".join(fix.act for fix in child.fixes),
            branches(child, review),
        )
        for child in result.children
    ]


def _needs(node: GateResult) -> str:
    if node.needs is None or node.needs >= len(node.children):
        return ""
    return f"{node.needs} of these {len(node.children)} {'is' if node.needs == 1 else 'are'} needed"


def wanted(version: ModelVersion, review: Review | None) -> list[Target]:
    """The targets of the review under way or done; before one is asked for, all that the policy governs."""
    if review is not None and (review.state.is_active or review.state == "promoted"):
        return review.target_list
    return registry.governed_targets()


def evaluate(
    version: ModelVersion, targets: Sequence[Target], review: Review | None
) -> list[GateResult]:
    """The gates under the terms that count: the review's pinned policy, else the active one."""
    terms = _policy(version, review).terms()
    return gates.evaluate(version, targets, terms)


def _policy(version: ModelVersion, review: Review | None) -> PolicyDocument:
    if review is not None and (review.state.is_active or review.state == "promoted"):
        return reviews.document(review)
    return policy_for(version).document


def _counted(version: ModelVersion, review: Review | None) -> str:
    """The checks in few words; each has its sentence beneath."""
    results = checks.results(version, _policy(version, review).gates.checks)
    return count_verdicts([(result.kind, result.verdict.value) for result in results])


def checks_in_words(version: ModelVersion) -> str:
    """The checks of a version that nobody was asked about yet."""
    return _counted(version, None)


def count_verdicts(pairs: Sequence[tuple[str, str]]) -> str:
    """`2 checks passed, 1 failed (fairness)`; empty for no check at all."""
    counted: dict[str, list[str]] = {}
    for kind, verdict in sorted(pairs, key=lambda pair: Verdict(pair[1]).rank, reverse=True):
        counted.setdefault(status.chip("verdict", verdict).label.lower(), []).append(kind)
    parts: list[str] = []
    for label, kinds in counted.items():
        noun = "" if parts else ("check " if len(kinds) == 1 else "checks ")
        which = "" if label == "passed" else f" ({', '.join(sorted(kinds))})"
        parts.append(f"{len(kinds)} {noun}{label}{which}")
    return ", ".join(parts)


def in_words(targets: Sequence[Target]) -> str:
    """`stage Production and alias @champion`."""
    ordered = sorted(targets, key=lambda target: (target.kind != "stage", target.name))
    labels = [target.label for target in ordered]
    return " and ".join([", ".join(labels[:-1]), labels[-1]] if len(labels) > 1 else labels)


def requirement_state(result: GateResult, review: Review | None) -> RequirementState:
    """A gate's state as the box shows it: a review that waits for people is waiting, not missing; what was not
    measured is not known."""
    if result.passes:
        return "met"
    if result.state == "fail":
        return "failed"
    family = result.key.split(".")[0]
    if family == "review" and review is not None and review.state.is_active:
        return "waiting"
    return "unknown" if family in {"checks", "evidence"} else "missing"


def _requirement(
    result: GateResult,
    fact: str,
    review: Review | None,
    verbs: Collection[str],
    ages: dict[str, dt.datetime],
) -> Requirement:
    return Requirement(
        requirement_state(result, review),
        result.title,
        f"{fact[:1].upper()}{fact[1:]}." if fact else result.fact,
        ages.get(result.key) if result.state != "missing" or result.key == "review" else None,
        _act(result, verbs),
        branches(result, review),
    )


def _act(result: GateResult, verbs: Collection[str]) -> Action | None:
    """The gate's act; where it would change something that the reader may not, no button."""
    if not result.act_url:
        return None
    path = urlsplit(result.act_url).path
    changes = path.endswith(("/edit/", "/submit/"))
    if changes and ACT_VERBS.get(result.key, "model.read") not in verbs:
        return None
    return Action(result.act_label or "Open", path)


def _ages(version: ModelVersion, review: Review | None) -> dict[str, dt.datetime]:
    """How old the facts are: the last measurement, card revision, round or signature."""
    ages: dict[str, dt.datetime] = {}
    measured = checks.measurements(version).filter(finished_at__isnull=False).first()
    if measured is not None and measured.finished_at is not None:
        ages["checks"] = measured.finished_at
    revision = modelcards.latest_revision(version)
    if revision is not None:
        ages["card"] = revision.created_at
    if review is not None:
        last = review.decisions.order_by("-pk").values_list("created_at", flat=True).first()
        ages["review"] = last or review.created_at
        round_ = reviews.live_round(review)
        if round_ is not None:
            ages["evidence"] = round_.created_at
    return ages


def _sentence(
    version: ModelVersion,
    results: Sequence[GateResult],
    review: Review | None,
    verbs: Collection[str],
    *,
    held: bool,
) -> str:
    """What happens next, or why the reader cannot help and who can."""
    if held:
        return (
            "This version is there by a signed review. It leaves by its owner's act, with a reason."
        )
    if not version.manifest:
        return "This version has no files here, so there are no bytes that an approval could be bound to."
    missing = [result for result in results if not result.passes]
    if not missing:
        return _ready(version, review)
    parts = [f"Possible when all {len(results)} hold."]
    for result in missing:
        verb = ACT_VERBS.get(result.key)
        waits = result.key == "review" and review is not None and review.state.is_active
        if verb is not None and verb not in verbs and not waits:
            parts.append(f"{_names(verb, version)} can {HELPERS[result.key]}.")
    return " ".join(parts)


def _ready(version: ModelVersion, review: Review | None) -> str:
    held = set(registry.held_targets(version))
    places = targets_of.waiting([each for each in wanted(version, review) if each not in held])
    if not places:
        return "All of it holds. The version is promoted with the last signature."
    first = "; ".join(places)
    return f"All of it holds. {first[:1].upper()}{first[1:]}."


def _names(verb: str, version: ModelVersion) -> str:
    people = [str(user) for user in policy.who_may(verb, version)[:3]]
    return (
        " or ".join(people)
        if people
        else "Nobody yet; an administrator grants the right and then somebody"
    )
