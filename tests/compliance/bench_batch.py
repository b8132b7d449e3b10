"""A hundred cards in a batch, made by a real worker: how long, what the page could say meanwhile, what memory. Run by hand:

python -m pytest -q -s tests/compliance/bench_batch.py
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest

from apps.compliance import batches
from tests.compliance.conftest import Story
from tests.compliance.test_batches import QUICK, ask, statuses
from tests.support.worker import process

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(3600)]
CARDS, EVERY = 100, 20


def children_of(parent: int) -> list[int]:
    """The worker's processes: the one that hands out work and those that do it."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [parent, *map(int, found)]


def resident(pid: int) -> int:
    """Megabytes now."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


def test_a_hundred_cards(story: Story) -> None:
    story.measure().write()
    batch = ask(story, CARDS)
    started, told = time.monotonic(), 0
    with process("beat", **QUICK), process("worker", **QUICK) as worker:
        while (now := batches.progress(batch)).is_open:
            if now.done >= told:
                memory = " + ".join(f"{resident(pid)}" for pid in children_of(worker.pid))
                sys.stdout.write(f"\n{now.done} of {now.total}, {now.left} left: {memory} MB")
                told += EVERY
            time.sleep(0.2)
    assert statuses(batch) == ["ready"] * CARDS
    sys.stdout.write(f"\n{CARDS} cards in {time.monotonic() - started:.0f} s\n")
