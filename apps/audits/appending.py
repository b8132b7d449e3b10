"""The one place that makes the ledger grow. Called by `log.verb` at the end of a transaction.

1. Lock the head row. Whoever else appends waits here, so the tree has one next leaf.
2. Extend the frontier by each body's leaf hash (memory only).
3. In one statement: insert the events, insert the openings, move the head.

Triggers check 3 again in the database: no gap, the head moves forward only and to the last event's
root (migrations/0002). Does not check who may act, nor whether the event is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.types.json import Jsonb

from apps.audits import tree
from apps.audits.writing import Written
from apps.core.errors import Tampered

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
        rows: list[Any] = []
        places: list[Appended] = []
        for written in batch:
            leaf = tree.leaf_hash(written.body)
            nodes = frontier.append(leaf)
            rows += _columns(written, frontier, leaf, nodes)
            places.append(Appended(frontier.size, leaf.hex(), written.type))
        openings = [part for written in batch for part in _openings(written)]
        head = [frontier.size, frontier.root(), frontier.dump(), start]
        cursor.execute(_statement(len(batch), len(openings) // 4), [*rows, *openings, *head])
        if cursor.rowcount != 1:
            raise Tampered(f"the head moved from size {start} while its row was locked")
    return places


def _load(head: tuple[int, bytes, bytes] | None) -> tree.Frontier:
    """The frontier in the head row. Refuses a head that contradicts itself: nothing may be built on it."""
    if head is None:
        raise Tampered("the ledger has no head row", hint="Run migrate, then verify_ledger.")
    size, root, stored = head
    try:
        frontier = tree.Frontier.load(size, bytes(stored))
    except ValueError as error:
        raise Tampered(
            f"the ledger's head is damaged: {error}", hint="Run verify_ledger."
        ) from error
    if frontier.root() != bytes(root):
        raise Tampered(
            f"the ledger's head is damaged: root {bytes(root).hex()}, its frontier gives {frontier.root().hex()}",
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


def _openings(written: Written) -> list[Any]:
    return [
        value
        for opened in written.openings
        for value in (opened.commitment, opened.salt, opened.value, written.at)
    ]


def _statement(events: int, openings: int) -> str:
    """One statement for a batch; it holds placeholders only."""
    parts = [
        "appended AS (INSERT INTO audits_event (seq, type, schema, subject, scopes, actor_id, actor_kind,"
        " door, at, request_id, body, payload, leaf_hash, nodes, root) VALUES "
        + ", ".join([_EVENT] * events)
        + ")"
    ]
    if openings:
        parts.append(
            "opened AS (INSERT INTO audits_opening (commitment, salt, value, created_at) VALUES "
            + ", ".join([_OPENING] * openings)
            + ")"
        )
    return (
        "WITH "
        + ", ".join(parts)
        + " UPDATE audits_head SET size = %s, root = %s, frontier = %s WHERE id = 1 AND size = %s"
    )
