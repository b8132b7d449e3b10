"""Asking for a measurement, and recalling one that turned out to be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from apps.accounts import policy
from apps.audits.log import verb
from apps.checks import events, kinds, selectors
from apps.checks.choices import require_fitting
from apps.checks.models import CheckKind, Measurement, MeasurementStatus
from apps.checks.services import ending
from apps.checks.versions import code_version, libraries
from apps.core import clock, outbox
from apps.core.actor import Actor
from apps.core.canonical import JSON
from apps.core.errors import Conflict, Forbidden, Invalid, NotFound
from apps.registry.models import ModelVersion
from apps.registry.services.locks import lock_version

TASK = "apps.checks.tasks.run_measurement"
_OPEN = (MeasurementStatus.QUEUED, MeasurementStatus.RUNNING)
_IN_FORCE = (MeasurementStatus.QUEUED, MeasurementStatus.RUNNING, MeasurementStatus.DONE)


@dataclass(frozen=True, slots=True)
class Asked:
    """The measurement that answers a question; `stored` where somebody had asked it before, by its key."""

    measurement: Measurement
    stored: bool


def request_measurement(
    actor: Actor, version: ModelVersion, kind: str, params: Mapping[str, Any] | None = None
) -> Measurement:
    """What `ask_measurement` answers, for whoever need not know whether it was there."""
    return ask_measurement(actor, version, kind, params).measurement


def ask_measurement(
    actor: Actor, version: ModelVersion, kind: str, params: Mapping[str, Any] | None = None
) -> Asked:
    """Have this kind measured on the data now in force. The same question is answered from the stored row.

    Row and work are written in one transaction; two requests at once give one measurement. Refuses with
    Invalid: an unknown kind, parameters that make no sense or name columns that the data do not have, data that are not
    attached, fairness without a sensitive column.
    """
    policy.require(actor, "check.run", version)
    if actor.user_id is None:
        raise Forbidden("A check is asked for by a person or a service account.")
    chosen = parse_params(kind, params or {})
    return request(actor, actor.user_id, version, kind, chosen)


def scan_registered(actor: Actor, version_id: int) -> Measurement | None:
    """Have the files of a new version scanned, in the name of who registered it; None where it has no files."""
    version = ModelVersion.objects.get(pk=version_id)
    if not version.manifest:
        return None
    params = parse_params(CheckKind.FILES, {})
    return request(actor, version.created_by_id, version, CheckKind.FILES, params).measurement


def request(
    actor: Actor, user_id: int, version: ModelVersion, kind: str, chosen: msgspec.Struct
) -> Asked:
    """The measurement in the name of this person, and whether it was stored. For those who have asked for the right already."""
    with verb(actor) as v:
        version = lock_version(version.pk)
        described = _inputs(version, kind)
        require_fitting(chosen, kinds.get(kind).choices, selectors.known_of(version, kind))
        key = _key(kind, chosen, described)
        known = Measurement.objects.filter(version=version, key=key, status__in=_IN_FORCE).first()
        if known is not None:
            return Asked(known, stored=True)
        row = Measurement.objects.create(
            kind=kind,
            version=version,
            params=msgspec.to_builtins(chosen),
            inputs=described,
            key=key,
            code_version=code_version(kind),
            libraries=libraries(kind),
            started_by_id=user_id,
            queued_at=clock.now(),
        )
        outbox.enqueue(TASK, {"measurement": row.pk})
        v.record(
            events.MeasurementRequested(
                model=version.model_id,
                version=version.pk,
                measurement=row.pk,
                kind=kind,
                key=key,
                inputs=[str(entry["digest"]) for entry in described],
            )
        )
    return Asked(row, stored=False)


def cancel_measurement(actor: Actor, measurement: Measurement) -> Measurement:
    """Take a question back before there is an answer; a worker that is at it stops at its next step.

    The same question can be asked again. Refuses (Conflict) what has ended.
    """
    policy.require(actor, "check.run", measurement)
    with verb(actor) as v:
        lock_version(measurement.version_id)
        moved = Measurement.objects.filter(pk=measurement.pk, status__in=_OPEN).update(
            status=MeasurementStatus.CANCELLED, finished_at=clock.now()
        )
        measurement = Measurement.objects.select_related("version").get(pk=measurement.pk)
        if not moved:
            raise Conflict(f"It has ended: {measurement.get_status_display().lower()}.")
        ending.clear(measurement)
        v.record(
            events.MeasurementCancelled(
                model=measurement.version.model_id,
                version=measurement.version_id,
                measurement=measurement.pk,
                kind=measurement.kind,
                key=measurement.key,
            )
        )
    return measurement


def recall_measurement(actor: Actor, measurement: Measurement, *, reason: str) -> Measurement:
    """Declare a finished measurement wrong. It is kept, marked, and no longer counts anywhere.

    Rounds of evidence that rest on it die (apps.reviews listens). Refuses: no reason, a measurement
    that is not finished or was recalled already.
    """
    policy.require(actor, "check.recall", measurement)
    if actor.user_id is None:
        raise Forbidden("A measurement is recalled by a person.")
    why = reason.strip()
    if not why or len(why) > 2000:
        raise Invalid(
            "Say why it is recalled.", fields={"reason": "required, at most 2000 characters"}
        )
    with verb(actor) as v:
        lock_version(measurement.version_id)
        moved = Measurement.objects.filter(pk=measurement.pk, status=MeasurementStatus.DONE).update(
            status=MeasurementStatus.RECALLED,
            recalled_by_id=actor.user_id,
            recalled_at=clock.now(),
            recall_reason=why,
        )
        measurement = Measurement.objects.select_related("version").get(pk=measurement.pk)
        if not moved:
            raise Conflict(
                f"Only a finished measurement can be recalled; this one is {measurement.status}."
            )
        v.record(
            events.MeasurementRecalled(
                model=measurement.version.model_id,
                version=measurement.version_id,
                measurement=measurement.pk,
                kind=measurement.kind,
                key=measurement.key,
                result_digest=measurement.result_digest,
                reason=why,
            )
        )
    return measurement


def parse_params(kind: str, params: Mapping[str, Any]) -> msgspec.Struct:
    """The parameters of a kind, typed; Invalid for an unknown kind, name or value."""
    known = kinds.get(kind)
    try:
        chosen = msgspec.convert(dict(params), known.params)
    except msgspec.ValidationError as error:
        raise Invalid(
            f"These parameters cannot be used: {error}.", fields={"params": str(error)}
        ) from error
    checked: msgspec.Struct = known.checked(chosen)
    return checked


def fitting_params(version: ModelVersion, kind: str, params: Mapping[str, Any]) -> msgspec.Struct:
    """The parameters of a kind, typed and held against the data in force; Invalid with one message per parameter."""
    chosen = parse_params(kind, params)
    require_fitting(chosen, kinds.get(kind).choices, selectors.known_of(version, kind))
    return chosen


def _inputs(version: ModelVersion, kind: str) -> list[dict[str, JSON]]:
    in_force = selectors.datasets_in_force(version)
    try:
        inputs = selectors.described(version, kind, in_force)
    except NotFound as error:
        raise Invalid(f"{error.message} {error.hint}", fields={"version": error.message}) from error
    if not kinds.get(kind).of_files:
        selectors.require_inputs(kind, in_force)
    return inputs


def _key(kind: str, params: msgspec.Struct, inputs: list[dict[str, JSON]]) -> str:
    """The key of what is measured now. Never the same across another code or library version."""
    return selectors.key_of(
        kind, msgspec.to_builtins(params), inputs, code_version(kind), libraries(kind)
    )
