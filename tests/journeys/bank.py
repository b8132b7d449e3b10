"""The people and the model of the journeys about reviews, under a policy of four signatures by three roles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from apps.accounts.models import User
from apps.core.actor import Actor
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import services
from apps.reviews.models import Review
from tests import factories
from tests.checks import flow
from tests.notices.support import sign
from tests.reviews.test_policies import put_in_force
from tests.support.people import as_actor, hire

STEPS: Final[list[dict[str, Any]]] = [
    {
        "key": "validation",
        "title": "Independent validation",
        "role": "validator",
        "count": 2,
        "deadline_days": 10,
    },
    {"key": "risk", "title": "Risk approval", "role": "risk", "count": 1},
    {"key": "legal", "title": "Legal approval", "role": "legal", "count": 1},
]
TARGETS: Final = [Target("stage", "production"), Target("alias", "champion")]


@dataclass(slots=True)
class Bank:
    """Dana trains; Vik and Vera validate; Rosa is of risk, Leo of legal; Adam administers."""

    dana: User
    vik: User
    vera: User
    rosa: User
    leo: User
    adam: User
    model: RegisteredModel
    version: ModelVersion

    @property
    def trainer(self) -> Actor:
        return as_actor(self.dana)

    def submit(
        self, why: str = "Replaces the spreadsheet.", version: ModelVersion | None = None
    ) -> Review:
        return services.submit(
            self.trainer, version or self.version, targets=TARGETS, justification=why
        )

    def sign(self, review: Review, *people: User) -> None:
        """The approvals of people whose windows this journey does not look into."""
        for person in people:
            sign(as_actor(person), review)

    def new_version(self) -> ModelVersion:
        """The next one, measured like the first."""
        self.version = measured(self.dana, self.model)
        return self.version


def measured(dana: User, model: RegisteredModel) -> ModelVersion:
    """A version with the results of two checks on the scores of 1 000 people."""
    version = factories.version(as_actor(dana), model)
    flow.attach(version, dana)
    for kind in ("performance", "fairness"):
        flow.done(version, dana, kind)
    return version


def build() -> Bank:
    """Everything through the services."""
    dana = hire("dana", "Dana Whitfield", "contributor")
    vik = hire("vik", "Vik Lund", "validator")
    vera = hire("vera", "Vera Holm", "validator")
    rosa = hire("rosa", "Rosa Almeida", "risk")
    leo = hire("leo", "Leo Brandt", "legal")
    adam = hire("adam", "Adam Novák", "administrator")
    put_in_force(
        as_actor(adam),
        as_actor(vik),
        as_actor(vera),
        steps=STEPS,
        findings={"residual_risk_roles": ["risk"]},
    )
    model = factories.model(as_actor(dana), "credit")
    services.change_settings(
        factories.SYSTEM, model, purpose="Decides about small loans", reason=""
    )
    return Bank(dana, vik, vera, rosa, leo, adam, model, measured(dana, model))
