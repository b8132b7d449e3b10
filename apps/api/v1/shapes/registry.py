"""Models and versions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.api.v1.shapes import addresses
from apps.api.v1.shapes.common import File, Json, Person, person
from apps.registry import selectors as registry
from apps.registry.listing import ModelRow
from apps.registry.models import Governance, ModelVersion, RegisteredModel, Stage


class Held(serializers.Serializer[Any]):
    """A stage or alias and the number of the version that holds it."""

    name = serializers.CharField()
    version = serializers.IntegerField()


class ModelSummary(serializers.Serializer[Any]):
    """A registered model in a list."""

    name = serializers.CharField()
    governance = serializers.ChoiceField(choices=Governance.choices)
    risk_tier = serializers.IntegerField()
    owner = Person()
    team = serializers.CharField(allow_null=True)
    versions = serializers.IntegerField()
    latest_version = serializers.IntegerField(allow_null=True)
    stages = Held(many=True)
    aliases = Held(many=True)
    created_at = serializers.DateTimeField()
    retired_at = serializers.DateTimeField(allow_null=True)
    successor = serializers.CharField(
        allow_null=True, help_text="The model that takes a retired one's place."
    )
    url = serializers.CharField()


class Model(ModelSummary):
    """A registered model."""

    description = serializers.CharField()
    purpose = serializers.CharField()
    exposure = serializers.CharField()
    purpose_class = serializers.CharField()
    governed_targets = serializers.ListField(
        child=serializers.CharField(),
        help_text="What this model's versions enter only by approval.",
    )


class VersionSummary(serializers.Serializer[Any]):
    """A version in a list."""

    model = serializers.CharField()
    number = serializers.IntegerField()
    stage = serializers.ChoiceField(choices=Stage.choices)
    aliases = serializers.ListField(child=serializers.CharField())
    digest = serializers.CharField(help_text="Of the manifest, as `sha256:...`.")
    size = serializers.IntegerField(help_text="Bytes of all files.")
    run = serializers.CharField(help_text="The run it came from; may be empty.")
    review = serializers.IntegerField(
        allow_null=True, help_text="The review that froze the version."
    )
    frozen = serializers.BooleanField()
    created_by = Person()
    created_at = serializers.DateTimeField()
    url = serializers.CharField()


class Version(VersionSummary):
    """One version with its files."""

    governance = serializers.ChoiceField(choices=Governance.choices)
    risk_tier = serializers.IntegerField()
    description = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # the framework collects it
    governed_targets = serializers.ListField(
        child=serializers.CharField(), help_text="The governed targets that it holds now."
    )
    manifest = File(many=True)


def digest(version: ModelVersion) -> str:
    """The manifest's digest as the API writes it."""
    return f"sha256:{version.manifest_digest}"


def model_summary(row: ModelRow) -> Json:
    """From a row of the list: no query of its own."""
    model = row.model
    return {
        "name": model.name,
        "governance": model.governance,
        "risk_tier": model.risk_tier,
        "owner": person(model.owner),
        "team": model.team.key if model.team else None,
        "versions": row.versions,
        "latest_version": row.latest,
        "stages": [{"name": name, "version": number} for name, number in row.stages],
        "aliases": [{"name": name, "version": number} for name, number in row.aliases],
        "created_at": model.created_at,
        "retired_at": model.retired_at,
        "successor": model.successor.name if model.successor else None,
        "url": addresses.model(model),
    }


def model_detail(row: ModelRow) -> Json:
    model = row.model
    return {
        **model_summary(row),
        "description": model.description,
        "purpose": model.purpose,
        "exposure": model.exposure,
        "purpose_class": model.purpose_class,
        "governed_targets": _governed(model),
    }


def _governed(model: RegisteredModel) -> list[str]:
    return [str(target) for target in registry.governed_targets()] if model.is_governed else []


def version_summary(version: ModelVersion) -> Json:
    """Needs model, created_by and aliases fetched: no query of its own."""
    return {
        "model": version.model.name,
        "number": version.number,
        "stage": version.stage,
        "aliases": sorted(alias.name for alias in version.aliases.all()),
        "digest": digest(version),
        "size": version.total_size,
        "run": version.run_uuid,
        "review": version.submitted_review,
        "frozen": version.is_frozen,
        "created_by": person(version.created_by),
        "created_at": version.created_at,
        "url": addresses.version(version),
    }


def version_detail(version: ModelVersion) -> Json:
    return {
        **version_summary(version),
        "governance": version.model.governance,
        "risk_tier": version.model.risk_tier,
        "description": version.description,
        "source": version.source,
        "governed_targets": [str(t) for t in registry.held_governed_targets(version)],
        "manifest": version.manifest,
    }
