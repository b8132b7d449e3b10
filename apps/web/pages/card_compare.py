"""Two revisions of a card, or the cards of two versions, against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from apps.core.errors import NotFound
from apps.core.parts import Facts, Table
from apps.modelcards import selectors as cards
from apps.modelcards.card import Card
from apps.modelcards.models import CardRevision
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, query
from apps.web.pages import comparing, crumbs
from apps.web.pages.comparing import TextChange
from apps.web.parts import Column, Crumb, PageHeader, Row
from apps.web.parts import Table as Shown

MOST = 400


@dataclass(frozen=True, slots=True)
class ComparePage:
    """`card` are the written blocks that differ, `computed` the values; None where both sides read the same record."""

    header: PageHeader
    card: Sequence[TextChange]
    computed: Shown | None
    shown: str = ""


def revisions(version: ModelVersion, older: str, newer: str) -> ComparePage:
    """Any two revisions, word by word; NotFound for one that is none."""
    old, new = _revision(version, older), _revision(version, newer)
    title = f"Card of {version}: revision {old.number} to {new.number}"
    return ComparePage(_header(version, title), comparing.card(old, new), None)


def versions(version: ModelVersion, other: ModelVersion) -> ComparePage:
    """The cards of two versions of a model as they are now: from the other to this one."""
    title = f"Card of {version} against v{other.number}"
    written = comparing.card(cards.latest_revision(other), cards.latest_revision(version))
    rows = list(_differing(cards.card(other), cards.card(version)))
    columns = [
        Column("What"),
        Column(f"v{other.number}"),
        Column(f"v{version.number}"),
        Column("Change", numeric=True),
    ]
    shown = f"The first {MOST} of {len(rows)}" if len(rows) > MOST else ""
    table = Shown("Computed", columns, rows[:MOST])
    return ComparePage(_header(version, title), written, table, shown)


def _header(version: ModelVersion, title: str) -> PageHeader:
    url = addresses.version(version.model.name, version.number, "card/")
    return PageHeader(title, crumbs=crumbs.below(version, Crumb("Card", url), Crumb("Compare")))


def _revision(version: ModelVersion, wanted: str) -> CardRevision:
    number = query.number(wanted)
    if number is None or number > 2**31 - 1:
        raise NotFound("There is no such revision.")
    return cards.get_revision(version, number)


def _differing(old: Card, new: Card) -> Iterator[Row]:
    """Each value of a computed block that is not the same on both sides, with its change where both are numbers."""
    before, after = dict(_values(old)), dict(_values(new))
    for name in dict.fromkeys([*after, *before]):
        was, now = before.get(name), after.get(name)
        if was == now:
            continue
        block, what = name
        delta = _delta(was, now)
        yield Row(
            [
                cells.text(what, note=block),
                cells.text(was) if was else cells.missing("not there"),
                cells.text(now) if now else cells.missing("not there"),
                cells.number(delta) if delta else cells.missing("not numbers"),
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
