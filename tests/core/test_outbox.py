"""The outbox: a task may be sent twice and runs once; nothing accepted is lost; failure is bounded and visible."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

from apps.core import clock, heartbeats, outbox
from apps.core.errors import Conflict
from apps.core.models import Heartbeat, OutboxMessage

TASK = "apps.core.tests.nothing"


def make(**fields: object) -> OutboxMessage:
    return OutboxMessage.objects.create(task=TASK, payload={"n": 1}, **fields)


def queue() -> set[Path]:
    return set((Path(settings.VAR) / "queue" / "messages").glob("*"))


def later(message: OutboxMessage, **fields: object) -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(**fields)


def ago(seconds: float) -> dt.datetime:
    return clock.now() - dt.timedelta(seconds=seconds)


@pytest.mark.django_db
class TestEnqueue:
    def test_the_row_and_one_hint_appear_with_the_commit(self, django_capture_on_commit_callbacks):
        before = queue()
        with django_capture_on_commit_callbacks(execute=True):
            message = outbox.enqueue(TASK, {"event_seq": 7}, event_type="x.happened")
            assert queue() == before
        (hint,) = queue() - before
        assert TASK in hint.read_text()
        message.refresh_from_db()
        assert message.sent_at
        assert (message.payload, message.event_type) == ({"event_seq": 7}, "x.happened")

    def test_delayed_work_is_not_sent_now_and_cannot_be_claimed_yet(
        self, django_capture_on_commit_callbacks
    ):
        before = queue()
        with django_capture_on_commit_callbacks(execute=True):
            message = outbox.enqueue(TASK, {}, delay=dt.timedelta(seconds=60))
        assert queue() == before
        with outbox.claimed(message.pk) as mine:
            assert mine is None

    def test_a_broker_that_is_down_leaves_the_work_to_the_sweep(
        self, django_capture_on_commit_callbacks, tmp_path, caplog
    ):
        folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
        aside = folder.rename(tmp_path / "aside")
        folder.write_text("not a folder")
        try:
            with django_capture_on_commit_callbacks(execute=True):
                message = outbox.enqueue(TASK, {})
        finally:
            folder.unlink()
            aside.rename(folder)
        message.refresh_from_db()
        assert message.sent_at is None
        assert "the queue did not take a message" in caplog.text
        heartbeats.seen("worker")
        assert outbox.sweep() == 1


@pytest.mark.django_db(transaction=True)
def test_enqueue_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="needs a transaction"):
        outbox.enqueue(TASK, {})
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_work_of_a_transaction_that_rolls_back_never_was():
    before = queue()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.enqueue(TASK, {})
        raise ZeroDivisionError
    assert not OutboxMessage.objects.exists()
    assert queue() == before


@pytest.mark.django_db
class TestClaim:
    def test_a_second_message_for_the_same_row_does_nothing(self):
        message = make()
        with outbox.claimed(message.pk) as mine:
            assert mine is not None
            assert mine.payload == {"n": 1}
            with outbox.claimed(message.pk) as second:
                assert second is None
        with outbox.claimed(message.pk) as third:
            assert third is None
        message.refresh_from_db()
        assert message.finished_at
        assert (message.attempts, message.failed) == (1, False)

    def test_a_row_that_does_not_exist_is_nobodys(self):
        with outbox.claimed(987654) as mine:
            assert mine is None

    def test_when_the_lease_is_over_another_worker_takes_it_and_the_first_can_no_longer_finish(
        self,
    ):
        message = make()
        with outbox.claimed(message.pk) as first:
            later(message, claimed_until=ago(1))
            with outbox.claimed(message.pk) as second:
                assert second is not None
                assert second.attempts == 2
                with pytest.raises(Conflict, match="lost"):
                    first.renew()
                second.renew()
        message.refresh_from_db()
        assert message.claimed_by == second.claimed_by
        assert message.finished_at

    def test_an_error_is_stored_and_the_work_waits_longer_each_time(self):
        message = make()
        waits = []
        for _ in range(3):
            later(message, not_before=ago(1))
            with pytest.raises(ValueError, match="no data"), outbox.claimed(message.pk):
                raise ValueError("no data")
            message.refresh_from_db()
            waits.append(round((message.not_before - clock.now()).total_seconds()))
            with outbox.claimed(message.pk) as too_early:
                assert too_early is None
        assert waits == [5, 10, 20]
        assert message.last_error == "ValueError: no data"
        assert message.finished_at is None

    def test_after_the_last_attempt_it_is_given_up_visibly(self):
        message = make()
        for _ in range(settings.OUTBOX_MAX_ATTEMPTS):
            later(message, not_before=ago(1))
            with pytest.raises(ValueError), outbox.claimed(message.pk):
                raise ValueError
        later(message, not_before=ago(1))
        with outbox.claimed(message.pk) as mine:
            assert mine is None
        message.refresh_from_db()
        assert message.failed
        assert outbox.queue_state().failed == 1

    def test_a_worker_that_is_stopped_gives_the_work_back_at_once(self):
        message = make()
        with pytest.raises(SystemExit), outbox.claimed(message.pk):
            raise SystemExit
        with outbox.claimed(message.pk) as mine:
            assert mine is not None


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_claiming_at_once_one_gets_it():
    def attempt(pk: int, barrier: threading.Barrier) -> bool:
        try:
            barrier.wait(10)
            with outbox.claimed(pk) as mine:
                barrier.wait(10)  # both have asked before the first one finishes
                return mine is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        for _ in range(25):
            message, barrier = make(), threading.Barrier(2)
            winners = [
                f.result(20) for f in [pool.submit(attempt, message.pk, barrier) for _ in "ab"]
            ]
            assert sorted(winners) == [False, True]


@pytest.mark.django_db
class TestSweep:
    @pytest.fixture(autouse=True)
    def _worker(self) -> None:
        Heartbeat.objects.create(kind="worker", host="h", pid=1)

    def test_sends_what_was_never_sent_or_lost_its_worker_and_nothing_else(self):
        never, lost, forgotten = make(), make(), make()
        fresh, running, done, future = make(), make(), make(), make()
        later(lost, sent_at=ago(1), claimed_until=ago(1), attempts=1)
        later(forgotten, sent_at=ago(settings.OUTBOX_LEASE_SECONDS + 1))
        later(fresh, sent_at=ago(1))
        later(running, claimed_until=ago(-30))
        later(done, finished_at=ago(1))
        later(future, not_before=ago(-30))
        before = queue()
        assert outbox.sweep() == 3
        assert len(queue() - before) == 3
        for row in (never, lost, forgotten):
            row.refresh_from_db()
            assert row.sent_at >= ago(5)

    def test_with_no_worker_the_queue_does_not_fill_up(self):
        Heartbeat.objects.update(last_seen=ago(3600))
        make()
        assert outbox.sweep() == 0

    def test_work_that_kills_every_worker_is_given_up(self):
        message = make(attempts=settings.OUTBOX_MAX_ATTEMPTS, claimed_until=ago(1))
        assert outbox.sweep() == 0
        message.refresh_from_db()
        assert message.failed
        assert "worker was lost" in message.last_error

    def test_done_work_is_forgotten_after_a_week_but_not_what_failed(self):
        week = 8 * 24 * 3600
        make(finished_at=ago(week))
        kept = {make(finished_at=ago(60)).pk, make(finished_at=ago(week), failed=True).pk}
        outbox.sweep()
        assert set(OutboxMessage.objects.values_list("pk", flat=True)) == kept


@pytest.mark.django_db
def test_the_queues_state_counts_work_and_living_processes():
    make(created_at=ago(90), not_before=ago(90))
    make(claimed_until=ago(-30), claimed_by="w")
    make(finished_at=ago(1), failed=True)
    Heartbeat.objects.create(kind="worker", host="alive", pid=1)
    Heartbeat.objects.create(kind="worker", host="dead", pid=2, last_seen=ago(300))
    state = outbox.queue_state()
    assert (state.queued, state.running, state.failed) == (1, 1, 1)
    assert 89 < state.oldest_seconds < 120
    assert [worker.host for worker in state.workers] == ["alive"]
    assert state.beat_last_seen is None
    assert not state.beat_alive
    heartbeats.seen("beat")
    assert outbox.queue_state().beat_alive
    heartbeats.gone("beat")
    assert not outbox.queue_state().beat_alive
