"""What a proposed policy would have changed: the section on the page of the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.accounts import policy as rights
from apps.core.actor import Actor
from apps.core.errors import Tampered
from apps.registry.targets import Target
from apps.reviews.models import ChangeStatus, PolicyChange
from apps.reviews.reads import simulations
from apps.reviews.reads.simulations import Changed, Changes, Simulation
from apps.web import addresses, cells, status, words
from apps.web.pages import decision_box
from apps.web.parts import Action, Column, Notice, Row, Table

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Section:
    """Counts first, then a table for each way in which something would come out differently."""

    notices: Sequence[Notice]
    counts: str
    tables: Sequence[Table]
    acts: Sequence[Action]
    digest: str
    made: str = ""


def section(actor: Actor, change: PolicyChange) -> Section:
    """What the newest simulation of the change says to this reader."""
    acts = _acts(actor, change)
    try:
        found = simulations.read(actor, change)
    except Tampered as error:
        return Section([Notice(str(error), "bad", "Damaged")], "", [], acts, "")
    if found is None:
        return Section([_waiting(change)], "", [], acts, "")
    tables = [
        table
        for table in (
            _table("Would have been blocked", found.blocked),
            _table("Would have been let through", found.let_through),
            _table("Would have been asked for more", found.asked),
        )
        if table is not None
    ]
    return Section(list(_notices(change, found)), counts(found), tables, acts, found.row.digest)


def _acts(actor: Actor, change: PolicyChange) -> list[Action]:
    may = rights.can(actor, "policy.sign") or rights.can(actor, "policy.edit")
    if change.state is not ChangeStatus.OPEN or not may:
        return []
    label = "Try it now" if simulations.newest(change) is None else "Try it again"
    return [Action(label, reverse("web:policy-simulate", args=[change.pk]), post=True)]


def _waiting(change: PolicyChange) -> Notice:
    if change.state is ChangeStatus.OPEN:
        text = "It is being tried on past reviews and on the versions in use. Load the page again in a moment."
        return Notice(text, "info", "Not tried yet")
    return Notice("It was closed before it was tried.", "info", "Never tried")


def _notices(change: PolicyChange, found: Simulation) -> Sequence[Notice]:
    told = []
    if not found.is_current:
        text = "Another policy came into force since this was tried. It is tried again before the next signature, and shown to whoever signs."
        told.append(Notice(text, "warn", "Out of date"))
    if found.unreadable:
        text = "Their evidence is not what its digest says, so nothing can be said about them."
        told.append(Notice(text, "bad", "Some could not be replayed", found.unreadable))
    if not found.reviews and not found.versions:
        told.append(
            Notice(
                "Nobody decided about anything yet, and nothing is in use.",
                "info",
                "Nothing to try it on",
            )
        )
    elif not found.differs:
        told.append(
            Notice(
                "All of it comes out as it would under what is in force.",
                "good",
                "Nothing would be different",
            )
        )
    return told


def counts(found: Simulation) -> str:
    """`10 past reviews and 2 versions in use: 3 blocked, 0 let through, 1 asked for more.`"""
    on = f"{words.plural(found.reviews, 'past review')} and {words.plural(found.versions, 'version')} in use"
    return (
        f"{on}: {found.blocked.total} would be blocked, {found.let_through.total} let through, "
        f"{found.asked.total} asked for more."
    )


def _table(caption: str, changes: Changes) -> Table | None:
    if not changes.total:
        return None
    rows = [_row(each) for each in changes.seen[:SHOWN]]
    columns = [Column("What"), Column("For"), Column("Ended as"), Column("Because")]
    return Table(_caption(caption, changes, len(rows)), columns, rows, caption_hidden=False)


def _caption(caption: str, changes: Changes, shown: int) -> str:
    """How many there are, how many stand here, and how many are not this reader's to see."""
    parts = [f"{caption}: {changes.total}"]
    if shown < changes.total:
        parts.append(f"{shown} shown")
    if changes.hidden:
        parts.append(f"{changes.hidden} out of your sight")
    return ", ".join(parts)


def _row(found: Changed) -> Row:
    name, _, number = found.label.rpartition(" v")
    url = (
        addresses.review(found.pk)
        if found.what == "review"
        else addresses.version(name, int(number))
    )
    ended = (
        cells.chip(status.chip("review", found.ended))
        if found.what == "review"
        else cells.text("in use")
    )
    targets = decision_box.in_words([Target.parse(text) for text in found.targets])
    because = "; ".join(found.reasons)
    return Row([cells.link(found.label, url), cells.text(targets), ended, cells.text(because)])
