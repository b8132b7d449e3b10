"""Who is there: by password, by basic authentication, and once more before signing.

A wrong password, an unknown username, a deactivated person and a locked account are told apart in the attempts,
not in the answer; all but the last cost one password hash.
"""

from __future__ import annotations

import logging

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Exists, OuterRef

from apps.accounts import memory, selectors, throttle
from apps.accounts.models import Identity, User
from apps.accounts.proof import ReauthProof
from apps.accounts.services.tokens import PREFIX, authenticate_token
from apps.accounts.verbs import SCOPES
from apps.audits.log import attempt
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Forbidden

logger = logging.getLogger("countersign.security")

LOCKED = "Too many wrong passwords for this account from this address."
LOCKED_HINT = "Wait a quarter of an hour, or ask an administrator."


def authenticate_password(
    username: str, password: str, *, remote_addr: str = "", door: str = "web"
) -> User | None:
    """The active person of that name and password, or None. Recorded in the attempts, right or wrong.

    Refuses with Forbidden after SIGN_IN_FAILURES wrong ones, for SIGN_IN_LOCK_SECONDS. None also for services
    and for people who sign in at the identity provider: their passwords only sign.
    """
    user = _find(username)
    subject = f"user:{user.pk}" if user else "user:unknown"
    if not throttle.count_try(username, remote_addr):
        _note(None, "sign-in", subject, "locked", remote_addr, door)
        raise Forbidden(LOCKED, hint=LOCKED_HINT)
    if user is None:
        make_password(password)  # an unknown username takes as long as a known one
    if user is None or not _matches(user, password):
        _note(None, "sign-in", subject, "wrong username or password", remote_addr, door)
        return None
    reason = _why_not(user)
    if reason:
        _note(None, "sign-in", subject, reason, remote_addr, door)
        return None
    throttle.clear(username, remote_addr)
    who = selectors.actor_for(user, door=door)
    attempt(who, act="sign-in", subject=subject, outcome="done", reason="", remote_addr=remote_addr)
    return user


def authenticate_basic(
    username: str, password: str, *, door: str, request_id: str = "", remote_addr: str = ""
) -> Actor | None:
    """The actor of HTTP basic authentication; the password is a token of that user or her real password.

    Either way the actor is as limited as a token with every scope: it neither signs nor manages.
    A real password is verified slowly at most once a minute and process. Refuses with Forbidden a locked account
    and a password an administrator has set.
    """
    if password.startswith(PREFIX):
        return authenticate_token(password, door=door, request_id=request_id, username=username)
    user = _find(username)
    known = user is not None and memory.knows(user.pk, user.password_version, password)
    if not known or user is None or _why_not(user):
        user = authenticate_password(username, password, remote_addr=remote_addr, door=door)
        if user is None:
            return None
    if user.must_change_password:
        raise Forbidden(
            "This password was set by an administrator.",
            hint="Sign in to the site and choose your own.",
        )
    memory.remember(user.pk, user.password_version, password)
    return selectors.actor_for(user, door=door, request_id=request_id, scopes=frozenset(SCOPES))


def reauthenticate(actor: Actor, password: str, *, remote_addr: str = "") -> ReauthProof:
    """Prove, right before signing, that the person is the one whose session this is.

    Refuses with Forbidden: the system, services and tokens; a deactivated person; a password an administrator has
    set; somebody who signs in at the identity provider and has set no signing password; a wrong password (which is
    an attempt and counts towards the lockout); a locked account.
    """
    if actor.user_id is None or actor.scopes is not None:
        raise Forbidden("Only a person in an interactive session signs, with her own password.")
    user = selectors.get_user(actor.user_id)
    if not user.is_human or not user.is_active:
        raise Forbidden(f"{user} cannot sign.")
    if user.must_change_password:
        raise Forbidden(
            "An administrator has set this account's password, so it cannot sign.",
            hint="Choose a password of your own first.",
        )
    if not user.has_usable_password():
        raise Forbidden(
            "You sign in at the identity provider and have no signing password yet.",
            hint="Set a signing password on your account page.",
        )
    check_counted(actor, user, password, act="reauthenticate", remote_addr=remote_addr)
    return ReauthProof(method="password", at=clock.now(), user_id=user.pk)


def check_counted(actor: Actor, user: User, password: str, *, act: str, remote_addr: str) -> None:
    """Refuse with Forbidden unless this is the user's password; wrong ones count towards the lockout."""
    subject = f"user:{user.pk}"
    if not throttle.count_try(user.username, remote_addr):
        _note(actor, act, subject, "locked", remote_addr, actor.door)
        raise Forbidden(LOCKED, hint=LOCKED_HINT)
    if not check_password(password, user.password):
        _note(actor, act, subject, "wrong password", remote_addr, actor.door)
        raise Forbidden("That is not your password.", hint="Nothing was done. Try again.")
    throttle.clear(user.username, remote_addr)
    attempt(actor, act=act, subject=subject, outcome="done", reason="", remote_addr=remote_addr)


def _find(username: str) -> User | None:
    name = User.normalise(username)
    if "\x00" in name or len(name) > 150:
        return None
    identities = Identity.objects.filter(user_id=OuterRef("pk"))
    return User.objects.filter(username=name).annotate(at_provider=Exists(identities)).first()


def _matches(user: User, password: str) -> bool:
    """Upgrades the stored hash when the site's hasher has become stronger; that is no change of password."""

    def upgrade(raw: str) -> None:
        User.objects.filter(pk=user.pk, password=user.password).update(password=make_password(raw))

    return check_password(password, user.password, upgrade)


def _why_not(user: User) -> str:
    if not user.is_active:
        return "deactivated"
    if not user.is_human:
        return "a service has no password"
    return "signs in at the identity provider" if getattr(user, "at_provider", False) else ""


def _note(
    actor: Actor | None, act: str, subject: str, reason: str, remote_addr: str, door: str
) -> None:
    logger.warning("%s refused for %s at %s: %s", act, subject, door, reason)
    attempt(
        actor,
        act=act,
        subject=subject,
        outcome="refused" if reason == "locked" else "failed",
        reason=reason,
        remote_addr=remote_addr,
    )
