"""Who may do what: `can`, `require`, `require_fresh`, `who_may`, `explain`, `visible_to`.

A right comes from a role, held on the site, on a team (for all its experiments and models) or on one
experiment or model, by a person or through a directory group; a model's `owner` holds the role owner on it; and a role
on a model can be lent until a moment (`lent_models`), after which it is held no more, whatever runs or does not.
Nothing else gives one. The grants lie in django-guardian's permission models (`roots`), read by `held` and `filters`.

Limits that no role lifts: a token carries only the verbs of its scopes; signing takes a human being in an
interactive session who does not administer people; the system itself may do all but sign.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from django.apps import apps
from django.db import connection
from django.db.models import Exists, Model, Q, QuerySet

from apps.accounts import filters, held
from apps.accounts.held import Grant
from apps.accounts.models import RoleVerb, Team, User
from apps.accounts.roots import Rooted, add_role, kind_of, remove_role, role_models, root_id
from apps.accounts.verbs import SCOPES, SCOPES_OF_VERB, VERBS, is_signing
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Forbidden

__all__ = [
    "SCOPES",
    "VERBS",
    "Grant",
    "Rooted",
    "add_role",
    "admits",
    "can",
    "default_team",
    "explain",
    "fit_to_sign",
    "grants",
    "manage_verb",
    "remove_role",
    "require",
    "require_fresh",
    "require_fresh_delegate",
    "role_models",
    "root_id",
    "teams_where",
    "verbs_on",
    "visible_experiments",
    "visible_models",
    "visible_to",
    "where_may",
    "where_signs",
    "who_may",
]


def can(actor: Actor, verb: str, obj: Rooted | None = None) -> bool:
    """Whether the actor may. No SQL when a site-wide role answers, else one query.

    Site-wide verbs are as of the actor's authentication (one request); `require_fresh` re-reads them.
    Does not check the state of the object: that is the verb's own business.
    """
    if not _admitted(actor, verb):
        return False
    if actor.kind is ActorKind.SYSTEM or verb in actor.site_verbs:
        return True
    return obj is not None and verb in _verbs_on_root(actor, obj.policy_root())


def require(actor: Actor, verb: str, obj: Rooted | None = None) -> None:
    """Refuse with Forbidden, naming the verb and whom to ask, unless the actor may."""
    if not can(actor, verb, obj):
        raise _refusal(actor, verb, obj)


def require_fresh(actor: Actor, verb: str, obj: Rooted | None = None) -> Actor:
    """Like `require`, on what the database says inside this transaction; returns the actor as of now.

    Holds a share lock on the person's row until the transaction ends, so that a deactivation or a
    revocation (both take that row) comes wholly before or wholly after what is signed here.
    Refuses also: a deactivated person, and one whose password an administrator has set.
    """
    fresh = _as_of_now(actor, verb)
    require(fresh, verb, obj)
    return fresh


def require_fresh_delegate(
    actor: Actor, delegator_id: int, verb: str, obj: Rooted | None = None
) -> Actor:
    """Like `require_fresh` for a signing verb that the actor does not hold herself: the delegator must hold it now.

    Both people's rows are share-locked. Refuses also a delegate who could sign for nobody: a token, a service,
    whoever administers people; and one who may not see the object. Returns the delegate as of now.
    """
    fresh = _as_of_now(actor, verb)
    if not _admitted(fresh, verb):
        raise _refusal(fresh, verb, obj)
    require(fresh, "review.read", obj)
    held.lock_person(delegator_id)
    if not who_may(verb, obj).filter(pk=delegator_id).exists():
        raise Forbidden(
            f"Whoever delegated this to {fresh.label} may not {VERBS[verb]} any more, so the delegation ended with it.",
        )
    return fresh


def _as_of_now(actor: Actor, verb: str) -> Actor:
    """The actor with the rights of this moment, her row share-locked; Forbidden for an account that may do nothing."""
    if not connection.in_atomic_block:
        raise RuntimeError("require_fresh needs the transaction of the verb it guards")
    if actor.user_id is None:
        return actor
    person = held.lock_person(actor.user_id)
    if person is None or not person.is_active:
        raise Forbidden("This account is deactivated.", hint="Ask an administrator.")
    if person.must_change_password and is_signing(verb):
        raise Forbidden(
            "An administrator has set this account's password, so it cannot sign.",
            hint="Choose a password of your own first.",
        )
    return replace(actor, site_verbs=held.site_verbs(actor.user_id))


def admits(actor: Actor, verb: str) -> bool:
    """Whether this kind of actor, through this kind of credential, could do the verb if a role gave it to her."""
    return _admitted(actor, verb)


def fit_to_sign() -> QuerySet[User]:
    """Who could sign if a role or a delegation gave the right: active human beings who do not administer people."""
    users = User.objects.filter(is_active=True, kind=User.Kind.HUMAN)
    return users.exclude(filters.holders("people.manage", None))


def verbs_on(actor: Actor, obj: Rooted | None = None) -> frozenset[str]:
    """Every verb the actor may do to the object, in at most one query: for a page with many buttons."""
    known = frozenset(VERBS) if actor.kind is ActorKind.SYSTEM else actor.site_verbs
    if obj is not None and actor.kind is not ActorKind.SYSTEM:
        known |= _verbs_on_root(actor, obj.policy_root())
    return frozenset(verb for verb in known if _admitted(actor, verb))


def who_may(verb: str, obj: Rooted | None = None) -> QuerySet[User]:
    """Everybody active who may do the verb to the object, by any path. Tokens' scopes are not considered."""
    _known(verb)
    users = fit_to_sign() if is_signing(verb) else User.objects.filter(is_active=True)
    return users.filter(filters.holders(verb, _root(obj))).order_by("username")


