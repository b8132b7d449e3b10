"""Work through the real queue: done once, and not lost when the worker is killed in the middle of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from celery import current_app
from django.db import transaction

from apps.core import outbox
from apps.core.models import OutboxMessage
from tests.support.site import eventually
from tests.support.worker import TASKS, process

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

TASK = f"{TASKS}.trace"
QUICK = {"HEARTBEAT_SECONDS": "1", "OUTBOX_LEASE_SECONDS": "3"}


def accept(file: Path) -> OutboxMessage:
    with transaction.atomic():
        return outbox.enqueue(TASK, {"file": str(file)})


def steps(file: Path) -> list[str]:
    return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []


def test_committed_work_is_done_once_however_often_it_is_sent(tmp_path: Path):
    file = tmp_path / "trace"
    (tmp_path / "go").touch()
    message = accept(file)
    for _ in range(3):
        current_app.send_task(TASK, args=[message.pk])
    with process("worker", **QUICK):
        eventually(lambda: OutboxMessage.objects.filter(finished_at__isnull=False).exists(), 60)
        second = accept(tmp_path / "second")
        eventually(lambda: OutboxMessage.objects.get(pk=second.pk).finished_at, 60)
    assert steps(file) == ["begin", "end"]
    message.refresh_from_db()
    assert (message.attempts, message.failed) == (1, False)


def test_a_worker_killed_in_the_middle_delays_the_work_and_loses_nothing(tmp_path: Path):
    file = tmp_path / "trace"
    with process("beat", **QUICK):
        with process("worker", **QUICK) as first:
            message = accept(file)
            eventually(lambda: steps(file) == ["begin"], 60)
            os.killpg(first.pid, signal.SIGKILL)  # the queue's message is gone with it
        (tmp_path / "go").touch()
        with process("worker", **QUICK):
            eventually(lambda: steps(file) == ["begin", "begin", "end"], 60)
            eventually(lambda: OutboxMessage.objects.get(pk=message.pk).finished_at, 30)
    message.refresh_from_db()
    assert (message.attempts, message.failed) == (2, False)
