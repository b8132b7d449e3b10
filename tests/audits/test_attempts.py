"""Attempts: kept whatever becomes of the act, counted instead of repeated, bound to the ledger."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from apps.audits import reconcile, selectors, services
from apps.audits.attempts import attempt
from apps.audits.events import AttemptsAnchored
from apps.audits.log import verb
from apps.audits.models import Attempt, AttemptTally, Event, Opening
from apps.core import clock
from apps.core.actor import Actor
from apps.core.errors import Forbidden
from tests.support.ledger import ThingDone, someone
from tests.support.triggers import triggers_off

SYSTEM = Actor.system("worker")


def _refused(
    reason: str = "no right", subject: str = "model:1", remote_addr: str = "192.0.2.7"
) -> None:
    attempt(
        someone(),
        act="model.edit",
        subject=subject,
        outcome="refused",
        reason=reason,
        remote_addr=remote_addr,
    )


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands at the start of a window, so that no test straddles two."""
    monkeypatch.setattr(clock, "now", lambda: dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC))


def _later(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    moment = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)
    monkeypatch.setattr(clock, "now", lambda: moment)


@pytest.mark.django_db
class TestCounting:
    def test_equal_attempts_in_a_window_are_one_row_and_a_count(self, still: None) -> None:
        for _ in range(1000):
            _refused()
        assert Attempt.objects.count() == 1
        (view,) = selectors.attempts()
        assert (view.times, view.remote_addr, view.reason) == (1000, "192.0.2.7", "no right")

    def test_what_differs_is_another_row(self, still: None) -> None:
        _refused()
        _refused(reason="another")
        _refused(subject="model:2")
        _refused(remote_addr="192.0.2.8")
        attempt(None, act="model.edit", subject="model:1", outcome="refused", reason="no right")
        assert [view.times for view in selectors.attempts()] == [1] * 5

    def test_a_closed_window_becomes_a_row_that_is_never_changed(
        self, still: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            _refused()
        _later(monkeypatch, 30)
        services.anchor_attempts(SYSTEM)
        assert AttemptTally.objects.count() == 1, "the window is still open"
        _later(monkeypatch, 70)
        services.anchor_attempts(SYSTEM)
        assert AttemptTally.objects.count() == 0
        assert list(Attempt.objects.order_by("id").values_list("repeats", flat=True)) == [0, 2]
        assert [view.times for view in selectors.attempts()] == [3]
        _refused()
        assert [view.times for view in selectors.attempts()] == [1, 3]

    def test_hostile_text_is_cut_and_cleaned_never_refused(self, still: None) -> None:
        attempt(
            None,
            act="sign-in",
            subject="user:1",
            outcome="failed",
            reason="\x00\ud800" + "x" * 10_000,
            remote_addr="\x00",
        )
        (view,) = selectors.attempts()
        assert len(view.reason) == 500
        assert view.reason.endswith("…")
        assert view.actor_label == "not signed in"

    def test_the_address_can_be_erased_and_the_rest_still_verifies(self, still: None) -> None:
        _refused()
        services.anchor_attempts(SYSTEM)
        commitment = bytes(Opening.objects.get().commitment).hex()
        services.erase_openings(SYSTEM, [commitment], reason="retention ended")
        assert selectors.attempts()[0].remote_addr == ""
        assert list(reconcile.attempts()) == []
        assert Opening.objects.count() == 0

    def test_queries_do_not_grow_with_rows(
        self, still: None, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(30):
            _refused(subject=f"model:{number}")
            _refused(subject=f"model:{number}")
        with django_assert_num_queries(4):
            assert len(selectors.attempts(limit=3)) == 3
        with django_assert_num_queries(4):
            assert {view.times for view in selectors.attempts()} == {2}

    def test_pages_follow_each_other(self, still: None) -> None:
        for number in range(5):
            _refused(subject=f"model:{number}")
        first = selectors.attempts(limit=3)
        second = selectors.attempts(limit=3, before_id=first[-1].id)
        assert [view.subject for view in first + second] == [f"model:{n}" for n in (4, 3, 2, 1, 0)]


@pytest.mark.django_db(transaction=True)
class TestOwnTransaction:
    def test_an_attempt_outlives_the_rollback_around_it(self) -> None:
        with pytest.raises(Forbidden), verb(someone()) as v:
            v.record(ThingDone(thing=1))
            _refused()
            raise Forbidden("no")
        assert Event.objects.count() == 0
        assert [view.act for view in selectors.attempts()] == ["model.edit"]

    def test_an_attempt_is_written_from_inside_a_broken_transaction(self) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            try:
                connection.cursor().execute("SELECT 1/0")
            finally:
                _refused()
        assert Attempt.objects.count() == 1

    def test_many_at_once_are_counted_exactly(self) -> None:
        def hammer() -> None:
            try:
                for _ in range(25):
                    _refused()
            finally:
                connection.close()

        threads = [threading.Thread(target=hammer) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        # More than one row only if the minute turned meanwhile.
        assert sum(view.times for view in selectors.attempts()) == 150
        assert Attempt.objects.count() <= 2

    def test_anchoring_and_writing_at_once_lose_no_row(self) -> None:
        def keep_writing(writer: int) -> None:
            try:
                for number in range(40):
                    _refused(subject=f"model:{writer}-{number}")
            finally:
                connection.close()

        threads = [threading.Thread(target=keep_writing, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        bound = 0
        while any(thread.is_alive() for thread in threads):
            bound += services.anchor_attempts(SYSTEM)
        bound += services.anchor_attempts(SYSTEM)
        assert bound == Attempt.objects.count() == 120
        assert Event.objects.count() > 1, "it was anchored while others wrote"
        assert list(reconcile.attempts()) == []


@pytest.mark.django_db
class TestAnchoring:
    def test_each_batch_leaves_one_event_and_nothing_new_leaves_none(
        self, still: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services, "BATCH", 2)
        for number in range(5):
            _refused(subject=f"model:{number}")
        assert services.anchor_attempts(SYSTEM) == 5
        assert services.anchor_attempts(SYSTEM) == 0
        batches = Event.objects.filter(type=AttemptsAnchored.type).order_by("seq")
        assert [row.payload["count"] for row in batches] == [2, 2, 1]

    @pytest.mark.parametrize(
        ("tampering", "named"),
        [
            ("UPDATE audits_attempt SET reason = 'nothing' WHERE subject = 'model:1'", "attempt:"),
            ("DELETE FROM audits_attempt WHERE subject = 'model:1'", "attempts:"),
            (
                "UPDATE audits_attempt SET act = '', leaf_hash = sha256('') WHERE subject = 'model:1'",
                "attempt:",
            ),
            (
                "UPDATE audits_attempt SET leaf_hash = sha256('x') WHERE subject = 'model:1'",
                "attempt:",
            ),
            (
                "UPDATE audits_attempt AS a SET id = -a.id WHERE subject = 'model:1'",
                "attempts:",
            ),
        ],
    )
    def test_a_change_past_the_triggers_is_named(
        self, still: None, tampering: str, named: str
    ) -> None:
        for number in range(3):
            _refused(subject=f"model:{number}")
        services.anchor_attempts(SYSTEM)
        assert list(reconcile.attempts()) == []
        with triggers_off("audits_attempt"):
            connection.cursor().execute(tampering)
        found = list(reconcile.attempts())
        assert found
        assert found[0].subject.startswith(named)