def grants(user_id: int, obj: Rooted | None = None) -> list[Grant]:
    """Every role the person holds that counts for the object (or on the site), with where it comes from."""
    root = _root(obj)
    return held.grants(user_id, *_place(root))


def explain(actor: Actor, verb: str, obj: Rooted | None = None) -> str:
    """One sentence: may the actor, and by which role, or why not and whom to ask."""
    if not can(actor, verb, obj):
        return str(_refusal(actor, verb, obj))
    if actor.user_id is None:
        return f"The system may {VERBS[verb]}."
    holding = set(RoleVerb.objects.filter(verb=verb).values_list("role_id", flat=True))
    reasons = [str(grant) for grant in grants(actor.user_id, obj) if grant.role in holding]
    return f"{actor.label} may {VERBS[verb]}: {'; '.join(reasons)}."


def visible_to(actor: Actor, model: type[Model]) -> Q:
    """The filter that leaves of experiments or registered models those the actor may read."""
    return where_may(actor, kind_of(model).read, model)


def where_may(actor: Actor, verb: str, model: type[Model]) -> Q:
    """The filter that leaves of experiments or registered models those the actor may do the verb to."""
    if not _admitted(actor, verb):
        return Q(pk__in=[])
    if actor.user_id is None or verb in actor.site_verbs:
        return Q()
    return filters.held_by(actor.user_id, verb, model)


def where_signs(user_id: int, verb: str, model: type[Model]) -> Q:
    """`where_may` for a signing verb of somebody else: what she could sign there in a session of her own."""
    on_site = fit_to_sign().filter(filters.holders(verb, None), pk=user_id)
    held_there = Q(Exists(on_site)) | filters.held_by(user_id, verb, model)
    return Q(Exists(fit_to_sign().filter(pk=user_id))) & held_there


def teams_where(actor: Actor, verb: str) -> QuerySet[Team]:
    """The teams on which the actor may do the verb; all of them where a site-wide role gives it."""
    teams = Team.objects.order_by("name")
    if not _admitted(actor, verb):
        return teams.none()
    if actor.user_id is None or verb in actor.site_verbs:
        return teams
    return teams.filter(pk__in=filters.objects_of(actor.user_id, verb, Team))


