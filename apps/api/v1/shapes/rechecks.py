"""Rechecks: a measurement executed again, and whether the same came out."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from apps.api.v1.shapes.common import Json, Person, person
from apps.checks import selectors as checks
from apps.checks.models import Measurement, Recheck, RecheckOutcome

_WAITING: Final = "waiting"


class FirstDifference(serializers.Serializer[Any]):
    """The first place in which what is stored and what came out differ, in the order key, result, statistics,
    result_digest, ledger."""

    path = serializers.CharField()
    stored = serializers.CharField(help_text="As canonical JSON, clipped.")
    found = serializers.CharField(help_text="As canonical JSON, clipped.")


class RecheckShape(serializers.Serializer[Any]):
    """A measurement executed again."""

    uuid = serializers.UUIDField()
    measurement = serializers.UUIDField()
    kind = serializers.CharField()
    number = serializers.IntegerField(help_text="Of this measurement's rechecks, from 1.")
    requested_by = Person()
    requested_at = serializers.DateTimeField()
    outcome = serializers.ChoiceField(
        choices=[_WAITING, *RecheckOutcome.values],
        help_text="`failed`: it could not be re-executed, and `reason` says why.",
    )
    reason = serializers.CharField()
    difference = FirstDifference(allow_null=True)
    stored_digest = serializers.CharField(help_text="The row's `result_digest`; empty: it waits.")
    found_digest = serializers.CharField(help_text="Of what came out; empty without numbers.")
    code_version = serializers.CharField(help_text="Of the code that executed it.")
    libraries = serializers.DictField(child=serializers.CharField())
    other_versions = serializers.ListField(
        child=serializers.CharField(),
        help_text="With what else it was executed than it was measured with.",
    )
    digest = serializers.CharField(help_text="Of the whole result, as the ledger has it.")
    finished_at = serializers.DateTimeField(allow_null=True)


def recheck(measurement: Measurement, row: Recheck) -> Json:
    return {
        "uuid": row.uuid,
        "measurement": measurement.uuid,
        "kind": measurement.kind,
        "number": row.number,
        "requested_by": person(row.requested_by),
        "requested_at": row.requested_at,
        **_result(measurement, row),
    }


def _result(measurement: Measurement, row: Recheck) -> Json:
    found = checks.result_of_recheck(row)
    if found is None:
        empty = ("reason", "stored_digest", "found_digest", "code_version", "digest")
        nothing: Json = {"difference": None, "libraries": {}, "other_versions": []}
        return {"outcome": _WAITING, "finished_at": None, **nothing, **dict.fromkeys(empty, "")}
    difference = {"path": found.path, "stored": found.stored_value, "found": found.found_value}
    return {
        "outcome": found.outcome,
        "reason": found.reason,
        "difference": difference if found.path else None,
        "stored_digest": found.stored_digest,
        "found_digest": found.found_digest,
        "code_version": found.code_version,
        "libraries": found.libraries,
        "other_versions": checks.other_versions(measurement, found),
        "digest": found.digest,
        "finished_at": found.finished_at,
    }
