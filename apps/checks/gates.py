"""Do the checks that the policy demands hold? A pure read; missing is not passing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.checks import judging, selectors
from apps.core.errors import Invalid
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.selectors import version_url
from apps.registry.targets import Target


def required_checks_pass(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Every kind named in the policy's `checks` has a verdict that satisfies, on the data now in force.

    `terms` are the policy's gates (or a whole policy document, which holds them under `gates`). A policy
    that names no checks, or limits that cannot be read, fail: nothing passes by being left out. Inconclusive
    counts where the policy accepts it for the kind, with its reason. `waived` in the terms names the kinds that
    somebody put aside by signature, each with a sentence.
    """
    url = version_url(version, "checks/")
    try:
        results = selectors.results(version, judging.limits_in(terms))
    except Invalid as error:
        return judging.failed(str(error), url)
    return judging.judge(results, terms, url)