def default_team(actor: Actor, verb: str) -> Team | None:
    """The team a client means that names none: the only one on which the actor may, held by a team role.

    None for somebody with the right on the whole site, or on no team or on several.
    """
    if verb in actor.site_verbs or actor.kind is ActorKind.SYSTEM:
        return None
    found = list(teams_where(actor, verb)[:2])
    return found[0] if len(found) == 1 else None


def visible_experiments(actor: Actor) -> Q:
    """`visible_to` for experiments."""
    return visible_to(actor, apps.get_model("experiments", "Experiment"))


def visible_models(actor: Actor) -> Q:
    """`visible_to` for registered models."""
    return visible_to(actor, apps.get_model("registry", "RegisteredModel"))


def manage_verb(root: Model) -> str:
    """The verb that allows saying who may use the root."""
    return kind_of(type(root)).manage


def _known(verb: str) -> None:
    if verb not in VERBS:
        raise ValueError(f"{verb!r} is not a verb; see apps.accounts.verbs.VERBS")


def _admitted(actor: Actor, verb: str) -> bool:
    """Whether this kind of actor, through this kind of credential, could do the verb with every role."""
    _known(verb)
    if is_signing(verb) and (
        actor.kind is not ActorKind.HUMAN or "people.manage" in actor.site_verbs
    ):
        return False
    return actor.scopes is None or bool(actor.scopes & SCOPES_OF_VERB.get(verb, frozenset()))


def _root(obj: Rooted | None) -> Model | None:
    return None if obj is None else cast("Model | None", obj.policy_root())


def _place(root: Model | None) -> tuple[held.Place | None, int | None, int | None]:
    """The root as tables and ids: where its own grants are, its team, its owner."""
    if root is None:
        return None, None, None
    if isinstance(root, Team):
        return None, root.pk, None
    user_rows, group_rows = role_models(type(root))
    place = held.Place(user_rows._meta.db_table, group_rows._meta.db_table, root.pk, root_id(root))
    return place, getattr(root, "team_id", None), getattr(root, "owner_id", None)


def _verbs_on_root(actor: Actor, root: Model | None) -> frozenset[str]:
    if root is None or actor.user_id is None:
        return frozenset()
    return held.verbs(actor.user_id, *_place(root))


def _refusal(actor: Actor, verb: str, obj: Rooted | None) -> Forbidden:
    """Why not, and whom to ask."""
    label = actor.label
    if not _admitted(actor, verb):
        return Forbidden(
            f"{label} may not {VERBS[verb]} ({verb}).", hint=_why_not_admitted(actor, verb)
        )
    root = _root(obj)
    on = "" if root is None else f" on {_named(actor, root)}"
    askable = User.objects.filter(is_active=True, kind=User.Kind.HUMAN).filter(
        filters.holders("people.manage" if root is None else manage_verb(root), root)
        | filters.holders("people.manage", None)
    )
    return Forbidden(
        f"{label} may not {VERBS[verb]}{on}: no role held there has {verb}.",
        hint=_whom_to_ask(askable, actor),
    )


def _named(actor: Actor, root: Model) -> str:
    """The root by its name, for whoever may see it; else by its id."""
    seen = can(actor, kind_of(type(root)).read, cast("Rooted", root))
    return str(root) if seen else root_id(root)


def _whom_to_ask(askable: QuerySet[User], actor: Actor) -> str:
    """Up to three who could give the right. Never the actor: nobody grants a role to herself."""
    people = list(askable.order_by("username")[:4])
    names = [str(user) for user in people if user.pk != actor.user_id][:3]
    if names:
        return f"Ask {' or '.join(names)}."
    if people:
        return "Nobody grants a role to herself, and nobody else could grant this one: a second administrator is needed."
    return "There is no administrator yet."


def _why_not_admitted(actor: Actor, verb: str) -> str:
    if actor.scopes is not None:
        wanted = sorted(SCOPES_OF_VERB.get(verb, ()))
        if not wanted:
            return "No token carries this right: sign in to the site and do it there."
        return f"The token needs the scope {' or '.join(wanted)}."
    if actor.kind is not ActorKind.HUMAN:
        return "Only a person signs."
    return "Whoever administers people does not sign."
