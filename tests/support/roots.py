"""Experiments and models as bare rows, for tests of rights: what their own services do is tested elsewhere."""

from __future__ import annotations

from apps.accounts.models import Team, User
from apps.core import clock
from apps.experiments.models import Experiment
from apps.registry.models import RegisteredModel
from apps.registry.services import create_model
from tests.support.people import as_actor


def experiment_of(user: User, *, name: str = "credit", team: Team | None = None) -> Experiment:
    """An experiment the user created, with no role granted on it."""
    now = clock.now_ms()
    return Experiment.objects.create(
        name=name, team=team, created_by=user, created_at=now, updated_at=now
    )


def model_of(user: User, *, name: str = "credit", team: Team | None = None) -> RegisteredModel:
    """A model the user created and owns; she must have the right."""
    return create_model(as_actor(user), name=name, team=team)
