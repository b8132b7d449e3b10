"""Reading the ledger. Each function answers in a constant number of queries, whatever the number of rows.

None of them checks rights: the caller passes the scopes its actor may see (`scopes=None` is everything,
for those with audit.read).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from apps.audits import attempt_selectors, checkpoint_selectors, commitments, models, proofs
from apps.audits.labels import actor_labels, opened
from apps.core.errors import NotFound

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator, Sequence

attempts = attempt_selectors.attempts
extract = proofs.extract
written_extract = proofs.written_extract
latest_checkpoint = checkpoint_selectors.latest_checkpoint
checkpoint_at = checkpoint_selectors.checkpoint_at

ERASED = "[erased]"
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """How long the ledger is, and the root that stands for all of it."""

    size: int
    root: str


@dataclass(frozen=True, slots=True)
class EventView:
    """An event as a page shows it: personal fields opened where they still can be."""

    seq: int
    type: str
    schema: int
    at: dt.datetime
    actor_id: int | None
    actor_kind: str
    actor_label: str
    door: str
    subject: str
    scopes: list[str]
    payload: dict[str, Any]
    commitments: dict[str, str]
    erased: tuple[str, ...]
    leaf_hash: str
    root: str
    request_id: str
    body: bytes

    @property
    def template(self) -> str:
        """The template that says in one sentence what happened."""
        return f"audits/events/{self.type}.html"


@dataclass(frozen=True, slots=True)
class Replayed:
    """An event as a reconciler reads it: from the bytes that are hashed, never from the columns."""

    seq: int
    type: str
    schema: int
    subject: str
    at: str
    actor_id: int | None
    actor_kind: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verification:
    """What the site found when it last verified itself. `full` is from event 1, else from `first_seq`."""

    finished_at: dt.datetime
    seconds: float
    full: bool
    first_seq: int
    size: int
    root: str
    ok: bool
    differences: list[tuple[str, str]]


def head() -> Head:
    """The present size and root."""
    row = models.Head.objects.get()
    return Head(row.size, bytes(row.root).hex())


def events(
    *,
    scopes: Collection[str] | None,
    types: Collection[str] | None = None,
    actor_id: int | None = None,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    before_seq: int | None = None,
    limit: int = 50,
) -> list[EventView]:
    """The newest events under any of `scopes`, newest first; the next page starts `before_seq` the last."""
    conditions: dict[str, Any] = {
        "scopes__overlap": None if scopes is None else sorted(scopes),
        "type__in": None if types is None else sorted(types),
        "actor_id": actor_id,
        "at__gte": since,
        "at__lt": until,
        "seq__lt": before_seq,
    }
    given = {name: value for name, value in conditions.items() if value is not None}
    return _views(models.Event.objects.filter(**given).order_by("-seq")[:limit])


def numbers(scopes: Collection[str], *, size: int, most: int, under: str = "") -> list[int]:
    """Which of the first `size` events are under any of the scopes, oldest first; `under`: of types that begin so."""
    rows = models.Event.objects.filter(scopes__overlap=sorted(scopes), seq__lte=size)
    rows = rows.filter(type__startswith=under) if under else rows
    return list(rows.order_by("seq").values_list("seq", flat=True)[:most])


def events_for(scope: str, limit: int = 50) -> list[EventView]:
    """The newest events about one thing."""
    return events(scopes=[scope], limit=limit)


def event(seq: int) -> EventView:
    """One event. Refuses a number the ledger has not reached."""
    found = _views(models.Event.objects.filter(seq=seq))
    if not found:
        msg = f"The ledger has no event {seq}."
        raise NotFound(msg)
    return found[0]


def replay(*types: str, after_seq: int = 0) -> Iterator[Replayed]:
    """All events of these types (none given: of every type) in order, in flat memory, for reconcilers."""
    rows = models.Event.objects.order_by("seq")
    if types:
        rows = rows.filter(type__in=types)
    while chunk := list(rows.filter(seq__gt=after_seq).values_list("seq", "body")[:_CHUNK]):
        for seq, body in chunk:
            yield _replayed(seq, bytes(body))
        after_seq = chunk[-1][0]


def last_verification() -> Verification | None:
    """The newest result of this site verifying itself, or None when it never did.

    A convenience: whoever can write to the database can write this too. Proof is
    `tools/verify_ledger.py` on an export, against a root kept elsewhere.
    """
    row = models.Verification.objects.order_by("-id").first()
    if row is None:
        return None
    return Verification(
        finished_at=row.finished_at,
        seconds=(row.finished_at - row.started_at).total_seconds(),
        full=row.full,
        first_seq=row.first_seq,
        size=row.size,
        root=bytes(row.root).hex(),
        ok=row.ok,
        differences=[(item["subject"], item["message"]) for item in row.differences],
    )


def _views(rows: Iterable[models.Event]) -> list[EventView]:
    rows = list(rows)
    labels = actor_labels(row.actor_id for row in rows)
    values = opened(_committed(rows))
    return [_view(row, labels, values) for row in rows]


def _committed(rows: Sequence[models.Event]) -> Iterator[str]:
    for row in rows:
        yield from commitments.commitments_in(row.payload).values()


def _view(row: models.Event, labels: dict[int | None, str], values: dict[str, str]) -> EventView:
    committed = commitments.commitments_in(row.payload)
    revealed = {name: values.get(commitment, ERASED) for name, commitment in committed.items()}
    return EventView(
        seq=row.seq,
        type=row.type,
        schema=row.schema,
        at=row.at,
        actor_id=row.actor_id,
        actor_kind=row.actor_kind,
        actor_label=labels[row.actor_id],
        door=row.door,
        subject=row.subject,
        scopes=row.scopes,
        payload=row.payload | revealed,
        commitments=committed,
        erased=tuple(name for name, commitment in committed.items() if commitment not in values),
        leaf_hash=bytes(row.leaf_hash).hex(),
        root=bytes(row.root).hex(),
        request_id=row.request_id,
        body=bytes(row.body),
    )


def _replayed(seq: int, body: bytes) -> Replayed:
    said = json.loads(body)
    return Replayed(
        seq=seq,
        type=said["type"],
        schema=said["schema"],
        subject=said["subject"],
        at=said["at"],
        actor_id=said["actor"]["id"],
        actor_kind=said["actor"]["kind"],
        payload=said["payload"],
    )
