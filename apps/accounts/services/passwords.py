"""Passwords: the person's own choice, an administrator's reset, and the signing password of SSO users."""

from __future__ import annotations

from apps.accounts import policy, selectors
from apps.accounts.events import PasswordChanged, PasswordReset
from apps.accounts.models import User
from apps.accounts.proof import ReauthProof
from apps.accounts.services import people
from apps.accounts.services.sign_in import check_counted
from apps.accounts.services.validation import password_problem, require_fields
from apps.audits.log import verb
from apps.core.actor import Actor
from apps.core.errors import Conflict, Forbidden, Invalid


def change_password(actor: Actor, *, current: str, new: str, remote_addr: str = "") -> User:
    """Choose a new password, knowing the present one. Other sessions and remembered passwords die with the old.

    Refuses tokens; a wrong present password (it counts towards the lockout); the same password again.
    """
    user = _person(actor)
    check_counted(actor, user, current, act="change-password", remote_addr=remote_addr)
    if new == current:
        raise Invalid("Some fields are not right.", fields={"new": "This is the present password."})
    require_fields(new=password_problem(new, user))
    purpose = "signing" if selectors.signs_in_at_provider(user) else "sign_in"
    with verb(actor) as v:
        user = people.lock(user)
        _write(user, new, temporary=False)
        v.record(PasswordChanged(user=user.pk, name=str(user), purpose=purpose))
    return user


def reset_password(actor: Actor, user: User, *, password: str) -> User:
    """Give a person who lost hers a temporary password. She must choose her own before she can sign anything.

    Refuses: oneself; a service; somebody who signs in at the provider (she sets her own signing password).
    """
    require_fields(password=password_problem(password, user))
    with verb(actor) as v:
        policy.require(actor, "people.manage")
        if user.pk == actor.user_id:
            raise Forbidden("Change your own password with your present one.")
        user = people.lock(user)
        if not user.is_human:
            raise Invalid(f"{user} is a service: it has tokens, not a password.")
        if selectors.signs_in_at_provider(user):
            raise Conflict(
                f"{user} signs in at the identity provider.",
                hint="She sets a signing password herself, on her account page.",
            )
        _write(user, password, temporary=True)
        v.record(PasswordReset(user=user.pk, name=str(user)))
    return user


def set_signing_password(actor: Actor, *, password: str, proof: ReauthProof) -> User:
    """For somebody who signs in at the identity provider: choose the password with which she signs.

    It signs, it does not sign in. Takes a proof that she has just authenticated at the provider
    (`sso.fresh_proof`); refuses an older one, another person's, and people who sign in by password.
    """
    user = _person(actor)
    proof.require_for(actor, method="provider")
    require_fields(password=password_problem(password, user))
    with verb(actor) as v:
        user = people.lock(user)
        if not selectors.signs_in_at_provider(user):
            raise Conflict("You sign in by password: that password also signs.")
        _write(user, password, temporary=False)
        v.record(PasswordChanged(user=user.pk, name=str(user), purpose="signing"))
    return user


def _person(actor: Actor) -> User:
    """The human being of an interactive session."""
    if actor.user_id is None or actor.scopes is not None:
        raise Forbidden("A password is changed in an interactive session only.")
    user = selectors.get_user(actor.user_id)
    if not user.is_human or not user.is_active:
        raise Forbidden(f"{user} has no password.")
    return user


def _write(user: User, password: str, *, temporary: bool) -> None:
    user.set_password(password)
    user.must_change_password = temporary
    user.password_version += 1
    user.save(update_fields=["password", "must_change_password", "password_version"])
