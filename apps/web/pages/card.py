"""The card's pages: reading and editing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from apps.core import clock, pictures
from apps.core.actor import Actor
from apps.core.errors import Invalid, NotFound
from apps.modelcards import layouts, moments
from apps.modelcards import selectors as cards
from apps.modelcards.card import Card
from apps.modelcards.models import CardRevision
from apps.modelcards.renderers.html import card_html
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, query, words
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, Column, Notice, Row, Table


@dataclass(frozen=True, slots=True)
class CardPage:
    """The card at one revision, its gaps, its history."""

    frame: VersionFrame
    title: str
    gaps: Notice | None
    old: Notice | None
    template: Notice | None
    layout: Action
    choose: str
    body: SafeString
    contents: Sequence[tuple[str, str]]
    revisions: Table
    acts: Sequence[Action]
    latest: int = 0

    @property
    def before(self) -> int:
        """The revision that the latest one is compared with unless another is named."""
        return max(self.latest - 1, 1)


def page(actor: Actor, version: ModelVersion, wanted: str) -> CardPage:
    """The card now, or at the revision asked for; NotFound for one that does not exist."""
    top = frame(actor, version, "card/")
    latest = shown = cards.latest_revision(version)
    if wanted:
        number = query.number(wanted)
        if number is None:
            raise NotFound("There is no such revision.")
        shown = cards.get_revision(version, number)
    card = cards.card_at(version, shown)
    url = addresses.version(version.model.name, version.number, "card/")
    old = shown is not None and latest is not None and shown.number != latest.number
    return CardPage(
        frame=top,
        title=f"Model card, revision {card.revision}"
        if card.revision
        else "Model card, not written yet",
        gaps=_gaps([gap.title for gap in card.gaps]),
        old=Notice(
            f"This is revision {card.revision}; the latest is {latest.number}.", "warn", url=url
        )
        if old and latest
        else None,
        template=_template(version, latest, "card.edit" in top.verbs, url),
        layout=Action(card.template_title, f"/card-templates/{card.template}/"),
        choose=f"{addresses.model(version.model.name)}card-template/"
        if "card.template" in top.verbs
        else "",
        body=card_html(card, draw=pictures.kept),
        contents=[(f"#s-{section.key}", section.title) for section in card.sections],
        revisions=_revisions(version, url),
        acts=[Action("Edit the card", f"{url}edit/", "primary", "edit")]
        if "card.edit" in top.verbs
        else [],
        latest=latest.number if latest else 0,
    )


def as_of(actor: Actor, version: ModelVersion, wanted: str) -> CardPage:
    """The card as it stood; NotFound for what is no day or moment, or is before the version."""
    at = _moment(wanted)
    card = cards.card_as_of(version, at)
    url = addresses.version(version.model.name, version.number, "card/")
    what = f"revision {card.revision}" if card.revision else "nobody had written anything"
    said = (
        f"As it stood at {words.utc(at)}: {what}, with the data and results in force then. Owner, tier, targets, lineage "
        "and the run are as the record has them now."
    )
    top = frame(actor, version, "card/")
    return CardPage(
        frame=top,
        title=f"Model card as of {words.utc(at)}",
        gaps=None,
        old=Notice(
            said, "warn", "This is not the card of today", url=url, url_label="Show today's card"
        ),
        template=None,
        layout=Action(card.template_title, f"/card-templates/{card.template}/"),
        choose="",
        body=card_html(card, draw=pictures.kept),
        contents=[(f"#s-{section.key}", section.title) for section in card.sections],
        revisions=_revisions(version, url),
        acts=_document(version, card, at, wanted),
        latest=card.revision,
    )


def _moment(wanted: str) -> dt.datetime:
    try:
        return moments.asked(wanted)
    except Invalid as error:
        raise NotFound(error.message) from None


def _document(version: ModelVersion, card: Card, at: dt.datetime, wanted: str) -> list[Action]:
    """Having it as a document, where there was a card and that moment is over."""
    if not card.revision or at > clock.now():
        return []
    url = addresses.version(version.model.name, version.number, "documents/")
    fields = {"kind": "model_card", "at": wanted}
    return [Action("Make a document of it", url, "", "file", post=True, fields=fields)]


def _template(
    version: ModelVersion, latest: CardRevision | None, may_edit: bool, url: str
) -> Notice | None:
    """A card that could move to a newer template, or to the one that its model is given by now."""
    if latest is None:
        return None
    current, *others = layouts.open_to(version.model, latest.content)
    if not others:
        return None
    return Notice(
        f"The card follows {current}. It can move to {others[-1]}: all text stays.",
        "info",
        "There is another template for this card",
        url=f"{url}edit/?template={others[-1].name}"
        if may_edit
        else f"/card-templates/{others[-1].name}/",
        url_label="See what it asks" if not may_edit else "Move the card",
    )


def _gaps(titles: Sequence[str]) -> Notice | None:
    if not titles:
        return None
    text = f"{words.plural(len(titles), 'required block')} not answered; promotion waits for them."
    return Notice(text, "warn", "The card has gaps", reasons=titles)


def _revisions(version: ModelVersion, url: str) -> Table:
    return Table(
        caption="Revisions",
        fold=False,
        columns=[Column("Revision"), Column("Digest")],
        rows=[
            Row(
                [
                    cells.link(
                        f"Revision {row.number}",
                        f"{url}?revision={row.number}",
                        note=f"{row.author}, {words.ago(row.created_at)}",
                    ),
                    cells.digest(row.digest),
                ]
            )
            for row in cards.revisions_of(version)[:100]
        ],
    )
