"""Writing a card over time: drafts that survive a closed browser, and saves that meet somebody else's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.accounts import policy
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid
from apps.modelcards import content as contents
from apps.modelcards import merging, selectors
from apps.modelcards.merging import Merged
from apps.modelcards.models import CardDraft, CardRevision
from apps.modelcards.services.cards import save_card
from apps.registry.models import ModelVersion

_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")
_MOST_CHARS = 2 * contents.MAX_CARD_CHARS
_TRIES = 3


def save_draft(
    actor: Actor, version: ModelVersion, texts: Mapping[str, str], *, base: int, template: str
) -> CardDraft:
    """Keep what one person is writing, in place of what was kept before. No revision, no event, no evidence.

    Refuses whoever may not edit the card, and (Invalid) text that could not be kept. Not checked: whether the card could
    be saved with it; that is for the save.
    """
    policy.require(actor, "card.edit", version)
    if actor.user_id is None:
        raise Forbidden("A draft is a person's; the system writes none.")
    errors = {
        str(key)[:100]: problem for key, text in texts.items() if (problem := _problem(key, text))
    }
    if sum(map(len, texts.values())) > _MOST_CHARS:
        errors["__all__"] = f"A draft may hold {_MOST_CHARS:,} characters."
    if errors:
        raise Invalid("The draft was not kept.", fields=errors)
    draft, _ = CardDraft.objects.update_or_create(
        version=version,
        user_id=actor.user_id,
        defaults={
            "base": base,
            "template": template,
            "texts": dict(texts),
            "saved_at": clock.now(),
        },
    )
    return draft


def _problem(key: str, text: str) -> str:
    if not _KEY.fullmatch(key):
        return "The card has no such block."
    return contents.problem_of(text, _MOST_CHARS, "a draft")


def discard_draft(actor: Actor, version: ModelVersion) -> None:
    """Forget what one was writing; nothing to forget is no error."""
    policy.require(actor, "card.edit", version)
    CardDraft.objects.filter(version=version, user_id=actor.user_id or 0).delete()


@dataclass(frozen=True, slots=True)
class Edited:
    """What somebody sends: the whole card, from which revision they started, and after a clash which one they read and
    whose text they picked."""

    texts: Mapping[str, str]
    base: int
    template: str = ""
    read: int = 0
    picks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Either `saved`, with the blocks that were taken from somebody else, or what clashes between `base` and `read`."""

    merged: Merged
    base: int
    read: int = 0
    saved: CardRevision | None = None


def save_edited(actor: Actor, version: ModelVersion, edited: Edited) -> Outcome:
    """Save, merging with what was saved meanwhile; the draft goes with it. Where two changed the same block, nothing is
    saved and the outcome tells both texts.

    Refuses what `save_card` refuses.
    """
    policy.require(actor, "card.edit", version)
    for _ in range(_TRIES):
        outcome = _merged(version, edited)
        if outcome.merged.clashes:
            return outcome
        try:
            return _saved(actor, version, edited, outcome)
        except Conflict:  # somebody came in between: merge with theirs too
            latest = selectors.latest_revision(version)
            if latest is None or edited.base > latest.number:
                raise
    raise Conflict(
        "Others save this card all the time. Try again.", hint="Your text is in the form."
    )


def _saved(actor: Actor, version: ModelVersion, edited: Edited, outcome: Outcome) -> Outcome:
    with verb(actor):  # the save joins it, so that revision and draft go together
        texts = outcome.merged.texts
        revision = save_card(actor, version, texts, outcome.base, edited.template)
        discard_draft(actor, version)
    return Outcome(outcome.merged, outcome.base, saved=revision)


def _merged(version: ModelVersion, edited: Edited) -> Outcome:
    """First with the revision that was read after a clash, with the picks; then with whatever is newer."""
    mine = {key: contents.normalise(text) for key, text in edited.texts.items()}
    step, base = Merged(mine), edited.base
    if edited.read > base:
        step = _step(version, base, mine, edited.read, edited.picks)
        if step.clashes:
            return Outcome(step, base, edited.read)
        base = edited.read
    latest = selectors.latest_revision(version)
    if latest is None or latest.number <= base:
        return Outcome(step, base)
    last = _step(version, base, step.texts, latest.number)
    both = Merged(last.texts, tuple(dict.fromkeys([*step.taken, *last.taken])), last.clashes)
    if last.clashes:
        return Outcome(both, base, latest.number)
    return Outcome(both, latest.number)


def _step(
    version: ModelVersion,
    base: int,
    mine: Mapping[str, str],
    read: int,
    picks: Mapping[str, str] | None = None,
) -> Merged:
    was = selectors.get_revision(version, base).texts if base else {}
    return merging.merge(was, mine, selectors.get_revision(version, read).texts, picks)
