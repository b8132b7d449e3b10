"""A stored result is executed again by a process of its own and compared exactly."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import reconcile, selectors, services
from apps.checks.models import Measurement, Recheck, RecheckResult
from apps.checks.services import inputs, measurements
from apps.core import blobs, outbox
from apps.core.errors import Conflict, Forbidden
from apps.core.models import OutboxMessage
from apps.notices import services as notices
from apps.notices import wording
from apps.notices.models import Notice
from apps.registry.models import ModelVersion
from tests.checks.flow import attach, done, work
from tests.support.people import as_actor, hire
from tests.support.site import eventually
from tests.support.triggers import triggers_off
from tests.support.worker import process

pytestmark = pytest.mark.django_db(transaction=True)

CHANGE = "UPDATE checks_measurement SET {}"
NEXT = """INSERT INTO checks_recheck (uuid, measurement_id, number, requested_by_id, requested_at)
    SELECT gen_random_uuid(), measurement_id, {}, requested_by_id, now() FROM checks_recheck LIMIT 1"""
UNTOLD = """INSERT INTO checks_recheckresult (recheck_id, outcome, path, stored_value, found_value, stored_digest,
    found_digest, code_version, libraries, reason, digest, finished_at) SELECT id, 'equal', '', '', '', 'a', 'a', '',
    '{}', '', 'a', now() FROM checks_recheck WHERE number = 2"""


@pytest.fixture
def measured(version: ModelVersion, ana: User) -> Measurement:
    attach(version, ana)
    return done(version, ana)


def rework() -> int:
    """What a worker does with every recheck that waits; how many there were."""
    waiting = list(
        OutboxMessage.objects.filter(finished_at__isnull=True, task__endswith="run_recheck")
    )
    for row in waiting:
        with outbox.claimed(row.pk) as message:
            if message is not None:
                services.run_recheck(message)
    return len(waiting)


def recheck(person: User, row: Measurement) -> RecheckResult:
    asked = services.request_recheck(as_actor(person), row)
    assert rework() == 1
    return RecheckResult.objects.get(recheck=asked)


def alter(sql: str, *values: Any) -> None:
    """As the owner of the server, past the triggers."""
    with triggers_off("checks_measurement"), connection.cursor() as cursor:
        cursor.execute(CHANGE.format(sql), values or None)


@pytest.mark.parametrize("kind", ["performance", "fairness"])
def test_the_same_comes_out_and_is_recorded_as_equal(
    version: ModelVersion, ana: User, vera: User, kind: str
) -> None:
    attach(version, ana)
    measured = done(version, ana, kind)
    found = recheck(vera, measured)
    assert (found.outcome, found.path, found.reason) == ("equal", "", "")
    assert found.found_digest == found.stored_digest == measured.result_digest
    assert found.code_version == measured.code_version
    assert selectors.other_versions(measured, found) == []
    (asked,) = replay("checks.recheck.requested")
    (told,) = replay("checks.recheck.done")
    assert (asked.actor_id, asked.payload["result_digest"]) == (vera.pk, measured.result_digest)
    assert (told.payload["outcome"], told.payload["digest"]) == ("equal", found.digest)
    assert list(reconcile.differences()) == []


def test_drift_and_the_scan_of_files_come_out_equal(
    version: ModelVersion, ana: User, vera: User
) -> None:
    attach(version, ana, role="reference", mapping={"features": ["age", "y_score"]}, favourable="")
    attach(version, ana, role="current", mapping={"features": ["age", "y_score"]}, favourable="")
    for kind in ("drift", "files"):
        assert recheck(vera, done(version, ana, kind)).outcome == "equal"


def test_an_altered_number_is_found_and_named(measured: Measurement, vera: User) -> None:
    alter("result = jsonb_set(result, '{metrics,accuracy,value}', '\"0.99\"')")
    found = recheck(vera, measured)
    assert (found.outcome, found.path) == ("different", "result.metrics.accuracy.value")
    assert found.stored_value == '"0.99"'
    assert found.found_value.startswith('"0.7')
    assert found.found_digest == measured.result_digest


def test_a_result_that_differs_is_told_the_owner_and_who_may_recall_it(
    measured: Measurement, vera: User, rui: User
) -> None:
    recheck(vera, measured)
    assert not Notice.objects.exists()  # it came out: nobody needs to know
    alter("result = jsonb_set(result, '{metrics,accuracy,value}', '\"0.99\"')")
    recheck(vera, measured)
    event = list(replay("checks.recheck.done"))[-1]
    for _ in range(2):
        notices.make_for(event.seq)
    owner = measured.version.model.owner
    assert {row.recipient for row in Notice.objects.all()} == {owner, vera}
    said = wording.words(Notice.objects.first())
    assert said.title == "The performance result of credit version 1 did not come out again"
    assert "first at result.metrics.accuracy.value" in said.text
    assert Notice.objects.count() == 2


def test_an_altered_result_with_a_digest_to_match_is_found(
    measured: Measurement, vera: User
) -> None:
    alter("result = jsonb_set(result, '{metrics,accuracy,value}', '\"0.99\"')")
    forged = Measurement.objects.get()
    digest = selectors.result_digest(forged.key, forged.statistics, forged.result)
    alter("result_digest = %s", digest)
    found = recheck(vera, measured)
    assert (found.outcome, found.path) == ("different", "result.metrics.accuracy.value")
    assert found.stored_digest == digest != found.found_digest


@pytest.mark.parametrize(
    ("sql", "path"),
    [
        ("statistics = jsonb_set(statistics, '{rows,total}', '7')", "statistics.rows.total"),
        ("result_digest = repeat('0', 64)", "result_digest"),
        ("params = jsonb_set(params, '{confidence}', '\"0.99\"')", "key"),
        ("code_version = repeat('0', 64)", "key"),
        ("libraries = jsonb_set(libraries, '{numpy}', '\"1.0\"')", "key"),
    ],
)
def test_whatever_else_was_altered_is_found(
    measured: Measurement, vera: User, sql: str, path: str
) -> None:
    alter(sql)
    found = recheck(vera, measured)
    assert (found.outcome, found.path) == ("different", path)


def test_another_result_digest_than_the_ledgers_is_found(measured: Measurement, vera: User) -> None:
    """A row that somebody made again from other data, numbers and all, still is not what was recorded."""
    with triggers_off("audits_event"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audits_event SET payload = jsonb_set(payload, '{result_digest}', '\"00\"')"
            " WHERE type = 'checks.measurement.done'"
        )
    found = recheck(vera, measured)
    assert (found.outcome, found.path, found.stored_value) == ("different", "ledger", '"00"')


def test_another_library_is_named_and_equal_is_still_said(
    version: ModelVersion, ana: User, vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measurement is made under the name of a numpy of long ago; the process that executes it again says its own."""

    def of_long_ago(kind: str) -> dict[str, str]:
        return {**real(kind), "numpy": "1.0"}

    real = measurements.libraries
    attach(version, ana)
    for module in (measurements, inputs):
        monkeypatch.setattr(module, "libraries", of_long_ago)
    measured = done(version, ana)
    monkeypatch.undo()
    found = recheck(vera, measured)
    assert found.outcome == "equal"
    assert selectors.other_versions(measured, found) == [
        f"numpy 1.0 then, {found.libraries['numpy']} now"
    ]


