"""Attempts: refusals, failures, sign-ins, reads of sensitive evidence. A log of its own beside the ledger.

Guarantees: written in a transaction of its own, so that a refused act leaves its trace although the
act itself is rolled back; append-only; digests of batches of it are anchored in the ledger, so that
a later change is found (apps/audits/anchoring.py).

A thousand equal attempts are not a thousand rows. Within a window of
ATTEMPTS_WINDOW_SECONDS the first of its kind (same actor, door, act, subject, outcome, reason, address) is
written at once. Its repeats are counted in a tally, and when the window is over one more append-only
row says how many there were. Until then the tally is working memory, which the site's role can change.

Does not check who may call it, and never refuses because of hostile text: it is cut and cleaned.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils.crypto import salted_hmac

from apps.audits import commitments, tree
from apps.audits.writing import stamp
from apps.core import canonical, clock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from apps.audits.models import Attempt
    from apps.core.actor import Actor

Outcome = Literal["refused", "failed", "done"]

# Writers share this advisory lock, the anchoring task takes it alone: below the highest id it then
# sees, no row can still appear. (A table lock would need a privilege the site's role must not have.)
LOCK: Final = 7_140_251

# What a row about repeats has in common with the first of its kind.
COPIED: Final = (
    "actor_id",
    "actor_kind",
    "door",
    "act",
    "subject",
    "outcome",
    "reason",
    "origin",
    "request_id",
    "key",
    "window",
)

_LIMITS = {"act": 100, "subject": 200, "reason": 500, "request_id": 200, "door": 20}

_WRITE = """
WITH first AS (
    INSERT INTO audits_attempt (at, actor_id, actor_kind, door, act, subject, outcome, reason, origin,
                                request_id, key, "window", repeats, leaf_hash)
    VALUES (%(at)s, %(actor_id)s, %(actor_kind)s, %(door)s, %(act)s, %(subject)s, %(outcome)s, %(reason)s,
            %(origin)s, %(request_id)s, %(key)s, %(window)s, 0, %(leaf)s)
    ON CONFLICT (key, "window") WHERE repeats = 0 DO NOTHING
    RETURNING id
), opened AS (
    INSERT INTO audits_opening (commitment, salt, value, created_at)
    SELECT %(origin)s, %(salt)s, %(address)s, %(at)s FROM first WHERE %(origin)s::bytea IS NOT NULL
)
INSERT INTO audits_attempt_tally (key, "window", repeats, last_at)
SELECT %(key)s, %(window)s, 1, %(at)s WHERE NOT EXISTS (SELECT FROM first)
ON CONFLICT (key, "window") DO UPDATE
    SET repeats = audits_attempt_tally.repeats + 1, last_at = excluded.last_at
"""


def attempt(
    actor: Actor | None,
    *,
    act: str,
    subject: str,
    outcome: Outcome,
    reason: str,
    remote_addr: str = "",
) -> None:
    """Record that someone tried. `actor` is None for a stranger.

    `subject` is an id ("version:12"), never text a stranger typed. The address is personal data: the
    row holds a commitment to it, the address itself an erasable row.
    """
    row = _row(actor, act, subject, outcome, reason)
    row |= _origin(row, remote_addr)
    row["leaf"] = tree.leaf_hash(body_of(row))
    with _own_transaction() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
        cursor.execute(_WRITE, row)


def body_of(row: dict[str, Any]) -> bytes:
    """The canonical bytes of an attempt, from its columns: what its leaf hash covers."""
    origin = row["origin"]
    return canonical.dumps(
        {
            "v": 1,
            "at": stamp(row["at"]),
            "actor": {"id": row["actor_id"], "kind": row["actor_kind"]},
            "door": row["door"],
            "act": row["act"],
            "subject": row["subject"],
            "outcome": row["outcome"],
            "reason": row["reason"],
            "origin": bytes(origin).hex() if origin is not None else None,
            "request_id": row["request_id"],
            "repeats": row["repeats"],
        }
    )


def columns(row: Attempt) -> dict[str, Any]:
    """What `body_of` reads, from a stored row."""
    return {name: getattr(row, name) for name in (*COPIED, "at", "repeats")}


def _row(
    actor: Actor | None, act: str, subject: str, outcome: Outcome, reason: str
) -> dict[str, Any]:
    now = clock.now()
    values = {"act": act, "subject": subject, "reason": reason}
    values |= {"door": actor.door if actor else "", "request_id": actor.request_id if actor else ""}
    return {
        **{name: _clean(value, _LIMITS[name]) for name, value in values.items()},
        "at": now,
        "actor_id": actor.user_id if actor else None,
        "actor_kind": actor.kind.value if actor else "",
        "outcome": outcome,
        "window": _window(now),
        "repeats": 0,
    }


def _origin(row: dict[str, Any], remote_addr: str) -> dict[str, Any]:
    """The committed address, and the key by which repeats are recognised. The key is keyed with the
    site's secret: a plain hash of an address would give the address away after its erasure."""
    address = _clean(remote_addr, 100)
    opened = commitments.commit(address) if address else None
    same = ("actor_id", "actor_kind", "door", "act", "subject", "outcome", "reason")
    material = json.dumps([*(row[name] for name in same), address])
    return {
        "origin": opened.commitment if opened else None,
        "salt": opened.salt if opened else None,
        "address": address,
        "key": salted_hmac("apps.audits.attempts", material, algorithm="sha256").digest(),
    }


def _window(now: dt.datetime) -> int:
    """The start of the window `now` is in, in seconds of the epoch."""
    seconds = int(now.timestamp())
    return seconds - seconds % settings.ATTEMPTS_WINDOW_SECONDS


def _clean(text: str, limit: int) -> str:
    """`text` as PostgreSQL and RFC 8785 can hold it, cut to `limit` characters."""
    text = (
        text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    )
    return text if len(text) <= limit else text[: limit - 1] + "…"


@contextmanager
def _own_transaction() -> Iterator[BaseDatabaseWrapper]:
    """A transaction that commits whatever becomes of the caller's.

    Outside a transaction that is the ordinary connection. Inside one (broken or not) it is a second,
    short-lived connection: nothing written on the first would survive its rollback.
    """
    usual = connections[DEFAULT_DB_ALIAS]
    if not _inside_a_transaction(usual):
        with transaction.atomic():
            yield usual
        return
    own = usual.copy()
    try:
        own.set_autocommit(False)
        yield own
        own.commit()
    finally:
        own.close()


def _inside_a_transaction(connection: BaseDatabaseWrapper) -> bool:
    """Whether a block is open that the caller opened. The one a TestCase wraps every test in does not
    count, as it does not for Django's durable blocks."""
    blocks = getattr(connection, "atomic_blocks", [])
    return any(not getattr(block, "_from_testcase", False) for block in blocks) or (
        connection.in_atomic_block and not blocks
    )
