"""The gate of findings: nothing that blocks is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target
from apps.reviews.judging import findings
from apps.reviews.models import Finding, FindingState


def no_blocking_findings(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes while every blocking finding of the version is closed or its residual risk accepted.

    It reads what is in the database at this moment: a finding raised after the last signature stops a promotion
    that has not happened, and voids nothing. `targets` and `terms` are not read: a finding blocks everywhere.
    """
    rows = Finding.objects.filter(version=version, blocking=True).order_by("number")
    url = f"/models/{quote(version.model.name, safe='')}/{version.number}/findings/"
    blocking = [findings.Blocking(row.key, row.severity, FindingState(row.state)) for row in rows]
    return findings.judge(blocking, url)
