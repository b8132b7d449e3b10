"""One policy in words, with its versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.accounts import policy as rights
from apps.core.actor import Actor
from apps.reviews import in_force, policy_list
from apps.reviews.models import PolicyVersion
from apps.reviews.policies import files
from apps.reviews.policies.document import PolicyDocument, parse
from apps.web import cells, status
from apps.web.pages import policy_words
from apps.web.parts import Action, Column, Crumb, Fact, Notice, PageHeader, Row, Table


@dataclass(frozen=True, slots=True)
class PolicyPage:
    header: PageHeader
    idle: Notice | None
    facts: Sequence[Fact]
    limits: Table
    rules: Table | None
    steps: Table
    versions: Table
    yaml: str


def page(actor: Actor, key: str) -> PolicyPage:
    """One policy: the version in force, or the newest one when none is."""
    active = in_force.of_key(key)
    row = active or policy_list.versions(key).first() or policy_list.get_version(key, 0)
    document = parse(row.document)
    actions = _policy_actions(actor, row, active)
    chip = status.chip("policy", "in_force" if active else "not_in_force")
    return PolicyPage(
        header=PageHeader(
            document.title,
            ref=str(row),
            chips=[chip],
            lead=document.summary,
            digest=row.digest,
            actions=actions,
            crumbs=[policy_words.CRUMB, Crumb(document.title)],
        ),
        idle=policy_words.idle(document),
        facts=_facts(document),
        limits=_limits(document),
        rules=_rules(document),
        steps=_steps(document),
        versions=_versions(key, active),
        yaml=files.dump(document),
    )


def _policy_actions(actor: Actor, row: PolicyVersion, active: PolicyVersion | None) -> list[Action]:
    yaml = Action(
        "YAML", reverse("web:policy-yaml", args=[row.key, row.number]), icon="download", download=True
    )  # fmt: skip
    if not rights.can(actor, "policy.edit"):
        return [yaml]
    change = Action(
        "Propose a change", f"{reverse('web:policy-propose')}?from={row.key}", "primary"
    )
    retire = Action("Retire", reverse("web:policy-retire", args=[row.key]), "danger")
    return [change, *([retire] if active else []), yaml]


def _facts(document: PolicyDocument) -> list[Fact]:
    governs, source = document.governs, document.source
    asked = {
        "on_last_signature": "with the last signature",
        "on_request": "when somebody asks, after the last signature",
    }
    facts = [
        Fact("Covers", cells.text(policy_words.covers(document))),
        Fact(
            "Governs", cells.text(", ".join((*governs.stages, *policy_words.at(governs.aliases))))
        ),
        Fact(
            "Tags nobody sets by hand",
            cells.text(", ".join(governs.tags)) if governs.tags else cells.missing("none"),
        ),
        Fact("Promotes", cells.text(asked[document.promote])),
        Fact("An approval lives", cells.text(f"{document.approval_days} days")),
    ]
    if source is not None:
        facts.append(
            Fact("Follows", cells.text(source.citation, note=f"{source.jurisdiction}, pack {source.pack} {source.pack_version}"))
        )  # fmt: skip
    return facts


def _limits(document: PolicyDocument) -> Table:
    rows = [
        Row([cells.text(kind.capitalize()), cells.text(name.replace("_", " ")), cells.text(_said(value))])
        for kind, limits in document.gates.checks.items()
        for name, value in limits.items()
    ]  # fmt: skip
    return Table("Checks", [Column("Check"), Column("Measure"), Column("Limit")], rows)


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        words = {"min": "at least", "max": "at most"}
        return " ".join(f"{words.get(key, key)} {number}" for key, number in value.items())
    if isinstance(value, list):
        return ", ".join(" and ".join(v) if isinstance(v, list) else str(v) for v in value)
    return str(value)


def _rules(document: PolicyDocument) -> Table | None:
    gates = document.gates
    found = [("Model card", "every required block is answered")] if gates.card_complete else []
    if gates.max_age_days.results:
        found.append(("Age", f"results are at most {gates.max_age_days.results} days old"))
    if gates.clean_commit:
        found.append(("Code", "the run names a commit without uncommitted changes"))
    found += [(f"Inconclusive {k}", f"accepted: {why}") for k, why in gates.accept_inconclusive.items()]  # fmt: skip
    found += [(each.title, each.expression) for each in gates.conditions]
    found += [(each.title, f"nothing is promoted from {each.first} to {each.last}") for each in document.freeze_windows]  # fmt: skip
    rows = [Row([cells.text(title), cells.text(text)]) for title, text in found]
    return Table("Other rules", [Column("Rule"), Column("Asks")], rows) if rows else None


def _steps(document: PolicyDocument) -> Table:
    titles = {step.key: step.title for step in document.steps}
    rows = [
        Row(
            [
                cells.text(step.title),
                cells.text(f"{step.count} {step.role}{'s' if step.count > 1 else ''}"),
                cells.text(", ".join(titles[key] for key in step.after))
                if step.after
                else cells.missing("at any time"),
                cells.text("authors and the owner" if step.exclude_owner else "authors"),
            ]
        )
        for step in document.steps
    ]
    return Table("Who must sign", [Column("Step"), Column("Who"), Column("After"), Column("Never")], rows)  # fmt: skip


def _versions(key: str, active: PolicyVersion | None) -> Table:
    rows = [
        Row(
            [
                cells.link(str(row), reverse("web:policy-yaml", args=[key, row.number])),
                cells.chip(status.chip("policy", "in_force" if row == active else "not_in_force")),
                cells.when(row.created_at),
                cells.digest(row.digest),
            ]
        )
        for row in policy_list.versions(key)[:50]
    ]
    return Table("Versions", [Column("Version"), Column("State"), Column("Written"), Column("Digest")], rows)  # fmt: skip
