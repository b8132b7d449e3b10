"""Have a stored measurement executed again, and record whether the same comes out.

1 request: a row, its event and the work in one transaction; while one waits, whoever asks again gets that one.
2 a worker finds the inputs that the measurement names and verifies their bytes,
3 has them measured with the stored parameters and seed by a process of its own (`fresh`), never from a stored result,
4 verifies the bytes again,
5 compares what came out with the row and with the ledger, and writes result and event in one transaction, once.

It proves that these numbers follow from these bytes by the code that is installed now. It does not prove that the data
are right, nor that the code is. It changes nothing about the measurement: recalling it is an act of a person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from django.conf import settings

from apps.accounts import policy
from apps.audits import selectors as audits
from apps.audits.log import verb
from apps.checks import events, fresh, kinds, selectors
from apps.checks.comparing import Difference, first_difference
from apps.checks.fresh import Executed, NotExecuted, Plan
from apps.checks.kinds.base import Kind
from apps.checks.models import Measurement, Recheck, RecheckOutcome, RecheckResult
from apps.checks.services import inputs
from apps.checks.services.measurements import parse_params
from apps.core import clock, outbox
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid
from apps.core.models import OutboxMessage
from apps.registry.services.locks import lock_version

TASK = "apps.checks.tasks.run_recheck"
_LOST = "The worker was lost during each attempt."
_LONGEST = 2000


def request_recheck(actor: Actor, measurement: Measurement) -> Recheck:
    """Step 1. Refuses with Conflict a measurement without a result: there is nothing to compare with."""
    policy.require(actor, "check.recheck", measurement)
    if actor.user_id is None:
        raise Forbidden("A recheck is asked for by a person or a service account.")
    with verb(actor) as v:
        version = lock_version(measurement.version_id)
        row = Measurement.objects.select_for_update().get(pk=measurement.pk)
        if row.result is None:
            raise Conflict(
                f"This measurement is {row.status} and has no result to compare with.",
                hint="Wait until it is measured.",
            )
        last = selectors.rechecks(row).first()
        if last is not None and selectors.result_of_recheck(last) is None:
            return last
        made = Recheck.objects.create(
            measurement=row,
            number=last.number + 1 if last else 1,
            requested_by_id=actor.user_id,
            requested_at=clock.now(),
        )
        outbox.enqueue(TASK, {"recheck": made.pk})
        v.record(
            events.RecheckRequested(
                model=version.model_id,
                version=version.pk,
                measurement=row.pk,
                kind=row.kind,
                key=row.key,
                recheck=made.pk,
                number=made.number,
                result_digest=row.result_digest,
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class _Found:
    """What is written: the outcome with its reasons."""

    outcome: RecheckOutcome
    stored_digest: str
    found_digest: str = ""
    difference: Difference | None = None
    executed: Executed | None = None
    reason: str = ""


def run_recheck(message: OutboxMessage) -> None:
    """Steps 2 to 5, unless they have been done. What cannot be executed ends as `failed` with the reason."""
    recheck = Recheck.objects.select_related("measurement__version").get(
        pk=int(message.payload["recheck"])
    )
    row = recheck.measurement
    if RecheckResult.objects.filter(recheck=recheck).exists():
        return
    if 1 < settings.OUTBOX_MAX_ATTEMPTS <= message.attempts:
        _end(recheck, _failed(row, f"{_LOST} {message.last_error}".strip()))
        return
    try:
        executed = _execute(row, message.renew)
    except Conflict:  # the lease is lost: another worker does it
        raise
    except (DomainError, NotExecuted) as error:
        _end(recheck, _failed(row, str(error)))
    else:
        _end(recheck, _compared(row, executed))


def _execute(row: Measurement, tick: Callable[[], None]) -> Executed:
    """Steps 2 to 4."""
    kind = kinds.get(row.kind)
    _require_usable(kind, row)
    taken = inputs.of(row, kind)
    inputs.verify(taken.digests, tick)
    plan = Plan(
        kind=kind.key,
        params=row.params,
        caps=selectors.caps(),
        asked_on=inputs.asked_on(row),
        data=taken.data,
        files=taken.files,
        manifest_digest=row.version.manifest_digest,
    )
    with inputs.scratch() as folder:
        executed = fresh.execute(plan, folder, tick)
    inputs.verify(taken.digests, tick)
    return executed


def _require_usable(kind: Kind, row: Measurement) -> None:
    """Invalid where the stored parameters would be read as others by what is installed and set up here now."""
    used = msgspec.json.decode(msgspec.json.encode(parse_params(kind.key, row.params)))
    for name, value in row.params.items():
        if used.get(name) != value:
            raise Invalid(
                f"The stored parameter {name} is {value!r} and would be {used.get(name)!r} here now."
            )


def _compared(row: Measurement, executed: Executed) -> _Found:
    """Step 5: key, result, counts, the row's digest of them and the ledger's, in this order."""
    found_digest = selectors.result_digest(row.key, executed.statistics, executed.result)
    stored = {
        "key": row.key,
        "result": row.result,
        "statistics": row.statistics,
        "result_digest": row.result_digest,
        "ledger": _told_by_the_ledger(row),
    }
    key = selectors.key_of(row.kind, row.params, row.inputs, row.code_version, row.libraries)
    found = {
        "key": key,
        "result": executed.result,
        "statistics": executed.statistics,
        "result_digest": found_digest,
        "ledger": found_digest,
    }
    difference = first_difference(stored, found)
    outcome = RecheckOutcome.EQUAL if difference is None else RecheckOutcome.DIFFERENT
    return _Found(outcome, row.result_digest, found_digest, difference, executed)


def _told_by_the_ledger(row: Measurement) -> str:
    """The digest that the ledger gives the result; "" if no event tells of it."""
    told = audits.events(
        scopes=[f"measurement:{row.pk}"], types=[events.MeasurementDone.type], limit=1
    )
    return str(told[0].payload["result_digest"]) if told else ""


def _failed(row: Measurement, reason: str) -> _Found:
    return _Found(RecheckOutcome.FAILED, row.result_digest, reason=reason[:_LONGEST])


def _end(recheck: Recheck, found: _Found) -> None:
    """Whoever comes second finds a result and leaves it as it is."""
    row = recheck.measurement
    with verb(Actor.system("worker")) as v:
        Measurement.objects.select_for_update().get(pk=row.pk)
        if RecheckResult.objects.filter(recheck=recheck).exists():
            return
        made = RecheckResult(
            recheck=recheck,
            outcome=found.outcome,
            stored_digest=found.stored_digest,
            found_digest=found.found_digest,
            reason=found.reason,
            finished_at=clock.now(),
            **_difference(found.difference),
            **_made_with(found.executed),
        )
        made.digest = selectors.recheck_digest(made)
        made.save(force_insert=True)
        v.record(
            events.RecheckDone(
                model=row.version.model_id,
                version=row.version_id,
                measurement=row.pk,
                kind=row.kind,
                key=row.key,
                recheck=recheck.pk,
                number=recheck.number,
                outcome=made.outcome,
                stored_digest=made.stored_digest,
                found_digest=made.found_digest,
                path=made.path,
                reason=made.reason,
                digest=made.digest,
            )
        )


def _difference(found: Difference | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {"path": found.path, "stored_value": found.stored, "found_value": found.found}


def _made_with(executed: Executed | None) -> dict[str, Any]:
    if executed is None:
        return {}
    return {"code_version": executed.code_version, "libraries": executed.libraries}
