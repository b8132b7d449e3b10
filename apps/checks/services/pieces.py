"""Counting a large measurement in pieces: ranges of its columns that several workers take.

Handed out in one transaction: a row and a message for each piece. A worker counts one, stores its statistics on the row
and, under the lock of the measurement, looks whether it was the last; only then is the measurement's own work queued
again, which puts all of them together. A worker that is killed costs the piece it was at and nothing else.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Max, Sum

from apps.checks import kinds
from apps.checks.kinds.base import Kind, Task
from apps.checks.models import Measurement, MeasurementPiece, MeasurementStatus
from apps.checks.services import inputs, measurements
from apps.checks.services.ending import attempt
from apps.checks.services.watching import Progress, Watch
from apps.checks.statistics import from_data, to_data
from apps.core import outbox
from apps.core.models import OutboxMessage

TASK: Final = "apps.checks.tasks.run_piece"


@dataclass(frozen=True, slots=True)
class Joined:
    """The statistics of all pieces as of the whole, and how long counting took in all workers together."""

    statistics: msgspec.Struct
    milliseconds: int


def handed_out(measurement: Measurement) -> bool:
    """Whether it is being counted in pieces."""
    return MeasurementPiece.objects.filter(measurement=measurement).exists()


def hand_out(measurement: Measurement, kind: Kind, task: Task, params: Any, rows: int) -> bool:
    """Hand out the pieces of a large check; False where it is done at once. Done twice, there is one set of pieces."""
    if kind.divided is None:
        return False
    units = kind.divided.units(task, params)
    number = min(units, -(-units * rows // settings.CHECKS_PIECE_VALUES))
    if number < 2:
        return False
    with transaction.atomic():
        row = Measurement.objects.select_for_update().get(pk=measurement.pk)
        if row.status == MeasurementStatus.RUNNING and not handed_out(row):
            for place in range(number):
                piece = MeasurementPiece.objects.create(
                    measurement=row,
                    number=place,
                    first=place * units // number,
                    after=(place + 1) * units // number,
                )
                outbox.enqueue(TASK, {"piece": piece.pk})
            _tell(row.pk)
    return True


def run_piece(message: OutboxMessage) -> None:
    """Count the piece that the message names, unless it has been or nobody wants it any more."""
    piece = (
        MeasurementPiece.objects.select_related("measurement__version")
        .filter(pk=message.payload["piece"], counts__isnull=True)
        .first()
    )
    if piece is None or piece.measurement.status != MeasurementStatus.RUNNING:
        return
    started = time.monotonic()
    counts = attempt(piece.measurement, message, lambda: _count(piece, message))
    if counts is not None:
        _store(piece, counts, round((time.monotonic() - started) * 1000))


def joined(measurement: Measurement, kind: Kind) -> Joined | None:
    """All pieces put together in their order; None while one is not counted."""
    rows = list(measurement.pieces.order_by("number"))
    if kind.divided is None or any(row.counts is None for row in rows):
        return None
    counted = [from_data(row.counts, kind.divided.statistics) for row in rows]
    return Joined(kind.divided.join(counted), sum(row.milliseconds for row in rows))


def _count(piece: MeasurementPiece, message: OutboxMessage) -> dict[str, Any]:
    """The bytes were verified when the pieces were handed out and are again when the counts are put together."""
    measurement = piece.measurement
    kind = kinds.get(measurement.kind)
    inputs.require_same_code(measurement, kind)
    params = measurements.parse_params(kind.key, measurement.params)
    watch = Watch(message, lambda told: _report(piece, told))
    with inputs.scratch() as folder:
        task = inputs.task(measurement, inputs.of(measurement, kind), folder, watch)
        assert kind.divided is not None  # noqa: S101 - only such a kind is handed out, and the code is the same
        return to_data(kind.divided.count(task, params, range(piece.first, piece.after)))


def _store(piece: MeasurementPiece, counts: dict[str, Any], milliseconds: int) -> None:
    """Under the lock of the measurement, so that exactly one worker finds that nothing is left to count."""
    with transaction.atomic():
        measurement = Measurement.objects.select_for_update().get(pk=piece.measurement_id)
        open_ = MeasurementPiece.objects.filter(measurement=measurement, counts__isnull=True)
        stored = open_.filter(pk=piece.pk).update(
            counts=counts, done=piece.after - piece.first, milliseconds=milliseconds
        )
        if not stored:
            return
        _tell(measurement.pk)
        if not open_.exists():
            outbox.enqueue(measurements.TASK, {"measurement": measurement.pk})


def _report(piece: MeasurementPiece, told: Progress) -> bool:
    """Tell piece and measurement how far they are; False where the measurement is no longer running."""
    if told.of:
        columns = piece.after - piece.first
        MeasurementPiece.objects.filter(pk=piece.pk).update(done=columns * told.done // told.of)
    return _tell(piece.measurement_id)


def _tell(measurement: int) -> bool:
    """Tell the measurement how far its pieces are together; False where it is no longer running."""
    total = MeasurementPiece.objects.filter(measurement=measurement).aggregate(
        done=Sum("done"), of=Max("after")
    )
    running = Measurement.objects.filter(pk=measurement, status=MeasurementStatus.RUNNING)
    return bool(running.update(progress={**total, "what": "columns"}))
