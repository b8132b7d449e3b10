"""A governed model with a version, and the people around it.

These tests are about quorum and evidence, so only the gate of reviews is asked; the checks' and the card's
gates have tests of their own, and tests/journeys walks all of them together.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pytest_django import Settings

from apps.core.actor import Actor
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import services
from apps.reviews.models import Review
from tests import factories

PRODUCTION = Target("stage", "production")
STAGING = Target("stage", "staging")
CHAMPION = Target("alias", "champion")


@dataclass(slots=True)
class Cast:
    """Ana trains, Vera validates, Rui approves (and so does Remo), Omar owns, Otto is an outsider."""

    ana: Actor
    vera: Actor
    rui: Actor
    remo: Actor
    omar: Actor
    otto: Actor
    model: RegisteredModel
    version: ModelVersion

    def submit(self, *targets: Target, version: ModelVersion | None = None) -> Review:
        return services.submit(
            self.ana,
            version or self.version,
            targets=targets or (PRODUCTION, CHAMPION),
            justification="replaces the scorecard",
        )


@pytest.fixture
def cast(settings: Settings) -> Cast:
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    ana = factories.person("ana", "contributor")
    model = factories.model(ana)
    return Cast(
        ana=ana,
        vera=factories.person("vera", "validator"),
        rui=factories.person("rui", "approver"),
        remo=factories.person("remo", "approver"),
        omar=factories.person("omar", "owner"),
        otto=factories.person("otto"),
        model=model,
        version=factories.version(ana, model),
    )


@pytest.fixture
def adam() -> Actor:
    """Adam administers people and policies; he signs nothing."""
    return factories.person("adam", "administrator")
