"""People and services: made, changed, deactivated, never deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import IntegrityError, transaction

from apps.accounts import policy, selectors
from apps.accounts.events import (
    ServiceOwnersChanged,
    UserCreated,
    UserDeactivated,
    UserReactivated,
    UserUpdated,
)
from apps.accounts.models import AccessToken, ServiceOwner, User
from apps.accounts.services.roles import lock_administrators, require_an_administrator
from apps.accounts.services.validation import (
    email_problem,
    password_problem,
    require_fields,
    text_problem,
    username_problem,
)
from apps.audits.log import Verb, verb
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import AlreadyExists, Conflict, Forbidden, Invalid


def create_user(
    actor: Actor, *, username: str, display_name: str, password: str, email: str = ""
) -> User:
    """Make a person who signs in by password. She holds no role yet.

    The password is a temporary one: whoever else knows it cannot sign with it, because the person must first
    choose her own (`passwords.change_password`). Refuses a username that exists in any letter case, or ever did.
    """
    username = User.normalise(username)
    user = User(username=username, display_name=display_name.strip(), email=email.strip())
    require_fields(**_problems(user), password=password_problem(password, user))
    user.set_password(password)
    user.must_change_password = True
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        insert(v, user, how="administrator")
    return user


def create_service(
    actor: Actor, *, username: str, display_name: str, owners: Iterable[User]
) -> User:
    """Make a service user for pipelines: tokens only, no password, and people who answer for what it does.

    Each accountable owner counts as author of whatever the service writes, so none of them can sign for it.
    """
    user = User(
        username=User.normalise(username),
        display_name=display_name.strip(),
        kind=User.Kind.SERVICE,
    )
    require_fields(**_problems(user))
    user.set_unusable_password()
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        answering = _owners(owners)
        insert(v, user, how="administrator")
        _write_owners(v, user, answering)
    return user


def set_service_owners(actor: Actor, service: User, *, owners: Iterable[User]) -> None:
    """Say who answers for a service from now on. Who ever did stays an author of what it writes and wrote."""
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        service = lock(service)
        if service.is_human:
            raise Invalid(f"{service} is a person and answers for herself.")
        answering = _owners(owners)
        _write_owners(v, service, answering)


def update_user(actor: Actor, user: User, *, display_name: str, email: str = "") -> User:
    """Correct a person's printed name and address. Not her own: the name stands beside signatures."""
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        user = lock(user)
        apply_profile(v, user, display_name=display_name, email=email)
    return user


def deactivate_user(actor: Actor, user: User, *, reason: str) -> User:
    """End a person's or service's access at once: sessions, tokens, the right to sign. What she signed stands.

    Refuses: oneself; the last administrator.
    """
    require_fields(reason=text_problem(reason, 500))
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        if user.pk == actor.user_id:
            raise Forbidden("Nobody deactivates herself.", hint="Ask another administrator.")
        lock_administrators()
        user = lock(user)
        if not user.is_active:
            raise Conflict(f"{user} is deactivated already.")
        administers = selectors.administrators().filter(pk=user.pk).exists()
        user.is_active = False
        user.save(update_fields=["is_active"])
        if administers:
            require_an_administrator()
        now = clock.now()
        AccessToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=now)
        v.record(UserDeactivated(user=user.pk, name=str(user), reason=reason.strip()))
    return user


def reactivate_user(actor: Actor, user: User) -> User:
    """Let a deactivated person or service in again, with the roles still granted; tokens stay revoked."""
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        user = lock(user)
        if user.is_active:
            raise Conflict(f"{user} is active.")
        user.is_active = True
        user.save(update_fields=["is_active"])
        v.record(UserReactivated(user=user.pk, name=str(user)))
    return user


def lock(user: User) -> User:
    """The row as it is now, locked against everybody who signs or changes it."""
    return User.objects.select_for_update(no_key=True).get(pk=user.pk)


def insert(v: Verb, user: User, *, how: str) -> None:
    """Save a new user and record it. AlreadyExists if the username was ever used."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyExists(
            f"The username {user.username} is taken.",
            hint="A username is never given to a second person, not even after somebody left.",
        ) from error
    v.record(
        UserCreated(
            user=user.pk,
            kind=user.kind,
            name=str(user),
            how=how,
            username=user.username,
            email=user.email,
        )
    )


def apply_profile(v: Verb, user: User, *, display_name: str, email: str) -> None:
    """Write a locked person's new name and address, and record what changed, if anything did."""
    new = {"display_name": display_name.strip(), "email": email.strip()}
    require_fields(
        display_name=text_problem(new["display_name"], 200), email=email_problem(new["email"])
    )
    changed = tuple(field for field, value in new.items() if getattr(user, field) != value)
    if not changed:
        return
    for field in changed:
        setattr(user, field, new[field])
    user.save(update_fields=changed)
    v.record(UserUpdated(user=user.pk, name=str(user), changed=changed, email=user.email))


def _problems(user: User) -> dict[str, str]:
    return {
        "username": username_problem(user.username),
        "display_name": text_problem(user.display_name, 200),
        "email": email_problem(user.email),
    }


def _owners(owners: Iterable[User]) -> Collection[int]:
    """The ids of people who can answer for a service."""
    asked = {owner.pk for owner in owners}
    able = set(
        User.objects.filter(pk__in=asked, is_active=True, kind=User.Kind.HUMAN).values_list(
            "pk", flat=True
        )
    )
    if not asked or asked != able:
        raise Invalid(
            "Somebody must answer for a service.",
            fields={"owners": "Name at least one, and only active people."},
        )
    return able


def _write_owners(v: Verb, service: User, owners: Collection[int]) -> None:
    current = ServiceOwner.objects.filter(service=service, until=None)
    kept = set(current.values_list("owner_id", flat=True)) & set(owners)
    current.exclude(owner_id__in=kept).update(until=clock.now())
    ServiceOwner.objects.bulk_create(
        [ServiceOwner(service=service, owner_id=owner) for owner in sorted(set(owners) - kept)]
    )
    v.record(ServiceOwnersChanged(user=service.pk, name=str(service), owners=tuple(sorted(owners))))
