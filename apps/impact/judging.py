"""The requirement of an impact assessment as a tree of one leaf. Pure; the gate and the simulation of policies ask it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from apps.impact.assessed import Assessed
from apps.registry.gates import Fix, GateResult, GateState, all_of

KEY: Final = "impact"
TITLE: Final = "Impact assessment"
SIGNER: Final = "an approver, or somebody for risk or legal, who answered none of it"


def demanded(terms: Mapping[str, Any], tier: int) -> bool:
    """Whether these terms of a policy demand one of a model of this tier."""
    asked = terms.get("impact_assessment") or {}
    return tier in asked.get("tiers", ())


def judge(
    found: Assessed | None, tier: int, terms: Mapping[str, Any], at: dt.datetime, url: str
) -> GateResult:
    """A signed assessment is in force, is not due again, and is no older than the policy allows.

    Not checked: whether its answers are true (whoever signed it said so), or whether the model changed since.
    """
    if not demanded(terms, tier):
        fact = f"The policy asks for none of a model of tier {tier}."
        return GateResult(KEY, TITLE, "pass", fact)
    wrong = _wrong(found, terms["impact_assessment"], at)
    if found is not None and not wrong:
        fact = f"Assessment {found.number}: level {found.level}, {found.total} of 100, due again on {found.due_on:%d %b %Y}"
        leaf = GateResult(f"{KEY}.signed", TITLE, "pass", f"{fact}.")
        return all_of(KEY, TITLE, fact, [leaf], act_label="Read it", act_url=url)
    act = "answer the impact assessment and have it signed"
    fixes = (Fix(f"{KEY}.signed", act, SIGNER, url, cost=3),)
    state: GateState = "missing" if found is None else "fail"
    leaf = GateResult(f"{KEY}.signed", TITLE, state, f"{_capital(wrong)}.", fixes=fixes, reason=wrong)  # fmt: skip
    return all_of(
        KEY, TITLE, _capital(wrong), [leaf], act_label="Assess the impact", act_url=url, reason=wrong
    )  # fmt: skip


def _wrong(found: Assessed | None, asked: Mapping[str, Any], at: dt.datetime) -> str:
    """What is in the way, as a clause; "" for nothing."""
    if found is None:
        return "no impact assessment was signed"
    if found.is_due(at.date()):
        return f"impact assessment {found.number} was due again on {found.due_on:%d %b %Y}"
    days = asked.get("max_age_days")
    if days and found.signed_at < at - dt.timedelta(days=days):
        return f"impact assessment {found.number} was signed on {found.signed_at:%d %b %Y}, more than {days} days ago"
    return ""


def _capital(clause: str) -> str:
    return clause[:1].upper() + clause[1:]
