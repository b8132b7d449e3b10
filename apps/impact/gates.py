"""What the policy demands of the impact assessment before a governed promotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core import clock
from apps.core.errors import Tampered
from apps.impact import judging, revisions, selectors
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target


def assessed(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Passes where the policy demands none of the model's tier, or one that is signed, in force and not due again.

    The tier is the one of this moment: an assessment that raised it may by that demand itself. Fails closed for one whose
    bytes are not what its digest says.
    """
    del targets  # the assessment is about the use of the model, wherever a version goes
    model, url = version.model, selectors.url(version.model)
    if not judging.demanded(terms, model.risk_tier):
        return judging.judge(None, model.risk_tier, terms, clock.now(), url)
    row = selectors.signature_in_force(model)
    try:
        if row is not None:
            revisions.verified(row.revision)
    except Tampered as error:
        return GateResult(judging.KEY, judging.TITLE, "fail", error.message, "Open it", url)
    found = selectors.assessed(row) if row is not None else None
    return judging.judge(found, model.risk_tier, terms, clock.now(), url)