def test_damaged_bytes_are_no_result(measured: Measurement, vera: User) -> None:
    path = blobs.path(str(measured.inputs[0]["digest"]))
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    found = recheck(vera, measured)
    assert (found.outcome, found.found_digest) == ("failed", "")
    assert "digest" in found.reason
    assert list(reconcile.differences()) == []


def test_bytes_that_are_gone_are_no_result(measured: Measurement, vera: User) -> None:
    blobs.path(str(measured.inputs[0]["digest"])).unlink()
    assert recheck(vera, measured).outcome == "failed"


def test_parameters_that_would_be_read_as_others_are_not_executed(
    version: ModelVersion, ana: User, vera: User, settings: Any
) -> None:
    measured = done(version, ana, "files")
    settings.CHECKS_MAX_FILE_BYTES = 10
    found = recheck(vera, measured)
    assert found.outcome == "failed"
    assert "unpack_bytes" in found.reason


def test_a_process_that_dies_is_no_result(
    measured: Measurement, vera: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "no.such.settings")
    found = recheck(vera, measured)
    assert (found.outcome, found.found_digest) == ("failed", "")
    assert "no answer" in found.reason


@pytest.mark.parametrize("role", ["viewer", "contributor", "owner", "on_call", "administrator"])
def test_only_who_judges_or_audits_asks(measured: Measurement, role: str) -> None:
    with pytest.raises(Forbidden):
        services.request_recheck(as_actor(hire("pia", "Pia", role)), measured)
    assert not Recheck.objects.exists()
    assert not OutboxMessage.objects.filter(task__endswith="run_recheck").exists()


@pytest.mark.parametrize("role", ["validator", "approver", "risk", "legal", "product", "auditor"])
def test_whoever_judges_or_audits_may_ask(measured: Measurement, role: str) -> None:
    services.request_recheck(as_actor(hire("pia", "Pia", role)), measured)
    assert Recheck.objects.count() == 1


def test_what_has_no_result_has_nothing_to_compare(
    version: ModelVersion, ana: User, vera: User
) -> None:
    attach(version, ana)
    asked = services.request_measurement(as_actor(ana), version, "performance")
    with pytest.raises(Conflict, match="no result"):
        services.request_recheck(as_actor(vera), asked)
    assert not Recheck.objects.exists()


