"""Nothing that blocks is open: a leaf a finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.registry.gates import Fix, GateResult, all_of
from apps.reviews.models import FindingState

KEY, TITLE, NAMED = "findings", "Findings", 3


@dataclass(frozen=True, slots=True)
class Blocking:
    """A blocking finding of the version and its state at the moment asked about."""

    key: str
    severity: str
    state: FindingState


def judge(rows: Sequence[Blocking], url: str) -> GateResult:
    """Passes while every blocking finding is closed or its residual risk accepted."""
    leaves = [_finding(row, url) for row in rows]
    open_ = [row for row in rows if not row.state.is_settled]
    if not open_:
        fact = "No blocking finding is open."
        return all_of(KEY, TITLE, fact, leaves) if leaves else GateResult(KEY, TITLE, "pass", fact)
    named = [f"{row.key} ({row.severity}, {row.state.label.lower()})" for row in open_[:NAMED]]
    more = f" and {len(open_) - NAMED} more" if len(open_) > NAMED else ""
    verb = "blocks" if len(open_) == 1 else "block"
    fact = f"{', '.join(named)}{more} {verb} the promotion."
    return all_of(
        KEY,
        TITLE,
        fact,
        leaves,
        act_label="Open the findings",
        act_url=url,
        reason=fact.removesuffix("."),
    )


def _finding(row: Blocking, url: str) -> GateResult:
    key, word = f"findings.{row.key}", row.state.label.lower()
    if row.state.is_settled:
        return GateResult(key, row.key, "pass", f"{row.key} is {word}.")
    act, who = _ACTS[row.state]
    fix = Fix(key, act.format(row.key), who, url, cost=2)
    return GateResult(key, row.key, "fail", f"{row.key} ({row.severity}) is {word}.", fixes=(fix,))


_ANSWERER, _TESTER = (
    "the owner of the finding, then a validator",
    "a validator who did not make the version",
)
_ACTS = {
    FindingState.OPEN: ("answer {}, test it again and close it", _ANSWERER),
    FindingState.RETEST_FAILED: ("answer {}, test it again and close it", _ANSWERER),
    FindingState.RESPONDED: ("test {} again and close it", _TESTER),
    FindingState.RETEST_PASSED: ("close {}", _TESTER),
}
