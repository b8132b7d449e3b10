"""A version may be no more than so much worse than the one it would replace; and old data are too old."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from apps.accounts.models import User
from apps.checks.library.estimates import Estimate, independent, rate
from apps.checks.library.intervals import newcombe, z_of
from apps.core import clock
from apps.core.actor import Actor
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews.facts import rules
from apps.reviews.judging import rules as judging
from tests import factories
from tests.checks.flow import attach, done
from tests.checks.support import DEMO, csv_bytes
from tests.reviews.test_policy_documents import policy

pytestmark = pytest.mark.django_db(transaction=True)
SHADOW = Target.alias("shadow")


@pytest.fixture
def ana() -> Actor:
    return factories.person("ana", "contributor")


@pytest.fixture
def pair(ana: Actor) -> tuple[ModelVersion, ModelVersion]:
    """The version in the target, and the one that would replace it."""
    model = factories.model(ana)
    held = factories.version(ana, model)
    registry.set_alias(ana, held, alias="shadow")
    return held, factories.version(ana, model)


def measured(version: ModelVersion, ana: Actor, **changes: Any) -> None:
    person = User.objects.get(pk=ana.user_id)
    attach(version, person, **changes)
    done(version, person)


def broken(version: ModelVersion, **gates: Any) -> list[str]:
    document = policy(**{f"gates__{key}": value for key, value in gates.items()})
    found = judging.judge(rules.collect(version, [SHADOW], document.terms()), document.terms())
    return [leaf.clause for leaf in found.children if not leaf.passes]


def test_the_difference_of_two_rates_has_newcombes_interval() -> None:
    z = z_of(0.95)
    found = independent(rate(48, 80, z, of="rows"), rate(12, 40, z, of="rows"))
    expected = newcombe(48, 80, 12, 40, z)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((expected.low, expected.high))
    assert independent(rate(1, 2, z, of="rows"), Estimate(None, reason="no rows")).value is None


def test_what_is_not_measured_on_the_same_data_is_not_compared(
    pair: tuple[ModelVersion, ModelVersion], ana: Actor
) -> None:
    held, version = pair
    limits = {"max_loss": {"roc_auc": "0.50"}}
    measured(version, ana)
    assert "not both measured" in broken(version, against_incumbent=limits)[0]
    frame = pd.read_csv(DEMO / "german_credit_predictions.csv").head(600)
    measured(held, ana, stream=csv_bytes(frame))
    assert "not both measured" in broken(version, against_incumbent=limits)[0]
    assert broken(version, against_incumbent={**limits, "same_data": False}) == []
    measured(held, ana)
    assert broken(version, against_incumbent=limits) == []


def test_a_loss_that_cannot_be_told_from_the_limit_or_is_beyond_it_is_named(
    pair: tuple[ModelVersion, ModelVersion], ana: Actor
) -> None:
    held, version = pair
    measured(held, ana)
    frame = pd.read_csv(DEMO / "german_credit_predictions.csv")
    measured(version, ana)
    close = broken(version, against_incumbent={"max_loss": {"roc_auc": "0.001"}})
    assert "cannot be told from the limit of 0.001" in close[0]
    column = next(name for name in frame.columns if "score" in name)
    frame[column] = 1 - frame[column]
    measured(version, ana, stream=csv_bytes(frame))
    limits = {"max_loss": {"roc_auc": "0.1"}, "same_data": False}
    assert "is above 0.1" in broken(version, against_incumbent=limits)[0]


def test_nothing_in_the_target_is_nothing_to_hold(ana: Actor) -> None:
    version = factories.version(ana, factories.model(ana))
    assert broken(version, against_incumbent={"max_loss": {"roc_auc": "0.01"}}) == []


def test_data_that_are_too_old_or_absent_are_named(
    pair: tuple[ModelVersion, ModelVersion], ana: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = pair[1]
    ages = {"data": 30}
    assert broken(version, max_age_days=ages) == ["no data are attached whose age could be told"]
    measured(version, ana)
    assert broken(version, max_age_days=ages) == []
    later = clock.now() + dt.timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "more than 30 days ago" in broken(version, max_age_days=ages)[0]
