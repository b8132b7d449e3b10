"""A question is taken back before there is an answer: queued, running, too late, by the wrong person."""

from __future__ import annotations

import io
import threading

import numpy as np
import pandas as pd
import pytest
from django.db import DatabaseError, connection, connections

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import reconcile, selectors, services
from apps.checks.models import Measurement
from apps.checks.services import watching
from apps.core import outbox
from apps.core.errors import Conflict, Forbidden
from apps.core.models import OutboxMessage
from apps.registry.models import ModelVersion
from tests.checks import flow
from tests.support.people import as_actor, hire
from tests.support.races import at_once
from tests.support.site import eventually

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = [f"n{place}" for place in range(60)]


def asked(version: ModelVersion, ana: User) -> Measurement:
    flow.attach(version, ana)
    return services.request_measurement(as_actor(ana), version, "performance")


def test_a_queued_check_is_taken_back_and_can_be_asked_again(
    version: ModelVersion, ana: User
) -> None:
    row = services.cancel_measurement(as_actor(ana), asked(version, ana))
    assert row.status == "cancelled"
    assert flow.work() == 1  # the message finds nothing to do
    row.refresh_from_db()
    assert (row.status, row.result) == ("cancelled", None)
    limits = {"performance": {"roc_auc": {"min": "0.70"}}}
    (found,) = selectors.results(version, limits)
    assert (found.verdict.value, "was not measured" in found.sentence) == ("NOT_RUN", True)
    again = services.request_measurement(as_actor(ana), version, "performance")
    assert again.pk != row.pk
    flow.work()
    assert selectors.latest(version, "performance") is not None
    assert "checks.measurement.cancelled" in [event.type for event in replay()]
    assert list(reconcile.differences()) == []


def test_what_has_ended_is_not_taken_back(version: ModelVersion, ana: User) -> None:
    row = asked(version, ana)
    services.cancel_measurement(as_actor(ana), row)
    with pytest.raises(Conflict, match="cancelled"):
        services.cancel_measurement(as_actor(ana), row)
    done = flow.done(version, ana)
    with pytest.raises(Conflict, match="measured"):
        services.cancel_measurement(as_actor(ana), done)
    with pytest.raises(DatabaseError, match="has ended"), connection.cursor() as cursor:
        cursor.execute("UPDATE checks_measurement SET status = 'queued' WHERE id = %s", [row.pk])


def test_only_who_may_run_checks_takes_one_back(version: ModelVersion, ana: User) -> None:
    row = asked(version, ana)
    with pytest.raises(Forbidden):
        services.cancel_measurement(as_actor(hire("rosa", "Rosa", "approver")), row)


def test_cancelling_and_finishing_at_once_is_one_of_the_two(
    version: ModelVersion, ana: User
) -> None:
    for name in ("one", "two", "three", "four"):
        flow.attach(version, ana, name=name)
        row = services.request_measurement(
            as_actor(ana), version, "performance", {"confidence": f"0.{90 + len(name)}"}
        )
        _, cancelled = at_once(
            flow.work, lambda row=row: services.cancel_measurement(as_actor(ana), row)
        )
        row.refresh_from_db()
        if isinstance(cancelled, Conflict):
            assert row.status == "done"
        else:
            assert (row.status, row.result_digest) == ("cancelled", "")
    assert list(reconcile.differences()) == []


def test_a_worker_says_how_far_it_is_and_stops_where_it_was_told_to(
    version: ModelVersion, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_WATCH_SECONDS", 0.0)
    rng = np.random.default_rng(1)
    for role in ("reference", "current"):
        data = io.BytesIO()
        pd.DataFrame(rng.normal(size=(100_000, len(COLUMNS))), columns=COLUMNS).to_parquet(data)
        data.seek(0)
        flow.attach(
            version, ana, role=role, stream=data, mapping={"features": COLUMNS}, favourable=""
        )
    row = services.request_measurement(as_actor(ana), version, "drift")
    worker = threading.Thread(target=_work, daemon=True)
    worker.start()

    def told() -> dict[str, int]:
        row.refresh_from_db()
        return row.progress if row.progress.get("done") else {}

    eventually(told, 60)
    assert row.progress["of"] == len(COLUMNS)
    (found,) = selectors.results(version, {"drift": {"psi": {"max": "0.25"}}})
    assert f" of {len(COLUMNS)} columns" in found.sentence
    services.cancel_measurement(as_actor(ana), row)
    worker.join(30)
    assert not worker.is_alive()
    row.refresh_from_db()
    assert (row.status, row.result) == ("cancelled", None)
    assert row.progress["done"] < len(COLUMNS)
    assert not OutboxMessage.objects.filter(
        finished_at__isnull=True, task__endswith="run_measurement"
    ).exists()


def _work() -> None:
    try:
        waiting = OutboxMessage.objects.get(
            finished_at__isnull=True, task__endswith="run_measurement"
        )
        with outbox.claimed(waiting.pk) as message:
            assert message is not None
            services.run_measurement(message)
    finally:
        connections.close_all()
