"""Who decides for whom, and who may not: the forms on a review, and one's delegations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.accounts import policy
from apps.accounts.models import User
from apps.accounts.verbs import SIGNING_ROLES
from apps.core.actor import Actor
from apps.reviews import quorum
from apps.reviews import selectors as reviews
from apps.reviews.models import Conflict, Delegation, Review
from apps.reviews.reads import delegations, independence
from apps.web import addresses, cells, words
from apps.web.pages import account
from apps.web.parts import (
    Action,
    Chip,
    Column,
    Empty,
    Notice,
    PageHeader,
    Row,
    SignBox,
    Tab,
    Table,
)

Choices = list[tuple[str, str]]
_STATES = {
    "in_force": Chip("In force", "good", "sign"),
    "ended": Chip("Ended", "quiet", "stop"),
    "expired": Chip("Over", "quiet", "clock"),
}


def own_roles(verbs: Collection[str]) -> list[str]:
    """The roles in which the reader signs here herself."""
    return [role for role in SIGNING_ROLES if f"review.sign.{role}" in verbs]


def acts(actor: Actor, review: Review, verbs: Collection[str]) -> list[Action]:
    """What the reader can do about who decides, while anybody can."""
    if not review.state.is_active or not independence.is_person(actor):
        return []
    found = []
    if own_roles(verbs):
        url = addresses.review(review.pk, "delegate/")
        found.append(Action("Delegate…", url, "", "user", dialog=True))
    url = addresses.review(review.pk, "conflict/")
    return [*found, Action("Declare a conflict…", url, "", "warn", dialog=True)]


def delegate_choices(actor: Actor, review: Review) -> dict[str, Sequence[tuple[str, str]]]:
    """Who could be chosen, in which of the reader's roles, and where."""
    model = review.version.model
    scopes = [("review", f"{review.key} only"), ("model", f"Every review of {model.name}")]
    if model.team is not None:
        scopes.append(("team", f"Every model of {model.team}"))
    live = reviews.live_round(review)
    out = {
        actor.user_id or 0,
        *(live.authors if live else ()),
        *(quorum.barred(live) if live else ()),
    }
    people = delegations.candidates(model).exclude(pk__in=out)
    roles = own_roles(policy.verbs_on(actor, review))
    return {
        "to": [("", "Choose one"), *((str(user.uuid), str(user)) for user in people)],
        "role": [(role, role.capitalize()) for role in roles],
        "scope": scopes,
    }


def conflict_choices(actor: Actor, review: Review) -> dict[str, Sequence[tuple[str, str]]]:
    """Oneself; others too for whoever may say it of them."""
    model = review.version.model
    mine = [("", "Myself")]
    if independence.may_declare_for_others(actor, model):
        people = policy.who_may("review.read", model).filter(kind=User.Kind.HUMAN)
        mine += [(str(user.uuid), str(user)) for user in people.exclude(pk=actor.user_id or 0)]
    return {
        "person": mine,
        "scope": [
            ("model", f"The whole of {model.name}"),
            ("review", f"{review.key} only"),
        ],
    }


def delegated(row: Delegation) -> str:
    """ "Nora Berg can sign for Rosa Almeida, as risk, to the end of 30 November 2026 (UTC)"."""
    return f"{row.delegate} can sign for {row.delegator}, as {row.role}, to {_last(row)} (UTC)"


def _last(row: Delegation) -> str:
    """A delegation ends with a day."""
    return f"the end of {words.day(row.ends_at - dt.timedelta(days=1))}"


def delegate_box(actor: Actor, review: Review) -> SignBox:
    """What giving a role away means."""
    return SignBox(
        title="Let somebody sign for you",
        statement="Whom you choose signs in her own name, on your behalf, as long as you hold the role yourself. The two of "
        "you count as one person. Nobody who made part of the version or is kept out of it can be chosen.",
        digest=review.version.manifest_digest,
        as_whom=f"{actor.label}, who keeps the role",
        submit_label="Delegate",
        action_url=addresses.review(review.pk, "delegate/"),
        cancel_url=addresses.review(review.pk),
        digest_label="Files under review",
        stays="It ends by itself on its last day, and whenever either of you ends it.",
    )


