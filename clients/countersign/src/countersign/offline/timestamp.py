"""A time stamp (RFC 3161) about a signature: what its authority signed, and whether a certificate that you trust did.

1. It is signed data with one signer over one TSTInfo; nothing is left over.
2. The imprint is that of the signature.
3. The signed attributes name the content's type, its digest, and the certificate (ESSCertID, RFC 2634 or RFC 5035).
4. That certificate may do this and nothing else (extended key usage timeStamping, critical: RFC 3161, 2.3), and was valid at that time.
5. The signature over the attributes verifies with its key: RSA (PKCS #1 v1.5) or ECDSA on P-256 or P-384, with SHA-2.
6. The certificate is the one you gave. Without one nobody vouches for the authority: anybody can make one.

Not checked: who issued the certificate, and whether it was revoked. Raises Unread for algorithms that are not read here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from countersign.offline import curves
from countersign.offline.cms import (
    CONTENT_TYPE,
    EC_KEY,
    MESSAGE_DIGEST,
    SIGNED,
    SIGNING_CERTIFICATE,
    common_name,
)
from countersign.offline.curves import P256, P384
from countersign.offline.der import BITS, OCTETS, OID, SEQUENCE, SET, Value, alone, oid
from countersign.offline.problems import Unread, Wrong

INFO = oid("1.2.840.113549.1.9.16.1.4")
SIGNING_CERTIFICATE_1 = oid("1.2.840.113549.1.9.16.2.12")
USAGE, STAMPING = oid("2.5.29.37"), oid("1.3.6.1.5.5.7.3.8")
RSA = oid("1.2.840.113549.1.1.1")
TRUE, UTC_TIME, TIME = 0x01, 0x17, 0x18
DIGESTS = {
    oid("2.16.840.1.101.3.4.2.1"): "sha256",
    oid("2.16.840.1.101.3.4.2.2"): "sha384",
    oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
NAMES = {name: identifier for identifier, name in DIGESTS.items()}
# Algorithms of signatures that name their digest themselves; plain RSA takes the signer's.
SIGNATURES = {
    RSA: "",
    oid("1.2.840.113549.1.1.11"): "sha256",
    oid("1.2.840.113549.1.1.12"): "sha384",
    oid("1.2.840.113549.1.1.13"): "sha512",
    oid("1.2.840.10045.4.3.2"): "sha256",
    oid("1.2.840.10045.4.3.3"): "sha384",
    oid("1.2.840.10045.4.3.4"): "sha512",
}
CURVES = {oid("1.2.840.10045.3.1.7"): P256, oid("1.3.132.0.34"): P384}


@dataclass(frozen=True)
class Authority:
    """A certificate of an authority: its key, and what it may be used for."""

    der: bytes
    name: str
    issuer_and_serial: bytes
    key: Value
    since: str
    until: str
    extensions: Value | None

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.der).hexdigest()


@dataclass(frozen=True)
class Stamp:
    """When, and by whom."""

    at: str
    authority: Authority


def verified(token: bytes, signature: bytes, pinned: bytes = b"") -> Stamp:
    """Steps 1 to 5, and 6 where a certificate is pinned. Raises Wrong, or Unread."""
    content, inside, signer = _opened(token)
    at = _info(content, signature)
    parts = signer.sequence()
    _version, sid, algorithm, attributes, how, value = parts[:6]
    name = _digest(algorithm)
    named = _attributes(attributes.expected(0xA0))
    # 3. The attributes.
    if named[CONTENT_TYPE].expected(OID).content != INFO:
        raise Wrong("the time stamp's attributes are about something else")
    if named[MESSAGE_DIGEST].expected(OCTETS).content != hashlib.new(name, content).digest():
        raise Wrong("the time stamp's content is not what was signed")
    found = _certificate(named, [*inside, *([pinned] if pinned else [])])
    if sid.tag == SEQUENCE and sid.content != found.issuer_and_serial:
        raise Wrong("the time stamp names another certificate than its attributes")
    _require_for_stamps(found, at)
    # 5. The signature.
    covered = bytes([SET]) + attributes.whole[1:]
    if not _signed(found.key, how, name, covered, value.expected(OCTETS).content):
        raise Wrong("the time stamp's signature does not verify with the key of its certificate")
    # 6. The pinned certificate.
    if pinned and found.der != pinned:
        raise Wrong(f"the time stamp is by {found.fingerprint}, you gave another certificate")
    return Stamp(_told(at), found)


def _opened(token: bytes) -> tuple[bytes, list[bytes], Value]:
    """1. The TSTInfo's bytes, the certificates inside, and the signer."""
    kind, wrapped = alone(token).sequence()
    (body,) = wrapped.sequence(0xA0)
    _version, _algorithms, content, *rest, signers = body.sequence()
    about, held = content.sequence()
    if kind.content != SIGNED or about.content != INFO:
        raise Wrong("the time stamp is not one")
    (signer,) = signers.sequence(SET)
    (text,) = held.sequence(0xA0)
    inside = [each.whole for part in rest if part.tag == 0xA0 for each in part.inside()]
    return text.expected(OCTETS).content, inside, signer


def _info(content: bytes, signature: bytes) -> str:
    """2. When, of a TSTInfo that is about the signature."""
    info = alone(content).sequence()
    algorithm, stamped = info[2].sequence()
    name = _digest(algorithm)
    if stamped.expected(OCTETS).content != hashlib.new(name, signature).digest():
        raise Wrong("the time stamp is about another signature")
    return _time(info[4].expected(TIME))


