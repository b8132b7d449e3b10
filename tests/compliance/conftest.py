"""One whole story on real data (ACS Massachusetts): measured, carded, submitted, signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from apps.accounts import services as accounts
from apps.accounts.models import User
from apps.checks import services as checks
from apps.compliance import services as compliance
from apps.compliance.models import Document
from apps.core import outbox
from apps.core.models import OutboxMessage
from apps.modelcards import schema
from apps.modelcards import services as cards
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews import selectors as reviews
from apps.reviews import services as reviewing
from apps.reviews.models import Decision, Review
from tests import factories
from tests.checks.support import ACS, DEMO
from tests.support.people import PASSWORD, as_actor

PRODUCTION = Target("stage", "production")


@dataclass
class Story:
    """Ana's version and what has become of it."""

    ana: User
    vera: User
    rui: User
    version: ModelVersion
    review: Review | None = None
    mapping: dict[str, object] = field(default_factory=lambda: ACS | {"sensitive": ["sex"]})

    def measure(self) -> Story:
        """Evaluation on 2016 against the reference of 2015, all three kinds."""
        for role, year in (("reference", 2015), ("evaluation", 2016)):
            with (DEMO / f"acs_employment_ma_{year}.parquet").open("rb") as stream:
                checks.attach_dataset(
                    as_actor(self.ana),
                    self.version,
                    role=role,
                    name=f"ACS employment, Massachusetts {year}",
                    stream=stream,
                    mapping=self.mapping,
                    favourable=1,
                )
        for kind in ("performance", "fairness", "drift"):
            checks.request_measurement(as_actor(self.ana), self.version, kind)
        work("checks", checks.run_measurement)
        return self

    def write(self, **texts: str) -> Story:
        """A whole card, in Ana's words unless others are given."""
        latest = self.version.card_revisions.count()
        content = {key: f"About {key}: a sentence." for key in schema.REQUIRED_BY_DEFAULT} | texts
        cards.save_card(as_actor(self.ana), self.version, content, latest)
        return self

    def submit(self) -> Story:
        self.review = reviewing.submit(
            as_actor(self.ana),
            self.version,
            targets=[PRODUCTION],
            justification="Replaces the scorecard; measured on 2016.",
        )
        return self

    @property
    def asked(self) -> Review:
        assert self.review is not None
        return Review.objects.get(pk=self.review.pk)

    def sign(self, user: User, outcome: str = "approve") -> Decision:
        review = self.asked
        round_ = reviews.live_round(review)
        assert round_ is not None
        return reviewing.decide(
            as_actor(user),
            review,
            outcome=outcome,
            evidence_digest=round_.digest,
            comment="Read all of it; the gap is inside its limit.",
            proof=accounts.reauthenticate(as_actor(user), PASSWORD),
            no_conflict=True,
        )

    def request(self, user: User | None = None) -> Document:
        version = ModelVersion.objects.select_related("model").get(pk=self.version.pk)
        return compliance.request_document(as_actor(user or self.ana), version)

    def issue(self, user: User | None = None) -> Document:
        """Asked for, and made by a worker."""
        document = self.request(user)
        work("compliance", lambda message: compliance.make(message.payload["document"]))
        document.refresh_from_db()
        return document


def work(of: str, do: Callable[[OutboxMessage], object]) -> int:
    """What a worker does with every open message of an app; how many there were."""
    waiting = list(
        OutboxMessage.objects.filter(finished_at__isnull=True, task__startswith=f"apps.{of}.")
        .exclude(task__endswith="scan_registered")
        .exclude(task__contains=".start_on_")
    )
    for row in waiting:
        with outbox.claimed(row.pk) as message:
            if message is not None:
                do(message)
    return len(waiting)


@pytest.fixture
def story(ana: User, vera: User, rui: User) -> Story:
    actor = as_actor(ana)
    model = factories.model(actor, name="income")
    return Story(ana, vera, rui, factories.version(actor, model))