def conflict_box(actor: Actor, review: Review) -> SignBox:
    """What declaring a conflict of interest does."""
    return SignBox(
        title="Declare a conflict of interest",
        statement="Whoever has it signs nothing here from now on. A signature given in a round that still lives counts no "
        "more, and what it had completed is open again.",
        digest=review.version.manifest_digest,
        as_whom=actor.label,
        submit_label="Declare it",
        action_url=addresses.review(review.pk, "conflict/"),
        cancel_url=addresses.review(review.pk),
        digest_label="Files under review",
        stays="The declaration and your name stay in the record; it can be withdrawn with a reason.",
    )


def withdrawal_box(row: Conflict) -> SignBox:
    """What taking a declaration back does."""
    where = f"REV-{row.review_id}" if row.review_id else row.model.name
    return SignBox(
        title="Withdraw the conflict of interest",
        statement=f"{row.person} has no conflict of interest in {where} any more. She may sign rounds that are made from "
        "now on; of those that lived meanwhile she stays out.",
        digest="",
        as_whom="you",
        submit_label="Withdraw it",
        action_url=reverse("web:conflict-withdraw", args=[row.pk]),
        cancel_url=addresses.model(row.model.name),
        stays="The reason stays in the record.",
    )


def ending_box(row: Delegation) -> SignBox:
    """What ending a delegation does."""
    return SignBox(
        title="End the delegation",
        statement=f"{row.delegate} signs for {row.delegator} no more. What was signed meanwhile stays.",
        digest="",
        as_whom="you",
        submit_label="End it",
        action_url=reverse("web:delegation-end", args=[row.pk]),
        cancel_url=reverse("web:delegations"),
        stays="The reason stays in the record.",
    )


def conflicts(actor: Actor, review: Review) -> list[Notice]:
    """Who is kept out of the review by a declared conflict, each with the way to withdraw it for those who may."""
    return [
        Notice(
            row.reason,
            "quiet",
            f"{row.person} declared a conflict of interest"
            if row.person_id == row.declared_by_id
            else f"{row.declared_by} declared that {row.person} has a conflict of interest",
            url=reverse("web:conflict-withdraw", args=[row.pk])
            if independence.may_withdraw(actor, row)
            else "",
            url_label="Withdraw it" if independence.may_withdraw(actor, row) else "",
        )
        for row in independence.conflicts_about(review)
        if independence.stands(row)
    ]


@dataclass(frozen=True, slots=True)
class DelegationsPage:
    """What one gave and was given."""

    header: PageHeader
    tabs: Sequence[Tab]
    table: Table


def page(actor: Actor) -> DelegationsPage:
    """Newest first, those in force with the way to end them."""
    rows = [_row(row) for row in delegations.of_person(actor.user_id or 0)]
    names = ("Who signs", "For", "As", "Where", "State", "Until")
    columns = [*(Column(name) for name in names), Column("Acts", hidden_label=True)]
    empty = Empty(
        "nothing-yet",
        "Nothing is delegated",
        "On the page of a review that waits for your role you can let somebody sign for you for a while: Delegate.",
        action=Action("Open the reviews", addresses.reviews()),
    )
    return DelegationsPage(
        PageHeader("Your account"),
        account.tabs("web:delegations"),
        Table("Delegations", columns, rows, empty),
    )


def _row(row: Delegation) -> Row:
    stand = delegations.stand(row)
    end = Action("End…", reverse("web:delegation-end", args=[row.pk]), "", "stop", dialog=True)
    return Row(
        [
            cells.text(str(row.delegate)),
            cells.text(str(row.delegator), note=row.reason),
            cells.text(row.role),
            cells.text(_where(row)),
            cells.chip(_STATES[stand.state], note=stand.reason),
            cells.text(_last(row), note="UTC"),
            cells.acts(*([end] if stand.state == "in_force" else [])),
        ],
        id=f"delegation-{row.pk}",
    )


def _where(row: Delegation) -> str:
    if row.review is not None:
        return row.review.key
    return row.model.name if row.model is not None else f"models of {row.team}"
