"""The gate of findings: nothing that blocks is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews.models import SETTLED, Finding, FindingState

NAMED = 3


def no_blocking_findings(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes while every blocking finding of the version is closed or its residual risk accepted.

    It reads what is in the database at this moment: a finding raised after the last signature stops a promotion
    that has not happened, and voids nothing. `targets` and `terms` are not read: a finding blocks everywhere.
    """
    blocking = Finding.objects.filter(version=version, blocking=True)
    rows = list(blocking.exclude(state__in=SETTLED).order_by("number"))
    url = f"/models/{quote(version.model.name, safe='')}/{version.number}/findings/"
    if not rows:
        return GateResult("findings", "Findings", "pass", "No blocking finding is open.")
    named = [
        f"{row.key} ({row.severity}, {FindingState(row.state).label.lower()})"
        for row in rows[:NAMED]
    ]
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    verb = "blocks" if len(rows) == 1 else "block"
    fact = f"{', '.join(named)}{more} {verb} the promotion."
    return GateResult("findings", "Findings", "fail", fact, "Open the findings", url)
