"""What the card still lacks before a governed promotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.errors import Tampered
from apps.modelcards import judging, revisions, schema, selectors
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target


def card_complete(
    version: ModelVersion, targets: Sequence[Target], terms: Mapping[str, Any]
) -> GateResult:
    """Every block that the policy's terms require has text in the latest revision.

    Fails closed: terms that do not speak of the card require the default set, and a revision whose
    bytes are not what its digest says fails. Not checked: whether what is written is true.
    """
    del targets  # the card is about the version, wherever it goes
    required = schema.required_blocks(terms)
    revision = selectors.latest_revision(version)
    url = selectors.card_url(version)
    try:
        texts = _texts(revision)
    except Tampered as error:
        fact = error.message
        return GateResult(judging.KEY, judging.TITLE, "fail", fact, "Open the card", url)
    return judging.judge(required, texts, revision.number if revision else 0, url)


def _texts(revision: Any) -> set[str]:
    if revision is None:
        return set()
    blocks = revisions.verified(revision)["blocks"]
    return {key for key, block in blocks.items() if block["text"]}
