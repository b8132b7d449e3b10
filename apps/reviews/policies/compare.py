"""What a change of a policy loosens, and what differs, in words.

A change is a *loosening* if some request that the old version refuses could pass under the new one. Part by
part: where the stricter of old and new is not the new one, the old one refused something the new one lets through.
It errs on the safe side: a changed condition counts as loosened, since nobody can tell in general.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from apps.core.errors import Invalid
from apps.reviews.policies import combine
from apps.reviews.policies.document import AgainstIncumbent, ImpactGate, PolicyDocument, Step, plain


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a redline: the path in the document, what stood there and what stands there now."""

    path: str
    old: str
    new: str


def redline(old: PolicyDocument | None, new: PolicyDocument | None) -> list[Change]:
    """Every difference between two documents, in the order of the new one; None is no document.

    Two are compared with their defaults written out: what was left out and what is emptied are not the same. One alone
    is shown as it is written.
    """
    written = _whole if old and new else plain
    before = dict(_leaves(written(old))) if old else {}
    after = dict(_leaves(written(new))) if new else {}
    for told in (before, after):
        told.pop("number", None)
    paths = [*after, *(path for path in before if path not in after)]
    return [
        Change(path, before.get(path, ""), after.get(path, ""))
        for path in paths
        if before.get(path, "") != after.get(path, "")
    ]


def _whole(document: PolicyDocument) -> dict[str, Any]:
    return document.model_dump(mode="json")


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and _has_parts(value):
        for index, inner in enumerate(value):
            name = inner.get("key", index) if isinstance(inner, Mapping) else index
            yield from _leaves(inner, f"{path}.{name}")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield path, ", ".join(map(str, value))
    else:
        yield path, "" if value is None else str(value)


def _has_parts(values: Sequence[Any]) -> bool:
    return any(isinstance(value, Mapping) for value in values)


def loosenings(old: PolicyDocument, new: PolicyDocument | None) -> list[str]:
    """What the new version lets through that the old one refused, a sentence each; [] for a tightening.

    `new` is None when the policy is to be retired.
    """
    if new is None:
        return ["the policy is retired: nothing of it is asked any more"]
    return [sentence for check in _PARTS for sentence in check(old, new)]


def _covers_less(old: PolicyDocument, new: PolicyDocument) -> Iterator[str]:
    was, now = old.applies_to, new.applies_to
    if now.tiers and not (was.tiers and set(was.tiers) <= set(now.tiers)):
        yield "it covers fewer risk tiers"
    if now.teams and not (was.teams and set(was.teams) <= set(now.teams)):
        yield "it covers fewer teams"
    for tag, values in now.tags.items():
        if tag not in was.tags or not set(was.tags[tag]) <= set(values):
            yield f"it covers only models with the tag {tag} in {', '.join(values)}"


def _governs_less(old: PolicyDocument, new: PolicyDocument) -> Iterator[str]:
    for kind in ("stages", "aliases", "environments", "tags"):
        gone = set(getattr(old.governs, kind)) - set(getattr(new.governs, kind))
        if gone:
            yield f"it no longer governs {kind}: {', '.join(sorted(gone))}"


def _weaker_checks(old: PolicyDocument, new: PolicyDocument) -> Iterator[str]:
    was, now = combine.written_out(old.gates.checks), combine.written_out(new.gates.checks)
    for kind, limits in was.items():
        if kind not in now:
            yield f"{kind} is not demanded any more"
            continue
        try:
            strictest = combine.checks([{kind: limits}, {kind: now[kind]}])[kind]
        except Invalid:
            yield f"{kind}: its limits cannot be compared"
            continue
        for name in sorted({*strictest, *now[kind]}):
            if not _same(name, strictest.get(name), now[kind].get(name)):
                told = f"{_text(limits.get(name))} becomes {_text(now[kind].get(name))}"
                yield f"{kind}.{name}: {told}"


def _same(name: str, one: Any, other: Any) -> bool:
    if name in {"features", "columns", "allow_globals", "allow_features", "allow_columns"}:
        return sorted(map(repr, one or [])) == sorted(map(repr, other or []))
    return bool(_value(one) == _value(other))


def _value(limit: Any) -> Any:
    """A limit by value: 0.1 is 0.10."""
    if isinstance(limit, Mapping):
        return {key: Fraction(text) for key, text in limit.items()}
    return None if limit is None else Fraction(limit)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key} {text}" for key, text in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _weaker_gates(old: PolicyDocument, new: PolicyDocument) -> Iterator[str]:
    was, now = old.gates, new.gates
    if was.card_complete and not now.card_complete:
        yield "the card need not be complete"
    for template in sorted({*was.card_templates} - {*now.card_templates}):
        yield f"the card need not follow the template {template}"
    if was.clean_commit and not now.clean_commit:
        yield "the code need not be committed"
    for kind in now.accept_inconclusive:
        if kind in was.checks and kind not in was.accept_inconclusive:
            yield f"an inconclusive {kind} is accepted"
    for of in ("results", "data"):
        if _longer(getattr(was.max_age_days, of), getattr(now.max_age_days, of)):
            yield f"{of} may be older"
    yield from _weaker_impact(was.impact_assessment, now.impact_assessment)
    yield from _weaker_against_incumbent(was.against_incumbent, now.against_incumbent)


