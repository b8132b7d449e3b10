"""The envelope of a decision: an in-toto statement about the version's files, signed with the site's ledger key (ADR 0033).

Its *subjects* are the files of the version by name and SHA-256, and the evidence manifest; its *predicate* says what was
decided, by the public identifier of the person: no name, no comment. Those are in the statement that she signed, which the
predicate names by digest. So an envelope can be shown to anybody who has the files, also after names were erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from apps.core import dsse
from apps.core.errors import Tampered
from apps.reviews.models import Decision, DecisionEnvelope

PREDICATE: Final = "urn:countersign:decision:v1"
EVIDENCE: Final = "evidence-manifest.json"
_TAKEN: Final = (
    "review", "round", "evidence_digest", "model", "version", "manifest_digest", "targets", "policy_digest",
    "outcome", "meaning", "step", "role", "signer", "on_behalf_of", "method", "signed_at",
)  # fmt: skip


def payload(decision: Decision) -> bytes:
    """The in-toto statement in canonical bytes. The same decision gives the same bytes."""
    said = json.loads(bytes(decision.statement))
    files = {entry["path"]: entry["digest"] for entry in decision.review.version.manifest}
    subjects = {f"files/{path}": digest for path, digest in files.items()}
    predicate = {"statement": decision.statement_digest, **{key: said[key] for key in _TAKEN}}
    return dsse.statement(subjects | {EVIDENCE: decision.evidence_digest}, PREDICATE, predicate)


def verified(row: DecisionEnvelope, keys: Mapping[str, bytes]) -> dict[str, Any]:
    """The in-toto statement of an envelope; raises Tampered unless it is signed by one of `keys` and is about its decision."""
    found, key_id = dsse.opened(bytes(row.data), keys)
    if key_id != row.key_id:
        raise Tampered(f"The envelope is signed by {key_id[:16]}, expected {row.key_id[:16]}.")
    if found != payload(row.decision):
        raise Tampered("The envelope is about something else than its decision.")
    statement: dict[str, Any] = json.loads(found)
    return statement
