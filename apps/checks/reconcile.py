"""Replay the ledger's events and compare what they say with the rows of data sets, measurements, rechecks, uploaded results and definitions.

Compared: each data set's bytes and declared meaning, each measurement's state and the digest of its
numbers, computed again from the row; who asked for each recheck, and the digest of its result. Not compared: the bytes behind a digest (the blob store's chunk
hashes and the review's own look at them answer for those).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apps.audits.reconcile import Difference
from apps.audits.selectors import Replayed, replay
from apps.checks import events, reconcile_definitions, selectors
from apps.checks.models import EvaluationDataset, Measurement, MeasurementStatus, Recheck
from apps.checks.uploaded import reconcile as uploaded

_STATES = {
    events.MeasurementRequested.type: {MeasurementStatus.QUEUED, MeasurementStatus.RUNNING},
    events.MeasurementDone.type: {MeasurementStatus.DONE},
    events.MeasurementFailed.type: {MeasurementStatus.ERROR},
    events.MeasurementCancelled.type: {MeasurementStatus.CANCELLED},
    events.MeasurementRecalled.type: {MeasurementStatus.RECALLED},
}

# What the event did not say when every data set was one file.
_BEFORE_SCHEMA_2: dict[str, Any] = {"parts": 0, "source": {}}


def differences() -> Iterator[Difference]:
    """Every difference between the ledger and the rows, each naming its row."""
    yield from _datasets()
    yield from _measurements()
    yield from _rechecks()
    yield from uploaded.differences()
    yield from reconcile_definitions.differences()


def _datasets() -> Iterator[Difference]:
    told = {
        int(str(event.payload["dataset"])): event.payload
        for event in replay(events.DatasetAttached.type)
    }
    for row in EvaluationDataset.objects.all().iterator():
        subject, said = f"dataset:{row.pk}", told.pop(row.pk, None)
        if said is None:
            yield Difference(subject, f"data set {row.name!r} has no event in the ledger")
            continue
        found = {
            "version": row.version_id,
            "role": row.role,
            "rows": row.rows,
            "digest": row.digest,
            "meaning": selectors.meaning_of(row),
            "parts": row.parts,
            "source": row.source,
        }
        for key, value in found.items():
            if said.get(key, _BEFORE_SCHEMA_2.get(key)) != value:
                yield Difference(
                    subject, f"{key}: the table says {value}, the ledger says {said.get(key)}"
                )
    for pk in told:
        yield Difference(f"dataset:{pk}", "it is in the ledger and not in the table")


def _measurements() -> Iterator[Difference]:
    last: dict[int, tuple[str, dict[str, Any]]] = {}
    for event in replay(*_STATES):
        last[int(str(event.payload["measurement"]))] = (event.type, dict(event.payload))
    for row in Measurement.objects.all().iterator(chunk_size=50):
        found = last.pop(row.pk, None)
        if found is None:
            yield Difference(f"measurement:{row.pk}", "it has no event in the ledger")
        else:
            yield from _compared(row, *found)
    for pk in last:
        yield Difference(f"measurement:{pk}", "it is in the ledger and not in the table")


def _compared(row: Measurement, event_type: str, said: dict[str, Any]) -> Iterator[Difference]:
    subject = f"measurement:{row.pk}"
    if row.status not in _STATES[event_type]:
        yield Difference(
            subject, f"the table says {row.status}, the ledger's last word is {event_type}"
        )
    if (row.version_id, row.kind, row.key) != (said["version"], said["kind"], said["key"]):
        yield Difference(subject, "what was asked for is not what the ledger says")
    if "result_digest" not in said:
        return
    digest = selectors.result_digest(row.key, row.statistics, row.result)
    if not digest == row.result_digest == said["result_digest"]:
        yield Difference(
            subject,
            f"its numbers give the digest {digest[:12]}, the row says {row.result_digest[:12]}, "
            f"the ledger {said['result_digest'][:12]}",
        )


def _rechecks() -> Iterator[Difference]:
    """Each recheck against the event that asked for it, each result against the one that tells it."""
    asked = _told(events.RecheckRequested.type)
    done = _told(events.RecheckDone.type)
    rows = Recheck.objects.select_related("result").order_by("pk")
    for row in rows.iterator(chunk_size=200):
        said = asked.pop(row.pk, None)
        found = (row.measurement_id, row.number, row.requested_by_id)
        if said is None:
            yield Difference(f"recheck:{row.pk}", "it has no event in the ledger")
        elif found != (said.payload["measurement"], said.payload["number"], said.actor_id):
            yield Difference(f"recheck:{row.pk}", "who asked for what is not what the ledger says")
        yield from _result_of(row, done.pop(row.pk, None))
    for pk in {*asked, *done}:
        yield Difference(f"recheck:{pk}", "it is in the ledger and not in the table")


def _told(event_type: str) -> dict[int, Replayed]:
    return {int(str(event.payload["recheck"])): event for event in replay(event_type)}


def _result_of(row: Recheck, said: Replayed | None) -> Iterator[Difference]:
    result, subject = selectors.result_of_recheck(row), f"recheck:{row.pk}"
    if (result is None) != (said is None):
        yield Difference(subject, "its result is in only one of table and ledger")
    if result is None or said is None:
        return
    digest = selectors.recheck_digest(result)
    if not digest == result.digest == said.payload["digest"]:
        yield Difference(
            subject,
            f"its result gives the digest {digest[:12]}, the row says {result.digest[:12]}, "
            f"the ledger {str(said.payload['digest'])[:12]}",
        )
