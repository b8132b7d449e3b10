"""Lockout: how many passwords may be tried for one account from one address.

Every try is counted *before* the password is looked at, in a committed statement of its own, so that tries in
parallel, a crash or a rolled-back request cannot get one for nothing. A right password clears the count.
Unknown usernames are counted like known ones: being locked out tells nothing about who exists.

Not covered: many accounts from many addresses, a few tries each. Proxies in front limit that.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from apps.accounts.models import SignInThrottle, User
from apps.core import clock

_RESERVE = """
INSERT INTO accounts_signinthrottle AS t (account, address, failures, last_failed_at, locked_until)
VALUES (%(account)s, %(address)s, 1, %(now)s, CASE WHEN %(limit)s <= 1 THEN %(until)s::timestamptz END)
ON CONFLICT (account, address) DO UPDATE SET
    failures = CASE WHEN t.last_failed_at < %(since)s THEN 1 ELSE t.failures + 1 END,
    last_failed_at = %(now)s,
    locked_until = CASE WHEN t.last_failed_at >= %(since)s AND t.failures + 1 >= %(limit)s
                        THEN %(until)s::timestamptz END
WHERE t.locked_until IS NULL OR t.locked_until <= %(now)s
RETURNING failures
"""


def count_try(username: str, address: str) -> bool:
    """Count one try; False when the account is locked for that address and the try must not happen."""
    now = clock.now()
    lock = dt.timedelta(seconds=settings.SIGN_IN_LOCK_SECONDS)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(
            _RESERVE,
            {
                "account": _account(username),
                "address": address[:64],
                "now": now,
                "since": now - lock,
                "until": now + lock,
                "limit": settings.SIGN_IN_FAILURES,
            },
        )
        return cursor.fetchone() is not None


def clear(username: str, address: str) -> None:
    """The password was right: forget the tries, and by the way what nobody has tried for a day."""
    SignInThrottle.objects.filter(account=_account(username), address=address[:64]).delete()
    SignInThrottle.objects.filter(last_failed_at__lt=clock.now() - dt.timedelta(days=1)).delete()


def _account(username: str) -> str:
    """What is stored instead of the typed name, which may well be a password in the wrong field."""
    name = User.normalise(username)[:200].replace("\x00", "")
    return salted_hmac("apps.accounts.throttle", name, algorithm="sha256").hexdigest()
