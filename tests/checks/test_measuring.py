"""From attached data to a stored result: once, whatever is sent twice or killed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from django.db import connection, transaction

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import gates, reconcile, selectors, services
from apps.checks.models import EvaluationDataset, Measurement
from apps.checks.verdicts import Verdict
from apps.core import blobs, outbox
from apps.core.errors import Blocked, Conflict, Forbidden, Invalid
from apps.core.models import OutboxMessage
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from tests import factories
from tests.checks.support import DEMO, GERMAN, csv_bytes
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db(transaction=True)

LIMITS = {
    "performance": {"roc_auc": {"min": "0.70"}},
    "fairness": {"features": ["sex"], "demographic_parity_difference": {"max": "0.10"}},
}


@pytest.fixture
def version(ana: User) -> ModelVersion:
    actor = as_actor(ana)
    return factories.version(actor, factories.model(actor))


def attach(version: ModelVersion, user: User, **changes: object) -> EvaluationDataset:
    with (DEMO / "german_credit_predictions.csv").open("rb") as stream:
        given = {"role": "evaluation", "stream": stream, "mapping": GERMAN, "favourable": 1}
        return services.attach_dataset(as_actor(user), version, **{**given, **changes})  # type: ignore[arg-type]


def work() -> int:
    """What a worker does with every open message; how many there were."""
    waiting = list(OutboxMessage.objects.filter(finished_at__isnull=True, task__contains="checks"))
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


def test_assessing_needs_no_new_measurement(version, ana):
    attach(version, ana)
    done(version, ana)
    done(version, ana, "fairness")
    strict = {**LIMITS, "performance": {"roc_auc": {"min": "0.90"}}}
    first, strict_one = (selectors.results(version, limits) for limits in (LIMITS, strict))
    assert [result.verdict for result in first] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert strict_one[0].verdict is Verdict.FAIL
    assert strict_one[0].measurement == first[0].measurement
    assert Measurement.objects.count() == 2


def test_the_same_question_twice_is_one_row_and_one_job(version, ana):
    attach(version, ana)
    first = services.request_measurement(as_actor(ana), version, "performance")
    again = services.request_measurement(as_actor(ana), version, "performance")
    work()
    later = services.request_measurement(as_actor(ana), version, "performance")
    assert first.pk == again.pk == later.pk
    assert OutboxMessage.objects.filter(task__contains="checks").count() == 1


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
    waiting = OutboxMessage.objects.get(task__contains="checks")
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
    assert OutboxMessage.objects.filter(task__contains="checks").count() == 1


def test_two_workers_at_once_store_one_result(version, ana):
    attach(version, ana)
    services.request_measurement(as_actor(ana), version, "performance")
    OutboxMessage.objects.update(claimed_by="a worker")
    waiting = OutboxMessage.objects.get(task__contains="checks")
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
    stale = OutboxMessage.objects.get(task__contains="checks")
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


def test_a_recalled_measurement_is_kept_marked_and_counts_no_more(version, ana, vera):
    attach(version, ana)
    measured = done(version, ana)
    services.recall_measurement(as_actor(vera), measured, reason="wrong file")
    kept = Measurement.objects.get()
    assert (kept.status, kept.recall_reason, kept.result) == (
        "recalled",
        "wrong file",
        measured.result,
    )
    result = selectors.results(version, LIMITS)[0]
    assert result.verdict is Verdict.NOT_RUN
    assert "wrong file" in result.sentence
    assert [row.pk for row in selectors.recalled([str(measured.uuid)])] == [measured.pk]
    with pytest.raises(Conflict):
        services.recall_measurement(as_actor(vera), kept, reason="again")
    assert list(reconcile.differences()) == []
    assert done(version, ana).pk != measured.pk


def test_a_contributor_cannot_recall(version, ana):
    attach(version, ana)
    measured = done(version, ana)
    with pytest.raises(Forbidden):
        services.recall_measurement(as_actor(ana), measured, reason="I do not like it")
    assert Measurement.objects.get().status == "done"


def test_a_recall_wants_a_reason(version, ana, vera):
    attach(version, ana)
    measured = done(version, ana)
    with pytest.raises(Invalid) as refusal:
        services.recall_measurement(as_actor(vera), measured, reason="  ")
    assert "reason" in refusal.value.fields


def test_new_data_make_an_old_result_not_run(version, ana):
    attach(version, ana)
    done(version, ana)
    frame = pd.read_csv(DEMO / "german_credit_predictions.csv").head(500)
    attach(version, ana, stream=csv_bytes(frame))
    result = selectors.results(version, LIMITS)[0]
    assert result.verdict is Verdict.NOT_RUN
    assert "replaced" in result.sentence


def test_the_gate_says_what_is_missing_and_passes_when_it_is_there(version, ana):
    terms = {"checks": {"performance": {"roc_auc": {"min": "0.70"}}}, "card_complete": True}
    assert gates.required_checks_pass(version, [], terms).state == "missing"
    attach(version, ana)
    done(version, ana)
    answer = gates.required_checks_pass(version, [], terms)
    assert answer.state == "pass"
    assert "ROC AUC 0.786" in answer.fact
    assert gates.required_checks_pass(version, [], {"checks": LIMITS}).state == "missing"
    assert gates.required_checks_pass(version, [], {"checks": {}}).state == "fail"
    assert gates.required_checks_pass(version, [], {}).state == "fail"
    wrong = {"checks": {"performance": {"roc_auc": {"min": "high"}}}}
    assert gates.required_checks_pass(version, [], wrong).state == "fail"


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
        ("performance", {"threshold": "0.5"}),
        ("drift", {}),
    ],
)
def test_a_question_that_makes_no_sense_writes_nothing(version, ana, kind, params):
    attach(version, ana)
    with pytest.raises(Invalid):
        services.request_measurement(as_actor(ana), version, kind, params)
    assert not Measurement.objects.exists()
    assert not OutboxMessage.objects.filter(task__contains="checks").exists()


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


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE checks_measurement SET result = '{}'",
        "UPDATE checks_measurement SET status = 'queued'",
        "UPDATE checks_measurement SET key = repeat('0', 64)",
        "DELETE FROM checks_measurement",
        "TRUNCATE checks_measurement",
        "UPDATE checks_evaluationdataset SET rows = 1",
        "DELETE FROM checks_evaluationdataset",
    ],
)
def test_the_database_refuses_to_change_what_was_measured(version, ana, change):
    attach(version, ana)
    done(version, ana)
    with (
        pytest.raises(Exception, match=r"append-only|recalled|never removed|cannot change"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)
    assert list(reconcile.differences()) == []


def test_reconciling_names_rows_that_were_edited_behind_the_triggers(version, ana):
    data = attach(version, ana)
    measured = done(version, ana)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE checks_measurement DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE checks_evaluationdataset DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE checks_measurement SET result = jsonb_set(result, '{metrics,accuracy,value}', '\"0.99\"')"
        )
        cursor.execute("UPDATE checks_evaluationdataset SET rows = 999")
        cursor.execute(
            "ALTER TABLE checks_measurement ENABLE ALWAYS TRIGGER checks_measurement_rows"
        )
        cursor.execute(
            "ALTER TABLE checks_evaluationdataset ENABLE ALWAYS TRIGGER checks_evaluationdataset_rows"
        )
        cursor.execute(
            "ALTER TABLE checks_measurement ENABLE ALWAYS TRIGGER checks_measurement_truncate"
        )
        cursor.execute(
            "ALTER TABLE checks_evaluationdataset ENABLE ALWAYS TRIGGER checks_evaluationdataset_truncate"
        )
    named = {difference.subject for difference in reconcile.differences()}
    assert named == {f"measurement:{measured.pk}", f"dataset:{data.pk}"}