def test_a_recalled_result_can_be_executed_again(measured: Measurement, vera: User) -> None:
    services.recall_measurement(as_actor(vera), measured, reason="wrong file")
    assert recheck(vera, measured).outcome == "equal"
    assert Measurement.objects.get().status == "recalled"


def test_one_that_waits_answers_who_asks_again_and_the_next_is_another(
    measured: Measurement, vera: User, rui: User
) -> None:
    first = services.request_recheck(as_actor(vera), measured)
    assert services.request_recheck(as_actor(rui), measured) == first
    rework()
    second = services.request_recheck(as_actor(rui), measured)
    assert (second.number, second.requested_by_id) == (2, rui.pk)
    assert rework() == 1
    history = list(selectors.rechecks(measured))
    assert [(row.number, row.result.outcome) for row in history] == [(2, "equal"), (1, "equal")]


def test_two_who_ask_at_once_share_one(measured: Measurement, vera: User) -> None:
    actor, start = as_actor(vera), threading.Barrier(4)

    def ask(_: int) -> int:
        try:
            start.wait(timeout=20)
            return services.request_recheck(actor, measured).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        asked = set(pool.map(ask, range(4)))
    assert len(asked) == Recheck.objects.count() == 1
    assert OutboxMessage.objects.filter(task__endswith="run_recheck").count() == 1


def test_two_workers_at_once_write_one_result(measured: Measurement, vera: User) -> None:
    services.request_recheck(as_actor(vera), measured)
    OutboxMessage.objects.update(claimed_by="a worker")
    waiting = OutboxMessage.objects.get(task__endswith="run_recheck")
    start = threading.Barrier(2)

    def run(_: int) -> None:
        try:
            start.wait(timeout=20)
            services.run_recheck(waiting)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    services.run_recheck(waiting)
    assert len(list(replay("checks.recheck.done"))) == RecheckResult.objects.count() == 1


def test_a_worker_that_lost_its_lease_writes_nothing(measured: Measurement, vera: User) -> None:
    services.request_recheck(as_actor(vera), measured)
    stale = OutboxMessage.objects.get(task__endswith="run_recheck")
    OutboxMessage.objects.update(claimed_by="somebody quicker")
    with pytest.raises(Conflict):
        services.run_recheck(stale)
    assert not RecheckResult.objects.exists()


def test_one_that_loses_every_worker_ends_as_not_executed(
    measured: Measurement, vera: User, settings: Any
) -> None:
    asked = services.request_recheck(as_actor(vera), measured)
    OutboxMessage.objects.filter(task__endswith="run_recheck").update(
        attempts=settings.OUTBOX_MAX_ATTEMPTS - 1
    )
    rework()
    found = RecheckResult.objects.get(recheck=asked)
    assert found.outcome == "failed"
    assert "worker was lost" in found.reason


def test_nothing_stored_is_measured_again_and_the_measurement_stays(
    measured: Measurement, vera: User
) -> None:
    before = Measurement.objects.values().get()
    recheck(vera, measured)
    work()
    assert Measurement.objects.values().get() == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE checks_recheckresult SET outcome = 'different', path = 'x'",
        "DELETE FROM checks_recheckresult",
        "TRUNCATE checks_recheckresult",
        "UPDATE checks_recheck SET number = 9",
        "DELETE FROM checks_recheck",
        # a third that is not the next, one while another waits, one that the ledger does not tell of
        NEXT.format(9),
        NEXT.format(3),
        UNTOLD,
    ],
)
def test_the_database_keeps_what_was_found(measured: Measurement, vera: User, sql: str) -> None:
    recheck(vera, measured)
    services.request_recheck(as_actor(vera), measured)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(reconcile.differences()) == []


def test_reconciling_names_a_result_that_was_edited(measured: Measurement, vera: User) -> None:
    alter("result = jsonb_set(result, '{metrics,accuracy,value}', '\"0.99\"')")
    found = recheck(vera, measured)
    alter("result = jsonb_set(result, '{metrics,accuracy,value}', %s)", "1")
    with triggers_off("checks_recheckresult"):
        RecheckResult.objects.update(
            outcome="equal", path="", stored_digest=found.found_digest, stored_value=""
        )
    named = {difference.subject for difference in reconcile.differences()}
    assert f"recheck:{found.recheck_id}" in named


@pytest.mark.timeout(300)
def test_a_real_worker_executes_and_compares(measured: Measurement, vera: User) -> None:
    asked = services.request_recheck(as_actor(vera), measured)
    with process("beat"), process("worker"):
        eventually(lambda: RecheckResult.objects.exists(), 90)
    found = RecheckResult.objects.get(recheck=asked)
    assert (found.outcome, found.reason) == ("equal", "")
    assert list(reconcile.differences()) == []
