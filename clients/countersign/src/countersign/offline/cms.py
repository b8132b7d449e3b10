"""The signature container of a PDF (PAdES baseline: CMS, RFC 5652, with ESS signing-certificate-v2, RFC 5035).

1. Its shape is that of one signature over data that stand elsewhere, SHA-256 with ECDSA, and nothing is left over.
2. The signed attributes name the digest of the signed ranges.
3. They name the SHA-256 of the signer's certificate, which is inside.
4. The signature over the attributes verifies with the key in that certificate.
5. Nothing unsigned is in it but a time stamp, which is judged elsewhere (timestamp.py).

Not checked: who issued the certificate, and whether it was revoked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from countersign.offline import curves
from countersign.offline.der import BITS, OCTETS, OID, SEQUENCE, SET, Value, alone, oid
from countersign.offline.problems import Wrong

DATA, SIGNED = oid("1.2.840.113549.1.7.1"), oid("1.2.840.113549.1.7.2")
SHA256, ECDSA_SHA256 = oid("2.16.840.1.101.3.4.2.1"), oid("1.2.840.10045.4.3.2")
EC_KEY, P256 = oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")
CONTENT_TYPE, MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE, TIME_STAMP = (
    oid("1.2.840.113549.1.9.16.2.47"),
    oid("1.2.840.113549.1.9.16.2.14"),
)
COMMON_NAME = oid("2.5.4.3")


@dataclass(frozen=True)
class Certificate:
    """What is read of a certificate."""

    der: bytes
    name: str
    issuer_and_serial: bytes
    key_info: bytes
    point: bytes

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, in hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def key_id(self) -> str:
        """How the site names the key: SHA-256 of its SubjectPublicKeyInfo."""
        return hashlib.sha256(self.key_info).hexdigest()


@dataclass(frozen=True)
class Signature:
    """By whom, its bytes, the time stamp about it (or empty), and how many other certificates are inside."""

    certificate: Certificate
    value: bytes
    stamp: bytes
    others: int


def verified(container: bytes, signed: bytes) -> Signature:
    """Steps 1 to 5; `signed` is the SHA-256 of the signed ranges. Raises Wrong."""
    certificates, signer = _opened(container)
    parts = signer.sequence()
    if len(parts) not in {6, 7} or parts[0].number() != 1:
        raise Wrong("the signature container has not the shape of one signature")
    _version, sid, digest_algorithm, attributes, algorithm, value = parts[:6]
    _require_algorithm(digest_algorithm, SHA256, "SHA-256")
    _require_algorithm(algorithm, ECDSA_SHA256, "ECDSA with SHA-256")
    named = _attributes(attributes.expected(0xA0))
    # 2. The digest of the signed ranges.
    if named[CONTENT_TYPE].expected(OID).content != DATA:
        raise Wrong("the signature is not about data")
    if named[MESSAGE_DIGEST].expected(OCTETS).content != signed:
        raise Wrong("the signed bytes are not those that were signed: the file was changed")
    # 3. The certificate.
    certificate = _named_certificate(named[SIGNING_CERTIFICATE], certificates)
    if sid.expected(SEQUENCE).content != certificate.issuer_and_serial:
        raise Wrong("the signature names another certificate than its attributes")
    # 4. The signature.
    r, s = (number.number() for number in alone(value.expected(OCTETS).content).sequence())
    covered = bytes([SET]) + attributes.whole[1:]
    if not curves.p256_verifies(certificate.point, covered, r, s):
        raise Wrong("the signature does not verify with the key of its certificate")
    # 5. The time stamp.
    stamp = _only(parts[6].expected(0xA1)).whole if len(parts) == 7 else b""
    return Signature(certificate, value.content, stamp, len(certificates) - 1)


def _opened(container: bytes) -> tuple[list[Value], Value]:
    # 1. The shape.
    kind, wrapped = alone(container).sequence()
    (body,) = wrapped.sequence(0xA0)
    version, algorithms, content, certificates, signers = body.sequence()
    (algorithm,) = algorithms.sequence(SET)
    _require_algorithm(algorithm, SHA256, "SHA-256")
    (about,) = content.sequence()
    if kind.content != SIGNED or version.number() != 1 or about.content != DATA:
        raise Wrong("the signature container is not one of signed data")
    (signer,) = signers.sequence(SET)
    return certificates.sequence(0xA0), signer


def _require_algorithm(found: Value, wanted: bytes, name: str) -> None:
    identifier, *parameters = found.sequence()
    if identifier.expected(OID).content != wanted or any(
        p.whole != b"\x05\x00" for p in parameters
    ):
        raise Wrong(f"the signature uses another algorithm than {name}")


def _attributes(found: Value) -> dict[bytes, Value]:
    """The signed attributes, each with its only value."""
    named: dict[bytes, Value] = {}
    for attribute in found.inside():
        kind, values = attribute.sequence()
        (named[kind.expected(OID).content],) = values.sequence(SET)
    missing = {CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE} - named.keys()
    if missing:
        raise Wrong("the signature lacks an attribute that PAdES demands")
    return named


def _named_certificate(attribute: Value, certificates: list[Value]) -> Certificate:
    first = attribute.sequence()[0].sequence()[0].sequence()
    hashes = [value.content for value in first if value.tag == OCTETS]
    for one in certificates:
        if [hashlib.sha256(one.whole).digest()] == hashes:
            return certificate(one.whole)
    raise Wrong("the certificate that the signature names is not inside, or was changed")


def certificate(data: bytes) -> Certificate:
    """What a verifier needs of an X.509 certificate; Wrong for one that is not on P-256."""
    fields = alone(data).sequence()[0].sequence()
    fields = fields[1:] if fields[0].tag == 0xA0 else fields
    serial, _algorithm, issuer, _validity, subject, key = fields[:6]
    algorithm, bits = key.sequence()
    kind, curve = algorithm.sequence()
    if (kind.content, curve.content) != (EC_KEY, P256) or bits.expected(BITS).content[:1] != b"\0":
        raise Wrong("the certificate's key is not on P-256")
    return Certificate(
        data, common_name(subject), issuer.whole + serial.whole, key.whole, bits.content[1:]
    )


def common_name(subject: Value) -> str:
    for relative in subject.sequence():
        for pair in relative.sequence(SET):
            kind, value = pair.sequence()
            if kind.content == COMMON_NAME:
                return value.content.decode("utf-8", "replace")
    return "without a name"


def _only(attributes: Value) -> Value:
    (attribute,) = attributes.inside()
    kind, values = attribute.sequence()
    if kind.content != TIME_STAMP:
        raise Wrong("the signature has an unsigned attribute that is no time stamp")
    (value,) = values.sequence(SET)
    return value
