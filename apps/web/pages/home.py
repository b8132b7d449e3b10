"""Home: what needs you, what waits for others, what happened lately, whether the record is whole."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from apps.accounts import policy
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.reviews.models import Finding, ReviewDraft
from apps.reviews.reads import drafts, findings
from apps.reviews.reads import inbox as reviews_inbox
from apps.web import addresses, status, words
from apps.web.pages import (
    aftermath,
    decision_box,
    impact,
    model_changes,
    policy_change,
    record,
    subjects,
)
from apps.web.pages import reviews as review_rows
from apps.web.pages.models import LOG_A_MODEL
from apps.web.pages.record import Record
from apps.web.pages.reviews import Waiting
from apps.web.parts import Action, Chip, Crumb, Empty

OWN = 5
LATELY = 12


@dataclass(frozen=True, slots=True)
class HomePage:
    """The inbox first."""

    needs_you: Sequence[Waiting]
    waiting: Sequence[Waiting]
    findings: Sequence[Waiting]
    raised: Sequence[Waiting]
    clear: Empty
    events: Sequence[EventView]
    about: dict[int, list[Crumb]]
    record: Record
    start: Empty | None


def home(actor: Actor) -> HomePage:
    """What stands between this person and her work."""
    inbox = reviews_inbox.of(actor)
    needs = (
        [review_rows.waiting(row) for row in inbox.needs_you]
        + model_changes.waiting(actor)
        + policy_change.to_sign(actor)
        + impact.waiting(actor)
        + aftermath.waiting(actor)
        + [_draft(row) for row in drafts.waiting(actor)]
        + _gaps(actor)
    )
    waiting = [review_rows.waiting(row) for row in inbox.waiting]
    aged = findings.ageing(actor)
    events = audits.events(scopes=subjects.visible_scopes(actor), limit=LATELY)
    return HomePage(
        needs_you=needs,
        waiting=[*waiting, *policy_change.to_come(actor)],
        findings=[_finding(row) for row in aged.owned],
        raised=[_finding(row) for row in aged.raised],
        clear=_clear(len(waiting)),
        events=events,
        about=subjects.about(events),
        record=record.record(actor),
        start=None if registry.visible_models(actor).exists() else _start(actor),
    )


def _draft(row: ReviewDraft) -> Waiting:
    """What a client asked for by a promotion that was refused."""
    url = addresses.version(row.version.model.name, row.version.number)
    fact = f"{row.asked_by} tried to promote it into {decision_box.in_words(row.target_list)}: {_clip(row.reason)}"
    act = Action("Finish", f"{url}submit/")
    return Waiting(
        f"{row.version}: a request to finish", url, fact, Chip("Draft", "neutral", "edit"), act
    )


def _finding(row: Finding) -> Waiting:
    """An open finding with its age: whether it is late, what it does, who answers."""
    late = findings.is_overdue(row)
    blocks = ", blocks the promotion" if row.blocking else ""
    state = status.chip("finding", row.state)
    fact = f"{row.key} of {row.version}, {row.severity}{blocks}. {row.owner} answers by {words.date(row.due)}."
    chip = Chip(f"Overdue, {state.label.lower()}", "bad", "clock") if late else state
    return Waiting(row.title, addresses.finding(row.pk), fact, chip, None)


def _clear(waiting: int) -> Empty:
    text = (
        f"{words.plural(waiting, 'review')} {'is' if waiting == 1 else 'are'} with others."
        if waiting
        else "Nothing waits for you, and nothing of yours waits for others."
    )
    return Empty("clear", "You are clear", text)


def _gaps(actor: Actor) -> list[Waiting]:
    """The reader's own newest versions that nobody was asked about yet, each with its first gap."""
    rows = registry.own_drafts(actor)[:OWN]
    return [_gap(actor, version) for version in rows]


def _gap(actor: Actor, version: ModelVersion) -> Waiting:
    targets = registry.governed_targets()
    results = decision_box.evaluate(version, targets, None)
    missing = [
        result
        for result in results
        if not result.passes and result.key not in {"review", "evidence"}
    ]
    verbs = policy.verbs_on(actor, version)
    url = addresses.version(version.model.name, version.number)
    if not missing:
        fact = "Checks and card hold: it can be submitted."
        action = Action("Submit", f"{url}submit/") if "review.submit" in verbs else None
        return Waiting(str(version), url, fact, Chip("Ready", "info", "sign"), action)
    first = missing[0]
    counted = decision_box.checks_in_words(version) if first.key == "checks" else ""
    fact = f"{first.title}: {counted or first.fact}"
    return Waiting(
        str(version),
        url,
        _clip(fact),
        Chip("Draft", "neutral", "edit"),
        _act(first.key, url, verbs),
    )


def _act(key: str, url: str, verbs: Collection[str]) -> Action | None:
    label, page, verb = {
        "checks": ("Open checks", "checks/", "check.run"),
        "card": ("Fill in", "card/edit/", "card.edit"),
    }.get(key, ("Open", "", "model.read"))
    return Action(label, urlsplit(url).path + page) if verb in verbs else None


def _clip(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:159]}…"


def _start(actor: Actor) -> Empty:
    """The first lines of Python of somebody who sees nothing yet, or whom to ask."""
    may = "model.create" in actor.site_verbs or policy.teams_where(actor, "model.create").exists()
    if may:
        return Empty(
            "nothing-yet",
            "No models yet",
            "Log and register one with the MLflow client, or upload its files.",
            code=LOG_A_MODEL.format(uri=settings.BASE_URL),
            action=Action("Upload a model", addresses.models() + "new/"),
        )
    return Empty(
        "not-yours",
        "No model that you may see",
        "Ask the owner of a model, or an administrator, for a role on it.",
    )
