"""Comparing what the tables say with what the events say.

A reconciler is a callable without arguments that yields a `Difference` for each thing that does not
agree; `settings.LEDGER_RECONCILERS` names them all, each app gives its own. They read events through
`selectors.replay` (the hashed bytes) and never through the columns. This module holds the ledger's own.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from apps.audits import tree
from apps.audits.attempts import body_of, columns
from apps.audits.commitments import commitment_of
from apps.audits.events import AttemptsAnchored
from apps.audits.models import Attempt, Opening
from apps.audits.selectors import replay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apps.audits.selectors import Replayed

log = logging.getLogger(__name__)

# Triggers without which the ledger's tables could be changed by the site's own role.
_GUARDS = {
    "audits_event": ("audits_event_rows", "audits_event_truncate", "audits_event_follows"),
    "audits_head": ("audits_head_rows", "audits_head_truncate", "audits_head_forward"),
    "audits_attempt": ("audits_attempt_rows", "audits_attempt_truncate"),
    "audits_opening": ("audits_opening_rows", "audits_opening_truncate"),
    "audits_verification": ("audits_verification_rows", "audits_verification_truncate"),
    "audits_checkpoint": ("audits_checkpoint_rows", "audits_checkpoint_true"),
    "audits_witnessed_log": ("audits_witnessed_log_rows", "audits_witnessed_forward"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as the ledger says, named so that a person finds it."""

    subject: str
    message: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


def run_all() -> Iterator[Difference]:
    """What every reconciler of settings.LEDGER_RECONCILERS finds. One that does not import or does not
    finish is a difference itself: a row forged to trip it must not end the verification."""
    for path in settings.LEDGER_RECONCILERS:
        try:
            yield from import_string(path)()
        except Exception as error:
            log.exception("reconciler failed", extra={"reconciler": path})
            yield Difference(f"reconciler:{path}", f"it could not finish: {error!r}")


def guards() -> Iterator[Difference]:
    """Triggers that are missing or switched off. Looks at this moment only: what was off an hour ago and
    is on again shows in the rows, or not at all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname::text, tgenabled::text FROM pg_trigger"
            " WHERE NOT tgisinternal"
        )
        found = {(table, name): state for table, name, state in cursor.fetchall()}
    for table, names in _GUARDS.items():
        for name in names:
            if (table, name) not in found:
                yield Difference(f"table:{table}", f"its trigger {name} is missing")
            elif found[table, name] not in "AD":
                yield Difference(
                    f"table:{table}", f"its trigger {name} can be bypassed by a replica"
                )
    for (table, name), state in sorted(found.items()):
        if state == "D":
            yield Difference(f"table:{table}", f"its trigger {name} is switched off")


def openings() -> Iterator[Difference]:
    """Openings that do not open their commitment. An erased one is no difference."""
    for row in Opening.objects.iterator(chunk_size=1000):
        key = bytes(row.commitment)
        if commitment_of(bytes(row.salt), row.value) != key:
            yield Difference(
                f"opening:{key.hex()}", "its value or salt was changed: it no longer fits"
            )


def attempts() -> Iterator[Difference]:
    """Attempts against the batches anchored in the ledger, and each row against its own leaf hash."""
    last = 0
    for anchored in replay(AttemptsAnchored.type):
        yield from _batch(anchored, last)
        last = int(anchored.payload["last"])
    yield from _altered(list(Attempt.objects.filter(id__gt=last).order_by("id")))


def _batch(anchored: Replayed, previous: int) -> Iterator[Difference]:
    payload = anchored.payload
    rows = list(Attempt.objects.filter(id__gt=previous, id__lte=payload["last"]).order_by("id"))
    altered = list(_altered(rows))
    yield from altered
    where = f"attempts {payload['first']} to {payload['last']}, anchored by event {anchored.seq}"
    subject = f"attempts:{payload['last']}"
    if len(rows) != payload["count"]:
        yield Difference(subject, f"{where}: {len(rows)} rows, expected {payload['count']}")
    elif (
        not altered
        and tree.root_of([bytes(row.leaf_hash) for row in rows]).hex() != payload["root"]
    ):
        yield Difference(subject, f"{where}: the rows do not give the anchored root")


def _altered(rows: list[Attempt]) -> Iterator[Difference]:
    for row in rows:
        if tree.leaf_hash(body_of(columns(row))) != bytes(row.leaf_hash):
            yield Difference(
                f"attempt:{row.pk}", "the row was changed: it does not give its leaf hash"
            )
