"""Do the checks that the policy demands hold? A pure read; missing is not passing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.checks import selectors
from apps.checks.selectors import CheckResult
from apps.checks.verdicts import Verdict, accepts, worst
from apps.core.errors import Invalid
from apps.registry.gates import GateResult, GateState
from apps.registry.models import ModelVersion
from apps.registry.selectors import version_url
from apps.registry.targets import Target

KEY, TITLE = "checks", "Checks"


def required_checks_pass(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Every kind named in the policy's `checks` has a verdict that satisfies, on the data now in force.

    `terms` are the policy's gates (or a whole policy document, which holds them under `gates`). A policy
    that names no checks, or limits that cannot be read, fail: nothing passes by being left out. Inconclusive
    counts where the policy accepts it for the kind, with its reason. `waived` in the terms names the kinds that
    somebody put aside by signature, each with a sentence.
    """
    try:
        demanded = _limits(terms)
        results = selectors.results(version, demanded)
    except Invalid as error:
        return _answer(version, "fail", str(error))
    if not results:
        return _answer(version, "fail", "The policy names no checks, so none can be met.")
    accepted = terms.get("gates", terms).get("accept_inconclusive", {})
    waived: Mapping[str, str] = terms.get("waived", {})
    unmet = [r for r in results if not (accepts(r.verdict, r.kind, accepted) or r.kind in waived)]
    if not unmet:
        put_aside = [waived[r.kind] for r in results if r.kind in waived]
        return _answer(version, "pass", " ".join([_joined(results), *put_aside]))
    overall = worst(result.verdict for result in unmet)
    state: GateState = "missing" if overall is Verdict.NOT_RUN else "fail"
    return _answer(version, state, _joined(unmet))


def _limits(terms: Mapping[str, Any]) -> Mapping[str, Any]:
    gates = terms.get("gates", terms)
    limits = gates.get("checks", {}) if isinstance(gates, Mapping) else {}
    if not isinstance(limits, Mapping):
        raise Invalid("The policy's checks cannot be read.", fields={"checks": "not an object"})
    return limits


def _joined(results: Sequence[CheckResult]) -> str:
    return " ".join(result.sentence for result in results)


def _answer(version: ModelVersion, state: GateState, fact: str) -> GateResult:
    label = "Open" if state == "pass" else "Run or read the checks"
    return GateResult(KEY, TITLE, state, fact, label, version_url(version, "checks/"))
