"""The page on which a card is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.checks.numbers import listed
from apps.core.errors import NotFound
from apps.modelcards import layouts, revisions
from apps.modelcards.card import CardBlock
from apps.modelcards.models import CardRevision
from apps.modelcards.templating.document import CardTemplate
from apps.registry.models import ModelVersion
from apps.web import addresses
from apps.web.forms.card import CardForm
from apps.web.parts import Notice


@dataclass(frozen=True, slots=True)
class EditSection:
    """One section: its fields, each with the block it writes, and the blocks that fill themselves in."""

    key: str
    title: str
    fields: Sequence[tuple[CardBlock, Any]]
    locked: Sequence[CardBlock]


@dataclass(frozen=True, slots=True)
class EditPage:
    """The editing form by sections, with what went wrong."""

    title: str
    back: str
    sections: Sequence[EditSection]
    conflict: Notice | None
    template: Notice | None


def template(version: ModelVersion, latest: CardRevision | None, wanted: str) -> CardTemplate:
    """What the form is laid out by: the template asked for, if the card may move there; NotFound for any other."""
    before = revisions.verified(latest) if latest else None
    open_to = layouts.open_to(version.model, before)
    for each in open_to:
        if not wanted or each.name == wanted:
            return each
    raise NotFound(f"The card can not move to the template {wanted[:100]}.")


def initial(latest: CardRevision | None, layout: CardTemplate) -> dict[str, Any]:
    """What the form starts with: the latest texts, which revision that is, and the template."""
    texts = latest.texts if latest else {}
    return {f"block-{key}": text for key, text in texts.items()} | {
        "base_revision": latest.number if latest else 0,
        "template": layout.name,
    }


def page(
    version: ModelVersion,
    latest: CardRevision | None,
    form: CardForm,
    layout: CardTemplate,
    conflict: str,
) -> EditPage:
    """The form; after a conflict, with the way to what somebody else saved."""
    return EditPage(
        title=f"Card of {version}",
        back=addresses.version(version.model.name, version.number, "card/"),
        sections=_sections(form),
        conflict=_conflict(version, latest, conflict),
        template=_moving(latest, layout),
    )


def _sections(form: CardForm) -> list[EditSection]:
    return [
        EditSection(
            section.key,
            section.title,
            [(b, form[f"block-{b.key}"]) for b in section.blocks if b.kind == "human"],
            [b for b in section.blocks if b.kind == "computed"],
        )
        for section in form.layout
    ]


def _conflict(version: ModelVersion, latest: CardRevision | None, said: str) -> Notice | None:
    if not said:
        return None
    if latest is None:
        return Notice(said, "warn", "Nothing was saved")
    url = addresses.version(version.model.name, version.number, f"card/?revision={latest.number}")
    title = "Somebody else saved meanwhile"
    return Notice(said, "warn", title, url=url, url_label="Read theirs")


def _moving(latest: CardRevision | None, layout: CardTemplate) -> Notice | None:
    """Before a card moves to another template: what is newly asked, and what is no longer but stays."""
    if latest is None:
        return None
    old = layouts.of(latest.content)
    if old.name == layout.name:
        return None
    new = [layout.blocks[key].title for key in layout.required if key not in old.required]
    kept = [name.title for key, name in layouts.names(latest.content).items() if latest.texts.get(key) and key not in layout.blocks]  # fmt: skip
    asked = f"Newly asked: {listed(new)}. " if new else "It asks nothing more. "
    stays = f"Not asked any more, and kept: {listed(kept)}." if kept else "All text stays."
    text = f"Saving moves the card from {old} to {layout}. {asked}{stays}"
    return Notice(text, "info", "The card moves to another template")
