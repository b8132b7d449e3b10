"""Many writers, one tree."""

from __future__ import annotations

import statistics
import threading
import time

import pytest
from django.db import connection, transaction

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


def test_appending_costs_a_governed_write_a_millisecond_or_so() -> None:
    """A bound with room for a busy machine; docs/decisions/0002-ledger.md has the measured figures."""

    def plain() -> None:
        with transaction.atomic():
            OutboxMessage.objects.create(task="none", payload={}, event_type="")

    def governed() -> None:
        with verb(someone()) as v:
            OutboxMessage.objects.create(task="none", payload={}, event_type="")
            v.record(ThingDone(thing=1))

    append_some(1)
    times: dict[str, list[float]] = {"plain": [], "governed": []}
    for _ in range(60):
        for name, act in (("plain", plain), ("governed", governed)):
            start = time.perf_counter()
            act()
            times[name].append(time.perf_counter() - start)
    added = statistics.median(times["governed"]) - statistics.median(times["plain"])
    assert added < 0.010, f"{added * 1000:.2f} ms"
