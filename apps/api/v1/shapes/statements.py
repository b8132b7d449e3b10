"""What people state for reports."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes.common import Json, Person, person
from apps.compliance.kinds import Kind
from apps.compliance.models import ReportStatement
from apps.compliance.reports.fields import Field


class ChoiceShape(serializers.Serializer[Any]):
    """One thing to choose."""

    value = serializers.CharField()
    title = serializers.CharField()


class FieldShape(serializers.Serializer[Any]):
    """One thing to state."""

    key = serializers.CharField()
    title = serializers.CharField()
    about = serializers.CharField()
    kind = serializers.ChoiceField(choices=["line", "text", "date", "choice"])
    choices = ChoiceShape(many=True, help_text="Of a `choice`; else none.")


class StatementShape(serializers.Serializer[Any]):
    """What somebody stated."""

    number = serializers.IntegerField(help_text="Name the latest as `base` to state anew.")
    texts = serializers.DictField(child=serializers.CharField())
    digest = serializers.CharField(help_text="SHA-256 of all that it says, with author and time.")
    author = Person()
    recorded_at = serializers.DateTimeField()


class StatementsShape(serializers.Serializer[Any]):
    """What a kind of report asks people, and what counts now."""

    kind = serializers.CharField()
    title = serializers.CharField()
    fields_ = FieldShape(many=True)
    latest = StatementShape(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`fields` is a name of the framework's own."""
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


def _field(field: Field) -> Json:
    choices = [{"value": value, "title": label} for value, label in field.choices]
    return {
        "key": field.key,
        "title": field.label,
        "about": field.help,
        "kind": field.kind,
        "choices": choices,
    }


def statement(row: ReportStatement) -> Json:
    """`row` with its author."""
    return {
        "number": row.number,
        "texts": row.texts,
        "digest": row.digest,
        "author": person(row.author),
        "recorded_at": row.created_at,
    }


def of_kind(kind: Kind, latest: ReportStatement | None) -> Json:
    return {
        "kind": kind.key,
        "title": kind.title,
        "fields": [_field(field) for field in kind.fields],
        "latest": statement(latest) if latest else None,
    }
