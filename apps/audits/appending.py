"""The one place that makes the ledger grow. Called by `log.verb` at the end of a transaction.

1. Lock the head row. Whoever else appends waits here, so the tree has one next leaf.
2. Extend the frontier by each body's leaf hash (memory only).
3. In one statement: insert the events, insert the openings, move the head.

Triggers check 3 again in the database: no gap, the head moves forward only and to the last event's
root (migrations/0002). Does not check who may act, nor whether the event is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.types.json import Jsonb

from apps.audits import tree
from apps.core.errors import Tampered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from apps.audits.commitments import Opened
    from apps.audits.writing import Written

_LOCK = "SELECT size, root, frontier FROM audits_head WHERE id = 1 FOR UPDATE"
_EVENT = "(%s,%s,%s,%s,%s::text[],%s,%s,%s,%s,%s,%s,%s,%s,%s,%s)"
_OPENING = "(%s,%s,%s,%s)"


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an event came to stand."""

    seq: int
    leaf_hash: str
    type: str


def append(batch: Sequence[Written], using: str = DEFAULT_DB_ALIAS) -> list[Appended]:
    """Append `batch` in its order inside the running transaction; return where each came to stand."""
    with connections[using].cursor() as cursor:
        cursor.execute(_LOCK)
        frontier = _load(cursor.fetchone())
        start = frontier.size
        values: list[Any] = []
        openings: list[Opened] = []
        places: list[Appended] = []
        for written in batch:
            leaf = tree.leaf_hash(written.body)
            nodes = frontier.append(leaf)
            values += _columns(written, frontier, leaf, nodes)
            places.append(Appended(frontier.size, leaf.hex(), written.type))
            openings += written.openings
        for opened in openings:
            values += [opened.commitment, opened.salt, opened.value, batch[-1].at]
        values += [frontier.size, frontier.root(), frontier.dump(), start]
        cursor.execute(_statement(len(batch), len(openings)), values)
        if cursor.rowcount != 1:
            msg = f"the head moved from size {start} while its row was locked"
            raise Tampered(msg)
    return places


def _load(head: tuple[int, bytes, bytes] | None) -> tree.Frontier:
    """The frontier in the head row. Refuses a head that contradicts itself: nothing may be built on it."""
    if head is None:
        raise Tampered("the ledger has no head row", hint="Run migrate, then verify_ledger.")
    size, root, stored = head
    try:
        frontier = tree.Frontier.load(size, bytes(stored))
    except ValueError as error:
        msg = f"the ledger's head is damaged: {error}"
        raise Tampered(msg, hint="Run verify_ledger.") from error
    if frontier.root() != bytes(root):
        msg = f"the ledger's head is damaged: root {bytes(root).hex()}, its frontier gives {frontier.root().hex()}"
        raise Tampered(
            msg,
            hint="Run verify_ledger.",
        )
    return frontier


def _columns(
    written: Written, frontier: tree.Frontier, leaf: bytes, nodes: list[bytes]
) -> list[Any]:
    return [
        frontier.size,
        written.type,
        written.schema,
        written.subject,
        written.scopes,
        written.actor_id,
        written.actor_kind,
        written.door,
        written.at,
        written.request_id,
        written.body,
        Jsonb(written.payload),
        leaf,
        b"".join(nodes),
        frontier.root(),
    ]


_INTO_EVENT = """
WITH appended AS (
    INSERT INTO audits_event (seq, type, schema, subject, scopes, actor_id, actor_kind, door, at,
                              request_id, body, payload, leaf_hash, nodes, root)
    VALUES """
_INTO_OPENING = """
), opened AS (
    INSERT INTO audits_opening (commitment, salt, value, created_at)
    VALUES """
_MOVE_HEAD = """
)
UPDATE audits_head SET size = %s, root = %s, frontier = %s WHERE id = 1 AND size = %s"""


def _statement(events: int, openings: int) -> str:
    """One statement for a batch. It is put together from constants: every value is a parameter."""
    opened = _INTO_OPENING + ", ".join([_OPENING] * openings) if openings else ""
    return _INTO_EVENT + ", ".join([_EVENT] * events) + opened + _MOVE_HEAD
