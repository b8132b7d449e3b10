"""Teams and directory groups, for whoever manages people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.accounts import selectors
from apps.accounts.models import Team
from apps.accounts.selectors import Holding
from apps.audits import selectors as audits
from apps.audits.selectors import EventView
from apps.web import cells
from apps.web.pages.people import CRUMB, revoke, tabs
from apps.web.parts import Action, Column, Crumb, Empty, PageHeader, Row, Tab, Table


@dataclass(frozen=True, slots=True)
class TeamsPage:
    header: PageHeader
    tabs: Sequence[Tab]
    teams: Table


@dataclass(frozen=True, slots=True)
class TeamPage:
    header: PageHeader
    members: Table
    history: Sequence[EventView]


@dataclass(frozen=True, slots=True)
class GroupsPage:
    header: PageHeader
    tabs: Sequence[Tab]
    mappings: Table


def teams() -> TeamsPage:
    """The teams and how many people and groups hold a role on each."""
    rows = [
        Row(
            [
                cells.link(team.name, reverse("web:team", args=[team.key])),
                cells.mono(team.key),
                cells.when(team.created_at),
            ]
        )
        for team in selectors.teams()
    ]
    empty = Empty(
        "nothing-yet", "No teams yet", "A role on a team holds for all its experiments and models."
    )
    actions = [Action("New team", reverse("web:team-new"), "primary", icon="plus")]
    return TeamsPage(
        header=PageHeader(
            "Teams", lead="Who owns experiments and models together.", actions=actions
        ),
        tabs=tabs("web:teams"),
        teams=Table("Teams", [Column("Name"), Column("Key"), Column("Since")], rows, empty=empty),
    )


def team(found: Team) -> TeamPage:
    """Who holds which role on the team."""
    rows = [
        _holding_row(each, revoke(each, reverse("web:team-revoke", args=[found.key])))
        for each in selectors.holdings_on(found)
    ]
    empty = Empty("nothing-yet", "Nobody holds a role on this team", "Grant the first one below.")
    columns = [Column("Who"), Column("Role"), Column("Revoke", hidden_label=True)]
    actions = [Action("Rename", reverse("web:team-rename", args=[found.key]), icon="edit")]
    return TeamPage(
        header=PageHeader(
            found.name,
            ref=found.key,
            crumbs=[CRUMB, Crumb("Teams", reverse("web:teams")), Crumb(found.name)],
            actions=actions,
        ),
        members=Table(f"Roles on {found.name}", columns, rows, empty=empty),
        history=audits.events_for(f"team:{found.pk}", limit=20),
    )


def groups() -> GroupsPage:
    """What each group of the directory gives its members."""
    rows = [
        Row(
            [
                cells.text(each.group.name if each.group else ""),
                cells.text(each.role.capitalize()),
                cells.text(each.place_name),
                cells.acts(revoke(each, reverse("web:group-revoke"))),
            ]
        )
        for each in selectors.group_mappings()
    ]
    empty = Empty(
        "nothing-yet",
        "No group is mapped",
        "Whoever signs in at the identity provider gets the roles of their groups, and loses them on leaving the group.",
    )
    columns = [Column("Group"), Column("Role"), Column("On"), Column("Revoke", hidden_label=True)]
    return GroupsPage(
        header=PageHeader(
            "Directory groups", lead="Roles that come with a group of the identity provider."
        ),
        tabs=tabs("web:groups"),
        mappings=Table("Groups and the roles they give", columns, rows, empty=empty),
    )


def _holding_row(each: Holding, revoke: Action) -> Row:
    if each.user:
        name = cells.link(
            str(each.user), reverse("web:person", args=[each.user.pk]), note=each.user.username
        )
    else:
        name = cells.text(str(each.group), note="directory group")
    return Row([name, cells.text(each.role.capitalize()), cells.acts(revoke)])
