"""What the tests of the pages share: a signed-in client, and whether anything was written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from apps.accounts.models import User
from apps.audits import selectors

BACKEND = "apps.accounts.backends.PasswordBackend"

# Written by looking at a page as well as by acting: no sign of something done.
_NOISE = {
    "accounts_signinthrottle",
    "audits_attempt",
    "audits_attempt_tally",
    "audits_opening",
    "core_picture",
    "django_content_type",
    "django_session",
}


def browser(user: User | None = None, *, enforce_csrf: bool = False) -> Client:
    """A browser, signed in as the user; None is a stranger."""
    client = Client(enforce_csrf_checks=enforce_csrf)
    if user is not None:
        client.force_login(user, backend=BACKEND)
    return client


@contextmanager
def nothing_written() -> Iterator[None]:
    """Assert that what runs inside leaves the ledger as long and every table as large as before."""
    before = (selectors.head().size, _sizes())
    yield
    after = (selectors.head().size, _sizes())
    assert after == before


def _sizes() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = sorted(name for (name,) in cursor.fetchall() if name not in _NOISE)
        parts = [f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables]  # noqa: S608
        cursor.execute(" UNION ALL ".join(parts))
        return dict(cursor.fetchall())


def reload(user: User) -> User:
    """The row as it is now."""
    found: User = get_user_model().objects.get(pk=user.pk)
    return found
