"""A real worker, killed with SIGKILL while it measures: each check still has one result."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pandas as pd
import pytest

from apps.accounts.models import User
from apps.audits.selectors import replay
from apps.checks import reconcile, services
from apps.checks.models import Measurement
from tests import factories
from tests.checks.support import parquet_bytes
from tests.support.people import as_actor
from tests.support.site import eventually
from tests.support.worker import process

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

QUICK = {"HEARTBEAT_SECONDS": "1", "OUTBOX_LEASE_SECONDS": "5", "OUTBOX_MAX_ATTEMPTS": "20"}
COLUMNS = [f"v{i}" for i in range(40)]
CHECKS = 6


def running() -> bool:
    return Measurement.objects.filter(status="running").exists()


def finished() -> bool:
    return (
        Measurement.objects.filter(status="done").count() == CHECKS + 1
    )  # and the scan of the files


def test_a_worker_killed_while_measuring_leaves_one_result_per_check(ana: User):
    rng = np.random.default_rng(20)
    frame = pd.DataFrame(rng.normal(size=(60_000, len(COLUMNS))), columns=COLUMNS)
    actor = as_actor(ana)
    version = factories.version(actor, factories.model(actor))
    for role in ("reference", "current"):
        services.attach_dataset(
            actor, version, role=role, mapping={"features": COLUMNS}, stream=parquet_bytes(frame)
        )
    for number in range(CHECKS):
        services.request_measurement(actor, version, "drift", {"confidence": f"0.9{number}"})
    killed_while_running = 0
    with process("beat", **QUICK):
        for _ in range(3):
            with process("worker", **QUICK) as worker:
                eventually(running, 90)
                time.sleep(rng.random())
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait(10)
                killed_while_running += running()
        with process("worker", **QUICK):
            eventually(finished, 150)
    assert killed_while_running, "no kill met a running check: the test proves nothing"
    done = [event.payload["measurement"] for event in replay("checks.measurement.done")]
    assert sorted(done) == sorted(Measurement.objects.values_list("pk", flat=True))
    assert len(set(Measurement.objects.values_list("result_digest", flat=True))) == CHECKS + 1
    assert list(reconcile.differences()) == []
