"""Policies: what is in force, what waits for signatures, what comes ready-made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.accounts import policy as rights
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core import clock
from apps.core.actor import Actor
from apps.reviews import in_force
from apps.reviews.models import PolicyVersion
from apps.reviews.policies import files
from apps.reviews.policies.document import PolicyDocument, Source, parse
from apps.reviews.reads import policies as policy_list
from apps.web import cells
from apps.web.pages import policy_words
from apps.web.parts import Action, Column, PageHeader, Row, Table


@dataclass(frozen=True, slots=True)
class PoliciesPage:
    header: PageHeader
    active: Table
    waiting: Table | None
    packs: Table | None
    history: Sequence[EventView]


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
        packs=_packs(active) if edits else None,
        history=audits.events(scopes=None, types=_TYPES, limit=20),
    )


_TYPES = (
    "reviews.policy.proposed",
    "reviews.policy.signed",
    "reviews.policy.scheduled",
    "reviews.policy.held",
    "reviews.policy.activated",
    "reviews.policy.change_closed",
)


def _active(row: PolicyVersion) -> Row:
    document = parse(row.document)
    return Row(
        [
            cells.link(document.title, reverse("web:policy", args=[row.key]), note=str(row)),
            cells.text(policy_words.covers(document)),
            cells.text(
                ", ".join((*document.governs.stages, *policy_words.at(document.governs.aliases)))
            ),
            cells.text("; ".join(map(policy_words.signers, document.steps))),
        ]
    )


def _waiting() -> Table | None:
    rows = [
        Row(
            [
                cells.link(str(row), reverse("web:policy-change", args=[row.pk])),
                cells.text(policy_words.what(row)),
                cells.text(policy_words.tally(row), note=policy_words.begins(row)),
                cells.person(str(row.proposed_by)),
                cells.when(row.proposed_at),
            ]
        )
        for row in policy_list.pending()
    ]
    columns = [Column(n) for n in ("Change", "What", "Signed", "Proposed by", "When")]
    return Table("Waiting for signatures or for their day", columns, rows) if rows else None


def _packs(active: Sequence[PolicyVersion]) -> Table:
    today = clock.now().date()
    here = {row.key: parse(row.document) for row in active}
    rows = [
        Row(
            [
                cells.text(document.title, note=document.summary),
                cells.text(source.jurisdiction),
                cells.text(source.citation, note=_edition(document, source, today)),
                cells.text(_beside(source, here.get(document.key))),
                cells.acts(_offer(document, source, here.get(document.key))),
            ]
        )
        for document in files.packs()
        if (source := document.source) is not None
    ]
    columns = [Column("Policy"), Column("Jurisdiction"), Column("Follows"), Column("Here"), Column("Propose", hidden_label=True)]  # fmt: skip
    return Table("Ready-made", columns, rows)


def _edition(document: PolicyDocument, source: Source, today: dt.date) -> str:
    state = "in force" if files.in_force(document, today) else _dates(document)
    return f"version {source.pack_version}, {state}"


def _beside(source: Source, here: PolicyDocument | None) -> str:
    """How a ready-made policy stands to the one of its short name that is in force here."""
    if here is None:
        return "Not in force here"
    if here.source is None or here.source.pack != source.pack:
        return "A policy of your own has its short name"
    if here.source.pack_version < source.pack_version:
        return f"Version {source.pack_version} is newer than version {here.source.pack_version}, which is in force here"
    return f"Version {here.source.pack_version} is in force here"


def _offer(document: PolicyDocument, source: Source, here: PolicyDocument | None) -> Action:
    url = f"{reverse('web:policy-propose')}?pack={document.key}"
    if here is not None:
        return Action("See what changes", f"{url}&as=preview")
    return Action("Propose", url)


def _dates(document: PolicyDocument) -> str:
    source = document.source
    if source is None:
        return ""
    if source.effective_to is not None:
        return f"until {source.effective_to}, an archive"
    return f"from {source.effective_from}"
