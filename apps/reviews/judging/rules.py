"""The rules of a policy beyond checks, card and signatures: how old results may be, committed code, conditions of
one's own, days on which nothing moves. A leaf a rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.checks.judging import RUNNER
from apps.checks.library import performance
from apps.checks.library.performance import PerformanceResult
from apps.registry.gates import Fix, GateResult, all_of
from apps.reviews.policies import conditions

KEY, TITLE = "rules", "Rules"
TRAINER = "whoever trains the model"
HOLDS = "Every other rule of the policy holds."


@dataclass(frozen=True, slots=True)
class Measured:
    """When a demanded check was measured; None for one that has no result."""

    kind: str
    title: str
    finished_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Attached:
    """Data in force: as old as their attachment here; what they hold may be older."""

    role: str
    name: str
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Rival:
    """A version in a target asked for, and both performance results where there are two."""

    number: int
    mine: PerformanceResult | None
    theirs: PerformanceResult | None
    same_data: bool


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """What the rules are judged on. `values` is what conditions may speak of; only asked for where `needs_values`."""

    at: dt.datetime
    number: int
    results: Sequence[Measured] = ()
    data: Sequence[Attached] = ()
    rivals: Sequence[Rival] = ()
    values: Mapping[str, Any] | None = None


def needs_values(terms: Mapping[str, Any]) -> bool:
    """Whether a rule of these terms speaks of what the run and the tags say."""
    return bool(terms.get("conditions") or terms.get("clean_commit"))


def judge(facts: RuleFacts, terms: Mapping[str, Any]) -> GateResult:
    """Each rule of the terms as a leaf; a requirement of no rules holds."""
    leaves = list(_rules(facts, terms))
    wrong = [leaf.fact.removesuffix(".") for leaf in leaves if not leaf.passes]
    if not leaves:
        return GateResult(KEY, TITLE, "pass", HOLDS)
    fact = f"{'; '.join(wrong)}." if wrong else HOLDS
    return all_of(KEY, TITLE, fact[:1].upper() + fact[1:], leaves)


def _rules(facts: RuleFacts, terms: Mapping[str, Any]) -> Iterator[GateResult]:
    for number, window in enumerate(terms.get("freeze_windows", ())):
        yield _freeze(facts.at.date(), number, window)
    ages = terms.get("max_age_days") or {}
    if ages.get("results"):
        yield from _ages(facts, ages["results"])
    if ages.get("data"):
        yield from _data_ages(facts, ages["data"])
    if terms.get("against_incumbent"):
        for rival in facts.rivals:
            yield from _against(facts.number, rival, terms["against_incumbent"])
    if terms.get("clean_commit"):
        yield _commit(facts.values or {})
    for condition in terms.get("conditions", ()):
        yield _condition(facts.values or {}, condition)


def _leaf(key: str, title: str, wrong: str, right: str, fix: Fix) -> GateResult:
    """A rule that does not hold says what is `wrong`, without a full stop, and what would help."""
    key = f"rules.{key}"
    if not wrong:
        return GateResult(key, title, "pass", right)
    return GateResult(key, title, "fail", f"{wrong}.", fixes=(fix,))


def _freeze(today: dt.date, number: int, window: Mapping[str, str]) -> GateResult:
    covered = (
        dt.date.fromisoformat(window["first"]) <= today <= dt.date.fromisoformat(window["last"])
    )
    wrong = f"nothing is promoted until {window['last']} ({window['title']})" if covered else ""
    wait = Fix(f"wait.{window['last']}", f"wait until {window['last']} is over", cost=3)
    right = f"{window['title']} is from {window['first']} to {window['last']}."
    return _leaf(f"freeze.{number}", "Freeze", wrong, right, wait)


def _ages(facts: RuleFacts, days: int) -> Iterator[GateResult]:
    oldest = facts.at - dt.timedelta(days=days)
    for row in facts.results:
        if row.finished_at is None:
            continue
        told = f"{row.title.lower()} was measured on {row.finished_at:%d %b %Y}"
        wrong = f"{told}, more than {days} days ago" if row.finished_at < oldest else ""
        act = f"attach newer data and run the {row.kind} check"
        fix = Fix(f"checks.{row.kind}", act, RUNNER, cost=2)
        right = f"{told[:1].upper()}{told[1:]}; {days} days are allowed."
        yield _leaf(f"age.{row.kind}", "Age of results", wrong, right, fix)


def _data_ages(facts: RuleFacts, days: int) -> Iterator[GateResult]:
    oldest = facts.at - dt.timedelta(days=days)
    if not facts.data:
        fix = Fix("data.any", "attach data", "whoever may attach data", cost=2)
        yield _leaf("data", "Age of data", "no data are attached whose age could be told", "", fix)
    for row in facts.data:
        told = f"the {row.role} data {row.name} were attached on {row.created_at:%d %b %Y}"
        wrong = f"{told}, more than {days} days ago" if row.created_at < oldest else ""
        act = f"attach newer {row.role} data and run the checks on them"
        fix = Fix(f"data.{row.role}", act, "whoever may attach data", cost=2)
        right = f"{told[:1].upper()}{told[1:]}; {days} days are allowed."
        yield _leaf(f"data.{row.role}", "Age of data", wrong, right, fix)


def _against(number: int, rival: Rival, limits: Mapping[str, Any]) -> Iterator[GateResult]:
    """What the version loses against one version that it would take the place of."""
    title, key = f"Against v{rival.number}", f"against.{rival.number}"
    both = f"v{number} and v{rival.number}, which it would replace, were not both measured"
    same = bool(limits.get("same_data", True))
    if rival.mine is None or rival.theirs is None or (same and not rival.same_data):
        wrong = f"{both} on the same data" if same else both
        act = f"measure the performance of v{number} and v{rival.number}"
        fix = Fix(f"rules.{key}", f"{act} on the same data" if same else act, RUNNER, cost=2)
        yield _leaf(key, title, wrong, "", fix)
        return
    act = f"bring performance to that of v{rival.number} in another version"
    fix = Fix("checks.performance", act, TRAINER, cost=4)
    losses = performance.against(
        rival.mine, rival.theirs, limits["max_loss"], same_data=rival.same_data
    )
    for row in losses:
        wrong = "" if row.verdict.satisfies else row.sentence.removesuffix(".")
        yield _leaf(f"{key}.{row.key}", title, wrong, row.sentence, fix)


def _commit(values: Mapping[str, Any]) -> GateResult:
    run = values.get("run", {})
    wrong = (
        ""
        if run.get("commit") and not run.get("dirty")
        else (
            "the run was made from uncommitted changes"
            if run.get("commit")
            else "no run says from which commit of the code the model was made"
        )
    )
    act = "train it again from committed code and register that version"
    right = f"The run was made from commit {str(run.get('commit', ''))[:12]}."
    return _leaf(
        "commit", "Committed code", wrong, right, Fix("rules.commit", act, TRAINER, cost=5)
    )


def _condition(values: Mapping[str, Any], condition: Mapping[str, str]) -> GateResult:
    title, expression = condition["title"], condition["expression"]
    holds, why = conditions.holds(expression, values)
    wrong = "" if holds else f"{title} does not hold{f' ({why})' if why else ''}"
    key = f"condition.{condition['key']}"
    act = f"make it true that {expression}"
    return _leaf(key, title, wrong, f"{title} holds.", Fix(f"rules.{key}", act, TRAINER, cost=4))
