"""A governed model, the people around it, and how a test talks to the API.

Only the gate of reviews is asked here: the checks' and the card's gates have tests of their own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from apps.accounts.models import User
from apps.core.actor import Actor
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.targets import Target
from apps.reviews import selectors, services
from apps.reviews.models import Decision, Review
from tests import factories
from tests.support.people import as_actor, hire, token_for

PRODUCTION = Target("stage", "production")
CHAMPION = Target("alias", "champion")


@dataclass(slots=True)
class Api:
    """Somebody's way to the API: by token, by session, or as nobody."""

    headers: dict[str, str] = field(default_factory=dict)
    http: Client = field(default_factory=Client)

    def get(self, path: str, **query: Any) -> Any:
        return self.http.get(f"/api/v1/{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        data = (
            body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        )
        kind = headers.pop("content_type", "application/json")
        return self.http.generic(
            "POST", f"/api/v1/{path}", data, kind, headers={**self.headers, **headers}
        )


def by_token(user: User, *scopes: str) -> Api:
    """With an access token; every scope unless some are named."""
    return Api({"Authorization": f"Bearer {token_for(user, *scopes)}"})


def by_session(user: User) -> Api:
    """Signed in with a browser; cross-site protection is on, and the header is sent as a page's script would."""
    http = Client(enforce_csrf_checks=True)
    http.force_login(user)
    http.get("/account/password/")  # a page with a form sets the cookie
    return Api({"X-CSRFToken": http.cookies["countersign_csrf"].value}, http)


@dataclass(slots=True)
class Cast:
    """Ana trains, Vera validates, Rui approves, Otto is an outsider."""

    ana: User
    vera: User
    rui: User
    otto: User
    model: RegisteredModel
    version: ModelVersion

    def submit(self, *targets: Target, version: ModelVersion | None = None) -> Review:
        return services.submit(
            as_actor(self.ana),
            version or self.version,
            targets=targets or (PRODUCTION, CHAMPION),
            justification="replaces the scorecard",
        )

    def sign(self, signer: User, review: Review, outcome: str = "approve") -> Decision:
        round_ = selectors.live_round(review)
        assert round_ is not None
        actor: Actor = as_actor(signer)
        return services.decide(
            actor,
            review,
            outcome=outcome,
            evidence_digest=round_.digest,
            comment="looked at all of it",
            proof=factories.proof(actor),
            no_conflict=True,
        )

    def promote(self, *targets: Target) -> Review:
        """A review signed by both: the version is in the targets."""
        review = self.submit(*targets)
        self.sign(self.vera, review)
        self.sign(self.rui, review)
        review.refresh_from_db()
        assert review.status == "promoted"
        self.version.refresh_from_db()
        return review


@pytest.fixture
def cast(settings: Settings, db: None) -> Cast:
    settings.PROMOTION_GATES = ["apps.reviews.gates.quorum_signed"]
    ana = hire("ana", "Ana Silva", "contributor")
    actor = as_actor(ana)
    model = factories.model(actor)
    return Cast(
        ana=ana,
        vera=hire("vera", "Vera Lund", "validator"),
        rui=hire("rui", "Rui Costa", "approver"),
        otto=hire("otto", "Otto Brand"),
        model=model,
        version=factories.version(actor, model),
    )
