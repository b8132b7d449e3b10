"""The OpenSSF model signature over a version's files, as the `model_signing` tool verifies it. No file is read for it.

Steps (OpenSSF Model Signing 1.0, https://model_signing/signature/v1.0):
1 every file by its path and SHA-256, as the manifest has them since the files were stored;
2 the subject is the SHA-256 over all raw digests in that order;
3 an in-toto statement around both, in a DSSE envelope;
4 a Sigstore bundle (v0.3) with the certificate of the key that signed.
The signature is deterministic (RFC 6979): the same files and key give the same bytes. It says who vouches for which bytes,
not when, and not that the version was approved: the card says that.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.core import canonical, dsse
from apps.core.errors import Invalid
from apps.core.signing import DocumentKey
from apps.modelcards.machine import File

PREDICATE: Final = "https://model_signing/signature/v1.0"
MEDIA_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"


def signed(name: str, files: Sequence[File], key: DocumentKey) -> bytes:
    """The bundle. Raises Invalid where there is no file to sign for."""
    if not files:
        raise Invalid("The version has no files; there is nothing to sign.")
    payload = statement(name, files)
    signature = key.private.sign(
        dsse.pae(dsse.IN_TOTO, payload), ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    )
    return canonical.dumps(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {
                "x509CertificateChain": {
                    "certificates": [
                        {"rawBytes": _base64(one.public_bytes(serialization.Encoding.DER))}
                        for one in (key.certificate, *key.chain)
                    ]
                },
                "tlogEntries": [],
            },
            "dsseEnvelope": {
                "payload": _base64(payload),
                "payloadType": dsse.IN_TOTO,
                "signatures": [{"sig": _base64(signature), "keyid": ""}],
            },
        }
    )


def statement(name: str, files: Sequence[File]) -> bytes:
    """Steps 1 to 3, unsigned."""
    root = hashlib.sha256(b"".join(bytes.fromhex(file.digest) for file in files)).hexdigest()
    return dsse.statement(
        {name: root},
        PREDICATE,
        {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
            "resources": [
                {"name": file.path, "algorithm": "sha256", "digest": file.digest} for file in files
            ],
        },
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
