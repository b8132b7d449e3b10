"""Reads about people and rights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import Group
from django.db.models import Model, Prefetch, QuerySet

from apps.accounts import held, policy
from apps.accounts.models import (
    ROLE_PREFIX,
    AccessToken,
    Identity,
    Role,
    RoleAssignment,
    ServiceOwner,
    Team,
    TeamGroupRole,
    TeamUserRole,
    User,
)
from apps.accounts.verbs import ADMINISTRATOR
from apps.core.actor import Actor, ActorKind
from apps.core.errors import NotFound

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Holding:
    """A role held by a person or a group on some place, for lists: `place` is "site", "team:1", ..."""

    role: str
    place: str
    place_name: str
    user: User | None = None
    group: Group | None = None


def actor_for(
    user: User, *, door: str, request_id: str = "", scopes: frozenset[str] | None = None
) -> Actor:
    """The user as an actor with the site-wide verbs of this instant. Does not check `is_active`."""
    return Actor(
        user_id=user.pk,
        kind=ActorKind.HUMAN if user.is_human else ActorKind.SERVICE,
        label=str(user),
        door=door,
        site_verbs=held.site_verbs(user.pk),
        scopes=scopes,
        request_id=request_id,
    )


def get_user(user_id: int) -> User:
    """The person or service; NotFound."""
    return _one(User.objects.filter(pk=user_id), "person")


def get_user_by_uuid(uuid: UUID) -> User:
    """The person or service by the id that signed statements name; NotFound."""
    return _one(User.objects.filter(uuid=uuid), "person")


def get_team(key: str) -> Team:
    """The team; NotFound."""
    return _one(Team.objects.filter(key=key), "team")


def people() -> QuerySet[User]:
    """Everybody, with site-wide roles, groups and identities fetched: constant in the number of people."""
    return User.objects.order_by("username").prefetch_related(
        Prefetch("role_assignments", RoleAssignment.objects.select_related("role")),
        "groups",
        "identities",
        Prefetch("ownerships", ServiceOwner.objects.filter(until=None).select_related("owner")),
    )


def roles() -> QuerySet[Role]:
    """The roles with their verbs, in the order in which people know them."""
    return Role.objects.prefetch_related("verbs")


def teams() -> QuerySet[Team]:
    return Team.objects.order_by("name")


def groups() -> QuerySet[Group]:
    """The directory groups that are known, that is: to which a role can be granted."""
    return Group.objects.order_by("name")


def holdings_of(user: User) -> list[Holding]:
    """The roles granted to the person herself, on the site and on teams."""
    site = RoleAssignment.objects.filter(user=user).order_by("role__position")
    team = TeamUserRole.objects.filter(user=user).select_related("content_object", "permission")
    return [Holding(row.role_id, "site", "the whole site", user=user) for row in site] + [
        _on_team(row, user=user) for row in team
    ]


def group_mappings() -> list[Holding]:
    """What each directory group gives its members, on the site and on teams."""
    site = RoleAssignment.objects.filter(group__isnull=False).select_related("group")
    team = TeamGroupRole.objects.select_related("group", "content_object", "permission")
    return [Holding(row.role_id, "site", "the whole site", group=row.group) for row in site] + [
        _on_team(row, group=row.group) for row in team
    ]


def holdings_on(root: Model) -> list[Holding]:
    """Who holds which role on exactly this team, experiment or model."""
    user_rows, group_rows = policy.role_models(type(root))
    place, name = policy.root_id(root), str(root)
    people = user_rows.objects.filter(content_object=root).select_related("user", "permission")
    via = group_rows.objects.filter(content_object=root).select_related("group", "permission")
    return [
        Holding(_role(row.permission.codename), place, name, user=row.user)
        for row in people.order_by("user__username")
    ] + [
        Holding(_role(row.permission.codename), place, name, group=row.group)
        for row in via.order_by("group__name")
    ]


def tokens_of(*users: User) -> QuerySet[AccessToken]:
    """The tokens of these people and services that were not revoked, expired ones too."""
    return AccessToken.objects.filter(user__in=users, revoked_at__isnull=True).select_related(
        "user"
    )


def signs_in_at_provider(user: User) -> bool:
    """Whether the person signs in by OpenID Connect; her password then only signs."""
    return Identity.objects.filter(user=user).exists()


def accountable_users(user_id: int) -> set[int]:
    """Who counts as author of what this user writes: a person herself, for a service also whoever answers for it
    or ever did."""
    return accountable_for_all([user_id])[user_id]


def accountable_for_all(user_ids: Iterable[int]) -> dict[int, set[int]]:
    """`accountable_users` of many at once, in one query."""
    answering = {user_id: {user_id} for user_id in user_ids}
    rows = ServiceOwner.objects.filter(service_id__in=answering)
    for service, owner in rows.values_list("service_id", "owner_id"):
        answering[service].add(owner)
    return answering


def owners_of(service: User) -> QuerySet[User]:
    """Who answers for the service now."""
    return User.objects.filter(
        answers_for__service=service, answers_for__until__isnull=True
    ).order_by("username")


def services_of(person: User) -> list[User]:
    """The active services that the person answers for now."""
    mine = User.objects.filter(ownerships__owner=person, ownerships__until=None, is_active=True)
    return list(mine.order_by("username"))


def administrators() -> QuerySet[User]:
    """Active people who hold the role administrator, themselves or through a group."""
    held_site = RoleAssignment.objects.filter(role_id=ADMINISTRATOR)
    members = User.groups.through.objects.filter(
        group_id__in=held_site.filter(group__isnull=False).values("group_id")
    )
    direct = User.objects.filter(pk__in=held_site.filter(user__isnull=False).values("user_id"))
    return (direct | User.objects.filter(pk__in=members.values("user_id"))).filter(is_active=True)


def names(user_ids: Iterable[int]) -> dict[int, str]:
    """Display names by id, in one query: for timelines and lists of authors."""
    return {user.pk: str(user) for user in User.objects.filter(pk__in=set(user_ids))}


def _on_team(
    row: TeamUserRole | TeamGroupRole, *, user: User | None = None, group: Group | None = None
) -> Holding:
    team = row.content_object
    return Holding(_role(row.permission.codename), policy.root_id(team), team.name, user, group)


def _role(codename: str) -> str:
    return codename.removeprefix(ROLE_PREFIX)


def _one(rows: QuerySet[M], what: str) -> M:
    found = rows.first()
    if found is None:
        raise NotFound(f"There is no such {what}.")
    return found
