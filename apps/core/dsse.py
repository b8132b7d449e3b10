"""DSSE envelopes (Dead Simple Signing Envelope, protocol v1.0.2) around in-toto statements, signed with Ed25519. Pure.

What is signed is the pre-authentication encoding of type and payload, so neither can be exchanged for another. The envelope
is canonical JSON: the same payload and key give the same bytes (Ed25519 is deterministic).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from apps.core import canonical
from apps.core.errors import Tampered
from apps.core.signing import LedgerKey, key_id

IN_TOTO: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSEv1 pre-authentication encoding: what the signature covers."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def statement(
    subjects: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any]
) -> bytes:
    """An in-toto Statement v1 in canonical bytes; `subjects` maps names to SHA-256 in hexadecimal."""
    return canonical.dumps(
        {
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": digest}}
                for name, digest in sorted(subjects.items())
            ],
            "predicateType": predicate_type,
            "predicate": dict(predicate),
        }
    )


def envelope(payload: bytes, key: LedgerKey, payload_type: str = IN_TOTO) -> bytes:
    """The payload, signed."""
    signature = key.sign(pae(payload_type, payload))
    return canonical.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": key.key_id, "sig": base64.b64encode(signature).decode()}],
        }
    )


def opened(data: bytes, keys: Mapping[str, bytes]) -> tuple[bytes, str]:
    """The payload of an envelope, and the id of the key that signed it. `keys` maps ids to raw Ed25519 public keys.

    Raises Tampered for what is no envelope, names no key of `keys`, or carries a signature that does not verify.
    """
    try:
        found = msgspec.json.decode(data)
        payload = base64.b64decode(found["payload"], validate=True)
        signed = pae(found["payloadType"], payload)
        for entry in found["signatures"]:
            public = keys.get(entry["keyid"])
            if public is not None and key_id(public) == entry["keyid"]:
                signature = base64.b64decode(entry["sig"], validate=True)
                Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
                return payload, entry["keyid"]
    except InvalidSignature:
        raise Tampered("The signature of the envelope does not verify.") from None
    except (msgspec.DecodeError, binascii.Error, KeyError, TypeError, ValueError) as error:
        raise Tampered(f"This is not a DSSE envelope: {error}.") from error
    raise Tampered("The envelope is signed by no key that is known here.")
