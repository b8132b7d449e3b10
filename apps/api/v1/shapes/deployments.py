"""Environments, and what was recorded as running in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes.common import Json, Person, person
from apps.api.v1.shapes.registry import digest
from apps.registry import deployed
from apps.registry.deployed import Span
from apps.registry.deployment_models import share_text
from apps.registry.models import Deployment, Environment


class EnvironmentShape(serializers.Serializer[Any]):
    """A place where versions run."""

    key = serializers.CharField()
    title = serializers.CharField()
    governed = serializers.BooleanField(
        help_text="Whether a policy in force names it: then governed models run there by approval only."
    )
    retired_at = serializers.DateTimeField(allow_null=True)
    created_by = Person()
    created_at = serializers.DateTimeField()


class ShareShape(serializers.Serializer[Any]):
    """A share of the traffic, in percent, from a moment to another (null: still)."""

    traffic = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)


class DeploymentShape(serializers.Serializer[Any]):
    """What ran where, from when to when, and by whose approval."""

    id = serializers.UUIDField()
    model = serializers.CharField()
    version = serializers.IntegerField()
    digest = serializers.CharField(help_text="Of the version's manifest, as `sha256:...`.")
    environment = serializers.CharField()
    place = serializers.CharField(help_text="Where in the environment; may be empty.")
    traffic = serializers.CharField(help_text="The last share, in percent.")
    shares = ShareShape(many=True)
    governed = serializers.BooleanField(
        help_text="Whether an approval was needed when it was recorded."
    )
    review = serializers.IntegerField(allow_null=True, help_text="The review that approved it.")
    started_at = serializers.DateTimeField()
    recorded_by = Person()
    recorded_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_by = Person(allow_null=True)
    end_reason = serializers.CharField()


def environment(row: Environment, *, governed: bool) -> Json:
    return {
        "key": row.key,
        "title": row.title,
        "governed": governed,
        "retired_at": row.retired_at,
        "created_by": person(row.created_by),
        "created_at": row.created_at,
    }


def deployment(row: Deployment, shown: Sequence[Span] | None = None) -> Json:
    """Needs what `deployed` fetches, shares too; `shown` are the shares to show, else all of them."""
    spans = deployed.spans(row) if shown is None else shown
    return {
        "id": row.uuid,
        "model": row.model.name,
        "version": row.version.number,
        "digest": digest(row.version),
        "environment": row.environment.key,
        "place": row.place,
        "traffic": row.share_text,
        "shares": [
            {"traffic": share_text(span.traffic), "since": span.since, "until": span.until}
            for span in spans
        ],
        "governed": row.governed,
        "review": row.authorization.review_id if row.authorization else None,
        "started_at": row.started_at,
        "recorded_by": person(row.recorded_by),
        "recorded_at": row.recorded_at,
        "ended_at": row.ended_at,
        "ended_by": person(row.ended_by) if row.ended_by else None,
        "end_reason": row.end_reason,
    }
