"""What a signature consists of, whatever is signed: one statement in canonical bytes, and who vouched for it how.

The statement holds what is signed and, always the same way, its type, the signer, how and when she proved to be
herself, and when she signed. Its digest goes into the ledger; names do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.accounts.models import User
from apps.accounts.proof import ReauthProof
from apps.core import canonical, clock


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed statement; `columns` are the fields that every signed row has."""

    statement: bytes
    digest: str
    columns: dict[str, Any]


def sign(kind: str, person: User, proof: ReauthProof, content: dict[str, Any]) -> Signature:
    """Sign the content as `kind` ("countersign.decision.v1") at this moment.

    Raises Invalid for content without a canonical form. Does not check the proof: whoever calls did, with
    `ReauthProof.require_for`, before she opened the transaction.
    """
    now = clock.now()
    statement = canonical.dumps(
        {
            **content,
            "type": kind,
            "signer": str(person.uuid),
            "method": proof.method,
            "reauthenticated_at": proof.at.isoformat(),
            "signed_at": now.isoformat(),
        }
    )
    digest = canonical.digest(statement)
    return Signature(
        statement,
        digest,
        {
            "user": person,
            "signer_name": str(person),
            "statement": statement,
            "statement_digest": digest,
            "method": proof.method,
            "reauthenticated_at": proof.at,
            "created_at": now,
        },
    )
