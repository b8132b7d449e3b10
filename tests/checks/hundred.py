"""A hundred checks on a site of their own, asked for and looked at from a shell: `python -m tests.checks.hundred ask|state`.

A process of its own, because the database goes away and comes back meanwhile and is not the one of the test run.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter

import django

CHECKS = 100
LARGE = 6  # of them, each counted in pieces
COLUMNS = [f"v{place}" for place in range(12)]


def ask() -> None:
    """Attach data to a version and ask for all of them."""
    import numpy as np
    import pandas as pd

    from apps.checks import services
    from tests import factories
    from tests.checks import flow
    from tests.checks.support import parquet_bytes
    from tests.support.people import as_actor, hire

    ana = hire("ana", "Ana Silva", "contributor")
    version = factories.version(as_actor(ana), factories.model(as_actor(ana)))
    flow.attach(version, ana)
    rng = np.random.default_rng(20)
    for role in ("reference", "current"):
        frame = pd.DataFrame(rng.normal(size=(30_000, len(COLUMNS))), columns=COLUMNS)
        services.attach_dataset(
            as_actor(ana), version, role=role, mapping={"features": COLUMNS}, stream=parquet_bytes(frame)
        )  # fmt: skip
    for number in range(CHECKS):
        kind = "drift" if number < LARGE else ("performance", "fairness")[number % 2]
        confidence = {"confidence": f"0.{800 + number}"}
        services.request_measurement(as_actor(ana), version, kind, confidence)


def state() -> None:
    """What became of them, as JSON."""
    from apps.audits.selectors import replay
    from apps.checks import reconcile
    from apps.checks.models import Measurement, MeasurementPiece
    from apps.core.models import OutboxMessage

    rows = list(Measurement.objects.exclude(kind="files"))
    told = Counter(event.payload["measurement"] for event in replay("checks.measurement.done"))
    found = {
        "status": Counter(row.status for row in rows),
        "digests": len({row.result_digest for row in rows}),
        "told": Counter(told[row.pk] for row in rows),
        "pieces": MeasurementPiece.objects.count(),
        "attempts": Counter(OutboxMessage.objects.values_list("attempts", flat=True)),
        "differences": [str(each) for each in reconcile.differences()],
        "errors": sorted({row.error for row in rows if row.error}),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    {"ask": ask, "state": state}[sys.argv[1]]()
