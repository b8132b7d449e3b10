"""The requirement of the checks as a tree: a node a check, a leaf a limit. Pure: results and terms in, nodes out.

The gate, the pages and the simulation of policies ask this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.checks.library.judging import Row
from apps.checks.selectors import CheckResult
from apps.checks.verdicts import Verdict, accepts, worst
from apps.core.errors import Invalid
from apps.registry.gates import Fix, GateResult, GateState, all_of, some_of, state_of

KEY, TITLE = "checks", "Checks"
RUNNER = "whoever may run checks of the model"
# More limits that are met than these are told as a number; what is unmet is always told one by one.
_MOST_MET = 30
# A waiver puts a requirement aside: it is shown as a way and is the smallest fix only where nothing meets it.
_NEVER_CHEAPEST = 1000
NOTHING = "The policy names no checks, so none can be met."


def limits_in(terms: Mapping[str, Any]) -> Mapping[str, Any]:
    """The limits that the policy's terms (or a whole document) give; raises Invalid for what is none."""
    gates = terms.get("gates", terms)
    limits = gates.get("checks", {}) if isinstance(gates, Mapping) else {}
    if not isinstance(limits, Mapping):
        raise Invalid("The policy's checks cannot be read.", fields={"checks": "not an object"})
    return limits


def failed(fact: str, url: str) -> GateResult:
    """The requirement where nothing can be judged at all."""
    return GateResult(KEY, TITLE, "fail", fact, "Run or read the checks", url)


def judge(results: Sequence[CheckResult], terms: Mapping[str, Any], url: str) -> GateResult:
    """Every demanded check has a verdict that satisfies, is accepted as inconclusive, or is waived.

    `terms` as in the gate: `waived`, where it is given, maps a kind to the sentence of its waiver.
    """
    if not results:
        return failed(NOTHING, url)
    accepted: Mapping[str, str] = terms.get("gates", terms).get("accept_inconclusive", {})
    waived: Mapping[str, str] | None = terms.get("waived")
    nodes = [_check(result, accepted, waived, url) for result in results]
    unmet = [result for result, node in zip(results, nodes, strict=True) if not node.passes]
    fact = " ".join(result.sentence for result in unmet or results)
    if unmet:
        return all_of(KEY, TITLE, fact, nodes, act_label="Run or read the checks", act_url=url)
    put_aside = [waived[result.kind] for result in results if waived and result.kind in waived]
    return all_of(KEY, TITLE, " ".join([fact, *put_aside]), nodes, act_label="Open", act_url=url)


def _check(
    result: CheckResult,
    accepted: Mapping[str, str],
    waived: Mapping[str, str] | None,
    url: str,
) -> GateResult:
    node = _measured(result, accepted, url)
    if waived is None or (node.passes and result.kind not in waived):
        return node
    waiver = waiver_leaf(f"checks.{result.kind}", result.title, waived.get(result.kind, ""))
    met = sum(child.passes for child in node.children)
    told = f"{met} of {len(node.children)} limits are met." if node.children else node.fact
    limits = replace(node, key=f"{node.key}.limits", title="Limits", fact=told)
    fact = waiver.fact if waiver.passes else result.sentence
    return some_of(1, node.key, result.title, fact, [limits, waiver])


def waiver_leaf(requirement: str, title: str, sentence: str) -> GateResult:
    """The other way to meet a requirement that may be waived: a waiver in force, told by its sentence, or none."""
    key = f"{requirement}.waiver"
    if sentence:
        return GateResult(key, "Waiver", "pass", sentence)
    act = Fix(
        key,
        f"waive {title.lower()} by signature",
        "whoever the policy lets waive",
        cost=_NEVER_CHEAPEST,
    )
    return GateResult(key, "Waiver", "missing", "No waiver is in force.", fixes=(act,))


def _measured(result: CheckResult, accepted: Mapping[str, str], url: str) -> GateResult:
    """The check without its waiver. Its verdict decides; the rows below say why."""
    key, title, met = (
        f"checks.{result.kind}",
        result.title,
        accepts(result.verdict, result.kind, accepted),
    )
    rows = result.assessment.rows if result.assessment else ()
    leaves = tuple(_leaves(result, rows, accepted, url))
    if leaves and (state_of(leaves) == "pass") == met:
        return all_of(key, title, result.sentence, leaves)
    # Nothing was assessed, or the rows would say something else than the verdict: that stands for itself.
    state: GateState = "missing" if result.verdict is Verdict.NOT_RUN else "fail"
    fixes = () if met else (_fix(result, url),)
    return GateResult(key, title, "pass" if met else state, result.sentence, fixes=fixes)


def _leaves(
    result: CheckResult, rows: Sequence[Row], accepted: Mapping[str, str], url: str
) -> Iterator[GateResult]:
    met = [row for row in rows if accepts(row.verdict, result.kind, accepted)]
    shown = {id(row) for row in met[:_MOST_MET]}
    for number, row in enumerate(rows):
        if id(row) in shown or not accepts(row.verdict, result.kind, accepted):
            yield _limit(result, row, number, accepted, url)
    if len(met) > _MOST_MET:
        more = f"{len(met) - _MOST_MET} more limits are met."
        yield GateResult(f"checks.{result.kind}.more", "More limits", "pass", more)


def _limit(
    result: CheckResult, row: Row, number: int, accepted: Mapping[str, str], url: str
) -> GateResult:
    """One limit on one number. The key is that of its row, with its place where a group or column has a name."""
    key = f"checks.{result.kind}.{row.key}" + (f".{number}" if row.of else "")
    if row.verdict.satisfies:
        return GateResult(key, row.title, "pass", row.sentence)
    if accepts(row.verdict, result.kind, accepted):
        fact = f"{row.sentence} The policy accepts that: {accepted[result.kind]}."
        return GateResult(key, row.title, "pass", fact)
    return GateResult(key, row.title, "fail", row.sentence, fixes=(_fix(result, url),))


def _fix(result: CheckResult, url: str) -> Fix:
    """What would help. One act for all of a check's limits: new data or another version changes all of its numbers."""
    key = f"checks.{result.kind}"
    if result.remedy:
        return Fix(key, result.remedy, RUNNER, url)
    act = {
        Verdict.INSUFFICIENT: f"attach more data and run the {result.kind} check again",
        Verdict.INCONCLUSIVE: f"attach more data and run the {result.kind} check again",
        Verdict.ERROR: f"run the {result.kind} check again",
    }.get(worst([result.verdict]), f"bring {result.kind} within its limits in another version")
    return Fix(key, act, "whoever trains the model or attaches its data", url, cost=4)
