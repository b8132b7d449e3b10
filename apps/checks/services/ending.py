"""How a measurement ends: with a result, or with the reason why it has none. And one attempt at getting there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.conf import settings

from apps.audits.log import verb
from apps.checks import events, selectors
from apps.checks.engine.crosscheck import Disagreement
from apps.checks.models import Measurement, MeasurementPiece, MeasurementStatus
from apps.checks.services.watching import TakenBack
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError
from apps.core.models import OutboxMessage

T = TypeVar("T")

_LOST: Final = "The worker was lost during each attempt; the data may need too much memory."
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is stored of a measurement that succeeded."""

    statistics: dict[str, Any]
    result: dict[str, Any]
    timings: dict[str, int]


def attempt(measurement: Measurement, message: OutboxMessage, work: Callable[[], T]) -> T | None:
    """What the work returns; None where the measurement was taken back or ended here, with the reason.

    Bad data end it at once. Anything else may go better another time and is raised. On the last attempt nothing is tried
    any more: a worker lost during it could tell nobody.
    """
    last = message.attempts >= settings.OUTBOX_MAX_ATTEMPTS
    if last and message.attempts > 1:
        fail(measurement, _broke_off(message.last_error))
        return None
    try:
        return work()
    except TakenBack:
        return None
    except Conflict:  # the lease is lost: another worker does it, this one leaves the row alone
        raise
    except (DomainError, Disagreement) as error:
        fail(measurement, str(error))
    except MemoryError:
        fail(measurement, "Measuring needs more memory than one check may use.")
    except Exception as error:
        if last:  # somebody must be told
            fail(measurement, _broke_off(type(error).__name__))
        raise
    return None


def finish(measurement: Measurement, outcome: Outcome) -> None:
    """Store result and event in one transaction. Whoever comes second finds the row done and leaves it as it is."""
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
            clear(measurement)
            v.record(events.MeasurementDone(**_about(measurement), result_digest=digest))


def fail(measurement: Measurement, reason: str) -> None:
    """End it in status `error`, with the reason; one that has ended stays as it is."""
    with verb(Actor.system("worker")) as v:
        stored = Measurement.objects.filter(
            pk=measurement.pk, status=MeasurementStatus.RUNNING
        ).update(status=MeasurementStatus.ERROR, error=reason[:_LONGEST], finished_at=clock.now())
        if stored:
            clear(measurement)
            v.record(events.MeasurementFailed(**_about(measurement), reason=reason[:_LONGEST]))


def _broke_off(error: str) -> str:
    """By the name of the error only: its words may quote the data."""
    return f"The check broke off: {error.partition(':')[0]}." if error else _LOST


def clear(measurement: Measurement) -> None:
    """Remove the pieces of what has ended, in the transaction that ends it."""
    MeasurementPiece.objects.filter(measurement=measurement).delete()


def _about(measurement: Measurement) -> dict[str, Any]:
    return {
        "model": measurement.version.model_id,
        "version": measurement.version_id,
        "measurement": measurement.pk,
        "kind": measurement.kind,
        "key": measurement.key,
    }