def _digest(algorithm: Value) -> str:
    identifier = algorithm.sequence()[0].expected(OID).content
    if identifier not in DIGESTS:
        raise Unread("the time stamp uses another digest than SHA-2, which is not read here")
    return DIGESTS[identifier]


def _attributes(found: Value) -> dict[bytes, Value]:
    named: dict[bytes, Value] = {}
    for attribute in found.inside():
        kind, values = attribute.sequence()
        if kind.expected(OID).content in named:
            raise Wrong("the time stamp has an attribute twice")
        (named[kind.content],) = values.sequence(SET)
    if not {CONTENT_TYPE, MESSAGE_DIGEST} <= named.keys():
        raise Wrong("the time stamp lacks an attribute that RFC 3161 demands")
    return named


def _certificate(named: dict[bytes, Value], known: list[bytes]) -> Authority:
    """3. The certificate that the attributes name."""
    if SIGNING_CERTIFICATE in named:
        first = named[SIGNING_CERTIFICATE].sequence()[0].sequence()[0].sequence()
        name = _digest(first[0]) if first[0].tag == SEQUENCE else "sha256"
        wanted = first[1 if first[0].tag == SEQUENCE else 0].expected(OCTETS).content
    elif SIGNING_CERTIFICATE_1 in named:  # names it by SHA-1; the signature below is what proves it
        first = named[SIGNING_CERTIFICATE_1].sequence()[0].sequence()[0].sequence()
        name, wanted = "sha1", first[0].expected(OCTETS).content
    else:
        raise Wrong("the time stamp does not name its certificate")
    for one in known:
        if hashlib.new(name, one).digest() == wanted:
            return authority(one)
    raise Wrong("the certificate that the time stamp names is not inside, nor the one you gave")


def authority(data: bytes) -> Authority:
    """What is read of a certificate."""
    fields = alone(data).sequence()[0].sequence()
    fields = fields[1:] if fields[0].tag == 0xA0 else fields
    serial, _algorithm, issuer, validity, subject, key = fields[:6]
    since, until = (_time(each) for each in validity.sequence())
    extensions = next((each for each in fields[6:] if each.tag == 0xA3), None)
    return Authority(
        data, common_name(subject), issuer.whole + serial.whole, key, since, until, extensions
    )


def _require_for_stamps(found: Authority, at: str) -> None:
    """4."""
    used = [] if found.extensions is None else found.extensions.inside()[0].sequence()
    for extension in used:
        kind, *rest = extension.sequence()
        if kind.content != USAGE:
            continue
        critical = len(rest) == 2 and rest[0].tag == TRUE and rest[0].content == b"\xff"
        purposes = [each.content for each in alone(rest[-1].expected(OCTETS).content).sequence()]
        if critical and purposes == [STAMPING]:
            break
        raise Wrong("the time stamp's certificate may do other things than stamp times")
    else:
        raise Wrong("the time stamp's certificate is not one for stamping times")
    if not found.since <= at <= found.until:
        raise Wrong(f"the time stamp's certificate was not valid at {_told(at)}")


def _signed(key: Value, how: Value, name: str, covered: bytes, value: bytes) -> bool:
    """5."""
    algorithm, bits = key.sequence()
    kind = algorithm.sequence()[0].content
    identifier = how.sequence()[0].expected(OID).content
    if identifier not in SIGNATURES or bits.expected(BITS).content[:1] != b"\0":
        raise Unread("the time stamp is signed in a way that is not read here")
    if (SIGNATURES[identifier] or name) != name:
        raise Wrong("the time stamp names two different digests")
    digest = hashlib.new(name, covered).digest()
    if kind == RSA:
        return _rsa(bits.content[1:], name, digest, value)
    if kind != EC_KEY or algorithm.sequence()[1].content not in CURVES:
        raise Unread("the time stamp's key is of a kind that is not read here")
    r, s = (number.number() for number in alone(value).sequence())
    return curves.ecdsa_verifies(
        CURVES[algorithm.sequence()[1].content], bits.content[1:], digest, r, s
    )


def _rsa(key: bytes, name: str, digest: bytes, value: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 (RFC 8017, 8.2.2): the encoding is made and compared, never read."""
    modulus, exponent = (number.number() for number in alone(key).sequence())
    size = (modulus.bit_length() + 7) // 8
    if modulus.bit_length() < 2048 or exponent < 3:
        raise Wrong("the time stamp's key is too short to prove anything")
    algorithm = bytes([6, len(NAMES[name])]) + NAMES[name] + b"\5\0"
    told = bytes([SEQUENCE, len(algorithm)]) + algorithm + bytes([4, len(digest)]) + digest
    told = bytes([SEQUENCE, len(told)]) + told
    wanted = b"\0\1" + b"\xff" * (size - len(told) - 3) + b"\0" + told
    number = int.from_bytes(value, "big")
    return (
        len(value) == size
        and number < modulus
        and pow(number, exponent, modulus).to_bytes(size, "big") == wanted
    )


def _time(value: Value) -> str:
    """YYYYMMDDhhmmss, of UTC, as both kinds of time have it (RFC 5280, 4.1.2.5); fractions of seconds do not count."""
    text = value.content.decode("ascii", "replace")
    if value.tag == UTC_TIME:
        text = ("20" if text[:2] < "50" else "19") + text
    if not text.endswith("Z") or not text[:14].isdigit() or len(text) < 15:
        raise Wrong("a time in the time stamp cannot be read")
    return text[:14]


def _told(at: str) -> str:
    return f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[8:10]}:{at[10:12]}:{at[12:14]} UTC"
