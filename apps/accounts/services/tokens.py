"""Access tokens: made with knox's hashing, shown once, limited by scopes and time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final

from django.conf import settings
from django.db import connection
from knox.crypto import hash_token

from apps.accounts import held, policy, selectors
from apps.accounts.events import TokenIssued, TokenRevoked
from apps.accounts.models import AccessToken, User
from apps.accounts.services.validation import require_fields, text_problem
from apps.accounts.verbs import SCOPES
from apps.audits.log import verb
from apps.core import clock
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Conflict, Forbidden

# Lets people and secret scanners recognise a token, and basic authentication tell it from a password.
PREFIX: Final = "cs_"
_LONGEST: Final = 200

_SERVICE_HAS_OWNER = """
    EXISTS (SELECT FROM accounts_serviceowner o JOIN accounts_user x ON x.id = o.owner_id
            WHERE o.service_id = u.id AND o.until IS NULL AND x.is_active)
"""
_AUTHENTICATE = f"""
SELECT u.id, u.kind, coalesce(nullif(u.display_name, ''), u.username), t.scopes, {held.SITE_VERBS},
       t.last_used_at
FROM accounts_accesstoken t JOIN accounts_user u ON u.id = t.user_id
WHERE t.digest = %(digest)s AND t.revoked_at IS NULL AND t.expiry > %(now)s AND u.is_active
  AND (%(username)s = '' OR u.username = %(username)s)
  AND (u.kind = 'human' OR {_SERVICE_HAS_OWNER})
"""  # noqa: S608  # constants only


def authenticate_token(
    raw: str, *, door: str = "mlflow", request_id: str = "", username: str = ""
) -> Actor | None:
    """The actor of a token, in one SQL round trip (two on its first use of a day); None for any that is not valid.

    None: unknown, revoked, expired, of a deactivated user, of a service for which nobody active answers, or (when a
    username is given, as with basic authentication) of somebody else.
    """
    if not raw.startswith(PREFIX) or len(raw) > _LONGEST or not raw.isascii():
        return None
    now = clock.now()
    wanted = {"digest": hash_token(raw), "now": now, "username": User.normalise(username)}
    if "\x00" in wanted["username"]:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_AUTHENTICATE, wanted)
        row = cursor.fetchone()
    if row is None:
        return None
    user_id, kind, label, scopes, verbs, last_used_at = row
    if last_used_at != now.date():
        AccessToken.objects.filter(digest=wanted["digest"]).update(last_used_at=now.date())
    return Actor(
        user_id=user_id,
        kind=ActorKind(kind),
        label=label,
        door=door,
        site_verbs=frozenset(verbs),
        scopes=frozenset(scopes),
        request_id=request_id,
    )


def issue_token(
    actor: Actor,
    *,
    name: str,
    scopes: Collection[str],
    expires_in: dt.timedelta,
    service: User | None = None,
) -> tuple[AccessToken, str]:
    """Make a token for oneself, or for a service one answers for; the raw token is returned here and never again.

    Refuses: a token as the one who asks (a leaked one would make itself children); unknown or no scopes; a life
    longer than TOKEN_MAX_DAYS; a service the actor neither answers for nor administers.
    """
    require_fields(
        name=text_problem(name, 100),
        scopes=_scopes_problem(scopes),
        expires_in=_life_problem(expires_in),
    )
    with verb(actor) as v:
        holder = _holder(actor, service)
        expiry = clock.now() + expires_in
        token, raw = AccessToken.objects.issue(
            user=holder,
            prefix=PREFIX,
            name=name.strip(),
            scopes=sorted(set(scopes)),
            expiry=expiry,
        )
        v.record(
            TokenIssued(
                user=holder.pk,
                name=str(holder),
                token=str(token.uuid),
                token_scopes=tuple(token.scopes),
                expires=expiry.isoformat(timespec="seconds"),
            )
        )
    return token, raw


def revoke_token(actor: Actor, token: AccessToken) -> None:
    """End a token: one's own, of a service one answers for, or (people.manage) anybody's.

    Takes an interactive session: whoever stole a token cannot end the others.
    """
    if actor.scopes is not None:
        raise Forbidden("A token cannot end tokens.", hint="Sign in to the site and do it there.")
    with verb(actor) as v:
        token = AccessToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
        if token.user_id != actor.user_id:
            _require_in_charge(actor, token.user)
        if token.revoked_at is not None:
            raise Conflict("This token was revoked already.")
        token.revoked_at = clock.now()
        token.save(update_fields=["revoked_at"])
        v.record(TokenRevoked(user=token.user_id, name=str(token.user), token=str(token.uuid)))


def _holder(actor: Actor, service: User | None) -> User:
    if actor.scopes is not None or actor.user_id is None:
        raise Forbidden("Tokens are made in an interactive session, by a person.")
    holder = selectors.get_user(actor.user_id)
    if service is not None:
        if service.is_human:
            raise Forbidden("Nobody makes a token for somebody else.")
        _require_in_charge(actor, service)
        holder = service
    if not holder.is_active:
        raise Conflict(f"{holder} is deactivated.")
    return holder


def _require_in_charge(actor: Actor, user: User) -> None:
    answering = (
        set() if user.is_human else set(selectors.owners_of(user).values_list("pk", flat=True))
    )
    if actor.user_id not in answering:
        policy.require(actor, "people.manage")


def _scopes_problem(scopes: Collection[str]) -> str:
    if not scopes:
        return "Choose at least one."
    unknown = sorted(set(scopes) - set(SCOPES))
    return f"Not a scope: {', '.join(unknown)}. Scopes: {', '.join(SCOPES)}." if unknown else ""


def _life_problem(expires_in: dt.timedelta) -> str:
    longest = dt.timedelta(days=settings.TOKEN_MAX_DAYS)
    if dt.timedelta(0) < expires_in <= longest:
        return ""
    return f"More than nothing and at most {settings.TOKEN_MAX_DAYS} days."
