"""How a measurement stands against the limits that the policies in force ask of its version today."""

from __future__ import annotations

from dataclasses import dataclass

from apps.checks import kinds
from apps.checks import selectors as checks
from apps.checks.demands import CheckLimits
from apps.checks.library.judging import Assessment
from apps.checks.models import Measurement, MeasurementStatus
from apps.registry.models import ModelVersion
from apps.reviews.in_force import InForce, policy_for


@dataclass(frozen=True, slots=True)
class Judged:
    """A measurement held against limits. Not `demanded`: no policy asks for it, and it decides nothing."""

    assessment: Assessment
    policy: InForce
    demanded: bool

    @property
    def against(self) -> str:
        """What the rows are held against, as a caption."""
        return (
            "Against the policy's limits" if self.demanded else "Without a policy that demands it"
        )


def judged(version: ModelVersion, row: Measurement) -> Judged | None:
    """The assessment of today; None where nothing is judged: no result that counts, or a kind that no policy asks for.

    A kind that is always shown (the scan of the files) is judged without a policy too.
    """
    kind = kinds.registered().get(row.kind)
    if row.status != MeasurementStatus.DONE or kind is None:
        return None
    policy = policy_for(version)
    limits = CheckLimits.parse(policy.document.gates.checks)
    demanded = row.kind in limits.kinds
    if not demanded and kind.always_shown:
        limits = CheckLimits.parse({row.kind: {}})
    assessment = checks.assess(row, limits)
    return Judged(assessment, policy, demanded) if assessment is not None else None
