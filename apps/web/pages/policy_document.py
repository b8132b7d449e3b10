"""A policy document in words: the same on the page of a policy, of a version, and before anybody proposes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.reviews.policies.document import Gates, ImpactGate, PolicyDocument, Step
from apps.reviews.policies.saying import METRICS, kind_title
from apps.web import cells, words
from apps.web.pages import policy_words
from apps.web.parts import Column, Fact, Row, Table


@dataclass(frozen=True, slots=True)
class Words:
    """What the document asks for: in short, by whom, by which limits, and by which other rules."""

    facts: Sequence[Fact]
    steps: Table
    limits: Table
    rules: Table | None


def in_words(document: PolicyDocument) -> Words:
    """Everything that the document says and that somebody is held to."""
    return Words(_facts(document), _steps(document), _limits(document), _rules(document))


_PROMOTES = {
    "on_last_signature": "with the last signature",
    "on_request": "when somebody asks, after the last signature",
}


def _facts(document: PolicyDocument) -> list[Fact]:
    governs, source = document.governs, document.source
    facts = [
        Fact("Covers", cells.text(policy_words.covers(document))),
        Fact("Governs", cells.text(", ".join((*governs.stages, *policy_words.at(governs.aliases), *governs.environments)))),
        Fact("Tags nobody sets by hand", _or_none(", ".join(governs.tags))),
        Fact("Promotes", cells.text(_PROMOTES[document.promote])),
        Fact("An approval lives", cells.text(words.plural(document.approval_days, "day"))),
        Fact("A request expires", cells.text(f"after {words.plural(document.review_days, 'day')}") if document.review_days else cells.missing("never")),
        Fact("Emergency", cells.text(_emergency(document))),
        Fact("Residual risk is accepted by", cells.text(policy_words.all_of(document.findings.residual_risk_roles))),
        Fact("Waived by", cells.text(f"{policy_words.all_of(document.waivers.roles)}, for at most {words.plural(document.waivers.max_days, 'day')}")),
    ]  # fmt: skip
    if document.rereview_on:
        asks = ", ".join(policy_words.TRIGGERS[each] for each in document.rereview_on)
        facts.insert(6, Fact("Asks for a new review", cells.text(asks)))
    if source is not None:
        facts.append(Fact("Follows", cells.text(source.citation, note=policy_words.source(source))))
    return facts


def _or_none(text: str) -> Any:
    return cells.text(text) if text else cells.missing("none")


def _emergency(document: PolicyDocument) -> str:
    path = document.emergency
    if path is None:
        return "nobody acts alone"
    days = words.plural(path.review_within_days, "day")
    return f"{policy_words.all_of(path.roles)} puts the last approved version back alone; reviewed within {days}"


def _limits(document: PolicyDocument) -> Table:
    rows = [
        Row([cells.text(kind_title(kind)), cells.text(_measure(kind, name)), cells.text(_said(value))])
        for kind, limits in document.gates.checks.items()
        for name, value in limits.items()
    ]  # fmt: skip
    return Table("Checks", [Column("Check"), Column("Measure"), Column("Limit")], rows)


def _measure(kind: str, name: str) -> str:
    return METRICS.get(kind, {}).get(name) or name.replace("_", " ")


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        said = {"min": "at least", "max": "at most"}
        return " ".join(f"{said.get(key, key)} {number}" for key, number in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(" and ".join(v) if isinstance(v, list | tuple) else str(v) for v in value)
    return str(value)


def _rules(document: PolicyDocument) -> Table | None:
    rows = [Row([cells.text(title), cells.text(text)]) for title, text in _other(document)]
    return Table("Other rules", [Column("Rule"), Column("Asks")], rows) if rows else None


def _other(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    yield from _required(document.gates)
    for kind, why in document.gates.accept_inconclusive.items():
        yield f"Inconclusive {kind_title(kind).lower()}", f"accepted: {why}"
    for each in document.gates.conditions:
        yield each.title, each.expression
    for window in document.freeze_windows:
        yield window.title, f"nothing is promoted from {window.first} to {window.last}"


def _required(gates: Gates) -> Iterator[tuple[str, str]]:
    ages = gates.max_age_days
    if gates.card_complete:
        yield "Model card", "every required block is answered"
    if gates.card_templates:
        yield "Card template", ", ".join(gates.card_templates)
    if ages.results:
        yield "Age", f"results are at most {words.plural(ages.results, 'day')} old"
    if ages.data:
        yield "Age of data", f"evaluation data is at most {words.plural(ages.data, 'day')} old"
    if gates.impact_assessment.tiers:
        yield "Impact assessment", _impact(gates.impact_assessment)
    if gates.clean_commit:
        yield "Code", "the run names a commit without uncommitted changes"
    against = gates.against_incumbent
    data = " on the same data" if against and against.same_data else ""
    for metric, loss in against.max_loss.items() if against else ():
        yield (
            "The version in use",
            f"{_measure('performance', metric)} is at most {loss} worse{data}",
        )


def _impact(asked: ImpactGate) -> str:
    tiers = ", ".join(map(str, asked.tiers))
    age = f", at most {words.plural(asked.max_age_days, 'day')} ago" if asked.max_age_days else ""
    return f"for models of risk tier {tiers} one is signed{age} and not due again"


def _steps(document: PolicyDocument) -> Table:
    titles = {step.key: step.title for step in document.steps}
    rows = [
        Row(
            [
                cells.text(step.title),
                cells.text(policy_words.signers(step)),
                cells.text(", ".join(titles[key] for key in step.after))
                if step.after
                else cells.missing("at any time"),
                cells.text("authors and the owner" if step.exclude_owner else "authors"),
                cells.text(_deadline(step)) if step.deadline_days else cells.missing("no deadline"),
            ]
        )
        for step in document.steps
    ]
    columns = ("Step", "Who", "After", "Never", "Deadline")
    return Table("Who must sign", [Column(name) for name in columns], rows)


def _deadline(step: Step) -> str:
    told = f", then {policy_words.all_of(step.escalate_to)} told" if step.escalate_to else ""
    return f"{words.plural(step.deadline_days or 0, 'day')}{told}"
