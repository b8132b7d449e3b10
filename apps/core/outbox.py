"""Work to be done is a row first and a queue message second.

`enqueue` writes the row in the caller's transaction and sends a hint after the commit. `claimed` hands a row to one
worker at a time by compare-and-set and a lease. `sweep` (run by beat) sends again what is still open. So a task may
be sent twice and runs once; a worker killed at any point delays the work and loses nothing.

Not guaranteed: that a task killed after its own effects and before `claimed` ends does not run again. Tasks must
find their effect done (compare-and-set on their own row) and do nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, Min, Q, QuerySet

from apps.core import clock
from apps.core.models import Heartbeat, OutboxMessage

log = logging.getLogger(__name__)

_KEEP_DONE = dt.timedelta(days=7)
_LONGEST_ERROR = 4000


def enqueue(
    task: str,
    payload: Mapping[str, Any],
    *,
    event_type: str = "",
    delay: dt.timedelta | None = None,
) -> OutboxMessage:
    """One piece of work for one task, to be done once this transaction commits (and `delay` has passed).

    Refuses to work outside a transaction: the work must belong to what caused it.
    """
    if not transaction.get_connection().in_atomic_block:
        msg = "outbox.enqueue needs a transaction: call it inside verb() or atomic()"
        raise RuntimeError(msg)
    due = clock.now() + (delay or dt.timedelta())
    message = OutboxMessage.objects.create(
        task=task, payload=dict(payload), event_type=event_type, not_before=due
    )
    if not delay:
        transaction.on_commit(lambda: _send(message.pk, task), robust=True)
    return message


@contextmanager
def claimed(message_id: int) -> Iterator[OutboxMessage | None]:
    """The message for the caller alone, or None when it is done, taken, not due or given up.

    Leaving normally finishes it. An exception is stored, releases it for a later try with back-off (or gives up
    after OUTBOX_MAX_ATTEMPTS), and goes on to the caller.
    """
    message = _claim(message_id)
    if message is None:
        yield None
        return
    try:
        yield message
    except Exception as error:
        _release(message, error)
        raise
    except BaseException:  # the worker is being stopped: not the work's fault, try again soon
        _mine(message).update(claimed_until=None, claimed_by="")
        raise
    if not _mine(message).update(finished_at=clock.now(), claimed_until=None, last_error=""):
        log.warning("outbox: lease lost before the end", extra={"outbox_id": message.pk})


def sweep() -> int:
    """Send again what is open and nobody works on; give up what used up its attempts. The number sent.

    With no worker alive nothing is sent: messages would only pile up in the queue.
    """
    now = clock.now()
    _free(now).filter(attempts__gte=settings.OUTBOX_MAX_ATTEMPTS).update(
        finished_at=now,
        failed=True,
        last_error="Given up: the worker was lost during each attempt.",
    )
    OutboxMessage.objects.filter(finished_at__lt=now - _KEEP_DONE, failed=False).delete()
    if not worker_alive():
        return 0
    patience = now - dt.timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
    # A claimed row whose lease ended is sent at once; one sent lately is probably still in the queue.
    due = _free(now).filter(
        Q(sent_at__isnull=True) | Q(sent_at__lt=patience) | Q(claimed_until__isnull=False)
    )
    waiting = list(due.order_by("not_before").values_list("pk", "task")[:500])
    for pk, task in waiting:
        _send(pk, task)
    return len(waiting)


def worker_alive() -> bool:
    """Whether any worker was seen lately."""
    return bool(_alive("worker"))


@dataclass(frozen=True)
class WorkerState:
    """A worker that was seen lately."""

    host: str
    pid: int
    started_at: dt.datetime
    last_seen: dt.datetime


@dataclass(frozen=True)
class QueueState:
    """What the system page shows. `oldest_seconds` is the age of the oldest work that is due and unclaimed."""

    queued: int
    running: int
    failed: int
    oldest_seconds: float
    workers: list[WorkerState]
    beat_last_seen: dt.datetime | None

    @property
    def beat_alive(self) -> bool:
        """Whether beat was seen lately."""
        return self.beat_last_seen is not None and self.beat_last_seen >= _lately()


def queue_state() -> QueueState:
    """Counts of work and the processes that do it. A process counts as alive for three heartbeats."""
    now = clock.now()
    unfinished = OutboxMessage.objects.filter(finished_at__isnull=True)
    running = unfinished.filter(claimed_until__gte=now).count()
    oldest = _free(now).aggregate(at=Min("not_before"))["at"]
    beat = Heartbeat.objects.filter(kind="beat").order_by("-last_seen").first()
    return QueueState(
        queued=unfinished.count() - running,
        running=running,
        failed=OutboxMessage.objects.filter(failed=True).count(),
        oldest_seconds=(now - oldest).total_seconds() if oldest else 0.0,
        workers=[
            WorkerState(row.host, row.pid, row.started_at, row.last_seen)
            for row in _alive("worker")
        ],
        beat_last_seen=beat.last_seen if beat else None,
    )


def _lately() -> dt.datetime:
    return clock.now() - dt.timedelta(seconds=3 * settings.HEARTBEAT_SECONDS)


def _alive(kind: str) -> list[Heartbeat]:
    return list(
        Heartbeat.objects.filter(kind=kind, last_seen__gte=_lately()).order_by("host", "pid")
    )


def _free(now: dt.datetime) -> QuerySet[OutboxMessage]:
    """Unfinished, due, and held by nobody whose lease still runs."""
    return OutboxMessage.objects.filter(
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=now),
        finished_at__isnull=True,
        not_before__lte=now,
    )


def _mine(message: OutboxMessage) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.filter(
        pk=message.pk, claimed_by=message.claimed_by, finished_at__isnull=True
    )


def _claim(message_id: int) -> OutboxMessage | None:
    now = clock.now()
    # A name per claim, not per process: whoever lost the lease can neither finish nor release the row.
    name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    taken = (
        _free(now)
        .filter(pk=message_id, attempts__lt=settings.OUTBOX_MAX_ATTEMPTS)
        .update(
            claimed_at=now,
            claimed_until=now + dt.timedelta(seconds=settings.OUTBOX_LEASE_SECONDS),
            claimed_by=name,
            attempts=F("attempts") + 1,
        )
    )
    return OutboxMessage.objects.get(pk=message_id) if taken else None


def _release(message: OutboxMessage, error: Exception) -> None:
    now = clock.now()
    final = message.attempts >= settings.OUTBOX_MAX_ATTEMPTS
    wait = settings.OUTBOX_BACKOFF_SECONDS * 2 ** (message.attempts - 1)
    _mine(message).update(
        last_error=f"{type(error).__name__}: {error}"[:_LONGEST_ERROR],
        claimed_until=None,
        claimed_by="",
        sent_at=None,
        not_before=now + dt.timedelta(seconds=wait),
        failed=final,
        finished_at=now if final else None,
    )
    log.log(
        logging.ERROR if final else logging.WARNING,
        "outbox: attempt failed",
        exc_info=error,
        extra={"outbox_id": message.pk, "task": message.task, "given_up": final},
    )


def _send(message_id: int, task: str) -> None:
    """The hint. A broker that is down is logged; beat sends again."""
    try:
        current_app.send_task(task, args=[message_id])
    except Exception:
        log.exception("outbox: the queue did not take a message", extra={"outbox_id": message_id})
        return
    OutboxMessage.objects.filter(pk=message_id).update(sent_at=clock.now())
