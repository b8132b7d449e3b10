"""A model's end: the form that retires it, the banner of a retired one, what was answered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.urls import reverse

from apps.core.actor import Actor
from apps.registry import retirement, selectors, services
from apps.registry.models import ModelRetirement, RegisteredModel
from apps.web import addresses, cells, words
from apps.web.parts import Action, Cell, Chip, Column, Notice, Row, SignBox, Table

RETIRE = "model.retire"


def action(model: RegisteredModel, verbs: Collection[str]) -> list[Action]:
    """The way to retire a model or to bring it back, for those who may."""
    if RETIRE not in verbs:
        return []
    if model.retired_at is None:
        return [Action("Retire…", reverse("web:model-retire", args=[model.name]), "", "archive")]
    back = reverse("web:model-bring-back", args=[model.name])
    return [Action("Bring back…", back, "", "undo", dialog=True)]


def chips(model: RegisteredModel) -> list[Chip]:
    """What stands first beside a retired model's name."""
    return [Chip("Retired", "quiet", "archive")] if model.retired_at is not None else []


def notice(model: RegisteredModel) -> Notice | None:
    """The banner of a retired model, with the way to its successor."""
    if model.retired_at is None:
        return None
    last = model.retirements.select_related("user").order_by("-pk").first()
    why = [last.reason] if last is not None else []
    by = f" by {last.user}" if last is not None else ""
    heir = model.successor
    return Notice(
        "It is read for ever and takes nothing new: no version, no review, no alias, no deployment."
        + (f" {heir.name} takes its place." if heir is not None else " Nothing takes its place."),
        "warn",
        f"Retired on {words.day(model.retired_at)}{by}",
        reasons=why,
        url=addresses.model(heir.name) if heir is not None else "",
        url_label=f"Open {heir.name}" if heir is not None else "",
    )


@dataclass(frozen=True, slots=True)
class Past:
    """Once retired or brought back, with what was answered."""

    title: str
    reason: str
    answers: Table | None


def history(model: RegisteredModel) -> list[Past]:
    """What was answered each time, newest first."""
    rows = model.retirements.select_related("user", "successor").order_by("-pk")
    return [_past(row) for row in rows]


def _past(row: ModelRetirement) -> Past:
    title = f"{row.get_kind_display()} on {words.day(row.at)} by {row.user}"
    if row.kind != "retired":
        return Past(title, row.reason, None)
    rows = [
        Row([cells.text(question), cells.text(answer), _note(note)])
        for question, answer, note in retirement.in_words(row.answers)
    ]
    heir = row.successor.name if row.successor else "Nothing"
    rows.append(
        Row([cells.text("What takes its place?"), cells.text(heir), _note(row.no_successor)])
    )
    columns = [Column("Question"), Column("Answer"), Column("More about that")]
    return Past(title, row.reason, Table(title, columns, rows))


def _note(text: str) -> Cell:
    return cells.text(text) if text else cells.missing("nothing was added")


@dataclass(frozen=True, slots=True)
class RetirePage:
    """The form, or what is in the way."""

    box: SignBox
    blocked: Notice | None


def page(actor: Actor, model: RegisteredModel) -> RetirePage:
    """What retiring means, and what has to end first."""
    found = services.in_the_way(model)
    blocked = (
        Notice(
            "It can be retired once nothing of it is in use. End each of these first:",
            "warn",
            "Not yet",
            reasons=[f"{each}." for each in found],
        )
        if found
        else None
    )
    box = SignBox(
        title=f"Retire {model.name}",
        statement=f"{model.name} takes nothing new from now on: no version, no review, no alias, no stage, no deployment, "
        "through any door. It is read for ever. You can bring it back, with a reason.",
        digest=retirement.digest(),
        as_whom=f"{actor.label}, who may retire {model.name}",
        submit_label="Retire it",
        action_url=reverse("web:model-retire", args=[model.name]),
        cancel_url=addresses.model(model.name),
        danger=True,
        digest_label=f"Checklist, version {retirement.VERSION}",
        stays="Your answers and your name stay in the record.",
    )
    return RetirePage(box, blocked)


def back_box(actor: Actor, model: RegisteredModel) -> SignBox:
    """What bringing a model back means."""
    return SignBox(
        title=f"Bring {model.name} back",
        statement=f"{model.name} can be used again. No version enters anything by this, and it has no successor then.",
        digest=retirement.digest(),
        as_whom=f"{actor.label}, who may bring {model.name} back",
        submit_label="Bring it back",
        action_url=reverse("web:model-bring-back", args=[model.name]),
        cancel_url=addresses.model(model.name),
        digest_label="Checklist",
        stays="The reason and your name stay in the record.",
    )


def heirs(actor: Actor, model: RegisteredModel) -> list[str]:
    """The names of the models that could take its place."""
    rows = selectors.visible_models(actor).filter(retired_at__isnull=True).exclude(pk=model.pk)
    return list(rows.order_by("name").values_list("name", flat=True)[:1000])
