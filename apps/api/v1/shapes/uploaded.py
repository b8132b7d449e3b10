"""Uploaded results: what another tool reported, and whose word it is."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes.common import Json, Person, person
from apps.checks.uploaded import selectors
from apps.checks.uploaded.models import ToolNamed, UploadedResult
from apps.checks.uploaded.reading import Format, Outcome, State


class RecallShape(serializers.Serializer[Any]):
    """Who declared it wrong, and why."""

    reason = serializers.CharField()
    recalled_by = Person()
    recalled_at = serializers.DateTimeField()


class UploadedShape(serializers.Serializer[Any]):
    """What another tool reported. Countersign did not measure it."""

    uuid = serializers.UUIDField()
    name = serializers.CharField(help_text="The newest of a name that was not recalled stands.")
    format = serializers.ChoiceField(choices=Format.choices)
    outcome = serializers.ChoiceField(
        choices=Outcome.choices,
        help_text="`unjudged`: no verdict in it; `empty`: nothing ran. Neither is a pass.",
    )
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="Cases by outcome.")
    tool = serializers.CharField()
    tool_version = serializers.CharField()
    tool_named_by = serializers.ChoiceField(choices=ToolNamed.choices)
    file_name = serializers.CharField()
    size = serializers.IntegerField()
    digest = serializers.CharField(help_text="SHA-256 of the bytes.")
    reading_digest = serializers.CharField(help_text="Of what was read, as the ledger has it.")
    ran_at = serializers.DateTimeField(allow_null=True, help_text="As the file says.")
    uploaded_by = Person()
    uploaded_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=State.choices)
    recall = RecallShape(allow_null=True)


class WholeUploadedShape(UploadedShape):
    """The same with everything that was read."""

    reading = serializers.JSONField(
        help_text="Items that did not pass with their lines, metrics, subjects, the statement, remarks."
    )


def listed(each: selectors.Listed) -> Json:
    """A line of the list."""
    return _shown(each.row, each.counts, each.state)


def whole(row: UploadedResult) -> Json:
    """One with what was read."""
    state = selectors.state_of(row.version, row)
    return _shown(row, row.reading["counts"], state) | {"reading": row.reading}


def _shown(row: UploadedResult, counts: Any, state: State) -> Json:
    recall = selectors.recall_of(row)
    return {
        "uuid": row.uuid,
        "name": row.name,
        "format": row.format,
        "outcome": row.outcome,
        "counts": counts,
        "tool": row.tool,
        "tool_version": row.tool_version,
        "tool_named_by": row.tool_named_by,
        "file_name": row.file_name,
        "size": row.blob.size,
        "digest": row.digest,
        "reading_digest": row.reading_digest,
        "ran_at": row.ran_at,
        "uploaded_by": person(row.uploaded_by),
        "uploaded_at": row.uploaded_at,
        "state": state,
        "recall": None
        if recall is None
        else {
            "reason": recall.reason,
            "recalled_by": person(recall.recalled_by),
            "recalled_at": recall.recalled_at,
        },
    }
