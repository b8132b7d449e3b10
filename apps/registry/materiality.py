"""Materiality and risk tier: materiality = exposure x purpose (SR 26-2; REQUIREMENTS MRM-02)."""

from __future__ import annotations

from apps.registry.models import Exposure, PurposeClass

FORMULA_VERSION = 1
NONE_DEMANDED = 3
_EXPOSURE = {Exposure.LOW: 1, Exposure.MEDIUM: 2, Exposure.HIGH: 3}
_PURPOSE = {PurposeClass.INFORMATIONAL: 1, PurposeClass.OPERATIONAL: 2, PurposeClass.DECISION: 3}


def risk_tier(exposure: str, purpose_class: str) -> int:
    """1 (highest) when the product of the two scores (1 to 3 each) is 6 or 9, 2 for 3 or 4, else 3."""
    score = _EXPOSURE[Exposure(exposure)] * _PURPOSE[PurposeClass(purpose_class)]
    if score >= 6:
        return 1
    return 2 if score >= 3 else 3


def effective(computed: int, demanded: int) -> int:
    """The tier that counts: the higher (1 is the highest) of the computed one and what the impact assessment demands."""
    return min(computed, demanded)
