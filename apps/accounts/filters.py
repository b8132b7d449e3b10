"""`policy` the other way round, as query filters: who holds a verb on a thing, on which things somebody holds it."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, Model, Q, QuerySet, Value
from django.db.models.functions import Concat

from apps.accounts.lent_models import LentRole, in_force
from apps.accounts.models import ROLE_PREFIX, RoleAssignment, RoleVerb, Team, User
from apps.accounts.roots import kind_of, role_models
from apps.accounts.verbs import OWNER


def holders(verb: str, root: Model | None) -> Q:
    """People with a role that has the verb: on the site, on the root's team, on the root, or owning it."""
    roles = RoleVerb.objects.filter(verb=verb).values("role_id")
    site = RoleAssignment.objects.filter(role_id__in=roles)
    found = Q(pk__in=site.filter(user__isnull=False).values("user_id"))
    found |= Q(pk__in=_members(site.filter(group__isnull=False).values("group_id")))
    for model, pk in _places(root):
        user_rows, group_rows = role_models(model)
        wanted = {"content_object_id": pk, "permission__codename__in": _codenames(verb)}
        found |= Q(pk__in=user_rows.objects.filter(**wanted).values("user_id"))
        found |= Q(pk__in=_members(group_rows.objects.filter(**wanted).values("group_id")))
    if root is not None and _is_lendable(type(root)):
        found |= Q(pk__in=_lent(verb).filter(model_id=root.pk).values("user_id"))
    owner_id = getattr(root, "owner_id", None)
    if owner_id is not None:
        found |= Q(Exists(roles.filter(role_id=OWNER)), pk=owner_id)
    return found


def held_by(user_id: int, verb: str, model: type[Model]) -> Q:
    """Experiments or models on which the person holds a role with the verb: on the row, its team, or owning it."""
    found = Q(pk__in=objects_of(user_id, verb, model))
    found |= Q(team_id__in=objects_of(user_id, verb, Team))
    if _is_lendable(model):
        found |= Q(pk__in=_lent(verb).filter(user_id=user_id).values("model_id"))
    if any(field.name == "owner" for field in model._meta.fields):
        owners = RoleVerb.objects.filter(verb=verb, role_id=OWNER)
        found |= Q(Exists(owners), owner_id=user_id)
    return found


def objects_of(user_id: int, verb: str, root: type[Model]) -> QuerySet[Any, Any]:
    """Ids of the teams, experiments or models on which a role granted right there has the verb."""
    groups = User.groups.through.objects.filter(user_id=user_id).values("group_id")
    user_rows, group_rows = role_models(root)
    wanted = Q(permission__codename__in=_codenames(verb))
    direct = user_rows.objects.filter(wanted, user_id=user_id).values("content_object_id")
    through = group_rows.objects.filter(wanted, group_id__in=groups).values("content_object_id")
    ids: QuerySet[Any, Any] = direct.union(through, all=True)
    return ids


def _is_lendable(model: type[Model]) -> bool:
    return kind_of(model).word == "model"


def _lent(verb: str) -> QuerySet[LentRole]:
    """Roles with the verb that somebody holds until a moment that is still to come."""
    roles = RoleVerb.objects.filter(verb=verb).values("role_id")
    return LentRole.objects.filter(in_force(), role_id__in=roles)


def _places(root: Model | None) -> list[tuple[type[Model], Any]]:
    """The root and its team, as far as there are such."""
    if root is None or isinstance(root, Team):
        return [(Team, root.pk)] if root else []
    team_id = getattr(root, "team_id", None)
    return [(type(root), root.pk)] + ([(Team, team_id)] if team_id else [])


def _codenames(verb: str) -> QuerySet[Any, Any]:
    return RoleVerb.objects.filter(verb=verb).values_list(
        Concat(Value(ROLE_PREFIX), "role_id"), flat=True
    )


def _members(groups: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    return User.groups.through.objects.filter(group_id__in=groups).values("user_id")