def _weaker_impact(was: ImpactGate, now: ImpactGate) -> Iterator[str]:
    for tier in sorted(set(was.tiers) - set(now.tiers)):
        yield f"tier {tier} needs no impact assessment any more"
    if was.tiers and _longer(was.max_age_days, now.max_age_days):
        yield "an impact assessment may be older"


def _gone_conditions(old: PolicyDocument, new: PolicyDocument) -> Iterator[str]:
    kept = {condition.expression for condition in new.gates.conditions}
    for condition in old.gates.conditions:
        if condition.expression not in kept:
            yield f"the condition {condition.key} is gone or changed"


def _longer(old: int | None, new: int | None) -> bool:
    """Whether more days are left than before; None is for ever."""
    return old is not None and (new is None or new > old)


def _weaker_against_incumbent(
    old: AgainstIncumbent | None, new: AgainstIncumbent | None
) -> Iterator[str]:
    if old is None:
        return
    now: Mapping[Any, str] = new.max_loss if new is not None else {}
    for metric, loss in old.max_loss.items():
        if metric not in now:
            yield f"{metric} is not compared with the version in the target any more"
        elif Fraction(now[metric]) > Fraction(loss):
            yield f"{metric} may be {now[metric]} instead of {loss} worse than the version in the target"
    if old.same_data and not (new is None or new.same_data):
        yield "the version in the target may have been measured on other data"


def _fewer_signers(old: PolicyDocument, new: PolicyDocument) -> Iterator[str]:
    for role in dict.fromkeys(step.role for step in old.steps):
        was = [step for step in old.steps if step.role == role]
        now = [step for step in new.steps if step.role == role]
        for index, step in enumerate(was):
            if index >= len(now):
                yield f"the step {step.title} is gone"
            elif now[index].count < step.count:
                yield f"{step.title}: {now[index].count} instead of {step.count} sign"
            elif step.exclude_owner and not now[index].exclude_owner:
                yield f"{step.title}: the owner of the model may sign"
    if not _order(old.steps) <= _order(new.steps):
        yield "an order between steps is dropped"


def _order(steps: Sequence[Step]) -> set[tuple[str, str]]:
    """Which place comes after which, by role and position: names of steps do not matter."""
    seen: dict[str, int] = {}
    place = {}
    for step in steps:
        seen[step.role] = seen.get(step.role, 0) + 1
        place[step.key] = f"{step.role} {seen[step.role]}"
    direct = {key: {*step.after} for key, step in zip(place, steps, strict=True)}
    found = set()
    for key in place:
        todo = [*direct[key]]
        while todo:
            earlier = todo.pop()
            found.add((place[key], place[earlier]))
            todo += direct[earlier]
    return found


def _easier_moves(old: PolicyDocument, new: PolicyDocument) -> Iterator[str]:
    if new.approval_days > old.approval_days:
        yield f"an approval lives {new.approval_days} instead of {old.approval_days} days"
    if _longer(old.review_days, new.review_days):
        yield "a request waits longer until it expires"
    for trigger in sorted(set(old.rereview_on) - set(new.rereview_on)):
        yield f"{_TRIGGERS[trigger]} does not ask for a new review any more"
    if (old.promote, new.promote) == ("on_request", "on_last_signature"):
        yield "the last signature promotes by itself"
    for window in old.freeze_windows:
        covered = any(w.first <= window.first and window.last <= w.last for w in new.freeze_windows)
        if not covered:
            yield f"the freeze {window.title} ({window.first} to {window.last}) is gone or shorter"


_TRIGGERS: Final = {
    "recall": "a recalled result", "finding": "a blocking finding", "checks": "a failed check",
    "data": "new evaluation data", "use": "a change of use", "incident": "an incident", "vendor": "a vendor's change",
}  # fmt: skip


def _weaker_people(old: PolicyDocument, new: PolicyDocument) -> Iterator[str]:
    """Who may act alone: in an emergency, for a residual risk, for a waiver."""
    was, now = old.emergency, new.emergency
    if was is None and now is not None:
        yield f"{' and '.join(now.roles)} may put an earlier version back alone"
    elif was is not None and now is not None:
        yield from _fewer_roles("an earlier version is put back", was.roles, now.roles)
        if now.review_within_days > was.review_within_days:
            yield f"a version put back is reviewed within {now.review_within_days} days"
    yield from _fewer_roles(
        "a residual risk is accepted",
        old.findings.residual_risk_roles,
        new.findings.residual_risk_roles,
    )
    yield from _fewer_roles("a requirement is waived", old.waivers.roles, new.waivers.roles)
    if new.waivers.max_days > old.waivers.max_days:
        yield f"a waiver lives up to {new.waivers.max_days} instead of {old.waivers.max_days} days"


def _fewer_roles(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    gone = sorted(set(old) - set(new))
    if gone:
        yield f"{what} by somebody who need not be {' and '.join(gone)}"


_PARTS: Final[tuple[Callable[[PolicyDocument, PolicyDocument], Iterator[str]], ...]] = (
    _covers_less, _governs_less, _weaker_checks, _weaker_gates, _gone_conditions, _fewer_signers, _easier_moves,
    _weaker_people,
)  # fmt: skip
