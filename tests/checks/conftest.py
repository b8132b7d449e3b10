"""The version that tests of the checks attach data to."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.registry.models import ModelVersion
from tests import factories
from tests.support.people import as_actor


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))
