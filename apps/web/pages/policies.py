"""Policies: what is in force, what is proposed, what a change does, and the policy in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.accounts import policy as rights
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core import clock
from apps.core.actor import Actor
from apps.reviews import in_force, policy_list
from apps.reviews.models import ChangeStatus, PolicyChange, PolicyVersion
from apps.reviews.policies import compare, files
from apps.reviews.policies.document import PolicyDocument, parse
from apps.web import cells, status
from apps.web.parts import (
    Action,
    Column,
    Crumb,
    Empty,
    Fact,
    Notice,
    PageHeader,
    Row,
    SignBox,
    Table,
)

CRUMB = Crumb("Policies", "/policies/")


@dataclass(frozen=True, slots=True)
class PoliciesPage:
    header: PageHeader
    active: Table
    waiting: Table | None
    packs: Table | None
    history: Sequence[EventView]


@dataclass(frozen=True, slots=True)
class PolicyPage:
    header: PageHeader
    facts: Sequence[Fact]
    limits: Table
    rules: Table | None
    steps: Table
    versions: Table
    yaml: str


@dataclass(frozen=True, slots=True)
class ChangePage:
    header: PageHeader
    verdict: Notice
    facts: Sequence[Fact]
    redline: Table
    signatures: Table
    why_not: Notice | None


@dataclass(frozen=True, slots=True)
class ProposePage:
    header: PageHeader
    text: str
    cancel_url: str


def policies(actor: Actor) -> PoliciesPage:
    """What is in force, what waits for signatures, what comes ready-made."""
    edits = rights.can(actor, "policy.edit")
    active = list(in_force.active())
    actions = [
        Action("Propose a policy", reverse("web:policy-propose"), "primary", icon="plus")
    ] if edits else []  # fmt: skip
    return PoliciesPage(
        header=PageHeader(
            "Policies",
            lead="What a governed version must meet and who must sign. Several over one model hold together: "
            "the strictest of each.",
            actions=actions,
        ),
        active=Table(
            "In force",
            [Column("Policy"), Column("Covers"), Column("Governs"), Column("Signatures")],
            [_active(row) for row in active],
        ),
        waiting=_waiting(),
        packs=_packs({row.key for row in active}) if edits else None,
        history=audits.events(scopes=None, types=_TYPES, limit=20),
    )


_TYPES = (
    "reviews.policy.proposed",
    "reviews.policy.signed",
    "reviews.policy.activated",
    "reviews.policy.change_closed",
)


def _active(row: PolicyVersion) -> Row:
    document = parse(row.document)
    return Row(
        [
            cells.link(document.title, reverse("web:policy", args=[row.key]), note=str(row)),
            cells.text(covers(document)),
            cells.text(", ".join((*document.governs.stages, *_at(document.governs.aliases)))),
            cells.text("; ".join(f"{s.count} {s.role}" for s in document.steps)),
        ]
    )


def _at(aliases: Sequence[str]) -> list[str]:
    return [f"@{name}" for name in aliases]


def covers(document: PolicyDocument) -> str:
    """`risk tiers 1 and 2; tag gxp is yes`, or every governed model."""
    applies = document.applies_to
    parts = []
    if applies.tiers:
        tiers = " and ".join(map(str, applies.tiers))
        parts.append(f"risk tier{'s' if len(applies.tiers) > 1 else ''} {tiers}")
    if applies.teams:
        parts.append(f"models of {', '.join(applies.teams)}")
    parts += [f"tag {tag} is {' or '.join(values)}" for tag, values in applies.tags.items()]
    return "; ".join(parts) or "every governed model"


def _waiting() -> Table | None:
    rows = [
        Row(
            [
                cells.link(str(row), reverse("web:policy-change", args=[row.pk])),
                cells.text(what(row)),
                cells.text(_tally(row)),
                cells.person(str(row.proposed_by)),
                cells.when(row.proposed_at),
            ]
        )
        for row in policy_list.open_changes()
    ]
    columns = [Column(n) for n in ("Change", "What", "Signed", "Proposed by", "When")]
    return Table("Waiting for signatures", columns, rows) if rows else None


def what(change: PolicyChange) -> str:
    """The change in a few words."""
    if change.version is None:
        return f"Retire {change.replaces}"
    if change.replaces is None:
        return f"New: {change.version}"
    return f"{change.version} instead of {change.replaces}"


def _tally(change: PolicyChange) -> str:
    return f"{sum(row.approves for row in change.signatures.all())} of {change.needed}"


def _packs(present: set[str]) -> Table | None:
    today = clock.now().date()
    rows = []
    for document in files.packs():
        source = document.source
        if source is None:
            continue
        state = "in force" if files.in_force(document, today) else _dates(document)
        propose = f"{reverse('web:policy-propose')}?pack={document.key}"
        label = "Propose again" if document.key in present else "Propose"
        rows.append(
            Row(
                [
                    cells.text(document.title, note=document.summary),
                    cells.text(source.jurisdiction),
                    cells.text(source.citation, note=f"version {source.pack_version}, {state}"),
                    cells.acts(Action(label, propose)),
                ]
            )
        )
    columns = [Column("Policy"), Column("Jurisdiction"), Column("Follows"), Column("Propose", hidden_label=True)]  # fmt: skip
    return Table("Ready-made", columns, rows)


def _dates(document: PolicyDocument) -> str:
    source = document.source
    if source is None:
        return ""
    if source.effective_to is not None:
        return f"until {source.effective_to}, an archive"
    return f"from {source.effective_from}"


def policy(actor: Actor, key: str) -> PolicyPage:
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
            crumbs=[CRUMB, Crumb(document.title)],
        ),
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
        Fact("Covers", cells.text(covers(document))),
        Fact("Governs", cells.text(", ".join((*governs.stages, *_at(governs.aliases))))),
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


def change(actor: Actor, found: PolicyChange) -> ChangePage:
    """What is proposed: every difference, what it loosens, who signed."""
    actions = []
    waits = found.state is ChangeStatus.OPEN
    may_sign = waits and not why_not(actor, found)
    if may_sign:
        actions.append(Action("Sign", reverse("web:policy-sign", args=[found.pk]), "primary", icon="sign", dialog=True))  # fmt: skip
    if waits and rights.can(actor, "policy.edit"):
        actions.append(Action("Withdraw", reverse("web:policy-withdraw", args=[found.pk])))
    return ChangePage(
        header=PageHeader(
            what(found),
            ref=str(found),
            chips=[status.chip("policy_change", found.status)],
            digest=found.digest,
            lead=found.reason,
            actions=actions,
            crumbs=[CRUMB, Crumb(str(found))],
        ),
        verdict=_verdict(found),
        facts=[
            Fact("Proposed by", cells.person(str(found.proposed_by))),
            Fact("Proposed", cells.when(found.proposed_at)),
            Fact("Signed", cells.text(_tally(found))),
            *_asked(found),
        ],
        redline=_redline(found),
        signatures=_signatures(found),
        why_not=Notice(why_not(actor, found), "info", "You cannot sign this")
        if waits and not may_sign
        else None,
    )


def _asked(found: PolicyChange) -> list[Fact]:
    """Who may still sign an open change: roles held on the whole site."""
    if found.state is not ChangeStatus.OPEN:
        return []
    done = [row.user_id for row in found.signatures.all()]
    people = rights.who_may("policy.sign", None).exclude(pk__in=[*done, found.proposed_by_id])
    names = ", ".join(sorted(str(user) for user in people[:8]))
    nobody = "nobody: an administrator must make somebody validator or approver of the whole site"
    return [Fact("May sign", cells.text(names) if names else cells.missing(nobody))]


def _verdict(found: PolicyChange) -> Notice:
    many = f"{found.needed} signature{'s' if found.needed > 1 else ''}"
    if found.loosens:
        return Notice(f"It takes {many}.", "warn", "This loosens the policy", found.loosens)
    title = "A new policy" if found.replaces is None else "This loosens nothing"
    return Notice(f"It takes {many}.", "info", title)


def _redline(found: PolicyChange) -> Table:
    old = parse(found.replaces.document) if found.replaces else None
    new = parse(found.version.document) if found.version else None
    rows = [
        Row(
            [
                cells.mono(each.path),
                cells.text(each.old) if each.old else cells.missing("nothing"),
                cells.text(each.new) if each.new else cells.missing("nothing"),
            ]
        )
        for each in compare.redline(old, new)
    ]
    return Table("What changes", [Column("Where"), Column("Was"), Column("Becomes")], rows)


def _signatures(found: PolicyChange) -> Table:
    rows = [
        Row(
            [
                cells.person(row.signer_name),
                cells.chip(status.chip("decision", "approve" if row.approves else "reject")),
                cells.text(row.comment),
                cells.when(row.created_at),
            ]
        )
        for row in found.signatures.all()
    ]
    empty = Empty("nothing-yet", "Nobody has signed yet", "Whoever proposed it never signs it.")
    return Table("Signatures", [Column("Who"), Column("Decision"), Column("Why"), Column("When")], rows, empty)  # fmt: skip


def why_not(actor: Actor, found: PolicyChange) -> str:
    """Why this person cannot sign the change, in a sentence; "" if she can."""
    if found.state is not ChangeStatus.OPEN:
        return f"{found} is closed: {found.state.label.lower()}."
    if actor.user_id == found.proposed_by_id:
        return "You proposed it, so others must sign it."
    if any(row.user_id == actor.user_id for row in found.signatures.all()):
        return "You have signed it; a signature stays."
    if not rights.can(actor, "policy.sign"):
        return "Changes of policy are signed by validators and approvers of the whole site."
    return ""


def sign_box(actor: Actor, found: PolicyChange) -> SignBox:
    """The sentence that is signed."""
    loosens = f" It loosens: {'; '.join(found.loosens)}." if found.loosens else ""
    return SignBox(
        title=f"Sign {found}",
        statement=f"You decide on this change of policy: {what(found)}.{loosens}",
        digest=found.digest,
        digest_label="Proposal",
        as_whom=actor.label,
        submit_label="Sign this decision",
        action_url=reverse("web:policy-sign", args=[found.pk]),
        cancel_url=reverse("web:policy-change", args=[found.pk]),
        fields={"digest": found.digest},
    )


def propose(key: str, pack: str) -> ProposePage:
    """The form, filled from a policy that is there or comes ready-made."""
    row = (in_force.of_key(key) or policy_list.versions(key).first()) if key else None
    ready = next((d for d in files.packs() if d.key == pack), None) if pack else None
    document = parse(row.document) if row else ready
    title = f"Propose a change of {document.title}" if document else "Propose a policy"
    return ProposePage(
        header=PageHeader(
            title,
            lead="What you propose is compared with what is in force; you see every difference before anybody signs.",
            crumbs=[CRUMB, Crumb("Propose")],
        ),
        text=files.dump(document) if document else _BLANK,
        cancel_url=reverse("web:policies"),
    )


_BLANK = """\
key: my-policy
title: My policy
applies_to:
  tiers: [1, 2]
governs:
  stages: [production]
  aliases: [champion]
gates:
  checks:
    performance:
      balanced_accuracy: {min: "0.65"}
  card_complete: true
steps:
  - {key: validation, title: Validation, role: validator, count: 1}
  - {key: approval, title: Approval, role: approver, count: 1, after: [validation]}
approval_days: 180
promote: on_last_signature
"""
