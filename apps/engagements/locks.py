"""One writer at a time in an engagement. Its rows are append-only, so there is none to lock: an advisory lock stands for it."""

from __future__ import annotations

from typing import Final

from django.db import connection

_CLASS: Final = 7_140


def lock_engagement(pk: int) -> None:
    """Wait for whoever writes to this engagement; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_CLASS, pk])
