"""The acts of the ledger itself: anchoring attempts, erasing personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connection, transaction

from apps.audits import checkpoints, tree
from apps.audits.attempts import COPIED, LOCK, body_of, columns
from apps.audits.events import AttemptsAnchored, OpeningsErased
from apps.audits.log import verb
from apps.audits.models import Attempt, Event, Opening
from apps.core import clock
from apps.core.errors import Invalid, NotFound

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from apps.core.actor import Actor

make_checkpoint = checkpoints.make_checkpoint

BATCH: Final = 5000
MAX_ERASED: Final = 100

# A closed window may still be written to by a process whose clock is behind; such a repeat makes a
# second row later, so waiting longer only saves rows.
_GRACE_SECONDS = 5


def anchor_attempts(actor: Actor) -> int:
    """Bind all attempts not yet bound to the ledger by one event per batch; the number of rows bound.

    1. Write the repeats of closed windows as rows.
    2. Keep other writers out (an advisory lock), so that no row with a lower id can still appear.
    3. Record the root over the rows since the last anchored one.

    Nothing new: no event. Two at once: the second finds what the first left.
    """
    _write_repeats()
    bound = 0
    while count := _anchor_batch(actor):
        bound += count
    return bound


def erase_openings(actor: Actor, commitments: Sequence[str], *, reason: str) -> int:
    """Destroy the openings of these commitments for good; the number destroyed.

    Refuses an empty or overlong list, no reason, and a commitment without an opening (it may have
    been erased before: look at its events). Does not check rights nor retention clocks.
    """
    wanted = tuple(sorted(set(commitments)))
    if not 0 < len(wanted) <= MAX_ERASED or not reason.strip():
        msg = f"Erasing takes 1 to {MAX_ERASED} commitments and a reason."
        raise Invalid(msg)
    with verb(actor) as v:
        keys = [bytes.fromhex(commitment) for commitment in wanted]
        erased, _ = Opening.objects.filter(commitment__in=keys).delete()
        if erased != len(wanted):
            msg = f"{len(wanted) - erased} of {len(wanted)} commitments have no opening."
            raise NotFound(msg)
        v.record(OpeningsErased(commitments=wanted, reason=reason))
    return erased


def _write_repeats() -> None:
    """Turn the tallies of closed windows into append-only rows."""
    closed = int(clock.now().timestamp()) - settings.ATTEMPTS_WINDOW_SECONDS - _GRACE_SECONDS
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
        cursor.execute(_TAKE_TALLIES, [closed, BATCH])
        tallies = {(bytes(key), window): rest for key, window, *rest in cursor.fetchall()}
        keys = {key for key, _window in tallies}
        firsts = Attempt.objects.filter(repeats=0, key__in=keys)
        Attempt.objects.bulk_create(
            _repeats_row(first, *tallies[bytes(first.key), first.window])
            for first in firsts
            if (bytes(first.key), first.window) in tallies
        )


_TAKE_TALLIES = """
DELETE FROM audits_attempt_tally WHERE (key, "window") IN (
    SELECT key, "window" FROM audits_attempt_tally WHERE "window" < %s
    ORDER BY "window" LIMIT %s FOR UPDATE SKIP LOCKED
) RETURNING key, "window", repeats, last_at
"""


def _repeats_row(first: Attempt, repeats: int, last_at: dt.datetime) -> Attempt:
    row = Attempt(**{name: getattr(first, name) for name in COPIED})
    row.at = last_at
    row.repeats = repeats
    row.leaf_hash = tree.leaf_hash(body_of(columns(row)))
    return row


def _anchor_batch(actor: Actor) -> int:
    with verb(actor) as v:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = _last_anchored()
        rows = list(
            Attempt.objects.filter(id__gt=last)
            .order_by("id")
            .values_list("id", "leaf_hash")[:BATCH]
        )
        if rows:
            root = tree.root_of([bytes(leaf) for _id, leaf in rows])
            v.record(
                AttemptsAnchored(
                    first=rows[0][0], last=rows[-1][0], count=len(rows), root=root.hex()
                )
            )
    return len(rows)


def _last_anchored() -> int:
    newest = Event.objects.filter(type=AttemptsAnchored.type).order_by("-seq").first()
    return int(newest.payload["last"]) if newest else 0
