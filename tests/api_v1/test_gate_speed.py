"""A pipeline waits for the gate: its answer takes well under 200 ms from the site's real server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from tests import factories
from tests.api.conftest import _served, server
from tests.api.server import Server
from tests.api_v1.conftest import PRODUCTION, Cast
from tests.support.people import as_actor, token_for

__all__ = ["_served", "server"]

CALLS = 60


def test_the_median_answer_takes_less_than_200_ms(
    server: Server, cast: Cast, record_property: Callable[[str, object], None]
) -> None:
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
        record_property(name, f"{seconds * 1000:.1f} ms")
    assert max(took.values()) < 0.2, took


def _median(server: Server, token: str, question: dict[str, Any], decision: str) -> float:
    times = []
    for _ in range(CALLS):
        started = time.perf_counter()
        answer = server.call("POST", "/api/v1/gate/check", question, token=token)
        times.append(time.perf_counter() - started)
        assert answer.json["decision"] == decision
    return statistics.median(times)
