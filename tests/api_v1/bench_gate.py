"""A pipeline waits for the gate: how long, from the site's real server. Run by hand; it asserts nothing about time:

python -m pytest -q -s tests/api_v1/bench_gate.py
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from tests import factories
from tests.api.conftest import _served, server
from tests.api.server import Server
from tests.api_v1.conftest import PRODUCTION, Cast
from tests.support.people import as_actor, token_for

__all__ = ["_served", "server"]

CALLS = 60


def test_the_median_answer(server: Server, cast: Cast) -> None:
    cast.promote()
    waiting = factories.version(as_actor(cast.ana), cast.model)
    cast.submit(PRODUCTION, version=waiting)
    token = token_for(cast.ana, "read")
    there = {"model": "credit", "version": 1, "target": "stage:production"}
    took = {
        "deployment, allowed": _median(server, token, there, "allow"),
        "promotion, every gate": _median(
            server, token, {**there, "version": waiting.number, "for": "promotion"}, "deny"
        ),
    }
    for name, seconds in took.items():
        print(f"| {name} | {seconds * 1000:.1f} ms |")  # noqa: T201 - what it is for


def _median(server: Server, token: str, question: dict[str, Any], decision: str) -> float:
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        answer = server.call("POST", "/api/v1/gate/check", question, token=token)
        times.append(time.perf_counter() - started)
        assert answer.json["decision"] == decision
    return statistics.median(times)
