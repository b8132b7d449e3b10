"""A proposed change of how a model stands: what becomes what, what that lets go, who signs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.accounts import policy
from apps.core.actor import Actor
from apps.registry.models import Exposure, PurposeClass
from apps.reviews.models import ModelChange, ModelChangeStatus
from apps.reviews.reads import model_changes
from apps.web import addresses, cells, status
from apps.web.pages.reviews import Waiting
from apps.web.parts import (
    Action,
    Cell,
    Chip,
    Column,
    Crumb,
    Fact,
    Notice,
    PageHeader,
    Row,
    SignBox,
    Table,
)


@dataclass(frozen=True, slots=True)
class ModelChangePage:
    header: PageHeader
    verdict: Notice
    facts: Sequence[Fact]
    differences: Table
    why_not: Notice | None


def url(change: ModelChange, act: str = "") -> str:
    """The page of a change, or of an act on it: `sign` or `withdraw`."""
    name = f"web:model-change-{act}" if act else "web:model-change"
    return reverse(name, args=[change.pk])


def crumbs(change: ModelChange) -> list[Crumb]:
    """From the models to the change."""
    name = change.model.name
    return [
        Crumb("Models", addresses.models()),
        Crumb(name, addresses.model(name)),
        Crumb(str(change)),
    ]


def page(actor: Actor, change: ModelChange) -> ModelChangePage:
    """The page for this reader."""
    verbs = policy.verbs_on(actor, change)
    obstacle = model_changes.why_not(actor, change)
    waits = change.state is ModelChangeStatus.OPEN
    return ModelChangePage(
        header=PageHeader(
            f"Change how {change.model.name} stands",
            ref=str(change),
            chips=[status.chip("model_change", change.status)],
            lead=change.reason,
            digest=change.digest,
            actions=_actions(change, verbs, obstacle) if waits else [],
            crumbs=crumbs(change),
        ),
        verdict=Notice(
            "It takes the signature of a validator or an approver of the model, who neither proposed it nor owns it.",
            "warn",
            "This lets go",
            change.loosens,
        ),
        facts=_facts(change),
        differences=_differences(change),
        why_not=Notice(obstacle, "info", "You cannot sign this") if waits and obstacle else None,
    )


def _actions(change: ModelChange, verbs: Collection[str], obstacle: str) -> list[Action]:
    actions = []
    if not obstacle:
        actions.append(Action("Sign", url(change, "sign"), "primary", icon="sign", dialog=True))
    if "model.manage" in verbs:
        actions.append(Action("Withdraw", url(change, "withdraw")))
    return actions


def _facts(change: ModelChange) -> list[Fact]:
    facts = [
        Fact("Proposed by", cells.person(str(change.proposed_by))),
        Fact("Proposed", cells.when(change.proposed_at)),
    ]
    signature = getattr(change, "signature", None)
    if signature is not None:
        said = status.chip("decision", "approve" if signature.approves else "reject")
        facts += [
            Fact("Signed by", cells.person(signature.signer_name)),
            Fact("As", cells.text(signature.role, note=signature.comment)),
            Fact("Decision", cells.chip(said)),
            Fact("Signed", cells.when(signature.created_at)),
        ]
    elif change.state is ModelChangeStatus.OPEN:
        names = ", ".join(str(user) for user in model_changes.may_sign(change)[:8])
        nobody = cells.missing("nobody: the model needs a validator or an approver")
        facts.append(Fact("May sign", cells.text(names) if names else nobody))
    elif change.note:
        facts.append(Fact("Why it ended", cells.text(change.note)))
    return facts


def _differences(change: ModelChange) -> Table:
    before, after = change.before, change.after
    rows = [
        _row(
            "Risk tier", cells.text(str(before["risk_tier"])), cells.text(str(after["risk_tier"]))
        ),
        _row("Exposure", _label(Exposure, before, "exposure"), _label(Exposure, after, "exposure")),
        _row(
            "Used for",
            _label(PurposeClass, before, "purpose_class"),
            _label(PurposeClass, after, "purpose_class"),
        ),
        *_demanded(before, after),
        _row("Team", _or_none(before["team"]), _or_none(after["team"])),
    ]
    rows += [
        _row(f"Tag {key}", _or_none(before["tags"].get(key)), _or_none(value))
        for key, value in after["tags"].items()
    ]
    return Table("What changes", [Column("What"), Column("Is"), Column("Becomes")], rows)


def _demanded(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Row]:
    """What the impact assessment demands, where it does before or after."""
    was, becomes = before.get("demanded_tier"), after.get("demanded_tier")
    if was is None and becomes is None:
        return []
    values = [f"tier {each}" if each else "" for each in (was, becomes)]
    return [_row("Demanded by its impact assessment", *map(_or_none, values))]


def _row(what: str, was: Cell, becomes: Cell) -> Row:
    same = was == becomes
    return Row([cells.text(what), was, cells.missing("the same") if same else becomes])


def _label(choices: Any, standing: Mapping[str, Any], field: str) -> Cell:
    return cells.text(choices(standing[field]).label)


def _or_none(value: str | None) -> Cell:
    return cells.text(value) if value else cells.missing("none")


def sign_box(actor: Actor, change: ModelChange) -> SignBox:
    """The sentence that is signed."""
    role = model_changes.role_of(actor, change)
    return SignBox(
        title=f"Sign {change}",
        statement=f"You decide how {change.model.name} stands: {'; '.join(change.loosens)}. Approved, it is applied at once.",
        digest=change.digest,
        digest_label="Proposal",
        as_whom=f"{actor.label}, {role}",
        submit_label="Sign this decision",
        action_url=url(change, "sign"),
        cancel_url=url(change),
        fields={"digest": change.digest},
    )


def notice(change: ModelChange | None) -> Notice | None:
    """On the model's page, while a change waits."""
    if change is None:
        return None
    return Notice(
        f"{change} waits for a signature: {'; '.join(change.loosens)}. Until then the model stands as before.",
        "info",
        "A change of its standing is proposed",
        url=url(change),
        url_label=f"Open {change}",
    )


def waiting(actor: Actor) -> list[Waiting]:
    """At home, for whoever can sign one."""
    return [
        Waiting(
            f"{change} {change.model.name}",
            url(change),
            f"{change.proposed_by} proposes: {'; '.join(change.loosens)}.",
            Chip("To sign", "info", "sign"),
            Action("Open", url(change)),
        )
        for change in model_changes.waiting_for(actor)
    ]
