"""Card templates: what there is, what one asks, how to define one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.accounts import policy as rights
from apps.checks.numbers import listed
from apps.core.actor import Actor
from apps.modelcards import layouts
from apps.modelcards.models import CardTemplateVersion
from apps.modelcards.templating.document import FLOOR, MAX_BLOCKS, CardTemplate
from apps.modelcards.templating.shipped_templates import shipped
from apps.registry.models import RegisteredModel
from apps.web import addresses, cells, words
from apps.web.parts import Action, Chip, Column, Crumb, Notice, PageHeader, Row, Table


@dataclass(frozen=True, slots=True)
class TemplatesPage:
    header: PageHeader
    templates: Table
    history: Table


@dataclass(frozen=True, slots=True)
class TemplatePage:
    """One version; `sections` are tables of its blocks."""

    header: PageHeader
    older: Notice | None
    about: str
    sections: Sequence[Table]


@dataclass(frozen=True, slots=True)
class FormPage:
    header: PageHeader
    notes: Sequence[str] = ()


_ROOT = Crumb("Card templates", "/card-templates/")


def url(template: CardTemplate) -> str:
    """The page of a version."""
    return reverse("web:card-template", args=[template.key, template.number])


def templates(actor: Actor) -> TemplatesPage:
    """The newest version of each, then every version that this site defined."""
    define = Action("Define a template", reverse("web:card-template-define"), "primary", "plus")
    return TemplatesPage(
        PageHeader(
            "Card templates",
            lead="What a model card has to answer, by risk tier and framework. A card keeps the version it was written "
            "by until its writers move it.",
            actions=[define] if rights.can(actor, "card.define") else [],
        ),
        Table(
            "Newest versions",
            [Column("Template"), Column("For"), Column("Blocks to write", numeric=True), Column("Required", numeric=True), Column("From")],
            [_newest(each) for each in layouts.newest().values()],
        ),
        Table(
            "Defined here",
            [Column("Version"), Column("By"), Column("When"), Column("Digest")],
            [_defined(row) for row in layouts.own_versions()],
        ),
    )  # fmt: skip


def _newest(template: CardTemplate) -> Row:
    ships = template.name in shipped()
    return Row(
        [
            cells.link(template.title, url(template), note=template.name),
            cells.text(meant_for(template)),
            cells.number(words.thousands(len(template.human))),
            cells.number(words.thousands(len(template.required))),
            cells.text("Countersign" if ships else "This site"),
        ]
    )


def _defined(row: CardTemplateVersion) -> Row:
    return Row(
        [
            cells.link(str(row), reverse("web:card-template", args=[row.key, row.number])),
            cells.person(str(row.author)),
            cells.when(row.created_at),
            cells.digest(row.digest),
        ]
    )


def meant_for(template: CardTemplate) -> str:
    """The models it is given to by itself, in words."""
    if template.key == layouts.STANDARD:
        return "every model that no other is meant for"
    applies = template.applies_to
    said = []
    if applies.tiers:
        said.append("tier " + listed([str(tier) for tier in applies.tiers]))
    said += [f"tag {key}={' or '.join(values)}" for key, values in applies.tags.items()]
    return ", ".join(said) or "models for which it is chosen"


def template(actor: Actor, found: CardTemplate) -> TemplatePage:
    """One version, with the way to a newer one and to a copy of one's own."""
    newest = layouts.newest().get(found.key, found)
    copy = f"{reverse('web:card-template-define')}?from={found.name}"
    acts = [
        Action(
            "As YAML",
            reverse("web:card-template-yaml", args=[found.key, found.number]),
            "",
            "download",
        )
    ]
    if rights.can(actor, "card.define"):
        ships = found.name in shipped()
        acts.append(Action("Copy to one of your own" if ships else "Change it", copy, "", "edit"))
    return TemplatePage(
        PageHeader(
            str(found),
            crumbs=[_ROOT],
            lead=f"Given to {meant_for(found)}. {words.plural(len(found.required), 'block')} must be answered.",
            actions=acts,
            digest=found.digest,
        ),
        Notice(f"There is a newer one: {newest}.", url=url(newest), url_label="See it")
        if newest.number != found.number
        else None,
        found.about,
        [_section(section.title, section.blocks) for section in found.sections if section.blocks],
    )  # fmt: skip


def _section(title: str, blocks: Sequence[Any]) -> Table:
    rows = [
        Row(
            [
                cells.text(block.title, note=block.help),
                cells.chip(_chip(block)),
                cells.mono(block.key),
            ]
        )
        for block in blocks
    ]
    return Table(title, [Column("Block"), Column("Who fills it in"), Column("Key")], rows)


def _chip(block: Any) -> Chip:
    if block.kind == "computed":
        return Chip("Computed", "info", "lock")
    return Chip("Required", "warn", "edit") if block.required else Chip("Optional", "neutral")


def start(name: str) -> dict[str, Any]:
    """What the form starts with: a version's own text, to be changed; NotFound for a name that is none."""
    if not name:
        return {"text": _EXAMPLE, "after": 0}
    found = layouts.get(name)
    ships = found.name in shipped()
    text = layouts.source(found)
    if ships:
        text = text.replace(f"key: {found.key}\n", f"key: our-{found.key}\n", 1)
    newest = layouts.newest().get(f"our-{found.key}" if ships else found.key)
    return {"text": text, "after": newest.number if newest else 0}


_EXAMPLE = "key: our-card\ntitle: Our card\napplies_to:\n  tiers: [1]\nsections:\n  model_details:\n    - {key: summary, required: true}\n    - key: approver_notes\n      title: Notes of the model office\n      help: What the model office wants remembered.\n  intended_use:\n    - {key: primary_uses, required: true}\n    - {key: out_of_scope, required: true}\n  ethical_considerations:\n    - {key: ethics, required: true}\n  caveats:\n    - {key: limitations, required: true}\n"


def defining(actor: Actor) -> FormPage:
    """The rules beside the form."""
    del actor
    return FormPage(
        PageHeader("Define a card template", crumbs=[_ROOT], lead="Every change is a new version; old ones stay, and so do the cards that follow them."),
        [
            f"Nine sections, at most {MAX_BLOCKS} blocks. A block that ships needs its key only; one of your own a title and a help.",
            f"Always required: {listed(list(FLOOR), len(FLOOR))}.",
            "Computed blocks that you leave out stand at the end of their section: a template hides no number.",
        ],
    )  # fmt: skip


def choosing(model: RegisteredModel) -> FormPage:
    """What holds now."""
    given = layouts.given(model)
    lead = f"Now new cards follow {given}. Choosing another one makes every card of the model wait until it has moved there."
    crumbs = [Crumb("Models", addresses.models()), Crumb(model.name, addresses.model(model.name))]
    return FormPage(PageHeader("Template of its cards", crumbs=crumbs, lead=lead))
