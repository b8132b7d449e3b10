"""Whoever runs a check cannot make it pass by the parameters: the gate takes no narrower interval and no larger empty bin."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import User
from apps.checks import selectors, services
from apps.checks.selectors import CheckResult
from apps.checks.verdicts import Verdict
from apps.registry.models import ModelVersion
from tests.checks.flow import attach, work
from tests.support.people import as_actor

pytestmark = pytest.mark.django_db

EASY = {"performance": {"accuracy": {"min": "0.60"}}}


def judged(
    version: ModelVersion, user: User, limits: dict[str, Any], params: dict[str, str]
) -> CheckResult:
    (kind,) = limits
    services.request_measurement(as_actor(user), version, kind, params)
    work()
    (found,) = selectors.results(version, limits)
    return found


@pytest.mark.parametrize("confidence", ["0.5", "0.9", "0.9499"])
def test_narrower_intervals_pass_nothing(version: ModelVersion, ana: User, confidence: str) -> None:
    attach(version, ana)
    assert judged(version, ana, EASY, {}).verdict is Verdict.PASS
    found = judged(version, ana, EASY, {"confidence": confidence})
    assert found.verdict is Verdict.INSUFFICIENT
    assert f"The intervals are of {confidence}; a verdict takes 0.95 or more" in found.sentence


def test_wider_ones_do(version: ModelVersion, ana: User) -> None:
    attach(version, ana)
    assert judged(version, ana, EASY, {"confidence": "0.99"}).verdict is Verdict.PASS


def test_what_fails_goes_on_failing(version: ModelVersion, ana: User) -> None:
    attach(version, ana)
    hard = {"performance": {"accuracy": {"min": "0.95"}}}
    assert judged(version, ana, hard, {"confidence": "0.5"}).verdict is Verdict.FAIL


def test_a_larger_share_for_empty_bins_passes_nothing(version: ModelVersion, ana: User) -> None:
    for role in ("reference", "current"):
        attach(version, ana, role=role, mapping={"features": ["age", "y_score"]}, favourable="")
    limits = {"drift": {"psi": {"max": "0.25"}}}
    assert judged(version, ana, limits, {}).verdict is Verdict.PASS
    assert judged(version, ana, limits, {"epsilon": "0.00001"}).verdict is Verdict.PASS
    found = judged(version, ana, limits, {"epsilon": "0.01"})
    assert found.verdict is Verdict.INSUFFICIENT
    assert "An empty bin counted as 0.01" in found.sentence
