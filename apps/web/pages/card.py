"""The card's pages: reading and editing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from apps.core import pictures
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.modelcards import schema
from apps.modelcards import selectors as cards
from apps.modelcards.models import CardRevision
from apps.modelcards.renderers.html import card_html
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, query, words
from apps.web.forms.evidence import CardForm
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, Column, Notice, Row, Table


@dataclass(frozen=True, slots=True)
class CardPage:
    """The card at one revision, its gaps, its history."""

    frame: VersionFrame
    title: str
    gaps: Notice | None
    old: Notice | None
    body: SafeString
    contents: Sequence[tuple[str, str]]
    revisions: Table
    acts: Sequence[Action]


@dataclass(frozen=True, slots=True)
class EditPage:
    """The editing form by sections, with what went wrong."""

    title: str
    back: str
    sections: Sequence[tuple[str, list[Any], list[schema.Block]]]
    conflict: Notice | None


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
        body=card_html(card, draw=pictures.kept),
        contents=[(f"#s-{section.key}", section.title) for section in card.sections],
        revisions=_revisions(version, url),
        acts=[Action("Edit the card", f"{url}edit/", "primary", "edit")]
        if "card.edit" in top.verbs
        else [],
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


def initial(latest: CardRevision | None) -> dict[str, Any]:
    """What the form starts with: the latest texts, and which revision that is."""
    texts = latest.texts if latest else {}
    return {f"block-{key}": texts.get(key, "") for key in schema.HUMAN_BLOCKS} | {
        "base_revision": latest.number if latest else 0
    }


def edit(
    version: ModelVersion, latest: CardRevision | None, form: CardForm, conflict: str
) -> EditPage:
    """The form; after a conflict, with the way to what somebody else saved."""
    notice = None
    if conflict and latest is None:
        notice = Notice(conflict, "warn", "Nothing was saved")
    elif conflict and latest is not None:
        url = addresses.version(
            version.model.name, version.number, f"card/?revision={latest.number}"
        )
        notice = Notice(
            conflict, "warn", "Somebody else saved meanwhile", url=url, url_label="Read theirs"
        )
    return EditPage(
        title=f"Card of {version}",
        back=addresses.version(version.model.name, version.number, "card/"),
        sections=form.sections(),
        conflict=notice,
    )
