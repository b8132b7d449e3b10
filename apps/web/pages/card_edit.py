"""The page on which a card is written: its form, what was kept of it, what somebody else saved meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from apps.checks.numbers import listed
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.modelcards import content, layouts, revisions
from apps.modelcards import selectors as cards
from apps.modelcards.card import CardBlock, CardSection
from apps.modelcards.merging import Clash
from apps.modelcards.models import CardDraft, CardRevision
from apps.modelcards.services import Outcome
from apps.modelcards.templating.document import CardTemplate
from apps.registry.models import ModelVersion
from apps.web import addresses, diffing, words
from apps.web.forms.card import CardForm
from apps.web.pages import crumbs
from apps.web.parts import Chip, Crumb, Notice

NOW = dt.timedelta(minutes=10)  # whoever saved a draft since is said to be writing


@dataclass(frozen=True, slots=True)
class Start:
    """What the form starts from: the latest revision, the template, the blocks, and what was kept as a draft."""

    version: ModelVersion
    latest: CardRevision | None
    template: CardTemplate
    layout: Sequence[CardSection]
    draft: CardDraft | None
    initial: Mapping[str, Any]

    @property
    def preview(self) -> str:
        """Where a block's Markdown is rendered."""
        return addresses.version(self.version.model.name, self.version.number, "card/preview/")


@dataclass(frozen=True, slots=True)
class Both:
    """A block that two people changed: word by word from theirs to mine."""

    who: str
    pieces: Sequence[diffing.Piece]
    theirs: str
    picked: str


@dataclass(frozen=True, slots=True)
class EditBlock:
    """One block to write: its field, its state, how it reads, and the clash if there is one."""

    block: CardBlock
    field: Any
    chip: Chip
    preview: Preview
    both: Both | None = None


@dataclass(frozen=True, slots=True)
class EditSection:
    key: str
    title: str
    blocks: Sequence[EditBlock]
    locked: Sequence[CardBlock]

    @property
    def chip(self) -> Chip:
        """What is wrong with a block, else whether something is written: an optional block left empty is no fault."""
        order = {"bad": 0, "warn": 1, "good": 2, "neutral": 3}
        chips = [each.chip for each in self.blocks]
        return min(chips, key=lambda chip: order[chip.tone], default=Chip("Computed", "neutral"))


@dataclass(frozen=True, slots=True)
class Preview:
    """Markdown as the card shows it."""

    html: SafeString
    direction: str


@dataclass(frozen=True, slots=True)
class EditPage:
    title: str
    crumbs: Sequence[Crumb]
    back: str
    here: str
    notices: Sequence[Notice]
    sections: Sequence[EditSection]
    gaps: Sequence[CardBlock]
    state: str
    others: str
    has_draft: bool = False
    clashes: Sequence[str] = field(default_factory=tuple)


def start(
    actor: Actor, version: ModelVersion, wanted: str, sent: Mapping[str, str] | None = None
) -> Start:
    """From the latest revision, or the draft where there is one, or what was `sent`. NotFound for a template that the
    card can not move to."""
    latest = cards.latest_revision(version)
    draft = cards.draft_of(version, actor.user_id)
    kept = draft if sent is None else None
    template = _template(version, latest, wanted or (kept.template if kept else ""), lenient=not wanted or sent is not None)  # fmt: skip
    texts = latest.texts if latest else {}
    if kept is not None:
        texts = kept.texts
    also = [key for key, text in (texts if sent is None else sent).items() if text]
    base = kept.base if kept else (latest.number if latest else 0)
    initial = {f"block-{key}": text for key, text in texts.items()}
    return Start(
        version,
        latest,
        template,
        cards.outline(latest, template, also),
        draft,
        {**initial, "base_revision": base, "template": template.name},
    )


def _template(
    version: ModelVersion, latest: CardRevision | None, wanted: str, *, lenient: bool
) -> CardTemplate:
    before = revisions.verified(latest) if latest else None
    open_to = layouts.open_to(version.model, before)
    for each in open_to:
        if each.name == wanted:
            return each
    if wanted and not lenient:
        raise NotFound(f"The card can not move to the template {wanted[:100]}.")
    return open_to[0]


def page(actor: Actor, start: Start, form: CardForm, clash: Outcome | None, said: str) -> EditPage:
    """The form with its notices; in a clash with both texts of each block."""
    version = start.version
    clashes = clash.merged.clashes if clash else {}
    who = _author(version, clash.read) if clash else ""
    sections = [_section(section, form, clashes, who) for section in form.layout]
    blocks = [each for section in sections for each in section.blocks]
    url = addresses.version(version.model.name, version.number, "card/")
    others = cards.editing_now(version, actor.user_id, clock.now() - NOW)
    notices = [
        _said(version, said),
        _clash(version, clash, who),
        None if form.is_bound else _restored(start),
        _moving(start),
    ]
    return EditPage(
        title=f"Card of {version}",
        crumbs=crumbs.below(version, Crumb("Card", url), Crumb("Edit")),
        back=url,
        here=url,
        notices=[notice for notice in notices if notice],
        sections=sections,
        gaps=[each.block for each in blocks if each.chip.tone in {"warn", "bad"}],
        state=_kept_at(start.draft),
        others=_others(others),
        has_draft=start.draft is not None,
        clashes=[each.block.title for each in blocks if each.both],
    )


