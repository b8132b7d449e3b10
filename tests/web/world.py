"""The world of the permission matrix: nine kinds of visitor, and one of each thing that none of them owns.

The roles are held site-wide, as in a small organisation. The outsider is signed in and holds none. The visitors are
written straight into the tables: a matrix of a thousand cells cannot wait for nine people to choose passwords.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Final

from apps.accounts.models import RoleAssignment, Team, User
from apps.accounts.services import create_team, issue_token
from apps.accounts.verbs import ROLES
from apps.experiments.models import Experiment, Run
from apps.experiments.services import experiments, runs
from apps.registry.models import ModelVersion, RegisteredModel
from tests import factories
from tests.support.people import SYSTEM, as_actor

ANONYMOUS: Final = "anonymous"
OUTSIDER: Final = "outsider"
VISITORS: Final = (ANONYMOUS, OUTSIDER, *ROLES)


def visitor(role: str) -> User:
    """Somebody who holds exactly this role on the whole site."""
    user = User(username=role, display_name=role.capitalize(), kind=User.Kind.HUMAN)
    user.set_unusable_password()
    user.save()
    if role in ROLES:
        RoleAssignment.objects.create(user=user, role_id=role)
    return user


@dataclass(slots=True)
class World:
    """The things that addresses name. `maker` made them all and is none of the visitors."""

    visitors: dict[str, User | None]
    maker: User
    person: User
    service: User
    team: Team
    experiment: Experiment
    run: Run
    model: RegisteredModel
    version: ModelVersion
    token_uuid: uuid.UUID
    extra: dict[str, object] = field(default_factory=dict)


def build() -> World:
    """Everything, through the services where there is a rule to keep."""
    visitors: dict[str, User | None] = {
        role: visitor(role) for role in VISITORS if role != ANONYMOUS
    }
    visitors[ANONYMOUS] = None
    maker = visitor("maker")
    RoleAssignment.objects.create(user=maker, role_id="contributor")
    actor = as_actor(maker)
    service = User.objects.create(username="ci", display_name="CI", kind=User.Kind.SERVICE)
    experiment = experiments.create_experiment(actor, name="churn trials")
    made = runs.create_run(actor, experiment_id=experiment.pk, run_name="able-finch")
    model = factories.model(actor, "churn")
    token, _ = issue_token(actor, name="laptop", scopes=["read"], expires_in=dt.timedelta(days=1))
    return World(
        visitors=visitors,
        maker=maker,
        person=visitor("somebody"),
        service=service,
        team=create_team(SYSTEM, key="credit", name="Credit"),
        experiment=experiment,
        run=Run.objects.get(run_id=made.run_id),
        model=model,
        version=factories.version(actor, model),
        token_uuid=token.uuid,
    )
