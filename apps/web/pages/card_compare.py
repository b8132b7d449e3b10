"""Two revisions of a card, or the cards of two versions, against each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from apps.core import flat
from apps.core.errors import NotFound
from apps.core.parts import Facts, Table
from apps.modelcards import selectors as cards
from apps.modelcards.card import Card
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, query, words
from apps.web.pages import comparing, crumbs
from apps.web.pages.comparing import TextChange
from apps.web.parts import Action, Column, Crumb, Empty, PageHeader, Row
from apps.web.parts import Table as Shown

MOST: Final = 400
_SAME: Final = Empty("nothing-yet", "The computed blocks are the same")


@dataclass(frozen=True, slots=True)
class Difference:
    """One value of a computed block that is not the same on both sides; None where it is not there."""

    block: str
    what: str
    was: str | None
    now: str | None

    @property
    def change(self) -> str:
        """The difference where both are numbers, else ""."""
        return _delta(self.was, self.now)


@dataclass(frozen=True, slots=True)
class ComparePage:
    """`card` are the written blocks that differ, `computed` the values; None where both sides read the same record.
    `note` says how many differ and how many of them are shown; `acts` offer all of them as a file."""

    header: PageHeader
    card: Sequence[TextChange]
    computed: Shown | None = None
    note: str = ""
    acts: Sequence[Action] = ()


def revisions(version: ModelVersion, older: str, newer: str) -> ComparePage:
    """Any two revisions, word by word; NotFound for one that is none."""
    old, new = _revision(version, older), _revision(version, newer)
    title = f"Card of {version}: revision {old.number} to {new.number}"
    return ComparePage(_header(version, title), comparing.card(old, new))


def versions(version: ModelVersion, other: ModelVersion) -> ComparePage:
    """The cards of two versions of a model as they are now: from the other to this one."""
    title = f"Card of {version} against v{other.number}"
    written = comparing.card(cards.latest_revision(other), cards.latest_revision(version))
    found = differences(version, other)
    columns = [
        Column("What"),
        Column(f"v{other.number}"),
        Column(f"v{version.number}"),
        Column("Change", numeric=True),
    ]
    url = addresses.version(version.model.name, version.number, "card/compare/")
    whole = Action(
        "All as CSV", f"{url}?with={other.number}&as=csv", icon="download", download=True
    )
    return ComparePage(
        _header(version, title),
        written,
        Shown("Computed", columns, [_row(each) for each in found[:MOST]], empty=_SAME),
        _note(len(found)),
        [whole] if found else [],
    )


def differences(version: ModelVersion, other: ModelVersion) -> list[Difference]:
    """Every value of the computed blocks that is not the same in both cards, from the other's to this one's."""
    return list(_differing(cards.card(other), cards.card(version)))


def sheet(version: ModelVersion, other: ModelVersion) -> Iterator[bytes]:
    """All of them as CSV, a piece at a time. They are found before the first piece: a refusal is no half a file."""
    head = ("Block", "What", f"v{other.number}", f"v{version.number}", "Change")
    found = differences(version, other)
    rows = (
        (each.block, each.what, *map(_cell, (each.was, each.now, each.change))) for each in found
    )
    return flat.encoded(chain([head], rows))


def sheet_name(version: ModelVersion, other: ModelVersion) -> str:
    """churn-v3-against-v2.csv: plain letters, whatever the model's name is made of."""
    model = re.sub(r"[^A-Za-z0-9._-]+", "-", version.model.name).strip("-.") or "model"
    return f"{model[:80]}-v{version.number}-against-v{other.number}.csv"


def _cell(text: str | None) -> str:
    """As a program reads it: the number without the spaces and the minus of print."""
    plain = _plain(text) or ""
    return plain if flat.is_number(plain) else text or ""


def _note(count: int) -> str:
    if count <= MOST:
        return words.plural(count, "value")
    return f"The first {MOST} of {count}; {count - MOST} more differ and are in the file."


def _header(version: ModelVersion, title: str) -> PageHeader:
    url = addresses.version(version.model.name, version.number, "card/")
    return PageHeader(title, crumbs=crumbs.below(version, Crumb("Card", url), Crumb("Compare")))


def _revision(version: ModelVersion, wanted: str) -> CardRevision:
    number = query.number(wanted)
    if number is None or number > 2**31 - 1:
        raise NotFound("There is no such revision.")
    return cards.get_revision(version, number)


def _differing(old: Card, new: Card) -> Iterator[Difference]:
    before, after = dict(_values(old)), dict(_values(new))
    for name in dict.fromkeys([*after, *before]):
        was, now = before.get(name), after.get(name)
        if was != now:
            yield Difference(*name, was, now)


def _row(found: Difference) -> Row:
    return Row(
        [
            cells.text(found.what, note=found.block),
            cells.text(found.was) if found.was else cells.missing("not there"),
            cells.text(found.now) if found.now else cells.missing("not there"),
            cells.number(found.change) if found.change else cells.missing("not numbers"),
        ]
    )


def _values(card: Card) -> Iterator[tuple[tuple[str, str], str]]:
    for block in card.blocks:
        for part in block.computed.parts if block.computed else ():
            if isinstance(part, Facts):
                yield from (((block.title, fact.label), fact.value.text) for fact in part.rows)
            elif isinstance(part, Table):
                yield from (((block.title, name), text) for name, text in _cells(part))


def _cells(table: Table) -> Iterator[tuple[str, str]]:
    """Each cell under its row's first cell and its column."""
    for row in table.rows:
        for column, cell in zip(table.columns[1:], row[1:], strict=True):
            yield f"{table.caption}: {row[0].text}, {column.title}", cell.text


def _delta(was: str | None, now: str | None) -> str:
    try:
        return comparing.delta_of(_plain(was), _plain(now))
    except ValueError:
        return ""


def _plain(text: str | None) -> str | None:
    return None if text is None else text.replace("\u00a0", "").replace("\u2212", "-")
