"""Signs of life of worker and beat, so that a page can say "no worker is running" instead of "please wait"."""

from __future__ import annotations

import logging
import os
import socket
import time
from typing import Any

from celery import bootsteps
from celery.beat import PersistentScheduler
from django.conf import settings
from django.db import DatabaseError, connection

from apps.core import blobs, clock, outbox
from apps.core.models import Heartbeat

log = logging.getLogger(__name__)


def _let_go() -> None:
    """Hold no connection between two signs; inside somebody's transaction it is theirs to close."""
    if not connection.in_atomic_block:
        connection.close()


def seen(kind: str, *, first: bool = False) -> None:
    """This process is alive. A database that does not answer is logged: the sign is missing, which is true."""
    now = clock.now()
    row = {"last_seen": now} | ({"started_at": now} if first else {})
    try:
        Heartbeat.objects.update_or_create(
            kind=kind,
            host=socket.gethostname(),
            pid=os.getpid(),
            defaults=row,
        )
    except DatabaseError:
        log.warning("heartbeat: the database did not answer", exc_info=True)
    finally:
        _let_go()


def gone(kind: str) -> None:
    """This process is leaving in good order."""
    try:
        Heartbeat.objects.filter(kind=kind, host=socket.gethostname(), pid=os.getpid()).delete()
    except DatabaseError:
        log.warning("heartbeat: the database did not answer", exc_info=True)
    finally:
        _let_go()


class WorkerHeartbeat(bootsteps.StartStopStep):  # type: ignore[misc]  # celery has no types
    """In the worker's main process: it lives as long as the worker, however busy the pool is."""

    requires = {"celery.worker.components:Timer"}

    def start(self, worker: Any) -> None:
        """First sign at once, then every HEARTBEAT_SECONDS."""
        seen("worker", first=True)
        worker.timer.call_repeatedly(settings.HEARTBEAT_SECONDS, seen, ("worker",))

    def stop(self, worker: Any) -> None:
        """Leave no sign behind."""
        gone("worker")


class Scheduler(PersistentScheduler):  # type: ignore[misc]  # celery has no types
    """Beat, which also sweeps the outbox itself and schedules nothing while no worker is alive.

    Otherwise a day without a worker would leave thousands of messages in the queue, in the way of real
    work when one comes back.
    """

    _swept = float("-inf")
    _worker_alive = False

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Celery's own tick, and every HEARTBEAT_SECONDS a sign of life and a sweep."""
        if time.monotonic() - self._swept >= settings.HEARTBEAT_SECONDS:
            seen("beat", first=self._swept < 0)
            self._sweep()
            self._swept = time.monotonic()
        wait: float = super().tick(*args, **kwargs)
        return min(wait, settings.HEARTBEAT_SECONDS / 2)

    def _sweep(self) -> None:
        try:
            self._worker_alive = outbox.worker_alive()
            outbox.sweep()
            blobs.clear_unfinished()
        except (DatabaseError, OSError):
            log.exception("sweep failed; the next one is due soon")
        finally:
            _let_go()

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """A scheduled task is sent only where somebody will take it."""
        if self._worker_alive:
            super().apply_entry(entry, producer)

    def close(self) -> None:
        """Leave no sign behind."""
        gone("beat")
        super().close()
