"""The page that asks for a review: where to, what freezes, who is asked, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from apps.checks import selectors as checks
from apps.core.actor import Actor
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import selectors as reviews
from apps.reviews.in_force import policy_for
from apps.reviews.reads import asking, drafts
from apps.web import addresses, cells, words
from apps.web.pages import comparing, decision_box
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, DecisionBox, Fact, Notice


@dataclass(frozen=True, slots=True)
class Draft:
    """What a client asked for, and the way to put it away."""

    notice: Notice
    discard: Action


@dataclass(frozen=True, slots=True)
class SubmitPage:
    """What the form stands among."""

    frame: VersionFrame
    draft: Draft | None
    can: bool
    why_not: Notice | None
    missing: DecisionBox | None
    changes: Notice | None
    closes: Notice | None
    freezes: Sequence[str]
    asked: Sequence[Fact]
    held: Sequence[str]
    policy: str
    back: str


def choices(version: ModelVersion) -> list[tuple[str, str]]:
    """The governed targets, as the form offers them: to enter, or to renew the approval where the version is already."""
    held = set(registry.held_targets(version))
    return [
        (str(target), _label(target, renews=target in held))
        for target in registry.governed_targets()
    ]


def initial(version: ModelVersion, offered: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the form begins with: what a client asked for, else the first target."""
    draft = drafts.open_draft(version)
    if draft is not None:
        return {"targets": draft.targets, "justification": draft.reason}
    return {"targets": [offered[0][0]] if offered else []}


def _draft(actor: Actor, version: ModelVersion) -> Draft | None:
    row = drafts.open_draft(version)
    if row is None:
        return None
    where = decision_box.in_words(row.target_list)
    text = f"{row.asked_by} tried to promote it into {where}. It is a draft: nothing is frozen, nobody was asked yet."
    url = reverse("web:draft-discard", args=[row.pk])
    return Draft(
        Notice(text, "info", "A client asked for this"),
        Action("Discard the draft", url, "", "stop", post=True),
    )


def _label(target: Target, *, renews: bool) -> str:
    label = target.label[:1].upper() + target.label[1:]
    return f"{label}: renew the approval, nothing moves" if renews else label


def page(actor: Actor, version: ModelVersion) -> SubmitPage:
    """Everything a submitter should know before she asks."""
    top = frame(actor, version, "submit/")
    policy = policy_for(version)
    why_not = _why_not(version)
    return SubmitPage(
        frame=top,
        draft=_draft(actor, version),
        can=why_not is None,
        why_not=why_not,
        missing=_missing(actor, version),
        changes=_changes(version),
        closes=_closes(version),
        freezes=_freezes(version),
        asked=_asked(actor, version),
        held=[target.label for target in registry.held_governed_targets(version)],
        policy=f"{policy.document.title} ({policy})",
        back=addresses.version(version.model.name, version.number),
    )


def _why_not(version: ModelVersion) -> Notice | None:
    """Why there is no form, where it could only be refused."""
    if not version.model.is_governed:
        text = "A sandbox model is not governed, so there is nothing to approve. An administrator can govern it."
        return Notice(text, "warn", "No review for a sandbox model")
    active = reviews.active_reviews_of(version.pk).first()
    if active is not None:
        return Notice(
            "One review at a time: follow it, or withdraw it first.",
            "info",
            f"{version} is under review already",
            url=addresses.review(active.pk),
            url_label=f"Open {active.key}",
        )
    if not version.manifest:
        text = "It has no files here, and an approval needs bytes to be bound to. Upload them as a new version."
        return Notice(text, "warn", "Nothing to review")
    if not choices(version):
        return Notice("No policy governs a stage or an alias.", "warn", "Nothing to ask for")
    return None


def _missing(actor: Actor, version: ModelVersion) -> DecisionBox | None:
    """The gates that do not hold yet, other than the review itself."""
    if not version.model.is_governed:
        return None
    box = decision_box.box(actor, version, None, frozenset({"check.run", "card.edit"}))
    if box is None:
        return None
    rows = [row for row in box.requirements if row.title not in {"Review", "Evidence"}]
    open_rows = [row for row in rows if row.state != "met"]
    sentence = (
        "You can ask now; people can look, but the version is not promoted before these hold, and what changes "
        "after you ask takes a new round of evidence."
        if open_rows
        else "Nothing is missing: with the last signature the version is promoted."
    )
    return DecisionBox("What promotion will ask for", rows, sentence, id="missing")


def _changes(version: ModelVersion) -> Notice | None:
    """What is other than in the version that would be replaced: signers read it first."""
    held = [
        (target, found)
        for target in registry.governed_targets()
        if (found := registry.holder(version.model, target)) and found.pk != version.pk
    ]
    if not held:
        return None
    target, base = held[0]
    summary = comparing.changes(version, base).summary
    return Notice(
        f"{summary[:1].upper()}{summary[1:]}.",
        "info",
        f"Against {base}, now in {target.label}",
        url=addresses.version(version.model.name, version.number, f"compare/?with={base.number}"),
        url_label=f"Compare with v{base.number}",
    )


def _closes(version: ModelVersion) -> Notice | None:
    """Submitting closes the run: say so, and to whom else it matters."""
    run = version.run
    if run is None:
        return None
    if run.status in {"RUNNING", "SCHEDULED"}:
        text = (
            "It is still running. End it first: mlflow.end_run(), or client.set_terminated(run_id)."
        )
        return Notice(text, "bad", f"Run {run.name} has not ended")
    others = registry.other_versions_of_run(version)
    also = f" It is also the run of {', '.join(map(str, others))}." if others else ""
    text = f"Nothing more can be logged to it, tagged on it or deleted from it.{also}"
    return Notice(text, "warn", f"Submitting closes run {run.name}")


def _freezes(version: ModelVersion) -> list[str]:
    count = words.plural(len(version.manifest), "file")
    lines = [f"{count} of the version, {words.size(version.total_size)}, by SHA-256"]
    if version.run is not None:
        lines.append(f"run {version.run.name}: its parameters, metrics, tags and files")
    if version.logged_model is not None:
        lines.append(f"logged model {version.logged_model.name}")
    data = checks.datasets_in_force(version)
    lines += [
        f"{role.value} data {row.name}, {words.plural(row.rows, 'row')}"
        for role, row in data.items()
    ]
    return lines


def _asked(actor: Actor, version: ModelVersion) -> list[Fact]:
    facts = []
    for each in asking.candidates(actor, version):
        people = ", ".join(str(user) for user in each.people[:6])
        more = f" and {len(each.people) - 6} more" if len(each.people) > 6 else ""
        label = f"{each.step.title}, {each.step.count} of"
        if each.short:
            note = f"{each.short} too few: an administrator must give somebody the role {each.step.role}"
            value = cells.text(people, note=note) if people else cells.missing(note)
            if not people:
                value = cells.text("Nobody can yet", note=note)
        else:
            value = cells.text(people + more)
        facts.append(Fact(label, value))
    return facts
