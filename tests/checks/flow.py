"""Attach, ask, work: the steps of a measurement, for tests that go through the services."""

from __future__ import annotations

from apps.accounts.models import User
from apps.checks import selectors, services
from apps.checks.models import EvaluationDataset, Measurement
from apps.core import outbox
from apps.core.models import OutboxMessage
from apps.registry.models import ModelVersion
from tests.checks.support import DEMO, GERMAN
from tests.support.people import as_actor

LIMITS = {
    "performance": {"roc_auc": {"min": "0.70"}},
    "fairness": {"features": ["sex"], "demographic_parity_difference": {"max": "0.10"}},
}


def attach(version: ModelVersion, user: User, **changes: object) -> EvaluationDataset:
    with (DEMO / "german_credit_predictions.csv").open("rb") as stream:
        given = {"role": "evaluation", "stream": stream, "mapping": GERMAN, "favourable": 1}
        return services.attach_dataset(as_actor(user), version, **{**given, **changes})  # type: ignore[arg-type]


def work() -> int:
    """What a worker does with every open message; how many there were."""
    waiting = list(
        OutboxMessage.objects.filter(finished_at__isnull=True, task__endswith="run_measurement")
    )
    for row in waiting:
        with outbox.claimed(row.pk) as message:
            if message is not None:
                services.run_measurement(message)
    return len(waiting)


def done(version: ModelVersion, user: User, kind: str = "performance") -> Measurement:
    services.request_measurement(as_actor(user), version, kind)
    work()
    found = selectors.latest(version, kind)
    assert found is not None
    return found
