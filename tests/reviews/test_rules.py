"""The rules of a policy beyond checks, card and signatures, on a real version."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from apps.checks.verdicts import Verdict, accepts
from apps.core import clock
from apps.registry.models import ModelVersion
from apps.reviews import gates
from apps.reviews.facts import rules
from apps.reviews.policies.document import PolicyDocument
from tests import factories
from tests.experiments import makers
from tests.reviews.conftest import PRODUCTION
from tests.reviews.test_policy_documents import policy

pytestmark = pytest.mark.django_db(transaction=True)


def version(**tags: str) -> ModelVersion:
    ana = factories.person("ana", "contributor")
    trials = makers.experiment(ana, "trials")
    named = {f"mlflow.source.git.{key}": value for key, value in tags.items()}
    run = makers.run(ana, trials, metrics={"auc": 0.8}, params={"depth": "3"}, tags=named)
    return factories.version(ana, factories.model(ana), run=makers.ended(ana, run))


def fact(of: ModelVersion, document: PolicyDocument) -> str:
    found = gates.rules_hold(of, [PRODUCTION], document.terms())
    return "" if found.passes else found.fact


def condition(expression: str) -> dict[str, Any]:
    return {"gates__conditions": [{"key": "own", "title": "Our rule", "expression": expression}]}


@pytest.mark.parametrize(
    ("expression", "broken"),
    [
        ('run.metrics.auc >= 0.8 && run.params.depth == "3"', ""),
        ("model.tier == 1 && version.files == 2", ""),
        ('"stage:production" in targets', ""),
        ("run.metrics.auc > 0.9", "Our rule does not hold."),
        ("data.evaluation.rows > 10", "Our rule does not hold (could not be computed: KeyError"),
        ('checks.performance == "PASS"', "Our rule does not hold."),
    ],
)
def test_a_condition_is_asked_of_the_version(expression: str, broken: str) -> None:
    assert fact(version(), policy(**condition(expression))).startswith(broken)


def test_nothing_moves_on_the_days_of_a_freeze() -> None:
    of, today = version(), clock.now().date()
    window = {"title": "Year end", "first": str(today), "last": str(today)}
    assert "nothing is promoted until" in fact(of, policy(freeze_windows=[window])).lower()
    tomorrow = str(today + dt.timedelta(days=1))
    later = window | {"first": tomorrow, "last": tomorrow}
    assert fact(of, policy(freeze_windows=[later])) == ""


@pytest.mark.parametrize(
    ("tags", "broken"),
    [
        ({"commit": "abc", "dirty": "false"}, ""),
        ({"commit": "abc"}, ""),
        ({"commit": "abc", "dirty": "true"}, "The run was made from uncommitted changes."),
        ({}, "No run says from which commit"),
    ],
)
def test_code_must_be_committed_where_the_policy_says_so(tags: dict[str, str], broken: str) -> None:
    of = version(**tags)
    assert fact(of, policy(gates__clean_commit=True)).startswith(broken)
    assert fact(of, policy()) == ""


def test_inconclusive_is_accepted_only_where_the_policy_says_so() -> None:
    accepted = {"drift": "small months"}
    assert accepts(Verdict.INCONCLUSIVE, "drift", accepted)
    assert not accepts(Verdict.INCONCLUSIVE, "fairness", accepted)
    for verdict in (Verdict.FAIL, Verdict.ERROR, Verdict.INSUFFICIENT, Verdict.NOT_RUN):
        assert not accepts(verdict, "drift", accepted)


def test_facts_name_every_variable_that_a_condition_may_use() -> None:
    from apps.reviews.policies.conditions import VARIABLES

    assert set(rules.facts(version(), [PRODUCTION], policy().terms())) == set(VARIABLES)