def _section(
    section: CardSection, form: CardForm, clashes: Mapping[str, Clash], who: str
) -> EditSection:
    blocks = [
        _block(block, form, clashes.get(block.key), who)
        for block in section.blocks
        if block.kind == "human"
    ]
    locked = [block for block in section.blocks if block.kind == "computed"]
    return EditSection(section.key, section.title, blocks, locked)


def _block(block: CardBlock, form: CardForm, clash: Clash | None, who: str) -> EditBlock:
    bound = form[f"block-{block.key}"]
    text = str(bound.value() or "")
    both = None
    if clash is not None:
        picked = str(form.data.get(f"pick-{block.key}", ""))
        both = Both(who, diffing.text(clash.theirs, clash.mine), clash.theirs, picked)
    return EditBlock(block, bound, _chip(block, text, clash), preview(text), both)


def _chip(block: CardBlock, text: str, clash: Clash | None) -> Chip:
    if clash is not None:
        return Chip("Changed by both", "bad", "warn")
    if text.strip():
        return Chip("Written", "good", "check")
    return Chip("Required", "warn", "edit") if block.required else Chip("Empty", "neutral")


def preview(text: str) -> Preview:
    """The text as the card would show it, by the same sanitiser; a text that could not be saved is not rendered."""
    if problem := content.problem_of(text):
        return Preview(SafeString(""), problem)
    return Preview(mark_safe(content.to_html(text)), content.direction(text))  # noqa: S308 -- nh3 has cleaned it


def _author(version: ModelVersion, number: int) -> str:
    return str(cards.get_revision(version, number).author)


def _said(version: ModelVersion, said: str) -> Notice | None:
    return Notice(said, "warn", "Nothing was saved") if said else None


def _clash(version: ModelVersion, clash: Outcome | None, who: str) -> Notice | None:
    if clash is None:
        return None
    names = cards.titles(version, clash.merged.clashes)
    text = (
        f"{who} saved revision {clash.read} while you wrote. Both of you changed {listed(names)}: below, say for each whose "
        "text counts. You can still edit yours, and copy from theirs."
    )
    if clash.merged.taken:
        taken = listed(cards.titles(version, clash.merged.taken))
        text += f" What only {who} changed is in the form already: {taken}."
    title = "Somebody else changed the same blocks. Nothing is saved yet, and nothing is lost."
    first = next(iter(clash.merged.clashes))
    return Notice(
        text,
        "warn",
        title,
        url=f"#b-{first}",
        url_label=f"Go to {listed(cards.titles(version, [first]))}",
    )


def _restored(start: Start) -> Notice | None:
    """Whoever comes back finds the draft, and is told."""
    draft = start.draft
    if draft is None:
        return None
    newer = start.latest is not None and start.latest.number > draft.base
    text = f"What you wrote and had not saved, kept {words.ago(draft.saved_at)}."
    if newer and start.latest is not None:
        text += f" {start.latest.author} saved revision {start.latest.number} since; saving puts both together."
    return Notice(text, "info", "This is your draft")


def _moving(start: Start) -> Notice | None:
    """Before a card moves to another template: what is newly asked, and what is no longer but stays."""
    latest, layout = start.latest, start.template
    if latest is None:
        return None
    old = layouts.of(latest.content)
    if old.name == layout.name:
        return None
    new = [layout.blocks[key].title for key in layout.required if key not in old.required]
    names = layouts.names(latest.content)
    kept = [names[key].title for key, text in latest.texts.items() if text and key not in layout.blocks]  # fmt: skip
    asked = f"Newly asked: {listed(new, 12)}. " if new else "It asks nothing more. "
    stays = f"Not asked any more, and kept: {listed(kept)}." if kept else "All text stays."
    text = f"Saving moves the card from {old} to {layout}. {asked}{stays}"
    return Notice(text, "info", "The card moves to another template")


def saved(version: ModelVersion, outcome: Outcome) -> str:
    """What a save did, in a sentence."""
    said = f"The card is saved as revision {outcome.saved.number if outcome.saved else ''}."
    if outcome.merged.taken:
        taken = listed(cards.titles(version, outcome.merged.taken))
        said += f" Somebody else had changed {taken} meanwhile; that is in it."
    return said


def _kept_at(draft: CardDraft | None) -> str:
    return f"Draft saved {clock_time(draft.saved_at)}" if draft else ""


def clock_time(at: dt.datetime) -> str:
    """14:05 UTC."""
    return f"{at.astimezone(dt.UTC):%H:%M} UTC"


def _others(people: Sequence[str]) -> str:
    if not people:
        return ""
    return f"{listed(list(people))} {'is' if len(people) == 1 else 'are'} writing too"


def draft_state(
    actor: Actor, version: ModelVersion, draft: CardDraft | None, latest: CardRevision | None
) -> dict[str, Any]:
    """What the editor says while one writes."""
    others = cards.editing_now(version, actor.user_id, clock.now() - NOW)
    said = _others(others)
    if draft and latest and latest.number > draft.base:
        said = f"{latest.author} saved revision {latest.number}; saving puts both together"
    return {"saved": _kept_at(draft), "others": said}
