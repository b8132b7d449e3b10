"""What a worker does with one measurement.

1 claim the row by compare-and-set, 2 verify the bytes, 3 count and measure (Kind.run) outside of any transaction,
4 verify the bytes again, 5 store the result and its event in one transaction, by compare-and-set. Killed
anywhere, the outbox hands the work to the next worker; done twice, the second one changes nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from apps.audits.log import verb
from apps.checks import events, kinds, selectors
from apps.checks.engine.compute import Workshop
from apps.checks.engine.crosscheck import Disagreement
from apps.checks.kinds.base import Task
from apps.checks.models import Measurement, MeasurementStatus
from apps.checks.services import inputs
from apps.checks.services.measurements import parse_params
from apps.checks.statistics import to_data
from apps.checks.versions import code_version, libraries
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError, Invalid
from apps.core.models import OutboxMessage

_OPEN = (MeasurementStatus.QUEUED, MeasurementStatus.RUNNING)
_WATCH_SECONDS = 1.0
_LOST = "The worker was lost during each attempt; the data may need too much memory."


@dataclass(frozen=True, slots=True)
class _Outcome:
    statistics: dict[str, Any]
    result: dict[str, Any]
    timings: dict[str, int]


def run_measurement(message: OutboxMessage) -> None:
    """Measure what the message names, unless it has been. Bad data end in status `error`, with the reason."""
    measurement = _claim(int(message.payload["measurement"]))
    if measurement is None:
        return
    watch = _Watch(measurement.pk, message)
    last = message.attempts >= settings.OUTBOX_MAX_ATTEMPTS
    if last and measurement.status == MeasurementStatus.RUNNING:
        _fail(measurement, _LOST)
        return
    try:
        outcome = _measured(measurement, watch)
    except _TakenBack:
        return
    except Conflict:  # the lease is lost: another worker measures, this one leaves the row alone
        raise
    except Exception as error:
        if last:  # earlier attempts may meet better luck; after the last one somebody must be told
            _fail(measurement, f"The check broke off: {type(error).__name__}.")
        raise
    if isinstance(outcome, str):
        _fail(measurement, outcome)
    else:
        _finish(measurement, outcome)


class _TakenBack(Exception):
    """Somebody cancelled what is being measured."""


@dataclass(slots=True)
class _Watch:
    """What happens between the steps of a run: the lease is renewed, and about once a second the row is told how far it is
    and asked whether anybody still wants it."""

    measurement: int
    message: OutboxMessage
    seen: float = 0.0
    told: dict[str, Any] = field(default_factory=dict)

    def tick(self) -> None:
        """Raises Conflict where another worker has taken over, and _TakenBack where it was cancelled."""
        self.message.renew()
        if time.monotonic() - self.seen < _WATCH_SECONDS:
            return
        self.seen = time.monotonic()
        wanted = Measurement.objects.filter(
            pk=self.measurement, status=MeasurementStatus.RUNNING
        ).update(progress=self.told)
        if not wanted:
            raise _TakenBack

    def progress(self, done: int, of: int, what: str) -> None:
        """Kept until the next look."""
        self.told = {"done": done, "of": of, "what": what}


def _measured(measurement: Measurement, watch: _Watch) -> _Outcome | str:
    """The outcome, or in a sentence why these data have none and never will."""
    try:
        return _measure(measurement, watch)
    except Conflict:
        raise
    except (DomainError, Disagreement) as error:
        return str(error)
    except MemoryError:
        return "Measuring needs more memory than one check may use."


def _claim(pk: int) -> Measurement | None:
    """Step 1. The row as it was before; None if it has ended. A running one was left by a dead worker."""
    row = Measurement.objects.select_related("version").get(pk=pk)
    taken = Measurement.objects.filter(pk=pk, status__in=_OPEN).update(
        status=MeasurementStatus.RUNNING, started_at=clock.now()
    )
    return row if taken else None


def _measure(measurement: Measurement, watch: _Watch) -> _Outcome:
    """Steps 2 to 4."""
    tick = watch.tick
    kind = kinds.get(measurement.kind)
    made_with = (code_version(kind.key), libraries(kind.key))
    if (measurement.code_version, measurement.libraries) != made_with:
        raise Invalid("It was asked for under another version of the checks; ask again.")
    started = time.monotonic()
    taken = inputs.of(measurement, kind)
    inputs.verify(taken.digests, tick)
    verified = time.monotonic()
    with inputs.scratch() as folder:
        workshop = Workshop(selectors.caps(), folder, tick, watch.progress)
        task = Task(
            workshop,
            taken.data,
            taken.files,
            measurement.version.manifest_digest,
            inputs.asked_on(measurement),
        )
        statistics, result = kind.run(task, parse_params(kind.key, measurement.params))
    measured = time.monotonic()
    inputs.verify(taken.digests, tick)
    return _Outcome(
        to_data(statistics),
        to_data(result),
        {
            "verify_ms": round((verified - started) * 1000),
            "measure_ms": round((measured - verified) * 1000),
        },
    )


def _finish(measurement: Measurement, outcome: _Outcome) -> None:
    """Step 5. Whoever comes second finds the row done and leaves it as it is."""
    digest = selectors.result_digest(measurement.key, outcome.statistics, outcome.result)
    with verb(Actor.system("worker")) as v:
        stored = Measurement.objects.filter(
            pk=measurement.pk, status=MeasurementStatus.RUNNING
        ).update(
            status=MeasurementStatus.DONE,
            statistics=outcome.statistics,
            result=outcome.result,
            result_digest=digest,
            timings=outcome.timings,
            finished_at=clock.now(),
        )
        if stored:
            v.record(events.MeasurementDone(**_about(measurement), result_digest=digest))


def _fail(measurement: Measurement, reason: str) -> None:
    with verb(Actor.system("worker")) as v:
        stored = Measurement.objects.filter(
            pk=measurement.pk, status=MeasurementStatus.RUNNING
        ).update(status=MeasurementStatus.ERROR, error=reason[:2000], finished_at=clock.now())
        if stored:
            v.record(events.MeasurementFailed(**_about(measurement), reason=reason[:2000]))


def _about(measurement: Measurement) -> dict[str, Any]:
    return {
        "model": measurement.version.model_id,
        "version": measurement.version_id,
        "measurement": measurement.pk,
        "kind": measurement.kind,
        "key": measurement.key,
    }
