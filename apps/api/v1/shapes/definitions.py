"""What a model has measured regularly."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes.common import Json, Person, person
from apps.checks.models import DefinitionRevision, DefinitionRun, StartReason
from apps.registry.models import RegisteredModel


class LastRun(serializers.Serializer[Any]):
    """What came of a definition when it was last started: a measurement, or why there is none."""

    version = serializers.IntegerField()
    kind = serializers.CharField()
    reason = serializers.ChoiceField(choices=StartReason.choices)
    at = serializers.DateTimeField()
    measurement = serializers.UUIDField(allow_null=True)
    error = serializers.CharField(help_text="Empty where it was started.")


class DefinitionShape(serializers.Serializer[Any]):
    """One definition as it holds now."""

    uuid = serializers.UUIDField()
    model = serializers.CharField()
    revision = serializers.IntegerField(help_text="Name it as `base` to change it.")
    name = serializers.CharField()
    kind = serializers.CharField(help_text="A kind, or `demanded`: all that the policy demands.")
    params = serializers.DictField()
    on_registration = serializers.BooleanField()
    on_data = serializers.BooleanField()
    every_days = serializers.IntegerField(allow_null=True)
    retired = serializers.BooleanField(help_text="It starts nothing any more.")
    saved_by = Person(help_text="Who answers for what it starts.")
    saved_at = serializers.DateTimeField()
    last_run = LastRun(allow_null=True)


class Definitions(serializers.Serializer[Any]):
    """All of a model; a hundred at most, so there are no pages."""

    items = DefinitionShape(many=True)


def definition(model: RegisteredModel, row: DefinitionRevision, run: DefinitionRun | None) -> Json:
    """`row` with who saved it; `run` with its version and measurement."""
    return {
        "uuid": row.definition.uuid,
        "model": model.name,
        "revision": row.number,
        "name": row.name,
        "kind": row.kind,
        "params": row.params,
        "on_registration": row.on_registration,
        "on_data": row.on_data,
        "every_days": row.every_days,
        "retired": row.retired,
        "saved_by": person(row.by),
        "saved_at": row.at,
        "last_run": _run(run) if run else None,
    }


def _run(run: DefinitionRun) -> Json:
    return {
        "version": run.version.number,
        "kind": run.kind,
        "reason": run.reason,
        "at": run.at,
        "measurement": run.measurement.uuid if run.measurement else None,
        "error": run.error,
    }
