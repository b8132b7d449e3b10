"""What the card still lacks before a governed promotion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.errors import Tampered
from apps.modelcards import revisions, schema, selectors
from apps.registry.gates import GateResult
from apps.registry.models import ModelVersion
from apps.registry.targets import Target

KEY = "card"
TITLE = "Model card"


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
    try:
        texts = _texts(revision)
    except Tampered as error:
        return _result(version, "fail", error.message, "Open the card", "card/")
    missing = [schema.BLOCKS[key].title for key in required if key not in texts]
    if missing:
        count = len(missing)
        fact = f"{count} of {len(required)} required blocks missing: {', '.join(missing)}"
        return _result(version, "missing", fact, "Fill in the card", "card/edit/")
    if not required:
        return _result(version, "pass", "The policy requires no block of the card", "", "")
    number = revision.number if revision else 0
    fact = f"All {len(required)} required blocks answered, revision {number}"
    return _result(version, "pass", fact, "Read the card", "card/")


def _texts(revision: Any) -> set[str]:
    if revision is None:
        return set()
    blocks = revisions.verified(revision)["blocks"]
    return {key for key, block in blocks.items() if block["text"]}


def _result(version: ModelVersion, state: Any, fact: str, label: str, page: str) -> GateResult:
    url = selectors.card_url(version, page) if label else ""
    return GateResult(KEY, TITLE, state, fact, label, url)
