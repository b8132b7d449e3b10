"""Many writers, one tree."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.audits import tree
from apps.audits.log import verb
from apps.audits.models import Event, Head
from apps.core.models import OutboxMessage
from tests.support.ledger import ThingDone, append_some, someone

pytestmark = pytest.mark.django_db(transaction=True)


def _in_threads(count: int, work: object) -> list[BaseException]:
    """Run `work(n)` in `count` threads that start together; what went wrong in them."""
    errors: list[BaseException] = []
    ready = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            ready.wait(timeout=20)
            work(number)  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - reported by the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return errors


def test_eight_writers_at_once_leave_a_gapless_tree_with_one_root() -> None:
    def write(number: int) -> None:
        for turn in range(25):
            with verb(someone(number + 1)) as v:
                for _ in range(1 + (number + turn) % 3):
                    v.record(ThingDone(thing=number))

    assert _in_threads(8, write) == []
    rows = list(Event.objects.order_by("seq"))
    expected = sum(1 + (number + turn) % 3 for number in range(8) for turn in range(25))
    assert [row.seq for row in rows] == list(range(1, expected + 1))
    grown = tree.Frontier()
    for row in rows:
        grown.append(bytes(row.leaf_hash))
        assert grown.root() == bytes(row.root), row.seq
    head = Head.objects.get()
    assert (head.size, bytes(head.root)) == (expected, grown.root())


def test_a_writer_that_fails_late_leaves_no_gap() -> None:
    def write(number: int) -> None:
        for turn in range(10):
            try:
                with verb(someone(number + 1)) as v:
                    v.record(ThingDone(thing=number))
                    if turn % 2:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass

    assert _in_threads(6, write) == []
    assert list(Event.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 31))


def test_an_event_adds_two_statements_to_its_transaction() -> None:
    """The lock, and one statement for events, openings and head. Their time is in ADR 0002."""
    append_some(1)
    with CaptureQueriesContext(connection) as without, transaction.atomic():
        OutboxMessage.objects.create(task="none", payload={}, event_type="")
    with CaptureQueriesContext(connection) as one, verb(someone()) as v:
        OutboxMessage.objects.create(task="none", payload={}, event_type="")
        v.record(ThingDone(thing=1, person="Ana"))
    with CaptureQueriesContext(connection) as many:
        append_some(20, person="Ana")
    assert len(one) == len(without) + 2
    assert len(many) == len(one) - 1


def test_an_event_costs_about_a_millisecond_of_work() -> None:
    """Processor time, not time waited: the bound has room, but not for an append that grows with the tree."""
    append_some(500)
    started = time.process_time()
    for _ in range(40):
        append_some(1)
    assert (time.process_time() - started) / 40 < 0.020
