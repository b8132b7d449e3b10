"""Sign-in by OpenID Connect, after the protocol: from verified claims to a person, her groups and so her roles."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import connection

from apps.accounts import selectors
from apps.accounts.events import GroupsChanged, IdentityLinked
from apps.accounts.models import Identity, User
from apps.accounts.services import people
from apps.accounts.services.validation import email_problem, text_problem
from apps.audits.log import Verb, attempt, verb
from apps.core.actor import Actor
from apps.core.errors import Forbidden, Invalid


@dataclass(frozen=True, slots=True)
class ProviderClaims:
    """What the provider says of the person, its signature, issuer, audience and nonce verified by `sso`."""

    issuer: str
    subject: str
    username: str = ""
    display_name: str = ""
    email: str = ""
    groups: frozenset[str] = frozenset()


def sign_in_by_provider(claims: ProviderClaims, *, remote_addr: str = "") -> User:
    """The person bound to issuer and subject, made on her first sign-in, with the groups the provider names now.

    The pair alone says who she is: an e-mail address or username that somebody else has here, or had, gives nothing.
    She has no role but what her groups are mapped to; a group the claims no longer name is left, and its roles
    with it. Groups nobody has mapped are ignored. Refuses a deactivated person (an attempt).
    """
    if not claims.issuer or not claims.subject or len(claims.subject) > 255:
        raise Invalid("The identity provider did not say who this is (no usable `sub`).")
    system = Actor.system("web")
    with verb(system) as v:
        _one_at_a_time(claims)
        user = _known(claims)
        refused = user is not None and not user.is_active
        if user is None:
            user = _introduce(v, claims)
        elif not refused:
            name, email = _profile(claims, user)
            people.apply_profile(v, user, display_name=name, email=email)
        if not refused:
            _follow_groups(v, user, claims.groups)
    _note(user, remote_addr, refused=refused)
    return user


def _note(user: User, remote_addr: str, *, refused: bool) -> None:
    subject = f"user:{user.pk}"
    if refused:
        attempt(
            None,
            act="sign-in",
            subject=subject,
            outcome="refused",
            reason="deactivated",
            remote_addr=remote_addr,
        )
        raise Forbidden("This account is deactivated.", hint="Ask an administrator.")
    who = selectors.actor_for(user, door="web")
    attempt(
        who,
        act="sign-in",
        subject=subject,
        outcome="done",
        reason="identity provider",
        remote_addr=remote_addr,
    )


def _one_at_a_time(claims: ProviderClaims) -> None:
    """Two first sign-ins of one person at once (two tabs) make one user."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 7140302))",
            [f"{claims.issuer}\n{claims.subject}"],
        )


def _known(claims: ProviderClaims) -> User | None:
    found = Identity.objects.filter(issuer=claims.issuer, subject=claims.subject).first()
    return None if found is None else people.lock(found.user)


def _introduce(v: Verb, claims: ProviderClaims) -> User:
    name, email = _profile(claims, None)
    user = User(username=_free_username(claims), display_name=name, email=email)
    user.set_unusable_password()
    people.insert(v, user, how="provider")
    Identity.objects.create(user=user, issuer=claims.issuer, subject=claims.subject)
    v.record(
        IdentityLinked(
            user=user.pk, name=str(user), issuer=claims.issuer, provider_subject=claims.subject
        )
    )
    return user


def _profile(claims: ProviderClaims, user: User | None) -> tuple[str, str]:
    """A printable name and address; what the provider leaves out or garbles stays as it was."""
    name = claims.display_name.strip() or claims.username
    if text_problem(name, 200):
        name = user.display_name if user else claims.subject[:200]
    email = claims.email.strip()
    if email_problem(email):
        email = user.email if user else ""
    return name, email


def _free_username(claims: ProviderClaims) -> str:
    """The provider's username in our spelling; with a number when somebody here has or ever had it."""
    wanted = re.sub(r"[^a-z0-9._@+-]", "-", User.normalise(claims.username))[:140].lstrip("._@+-")
    wanted = wanted if len(wanted) > 1 else "person"
    taken = set(User.objects.filter(username__startswith=wanted).values_list("username", flat=True))
    if wanted not in taken:
        return wanted
    return next(name for n in range(2, 10_000) if (name := f"{wanted}-{n}") not in taken)


def _follow_groups(v: Verb, user: User, names: frozenset[str]) -> None:
    """Be in exactly those known groups that the claims name."""
    named = set(Group.objects.filter(name__in=names).values_list("pk", flat=True))
    present = set(user.groups.values_list("pk", flat=True))
    joined, left = sorted(named - present), sorted(present - named)
    if not joined and not left:
        return
    user.groups.remove(*left)
    user.groups.add(*joined)
    v.record(GroupsChanged(user=user.pk, name=str(user), joined=tuple(joined), left=tuple(left)))
