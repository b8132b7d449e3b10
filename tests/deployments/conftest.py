"""The standard policy, which also governs the environment prod here, and an environment nobody governs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from apps.core.actor import Actor
from apps.registry import services as registry
from apps.registry.models import Deployment, Environment, ModelVersion
from apps.registry.targets import Target
from apps.reviews.models import Review
from tests.reviews.conftest import Cast
from tests.reviews.conftest import adam as adam
from tests.reviews.conftest import cast as cast
from tests.reviews.test_policies import put_in_force
from tests.reviews.test_signing import sign

PROD = Target("environment", "prod")


@dataclass(slots=True)
class Site:
    """The cast, with Adam who administers, and two environments: `prod` is governed, `dev` is not."""

    cast: Cast
    adam: Actor
    prod: Environment
    dev: Environment

    def approve(self, version: ModelVersion | None = None, *targets: Target) -> Review:
        """Have the version signed for the environment prod, or for these targets."""
        review = self.cast.submit(*(targets or (PROD,)), version=version)
        sign(self.cast.vera, review)
        sign(self.cast.rui, review)
        review.refresh_from_db()
        return review

    def record(self, version: ModelVersion | None = None, **given: object) -> Deployment:
        given.setdefault("environment", self.prod)
        return registry.record_deployment(self.cast.ana, version or self.cast.version, **given)  # type: ignore[arg-type]


@pytest.fixture
def site(cast: Cast, adam: Actor) -> Site:
    prod = registry.create_environment(adam, key="Prod", title="Production cluster")
    dev = registry.create_environment(adam, key="dev", title="Development")
    put_in_force(adam, cast.vera, governs__environments=["prod"])
    return Site(cast, adam, prod, dev)
