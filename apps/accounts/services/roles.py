"""Granting and revoking roles; teams; directory groups."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from apps.accounts import policy, selectors
from apps.accounts.events import GroupAdded, RoleGranted, RoleRevoked, TeamCreated, TeamRenamed
from apps.accounts.models import RoleAssignment, Team, User
from apps.accounts.policy import Rooted
from apps.accounts.services.validation import require_fields, slug_problem, text_problem
from apps.accounts.verbs import ADMINISTRATOR, CONTRIBUTOR, OBJECT_ROLES, OWNER, ROLES, VIEWER
from apps.audits.log import verb
from apps.core.actor import Actor, ActorKind
from apps.core.errors import AlreadyExists, Conflict, Forbidden, Invalid

# What somebody who manages an experiment or a model may hand out there. Who signs or audits is not the maker's
# choice: those roles come from whoever administers people.
MANAGERS_MAY_GRANT = frozenset({VIEWER, CONTRIBUTOR, OWNER})
SERVICES_MAY_HOLD = frozenset({VIEWER, CONTRIBUTOR, OWNER})

_ADMINISTRATORS_LOCK = 7_140_301


def grant_role(actor: Actor, role: str, holder: User | Group, *, on: Rooted | None = None) -> bool:
    """Give a person or a directory group a role, on the site or on a team, experiment or model.

    Returns False when it was held already (nothing is recorded then). Refuses: granting to oneself or to a group
    one belongs to; a role that signs or administers to a service; a signing or auditing role by somebody who only
    manages the object; a role that does not exist there; a deactivated holder.
    """
    root = _root(on)
    _check_role(role, root)
    with verb(actor) as v:
        how = _require_may_grant(actor, role, root)
        lock_holders(holder)
        check_holder(actor, role, holder)
        if not _add(role, holder, root):
            return False
        v.record(
            RoleGranted(
                role=role,
                holder=holder_id(holder),
                holder_name=str(holder),
                on=_place(root),
                how=how,
            )
        )
    return True


def revoke_role(actor: Actor, role: str, holder: User | Group, *, on: Rooted | None = None) -> bool:
    """Take a role away; in force at the holder's next request, and before anything she has not yet signed.

    Returns False when it was not held. Refuses to leave the site without an administrator.
    """
    root = _root(on)
    _check_role(role, root)
    with verb(actor) as v:
        _require_may_grant(actor, role, root)
        if role == ADMINISTRATOR:
            lock_administrators()
        lock_holders(holder)
        if not _remove(role, holder, root):
            return False
        if role == ADMINISTRATOR:
            require_an_administrator()
        v.record(
            RoleRevoked(
                role=role, holder=holder_id(holder), holder_name=str(holder), on=_place(root)
            )
        )
    return True


def grant_creator_role(actor: Actor, role: str, on: Rooted) -> None:
    """Give the creator of a new experiment or model her role on it. For the service that creates it.

    Refuses (a programming error) unless the actor created the object, inside that transaction, and nobody yet
    holds a role on it. Checks no verb: the right to create was checked by the creating service.
    """
    root = on.policy_root()
    if not connection.in_atomic_block:
        raise RuntimeError(
            "grant_creator_role belongs into the transaction that creates the object"
        )
    if role not in {OWNER, CONTRIBUTOR} or actor.user_id is None:
        raise ValueError(f"{role} for {actor.label}: a creator becomes owner or contributor")
    if root.created_by_id != actor.user_id or selectors.holdings_on(root):
        raise ValueError(f"{policy.root_id(root)} is not new or not {actor.label}'s")
    with verb(actor) as v:
        user = selectors.get_user(actor.user_id)
        policy.add_role(role, user, root)
        v.record(
            RoleGranted(
                role=role,
                holder=holder_id(user),
                holder_name=str(user),
                on=policy.root_id(root),
                how="creator",
            )
        )


def create_team(actor: Actor, *, key: str, name: str) -> Team:
    """Make a team. Refuses a key that is taken or is not a slug."""
    require_fields(key=slug_problem(key), name=text_problem(name, 200))
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        try:
            with transaction.atomic():
                team = Team.objects.create(key=key, name=name.strip())
        except IntegrityError as error:
            raise AlreadyExists(f"There is already a team {key}.") from error
        v.record(TeamCreated(team=team.pk, key=team.key, name=team.name))
    return team


def rename_team(actor: Actor, team: Team, *, name: str) -> Team:
    """Change a team's name; its key stays."""
    require_fields(name=text_problem(name, 200))
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        team = Team.objects.select_for_update().get(pk=team.pk)
        team.name = name.strip()
        team.save(update_fields=["name"])
        v.record(TeamRenamed(team=team.pk, key=team.key, name=team.name))
    return team


