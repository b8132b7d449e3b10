"""From attached data to a stored result: once, whatever is sent twice or killed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.audits.selectors import replay
from apps.checks import reconcile, selectors, services
from apps.checks.models import EvaluationDataset, Measurement
from apps.checks.verdicts import Verdict
from apps.core import blobs
from apps.core.errors import Blocked, Conflict, Forbidden, Invalid
from apps.core.models import OutboxMessage
from apps.registry import services as registry
from tests.checks.flow import LIMITS, attach, done, work
from tests.checks.support import GERMAN
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_measurement_goes_from_request_to_result_with_its_events(version, ana):
    attach(version, ana)
    asked = services.request_measurement(as_actor(ana), version, "performance")
    assert asked.status == "queued"
    assert selectors.latest(version, "performance") is None
    work()
    found = selectors.latest(version, "performance")
    assert found is not None
    assert found.status == "done"
    assert found.result["metrics"]["accuracy"]["value"] == "0.753"
    assert found.result_digest == selectors.result_digest(found.key, found.statistics, found.result)
    types = [event.type for event in replay() if event.type.startswith("checks.")]
    assert types == [
        "checks.dataset.attached",
        "checks.measurement.requested",
        "checks.measurement.done",
    ]
    assert list(reconcile.differences()) == []


def test_the_same_question_twice_is_one_row_and_one_job(version, ana):
    attach(version, ana)
    first = services.request_measurement(as_actor(ana), version, "performance")
    again = services.request_measurement(as_actor(ana), version, "performance")
    work()
    later = services.request_measurement(as_actor(ana), version, "performance")
    assert first.pk == again.pk == later.pk
    assert OutboxMessage.objects.filter(task__endswith="run_measurement").count() == 1


def test_other_parameters_are_another_measurement(version, ana):
    attach(version, ana)
    first = services.request_measurement(as_actor(ana), version, "performance")
    wide = services.request_measurement(
        as_actor(ana), version, "performance", {"confidence": "0.99"}
    )
    assert first.key != wide.key


def test_a_message_delivered_twice_gives_one_result(version, ana):
    attach(version, ana)
    services.request_measurement(as_actor(ana), version, "performance")
    waiting = OutboxMessage.objects.get(task__endswith="run_measurement")
    OutboxMessage.objects.update(claimed_by="a worker")
    waiting.refresh_from_db()
    services.run_measurement(waiting)
    services.run_measurement(waiting)  # past the outbox's own claim
    assert [e.type for e in replay("checks.measurement.done")] == ["checks.measurement.done"]
    assert Measurement.objects.get().status == "done"


def test_two_requests_at_once_give_one_measurement(version, ana):
    attach(version, ana)
    actor = as_actor(ana)
    start = threading.Barrier(4)

    def ask(_: int) -> int:
        try:
            start.wait(timeout=20)
            return services.request_measurement(actor, version, "performance").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        asked = set(pool.map(ask, range(4)))
    assert len(asked) == 1
    assert Measurement.objects.count() == 1
    assert OutboxMessage.objects.filter(task__endswith="run_measurement").count() == 1


def test_two_workers_at_once_store_one_result(version, ana):
    attach(version, ana)
    services.request_measurement(as_actor(ana), version, "performance")
    OutboxMessage.objects.update(claimed_by="a worker")
    waiting = OutboxMessage.objects.get(task__endswith="run_measurement")
    start = threading.Barrier(2)

    def run(_: int) -> None:
        try:
            start.wait(timeout=20)
            services.run_measurement(waiting)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    assert len(list(replay("checks.measurement.done"))) == 1
    assert list(reconcile.differences()) == []


def test_a_worker_that_lost_its_lease_leaves_the_row_to_the_next(version, ana):
    attach(version, ana)
    services.request_measurement(as_actor(ana), version, "performance")
    stale = OutboxMessage.objects.get(task__endswith="run_measurement")
    OutboxMessage.objects.update(claimed_by="somebody quicker")
    with pytest.raises(Conflict):
        services.run_measurement(stale)
    assert Measurement.objects.get().status == "running"
    OutboxMessage.objects.update(claimed_by="")
    work()
    assert Measurement.objects.get().status == "done"


def test_a_worker_lost_in_the_middle_is_replaced(version, ana):
    attach(version, ana)
    asked = services.request_measurement(as_actor(ana), version, "performance")
    Measurement.objects.filter(pk=asked.pk).update(status="running")  # claimed, then killed
    work()
    assert Measurement.objects.get().status == "done"


def test_a_check_that_loses_every_worker_ends_in_an_error(version, ana, settings):
    attach(version, ana)
    asked = services.request_measurement(as_actor(ana), version, "performance")
    Measurement.objects.filter(pk=asked.pk).update(status="running")
    OutboxMessage.objects.update(attempts=settings.OUTBOX_MAX_ATTEMPTS - 1)
    work()
    row = Measurement.objects.get()
    assert row.status == "error"
    assert "worker was lost" in row.error
    assert selectors.results(version, LIMITS)[0].verdict is Verdict.ERROR


def test_damaged_bytes_end_in_an_error_and_not_in_numbers(version, ana):
    data = attach(version, ana)
    services.request_measurement(as_actor(ana), version, "performance")
    path = blobs.path(data.digest)
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    work()
    row = Measurement.objects.get()
    assert (row.status, row.result) == ("error", None)
    assert "digest" in row.error


def test_after_an_error_the_same_question_can_be_asked_again(version, ana):
    attach(version, ana)
    first = services.request_measurement(as_actor(ana), version, "performance")
    Measurement.objects.filter(pk=first.pk).update(status="running")
    Measurement.objects.filter(pk=first.pk).update(status="error", error="broken")
    again = services.request_measurement(as_actor(ana), version, "performance")
    assert again.pk != first.pk
    work()
    assert selectors.results(version, LIMITS)[0].verdict is Verdict.PASS


def test_a_version_under_review_takes_no_more_data(version, ana):
    attach(version, ana)
    registry.freeze(as_actor(ana), version, review_id=7)
    version.refresh_from_db()
    with pytest.raises(Blocked) as refusal:
        attach(version, ana)
    assert "/reviews/7/" in refusal.value.url
    assert EvaluationDataset.objects.count() == 1


def test_an_outsider_can_neither_attach_nor_measure(version, ana, otto):
    with pytest.raises(Forbidden):
        attach(version, otto)
    attach(version, ana)
    with pytest.raises(Forbidden):
        services.request_measurement(as_actor(otto), version, "performance")
    assert EvaluationDataset.objects.count() == 1
    assert not Measurement.objects.exists()


def test_who_attached_the_data_is_an_author(version, ana, omar):
    attach(version, omar)
    assert selectors.dataset_authors(version) == {omar.pk}


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("beauty", {}),
        ("performance", {"confidence": "2"}),
        ("performance", {"confidence": "NaN"}),
        ("performance", {"cutoff": "0.5"}),
        ("performance", {"threshold": "half"}),
        ("performance", {"against": "y_pred", "threshold": "0.5"}),
        ("drift", {}),
    ],
)
def test_a_question_that_makes_no_sense_writes_nothing(version, ana, kind, params):
    attach(version, ana)
    with pytest.raises(Invalid):
        services.request_measurement(as_actor(ana), version, kind, params)
    assert not Measurement.objects.exists()
    assert not OutboxMessage.objects.filter(task__endswith="run_measurement").exists()


def test_fairness_needs_a_sensitive_column(version, ana):
    attach(version, ana, mapping={**GERMAN, "sensitive": []})
    with pytest.raises(Invalid) as refusal:
        services.request_measurement(as_actor(ana), version, "fairness")
    assert "sensitive" in refusal.value.fields


def test_drift_takes_the_evaluation_data_where_there_are_no_current_ones(version, ana):
    mapping = {"features": ["age", "sex"], "score": "y_score"}
    attach(version, ana, role="reference", mapping=mapping, favourable="")
    attach(version, ana)
    measured = done(version, ana, "drift")
    assert [entry["part"] for entry in measured.inputs] == ["reference", "current"]
    assert [entry["role"] for entry in measured.inputs] == ["reference", "evaluation"]
    limits = {"drift": {"psi": {"max": "0.25"}}}
    assert selectors.results(version, limits)[0].verdict is Verdict.PASS
