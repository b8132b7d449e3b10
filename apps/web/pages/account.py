"""The pages of one's own account."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from apps.accounts import policy, selectors
from apps.accounts.models import AccessToken, User
from apps.core import clock
from apps.core.actor import Actor
from apps.web import cells, status
from apps.web.parts import Action, Column, Empty, Fact, PageHeader, Row, Tab, Table


@dataclass(frozen=True, slots=True)
class ProfilePage:
    header: PageHeader
    tabs: Sequence[Tab]
    facts: Sequence[Fact]
    roles: Table


@dataclass(frozen=True, slots=True)
class PasswordPage:
    header: PageHeader
    tabs: Sequence[Tab]
    must_change: bool
    at_provider: bool
    confirm_url: str


@dataclass(frozen=True, slots=True)
class TokensPage:
    header: PageHeader
    tabs: Sequence[Tab]
    tokens: Table


@dataclass(frozen=True, slots=True)
class NewTokenPage:
    """The raw token, once, and the lines that make a client use it."""

    header: PageHeader
    raw: str
    environment: str
    basic: str


def tabs(current: str) -> list[Tab]:
    """The account's pages."""
    names = (
        ("Profile", "web:account"),
        ("Password", "web:account-password"),
        ("Access tokens", "web:tokens"),
        ("Delegations", "web:delegations"),
        ("Mails", "web:account-notices"),
    )
    return [Tab(label, reverse(name), current=name == current) for label, name in names]


def profile(actor: Actor, person: User) -> ProfilePage:
    """Who she is here and by what right she may what she may."""
    return ProfilePage(
        header=PageHeader("Account", lead="How you are known here, and what you may do."),
        tabs=tabs("web:account"),
        facts=[
            Fact(
                "Name",
                cells.text(
                    str(person), note="An administrator corrects it: it stands beside signatures."
                ),
            ),
            Fact("Username", cells.mono(person.username)),
            Fact(
                "E-mail address",
                cells.text(person.email) if person.email else cells.missing("none given"),
            ),
            Fact("Sign-in", cells.text(_sign_in(person))),
            Fact("Since", cells.when(person.created_at)),
        ],
        roles=roles_of(actor),
    )


def roles_of(actor: Actor) -> Table:
    """Every role the person holds on the site and on teams, and where it comes from."""
    labels = {role.key: role for role in selectors.roles()}
    rows = [
        Row(
            [
                cells.text(labels[each.role].label, note=labels[each.role].description),
                cells.text(str(each)),
            ]
        )
        for each in policy.grants(actor.user_id or 0)
    ]
    empty = Empty(
        "not-yours",
        "You hold no role on the whole site",
        "What is shared with you by name shows in the lists all the same. Ask an administrator for more.",
    )
    return Table("Your roles", [Column("Role"), Column("Because")], rows, empty=empty)


def password(person: User, *, at_provider: bool) -> PasswordPage:
    """Which password is being chosen, and what it is for."""
    fresh = {"fresh": "1", "next": reverse("web:account-password")}
    return PasswordPage(
        header=PageHeader("Signing password" if at_provider else "Password"),
        tabs=tabs("web:account-password"),
        must_change=person.must_change_password,
        at_provider=at_provider,
        confirm_url=f"{reverse('oidc_authentication_init')}?{urlencode(fresh)}"
        if at_provider
        else "",
    )


def tokens(person: User, in_charge: Sequence[User]) -> TokensPage:
    """The tokens that were not revoked, one's own and those of the services one answers for."""
    found = list(selectors.tokens_of(person, *in_charge).order_by("pk"))
    return TokensPage(
        header=PageHeader(
            "Access tokens",
            lead="For the MLflow client, notebooks and pipelines. They read and log; they never sign.",
        ),
        tabs=tabs("web:tokens"),
        tokens=tokens_table(
            found,
            person,
            empty_title="No tokens",
            empty_text="A token lets the MLflow client or a pipeline in, as you and never with more than you may.",
        ),
    )


def tokens_table(
    found: Sequence[AccessToken], person: User, *, empty_title: str, empty_text: str = ""
) -> Table:
    """Tokens with what each may, until when, and a button that ends it."""
    columns = [
        Column("Name"),
        Column("State"),
        Column("May"),
        Column("For"),
        Column("Expires"),
        Column("Last used"),
        Column("Revoke", hidden_label=True),
    ]
    rows = [_token_row(token, person) for token in found]
    empty = Empty("nothing-yet", empty_title, empty_text)
    return Table(f"Access tokens of {person}", columns, rows, empty=empty)


def new_token(person: User, name: str, raw: str) -> NewTokenPage:
    """What to do with the token that was just made."""
    return NewTokenPage(
        header=PageHeader(
            f"The token {name}",
            lead="Copy it now. It is stored nowhere and will not be shown again.",
        ),
        raw=raw,
        environment=f"export MLFLOW_TRACKING_URI={settings.BASE_URL}\nexport MLFLOW_TRACKING_TOKEN={raw}",
        basic=f"export MLFLOW_TRACKING_USERNAME={person.username}\nexport MLFLOW_TRACKING_PASSWORD={raw}",
    )


def find_token(actor: Actor, token_uuid: uuid.UUID) -> AccessToken | None:
    """A token the actor may end: her own, of a service she answers for, or anybody's for whoever manages people."""
    token = AccessToken.objects.select_related("user").filter(uuid=token_uuid).first()
    if token is None or token.user_id == actor.user_id or policy.can(actor, "people.manage"):
        return token
    owners = selectors.owners_of(token.user).values_list("pk", flat=True)
    return token if actor.user_id in owners else None


def _token_row(token: AccessToken, person: User) -> Row:
    alive = token.is_valid(clock.now())
    revoke = Action("Revoke", reverse("web:token-revoke", args=[token.uuid]), post=True)
    return Row(
        [
            cells.text(token.name, note=f"{token.token_key}…"),
            cells.chip(status.chip("token", "active" if alive else "expired")),
            cells.tags(token.scopes),
            cells.text(str(token.user)),
            cells.when(token.expiry, missing_reason="never expires"),
            cells.text(f"{token.last_used_at:%d %b %Y}")
            if token.last_used_at
            else cells.missing("never used"),
            cells.acts(revoke),
        ]
    )


def _sign_in(person: User) -> str:
    return "at the identity provider" if selectors.signs_in_at_provider(person) else "by password"