def add_group(actor: Actor, *, name: str) -> Group:
    """Make a group of the directory known by the name the provider's claim gives it. Idempotent."""
    require_fields(name=text_problem(name, 150))
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        group, created = Group.objects.get_or_create(name=name.strip())
        if created:
            v.record(GroupAdded(group=group.pk, name=group.name))
    return group


def map_group(actor: Actor, *, name: str, role: str, team: Team | None = None) -> bool:
    """From now on whoever the provider says is in the group holds the role, on the site or on the team."""
    with verb(actor):
        return grant_role(actor, role, add_group(actor, name=name), on=team)


def holder_id(holder: User | Group) -> str:
    """A holder in events: "user:5" or "group:2"."""
    return f"user:{holder.pk}" if isinstance(holder, User) else f"group:{holder.pk}"


def lock_holders(holder: User | Group) -> None:
    """Lock the people whose rights are about to change: `policy.require_fresh` shares these locks."""
    people = (
        User.objects.filter(pk=holder.pk) if isinstance(holder, User) else holder.user_set.all()
    )
    list(people.order_by("pk").select_for_update(of=("self",), no_key=True).values_list("pk"))


def lock_administrators() -> None:
    """Serialise everything that could leave the site with no administrator, or make the first one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADMINISTRATORS_LOCK])


def require_an_administrator() -> None:
    """Refuse the act just done if it left nobody who can administer people."""
    if not selectors.administrators().exists():
        raise Conflict(
            "This would leave the site without an administrator.",
            hint="Make somebody else an administrator first.",
        )


def _root(on: Rooted | None) -> Any:
    return None if on is None else on.policy_root()


def _place(root: Model | None) -> str:
    return "site" if root is None else policy.root_id(root)


def _check_role(role: str, root: Model | None) -> None:
    allowed = ROLES if root is None else OBJECT_ROLES
    if role not in allowed:
        message = f"{role!r} is not a role that can be held there: {', '.join(allowed)}"
        raise Invalid(message, fields={"role": message})


def _require_may_grant(actor: Actor, role: str, root: Any) -> str:
    """In which capacity the actor changes who holds the role there."""
    if policy.can(actor, "people.manage"):
        return "system" if actor.kind is ActorKind.SYSTEM else "administrator"
    if root is None or role not in MANAGERS_MAY_GRANT:
        policy.require(actor, "people.manage")
    policy.require(actor, policy.manage_verb(root), root)
    return "manager"


def check_holder(actor: Actor, role: str, holder: User | Group) -> None:
    if isinstance(holder, User):
        holder.refresh_from_db()
        if not holder.is_active:
            raise Conflict(f"{holder} is deactivated.")
        if not holder.is_human and role not in SERVICES_MAY_HOLD:
            raise Invalid(
                f"A service cannot be {role}.", fields={"role": "Only a person can hold this role."}
            )
    mine = (
        holder.pk == actor.user_id
        if isinstance(holder, User)
        else holder.user_set.filter(pk=actor.user_id).exists()
    )
    if mine:
        raise Forbidden("Nobody grants a role to herself.", hint="Ask another administrator.")


def _add(role: str, holder: User | Group, root: Model | None) -> bool:
    if root is not None:
        return policy.add_role(role, holder, root)
    return RoleAssignment.objects.get_or_create(role_id=role, **_as_holder(holder))[1]


def _remove(role: str, holder: User | Group, root: Model | None) -> bool:
    if root is not None:
        return policy.remove_role(role, holder, root)
    return bool(RoleAssignment.objects.filter(role_id=role, **_as_holder(holder)).delete()[0])


def _as_holder(holder: User | Group) -> dict[str, Any]:
    return {"user": holder} if isinstance(holder, User) else {"group": holder}
