"""From an event to the bytes that are hashed: the written format of the ledger, version 1.

The body of a leaf is the RFC 8785 JSON of one object with exactly these members: `v` (1), `type`,
`schema`, `subject`, `scopes`, `actor` ({`id`, `kind`}), `door`, `at` (UTC, microseconds, "Z"),
`request_id`, `payload`. The sequence number is *not* among them: a leaf's position is bound by the
tree, so bodies can be made before the head is locked.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.audits import commitments, events
from apps.core import canonical
from apps.core.errors import Invalid

if TYPE_CHECKING:
    from apps.audits.commitments import Opened
    from apps.core.actor import Actor

FORMAT = 1
MAX_BODY = 1 << 20
_MAX_REQUEST_ID = 200


@dataclass(frozen=True, slots=True)
class Written:
    """An event in its final bytes, with the values repeated in columns."""

    body: bytes
    type: str
    schema: int
    subject: str
    scopes: list[str]
    actor_id: int | None
    actor_kind: str
    door: str
    at: dt.datetime
    request_id: str
    payload: dict[str, Any]
    openings: tuple[Opened, ...]


def write(event: events.Event, actor: Actor, at: dt.datetime) -> Written:
    """The bytes of `event` as done by `actor` at `at`.

    Refuses with `Invalid` what has no canonical form, the character U+0000 (the jsonb twin cannot
    hold it) and bodies over MAX_BODY.
    """
    payload, openings = _committed(event)
    scopes = events.scope_ids(event)
    statement: dict[str, Any] = {
        "v": FORMAT,
        "type": event.type,
        "schema": event.schema,
        "subject": event.subject(),
        "scopes": scopes,
        "actor": {"id": actor.user_id, "kind": actor.kind.value},
        "door": actor.door,
        "at": stamp(at),
        "request_id": actor.request_id[:_MAX_REQUEST_ID],
        "payload": payload,
    }
    body = canonical.dumps(statement)
    if b"\\u0000" in body and _holds_nul(statement):
        msg = f"{event.type}: text must not contain the character U+0000"
        raise Invalid(msg)
    if len(body) > MAX_BODY:
        msg = f"{event.type}: {len(body)} bytes, an event may have {MAX_BODY}: record a digest"
        raise Invalid(msg)
    return Written(
        body=body,
        type=event.type,
        schema=event.schema,
        subject=event.subject(),
        scopes=scopes,
        actor_id=actor.user_id,
        actor_kind=actor.kind.value,
        door=actor.door,
        at=at,
        request_id=statement["request_id"],
        # The twin is read back from the bytes, so that the two cannot say different things.
        payload=json.loads(body)["payload"],
        openings=openings,
    )


def stamp(at: dt.datetime) -> str:
    """A time as it stands in a body: 2026-01-31T09:30:00.000000Z."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _holds_nul(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any(_holds_nul(key) or _holds_nul(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(_holds_nul(item) for item in value)


def _committed(event: events.Event) -> tuple[dict[str, Any], tuple[Opened, ...]]:
    """The payload with each personal field replaced by its commitment, and the openings."""
    payload: dict[str, Any] = dict(event.payload())
    openings = []
    for name in events.personal_fields(event):
        if payload.get(name) is not None:
            opened = commitments.commit(payload[name])
            openings.append(opened)
            payload[name] = commitments.written(opened)
    return payload, tuple(openings)
