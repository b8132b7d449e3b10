"""Two auditors without any role of their own, an approved version, an engagement about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from apps.accounts.models import User
from apps.core import clock
from apps.engagements import services
from apps.engagements.models import Engagement
from apps.engagements.services import NewEngagement
from apps.registry.models import ModelVersion
from tests.compliance.conftest import Story, story
from tests.support.people import as_actor, hire

__all__ = ["story"]


@pytest.fixture
def ivy(db: None) -> User:
    """An auditor from outside: she holds no role."""
    return hire("ivy", "Ivy")


@pytest.fixture
def jon(db: None) -> User:
    return hire("jon", "Jon")


@pytest.fixture
def signed(story: Story) -> Story:
    """Submitted and signed by both; its measurements are left out: the checks have tests of their own."""
    story.write().submit()
    story.sign(story.vera)
    story.sign(story.rui)
    return story


def new(version: ModelVersion, *auditors: User, **other: Any) -> NewEngagement:
    """A valid engagement about one version's model, of the last 90 days, for another month."""
    today = clock.now().date()
    given: dict[str, Any] = {
        "title": "Credit models 2026",
        "purpose": "Are approvals made as the rules say?",
        "framework": "model-approval",
        "period_from": today - dt.timedelta(days=90),
        "period_to": today,
        "ends_on": today + dt.timedelta(days=30),
        "models": [version.model_id],
        "auditors": [each.pk for each in auditors],
    }
    return NewEngagement(**given | other)


@pytest.fixture
def engagement(signed: Story, ada: User, ivy: User, jon: User) -> Engagement:
    return services.open_engagement(as_actor(ada), new(signed.version, ivy, jon))
