"""People and services, for whoever manages them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from apps.accounts import policy, selectors
from apps.accounts.models import User
from apps.accounts.selectors import Holding
from apps.accounts.verbs import OBJECT_ROLES, VERBS
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.core.actor import Actor
from apps.web import cells, query, status, words
from apps.web.forms.people import SITE
from apps.web.pages.account import tokens_table
from apps.web.parts import (
    Action,
    Chip,
    Column,
    Crumb,
    Empty,
    Fact,
    FilterChip,
    PageHeader,
    Paging,
    Row,
    Tab,
    Table,
)

PER_PAGE = 50
CRUMB = Crumb("People", "/people/")


@dataclass(frozen=True, slots=True)
class PeoplePage:
    header: PageHeader
    tabs: Sequence[Tab]
    filters: Sequence[FilterChip]
    people: Table
    query: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    header: PageHeader
    facts: Sequence[Fact]
    roles: Table
    why: Table
    tokens: Table
    history: Sequence[EventView]
    is_human: bool
    may_be_granted: str


@dataclass(frozen=True, slots=True)
class FormPage:
    """A form alone: its heading, what it does, where it leads back to."""

    header: PageHeader
    submit: str
    cancel_url: str
    danger: bool = False


def tabs(current: str) -> list[Tab]:
    """The three pages about who is who."""
    names = (
        ("People and services", "web:people"),
        ("Teams", "web:teams"),
        ("Directory groups", "web:groups"),
    )
    return [Tab(label, reverse(name), current=name == current) for label, name in names]


def people(request: HttpRequest) -> PeoplePage:
    """Everybody, by name; constant in queries, fifty at a time."""
    wanted, after = query.text(request, "q"), query.text(request, "after")
    found = _searched(selectors.people(), wanted)
    total = found.count()
    shown = list(found.filter(username__gt=after)[: PER_PAGE + 1])
    rows = [_person_row(person) for person in shown[:PER_PAGE]]
    paging = None
    if len(shown) > PER_PAGE or after:
        more = (
            query.with_values(request, after=shown[PER_PAGE - 1].username)
            if len(shown) > PER_PAGE
            else ""
        )
        first = query.without(request, "after") if after else ""
        paging = Paging(f"{len(rows)} of {words.plural(total, 'entry', 'entries')}", more, first)
    columns = [
        Column("Name"),
        Column("Kind"),
        Column("State"),
        Column("Roles on the whole site"),
        Column("Directory groups"),
        Column("Sign-in"),
    ]
    empty = Empty(
        "no-match",
        f"Nobody is called {wanted}",
        action=Action("Show everybody", reverse("web:people")),
    )
    actions = [
        Action("New service", reverse("web:service-new"), icon="machine"),
        Action("New person", reverse("web:person-new"), "primary", icon="plus"),
    ]
    return PeoplePage(
        header=PageHeader("People", lead="Who can come in, and what each may do.", actions=actions),
        tabs=tabs("web:people"),
        filters=query.filter_chips(request, {"q": "called “{}”"}),
        people=Table("People and services", columns, rows, empty=empty, paging=paging),
        query=wanted,
    )


def person(actor: Actor, who: User) -> PersonPage:
    """One person or service: what she holds, why she may what she may, what happened to her account."""
    return PersonPage(
        header=_person_header(actor, who),
        facts=_facts(who),
        roles=_roles_table(who),
        why=_why_table(who),
        tokens=tokens_table(list(selectors.tokens_of(who)), who, empty_title="No tokens"),
        history=audits.events_for(f"user:{who.pk}", limit=20),
        is_human=who.is_human,
        may_be_granted=_ungrantable(actor, who),
    )


def form_page(
    title: str,
    lead: str,
    submit: str,
    back: str,
    *,
    crumbs: Sequence[Crumb] = (CRUMB,),
    danger: bool = False,
) -> FormPage:
    """A form on a page of its own."""
    return FormPage(PageHeader(title, lead=lead, crumbs=crumbs), submit, back, danger)


def role_choices(*, on_object: bool = False) -> list[tuple[str, str]]:
    """Roles for a form; on a team only those that exist there."""
    return [
        (role.key, f"{role.label}: {role.description}")
        for role in selectors.roles()
        if not on_object or role.key in OBJECT_ROLES
    ]


def team_choices() -> list[tuple[str, str]]:
    """Teams for a form."""
    return [(team.key, f"team {team.name}") for team in selectors.teams()]


def person_choices() -> list[tuple[str, str]]:
    """Active people and services for a form."""
    active = User.objects.filter(is_active=True).order_by("display_name", "username")
    return [(str(each.pk), f"{each} ({each.username})") for each in active]


def human_choices() -> list[tuple[int, str]]:
    """Active people who can answer for a service."""
    active = User.objects.filter(is_active=True, kind=User.Kind.HUMAN)
    return [(each.pk, str(each)) for each in active.order_by("display_name", "username")]


def _searched(found: QuerySet[User], wanted: str) -> QuerySet[User]:
    if not wanted:
        return found
    return found.filter(Q(username__icontains=wanted) | Q(display_name__icontains=wanted))


def _person_row(who: User) -> Row:
    groups = [group.name for group in who.groups.all()]
    roles = [assignment.role.label for assignment in who.role_assignments.all()]
    provider = bool(list(who.identities.all()))
    return Row(
        [
            cells.link(str(who), reverse("web:person", args=[who.pk]), note=who.username),
            cells.chip(status.chip("person", who.kind)),
            cells.chip(status.chip("person", "active" if who.is_active else "inactive")),
            cells.tags(roles),
            cells.tags(groups),
            cells.text(_way_in(who, provider=provider)),
        ]
    )


def _way_in(who: User, *, provider: bool) -> str:
    if not who.is_human:
        return "tokens only"
    return "identity provider" if provider else "password"


def _person_header(actor: Actor, who: User) -> PageHeader:
    chips = [status.chip("person", "active" if who.is_active else "inactive")]
    if not who.is_human:
        chips.insert(0, status.chip("person", "service"))
    if who.must_change_password:
        chips.append(Chip("Temporary password", "warn", "key"))
    return PageHeader(
        str(who),
        chips=chips,
        meta=[cells.mono(who.username)],
        crumbs=[CRUMB, Crumb(str(who))],
        actions=_acts(actor, who),
    )


def _acts(actor: Actor, who: User) -> list[Action]:
    def to(name: str) -> str:
        return reverse(f"web:person-{name}", args=[who.pk])

    acts = [Action("Edit", to("edit"), icon="edit")]
    if not who.is_human:
        acts.append(Action("Who answers for it", to("owners"), icon="people"))
    elif who.pk != actor.user_id and not selectors.signs_in_at_provider(who):
        acts.append(Action("Reset the password", to("reset"), icon="key"))
    if who.is_active and who.pk != actor.user_id:
        acts.append(Action("Deactivate", to("deactivate"), icon="lock"))
    if not who.is_active:
        acts.append(Action("Reactivate", to("reactivate"), post=True))
    return acts


def _facts(who: User) -> list[Fact]:
    facts = [
        Fact("E-mail address", cells.text(who.email) if who.email else cells.missing("none given")),
        Fact("Sign-in", cells.text(_way_in(who, provider=selectors.signs_in_at_provider(who)))),
        Fact("Directory groups", cells.tags([group.name for group in who.groups.all()])),
        Fact("Since", cells.when(who.created_at)),
    ]
    if not who.is_human:
        owners = [str(owner) for owner in selectors.owners_of(who)]
        facts.insert(0, Fact("Answered for by", cells.tags(owners)))
    return facts


def _roles_table(who: User) -> Table:
    rows = [
        Row(
            [
                cells.text(each.role.capitalize()),
                cells.text(each.place_name),
                cells.acts(revoke(each, reverse("web:person-revoke", args=[who.pk]))),
            ]
        )
        for each in selectors.holdings_of(who)
    ]
    empty = Empty(
        "nothing-yet",
        "No role of their own",
        "Roles may still come through a directory group, or be granted on one experiment or model.",
    )
    columns = [Column("Role"), Column("On"), Column("Revoke", hidden_label=True)]
    return Table(f"Roles granted to {who}", columns, rows, empty=empty)


def _why_table(who: User) -> Table:
    """Each verb she may do on the whole site, and the roles that give it: "why may she?"."""
    grants = policy.grants(who.pk)
    by_role = {role.key: {row.verb for row in role.verbs.all()} for role in selectors.roles()}
    may = selectors.actor_for(who, door="web")
    rows = [
        Row(
            [
                cells.text(VERBS[verb][0].upper() + VERBS[verb][1:], note=verb),
                cells.text(
                    "; ".join(str(grant) for grant in grants if verb in by_role[grant.role])
                ),
            ]
        )
        for verb in VERBS
        if policy.can(may, verb)
    ]
    empty = Empty(
        "nothing-yet",
        "Nothing on the whole site",
        "Only what is shared by name or team can be seen and done.",
    )
    return Table(
        f"What {who} may do on the whole site",
        [Column("May"), Column("Because")],
        rows,
        empty=empty,
        dense=True,
    )


def revoke(each: Holding, url: str) -> Action:
    """The button that takes this role away."""
    holder = f"user:{each.user.pk}" if each.user else f"group:{each.group.pk if each.group else 0}"
    fields = {
        "role": each.role,
        "place": each.place if each.place != "site" else SITE,
        "holder": holder,
    }
    return Action("Revoke", url, post=True, fields=fields)


def _ungrantable(actor: Actor, who: User) -> str:
    """Why no role can be granted to this account now; empty if one can."""
    if who.pk == actor.user_id:
        return "Nobody can grant themselves a role. Another administrator can."
    return "" if who.is_active else "A deactivated account gets no roles."
