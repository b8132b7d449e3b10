"""What a worker does with one measurement.

1 claim the row by compare-and-set, 2 verify the bytes, 3 count and measure (Kind.run) outside of any transaction,
4 verify the bytes again, 5 store the result and its event in one transaction, by compare-and-set. Killed
anywhere, the outbox hands the work to the next worker; done twice, the second one changes nothing.

A large one is counted in pieces (see `pieces`): between 2 and 3 the work is handed out, and whoever counts the last piece
has this called again, which puts the counts together.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from apps.checks import kinds
from apps.checks.kinds.base import Kind
from apps.checks.models import Measurement, MeasurementStatus
from apps.checks.services import inputs, pieces
from apps.checks.services.ending import Outcome, attempt, finish
from apps.checks.services.measurements import parse_params
from apps.checks.services.watching import Progress, Watch
from apps.checks.statistics import to_data
from apps.core import clock
from apps.core.models import OutboxMessage

_OPEN = (MeasurementStatus.QUEUED, MeasurementStatus.RUNNING)


def run_measurement(message: OutboxMessage) -> None:
    """Measure what the message names, unless it has been. Bad data end in status `error`, with the reason."""
    measurement = _claim(int(message.payload["measurement"]))
    if measurement is None:
        return
    outcome = attempt(measurement, message, lambda: _measure(measurement, message))
    if outcome is not None:
        finish(measurement, outcome)


def _claim(pk: int) -> Measurement | None:
    """Step 1. The row, None if it has ended. A running one was left by a dead worker, or has been counted in pieces."""
    row = Measurement.objects.select_related("version").get(pk=pk)
    started = row.started_at if pieces.handed_out(row) else clock.now()
    taken = Measurement.objects.filter(pk=pk, status__in=_OPEN).update(
        status=MeasurementStatus.RUNNING, started_at=started
    )
    return row if taken else None


def _measure(measurement: Measurement, message: OutboxMessage) -> Outcome | None:
    """Steps 2 to 4; None where pieces have to be counted first."""
    kind = kinds.get(measurement.kind)
    inputs.require_same_code(measurement, kind)
    params = parse_params(kind.key, measurement.params)
    if pieces.handed_out(measurement):
        return _put_together(measurement, kind, params, message)
    watch = Watch(message, lambda told: _report(measurement, told))
    started = time.monotonic()
    taken = inputs.of(measurement, kind)
    inputs.verify(taken.digests, watch.tick)
    verified = time.monotonic()
    with inputs.scratch() as folder:
        task = inputs.task(measurement, taken, folder, watch)
        if pieces.hand_out(measurement, kind, task, params, taken.rows):
            return None
        statistics, result = kind.run(task, params)
    measured = time.monotonic()
    inputs.verify(taken.digests, watch.tick)
    return _outcome(statistics, result, verified - started, measured - verified)


def _put_together(
    measurement: Measurement, kind: Kind, params: Any, message: OutboxMessage
) -> Outcome | None:
    """The result from the counts of all pieces; None while one is missing: whoever counts it has this called again."""
    counted = pieces.joined(measurement, kind)
    if counted is None or kind.divided is None:
        return None
    started = time.monotonic()
    result = kind.divided.measure(counted.statistics, params)
    measured = time.monotonic()
    inputs.verify(inputs.of(measurement, kind).digests, message.renew)
    verified = time.monotonic()
    seconds = counted.milliseconds / 1000 + measured - started
    return _outcome(counted.statistics, result, verified - measured, seconds)


def _outcome(
    statistics: msgspec.Struct, result: msgspec.Struct, verifying: float, measuring: float
) -> Outcome:
    timings = {"verify_ms": round(verifying * 1000), "measure_ms": round(measuring * 1000)}
    return Outcome(to_data(statistics), to_data(result), timings)


def _report(measurement: Measurement, told: Progress) -> bool:
    """Tell the row how far it is; False where it is no longer running."""
    progress = {"done": told.done, "of": told.of, "what": told.what}
    running = Measurement.objects.filter(pk=measurement.pk, status=MeasurementStatus.RUNNING)
    return bool(running.update(progress=progress))
