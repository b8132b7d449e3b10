"""A proposed change of policy: every difference, what it loosens, who signed, and the form that signs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.accounts import policy as rights
from apps.core.actor import Actor
from apps.reviews.models import ChangeStatus, PolicyChange, PolicySignature
from apps.reviews.policies import compare
from apps.reviews.policies.document import parse
from apps.reviews.reads import policies as policy_list
from apps.reviews.reads import proposals, simulations
from apps.reviews.reads.simulations import Simulation
from apps.web import cells, status
from apps.web.pages import policy_simulation, policy_words
from apps.web.pages.policy_redline import redline
from apps.web.pages.policy_simulation import Section
from apps.web.pages.reviews import Waiting
from apps.web.parts import (
    Action,
    Chip,
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


@dataclass(frozen=True, slots=True)
class ChangePage:
    header: PageHeader
    verdict: Notice
    facts: Sequence[Fact]
    redline: Table
    simulation: Section
    signatures: Table
    why_not: Notice | None
    held: Notice | None


def page(actor: Actor, found: PolicyChange) -> ChangePage:
    """What is proposed: every difference, what it loosens, who signed."""
    actions = []
    waits = found.state is ChangeStatus.OPEN
    may_sign = waits and not why_not(actor, found)
    if may_sign:
        actions.append(Action("Sign", reverse("web:policy-sign", args=[found.pk]), "primary", icon="sign", dialog=True))  # fmt: skip
    if not proposals.why_not_withdraw(actor, found):
        actions.append(Action("Withdraw", reverse("web:policy-withdraw", args=[found.pk])))
    return ChangePage(
        header=PageHeader(
            policy_words.what(found),
            ref=str(found),
            chips=[status.chip("policy_change", found.status)],
            digest=found.digest,
            lead=found.reason,
            actions=actions,
            crumbs=[policy_words.CRUMB, Crumb(str(found))],
        ),
        verdict=policy_words.verdict(found.loosens, found.needed, new=found.replaces is None),
        facts=[
            Fact("Proposed by", cells.person(str(found.proposed_by))),
            Fact("Proposed", cells.when(found.proposed_at)),
            Fact("Signed", cells.text(policy_words.tally(found))),
            Fact("Begins", cells.text(policy_words.begins(found) or "with the last signature")),
            *_asked(found),
        ],
        redline=_redline(found),
        simulation=policy_simulation.section(actor, found),
        signatures=_signatures(found),
        why_not=Notice(why_not(actor, found), "info", "You cannot sign this")
        if waits and not may_sign
        else None,
        held=Notice(found.note, "warn", "Its day has come, and it is not in force")
        if found.state is ChangeStatus.SCHEDULED and found.note
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


def _redline(found: PolicyChange) -> Table:
    old = parse(found.replaces.document) if found.replaces else None
    new = parse(found.version.document) if found.version else None
    return redline(compare.redline(old, new))


def _signatures(found: PolicyChange) -> Table:
    rows = [
        Row(
            [
                cells.person(row.signer_name),
                cells.chip(
                    status.chip("decision", "approve" if row.approves else "reject"), note=_on(row)
                ),
                cells.text(row.comment),
                cells.when(row.created_at),
            ]
        )
        for row in found.signatures.all()
    ]
    empty = Empty("nothing-yet", "Nobody has signed yet", "Whoever proposed it never signs it.")
    return Table("Signatures", [Column("Who"), Column("Decision"), Column("Why"), Column("When")], rows, empty)  # fmt: skip


def _on(row: PolicySignature) -> str:
    """Which simulation the signature names; those made before there were simulations name none."""
    digest = json.loads(bytes(row.statement)).get("simulation", "")
    return f"on simulation {digest[:12]}" if digest else ""


def why_not(actor: Actor, found: PolicyChange) -> str:
    """Why this person cannot sign the change, in a sentence; "" if she can."""
    if found.state is ChangeStatus.SCHEDULED:
        return f"{found} has its signatures and is {policy_words.begins(found)}."
    if found.state is not ChangeStatus.OPEN:
        return f"{found} is closed: {found.state.label.lower()}."
    if actor.user_id == found.proposed_by_id:
        return "You proposed it, so others must sign it."
    if any(row.user_id == actor.user_id for row in found.signatures.all()):
        return "You have signed it; a signature stays."
    if not rights.can(actor, "policy.sign"):
        return "Changes of policy are signed by validators and approvers of the whole site."
    return ""


def sign_box(actor: Actor, found: PolicyChange, *, changed: str = "") -> SignBox:
    """The sentence that is signed; `changed` says why nothing was signed before."""
    newest = simulations.read(actor, found)
    tried = newest if newest is not None and newest.is_current else None
    loosens = f" It loosens: {'; '.join(found.loosens)}." if found.loosens else ""
    return SignBox(
        title=f"Sign {found}",
        statement=f"You decide on this change of policy: {_what(found)}.{loosens}",
        digest=found.digest,
        digest_label="Proposal",
        as_whom=actor.label,
        submit_label="Sign this decision",
        action_url=reverse("web:policy-sign", args=[found.pk]),
        cancel_url=reverse("web:policy-change", args=[found.pk]),
        fields={"digest": found.digest, "simulation": tried.row.digest if tried else ""},
        note=_tried(tried),
        changed=changed,
    )


def _tried(found: Simulation | None) -> str:
    """What is signed beside the proposal: the simulation whose result the page shows."""
    if found is None:
        return (
            "It has not been tried under what is in force now. When you sign it is tried first, and you are shown what "
            "came out before anything is signed."
        )
    return (
        f"Your signature names what it would have changed, as the page shows it ({found.row.digest[:12]}): "
        f"{policy_simulation.counts(found)}"
    )


def _what(found: PolicyChange) -> str:
    return ", ".join(
        part for part in (policy_words.what(found), policy_words.begins(found)) if part
    )


def to_sign(actor: Actor) -> list[Waiting]:
    """At home, for whoever can sign one."""
    return [
        Waiting(
            f"{row} {policy_words.what(row)}",
            reverse("web:policy-change", args=[row.pk]),
            f"{row.proposed_by} proposes a change of policy; signed {policy_words.tally(row)}.",
            Chip("To sign", "info", "sign"),
            Action("Open", reverse("web:policy-change", args=[row.pk])),
        )
        for row in _pending(actor)
        if not why_not(actor, row)
    ]


def to_come(actor: Actor) -> list[Waiting]:
    """At home, for whoever could withdraw one: what is signed and waits for its day."""
    return [
        Waiting(
            f"{row} {policy_words.what(row)}",
            reverse("web:policy-change", args=[row.pk]),
            row.note or f"Signed, {policy_words.begins(row)}.",
            status.chip("policy_change", row.status),
            None,
        )
        for row in _pending(actor)
        if row.state is ChangeStatus.SCHEDULED and not proposals.why_not_withdraw(actor, row)
    ]


def _pending(actor: Actor) -> Sequence[PolicyChange]:
    """Nothing is asked of the database for those who neither sign nor propose."""
    verbs = ("policy.sign", "policy.edit")
    return list(policy_list.pending()) if any(rights.can(actor, verb) for verb in verbs) else []
