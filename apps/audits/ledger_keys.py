"""The keys of the ledger as others need them: in the form that verifiers take, with who vouches for them."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.audits.checkpoint_selectors import log_key, witness_key
from apps.audits.events import KeyAdded
from apps.audits.keys import KnownKey, known
from apps.audits.selectors import replay
from apps.core import signing


def listed() -> dict[str, Any]:
    """Every key that ever signed for the ledger, oldest first, from the tables; who vouches, from the ledger."""
    admitted = {
        event.payload["key"]: (event.seq, event.payload)
        for event in replay(KeyAdded.type)
        if event.payload["purpose"] == signing.LEDGER
    }
    keys = [key for key in known() if key.purpose == signing.LEDGER]
    return {
        "origin": settings.LEDGER_ORIGIN,
        "keys": [_told(key, *admitted.get(key.key_id, (None, {}))) for key in keys],
    }


def _told(key: KnownKey, seq: int | None, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "key_id": key.key_id,
        "verifier": str(log_key(key.public)),
        "witness_verifier": str(witness_key(key.public)),
        "public": key.public.hex(),
        "added_at": key.added_at,
        "added_by_event": seq,
        "endorsed_by": said.get("endorsed_by", ""),
        "endorsement": said.get("endorsement", ""),
        "retired_at": key.retired_at,
        "compromised_since": key.compromised_since,
        "reason": key.retired_because,
    }
