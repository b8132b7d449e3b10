"""The site verifying its own ledger, event by event, in flat memory.

For each event, in order of seq:

1. It follows the one before: no gap, nothing beyond the head.
2. Its leaf hash is the hash of its body.
3. Its columns say what its body says.
4. The tree extended by it has the subtrees and the root stored with it.

At the end:

5. The head row has the last event's size and root.

What this cannot find: a ledger rewritten as a whole by someone who owns the database. That takes a root
kept elsewhere and `tools/verify_ledger.py`, which shares nothing with this module but the format.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from apps.audits import tree
from apps.audits.models import Event, Head, Verification
from apps.audits.reconcile import Difference, run_all
from apps.audits.writing import stamp
from apps.core import clock

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DIFFERENCES: Final = 100
_CHUNK = 2000


@dataclass(slots=True)
class _Walk:
    """Where the verification stands. `sound` ends at the first event the tree does not explain: after it
    roots say nothing more, bodies and columns still do."""

    frontier: tree.Frontier
    seq: int
    sound: bool = True
    differences: list[Difference] = field(default_factory=list)

    def note(self, message: str) -> None:
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(Difference(f"event:{self.seq}", message))


def verify(*, full: bool = True, reconcile: bool = True) -> Verification:
    """Verify, store the result and return it. Incremental (`full=False`) starts behind the last size found
    good; without one it is full. With `reconcile`, the tables are compared with the events as well."""
    started_at = clock.now()
    start = None if full else _last_good()
    walk = _Walk(start or tree.Frontier(), start.size if start else 0)
    first = walk.seq + 1
    for row in _rows(walk.seq):
        _check_event(row, walk)
    _check_head(walk)
    if reconcile:
        _reconcile(walk)
    return Verification.objects.create(
        started_at=started_at,
        finished_at=clock.now(),
        full=first == 1,
        first_seq=first,
        size=walk.seq,
        root=walk.frontier.root(),
        frontier=walk.frontier.dump(),
        ok=not walk.differences,
        differences=[{"subject": d.subject, "message": d.message} for d in walk.differences],
    )


def verify_when_due() -> Verification | None:
    """What beat asks for: in full when the last good full one is old, otherwise what is new, if anything."""
    full = Verification.objects.filter(ok=True, full=True).order_by("-id").first()
    age = dt.timedelta(seconds=settings.LEDGER_FULL_VERIFY_SECONDS)
    if full is None or full.finished_at < clock.now() - age:
        return verify()
    last = Verification.objects.order_by("-id").first()
    if last and last.ok and last.size == Head.objects.get().size:
        return None
    return verify(full=False, reconcile=False)


def _last_good() -> tree.Frontier | None:
    row = Verification.objects.filter(ok=True).order_by("-id").first()
    return tree.Frontier.load(row.size, bytes(row.frontier)) if row else None


def _rows(after: int) -> Iterator[Event]:
    """Events in order, up to the head as it is when it is reached: writers do not wait for us."""
    while chunk := list(Event.objects.filter(seq__gt=after).order_by("seq")[:_CHUNK]):
        yield from chunk
        after = chunk[-1].seq


def _check_event(row: Event, walk: _Walk) -> None:
    # 1. It follows the one before.
    while walk.seq + 1 < row.seq:
        walk.seq += 1
        walk.note("the event is missing")
        walk.sound = False
        if len(walk.differences) >= MAX_DIFFERENCES:
            break
    walk.seq = row.seq
    # 2. Its leaf hash is the hash of its body.
    leaf = tree.leaf_hash(bytes(row.body))
    if leaf != bytes(row.leaf_hash):
        walk.note(
            f"the body was changed: it gives leaf hash {leaf.hex()}, stored {bytes(row.leaf_hash).hex()}"
        )
    # 3. Its columns say what its body says.
    _check_columns(row, walk)
    # 4. The tree extended by the stored leaf has the stored root: an edited body is then one difference.
    _check_tree(row, walk)


def _check_columns(row: Event, walk: _Walk) -> None:
    try:
        said = json.loads(bytes(row.body))
        expected = {name: said[name] for name in _PLAIN}
        expected |= {"actor_id": said["actor"]["id"], "actor_kind": said["actor"]["kind"]}
    except (ValueError, KeyError, TypeError) as error:
        walk.note(f"the body cannot be read: {error!r}")
        return
    actual: dict[str, Any] = {name: getattr(row, name) for name in expected}
    actual["at"] = stamp(row.at)
    for name, value in expected.items():
        if actual[name] != value:
            walk.note(f"column {name} was changed: it says {actual[name]!r}, the body {value!r}")


_PLAIN = ("type", "schema", "subject", "scopes", "door", "at", "request_id", "payload")


def _check_tree(row: Event, walk: _Walk) -> None:
    if not walk.sound:
        return
    closed = walk.frontier.append(bytes(row.leaf_hash))
    root = walk.frontier.root()
    if root != bytes(row.root):
        walk.note(
            f"the events up to here give root {root.hex()}, stored {bytes(row.root).hex()};"
            " roots of later events were not compared"
        )
        walk.sound = False
    elif b"".join(closed) != bytes(row.nodes):
        walk.note("the stored subtree hashes (nodes) were changed")


def _check_head(walk: _Walk) -> None:
    # 5. The head row has the last event's size and root. It may have moved on since; never behind.
    head = Head.objects.filter(id=1).first()
    if head is None:
        walk.differences.append(Difference("head", "the head row is missing"))
        return
    if head.size < walk.seq:
        message = f"it says size {head.size}, the last event is {walk.seq}"
        walk.differences.append(Difference("head", message))
    elif walk.sound and head.size == walk.seq and bytes(head.root) != walk.frontier.root():
        message = f"root {bytes(head.root).hex()} is not that of its {walk.seq} events"
        walk.differences.append(Difference("head", message))
    elif head.size > walk.seq and not Event.objects.filter(seq=head.size).exists():
        message = f"events {walk.seq + 1} to {head.size} are missing at the end"
        walk.differences.append(Difference(f"event:{walk.seq + 1}", message))


def _reconcile(walk: _Walk) -> None:
    for difference in run_all():
        if len(walk.differences) >= MAX_DIFFERENCES:
            return
        walk.differences.append(difference)
