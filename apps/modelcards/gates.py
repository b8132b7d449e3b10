"""What the card still lacks before a governed promotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.errors import Tampered
from apps.modelcards import facts, judging, selectors
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target


def card_complete(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Every block that the card's template requires has text in the latest revision, in the template that is asked for.

    Fails closed: terms that do not speak of the card require what its template requires, and a revision or a template
    whose bytes are not what its digest says fails. Not checked: whether what is written is true.
    """
    del targets  # the card is about the version, wherever it goes
    url = selectors.card_url(version)
    try:
        card = facts.of_version(version)
    except Tampered as error:
        fact = error.message
        return GateResult(judging.KEY, judging.TITLE, "fail", fact, "Open the card", url)
    return judging.judge(terms, card, url)
