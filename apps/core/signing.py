"""The server's own keys: one that signs statements of the ledger, one that signs documents.

The *ledger key* is Ed25519 (RFC 8032): checkpoints and the envelopes of decisions, short signatures that plain Python can
verify. The *document key* is ECDSA on P-256 with an X.509 certificate, self-signed unless the site brings its own: PDFs
(PAdES) and model files (OpenSSF), whose readers know nothing else.

A key comes from the environment (or a file it names), else from VAR/keys. With the embedded database the keys are made
when first needed; a site with its own DATABASE_URL makes them by `manage.py keys create`: several replicas that each
invented one would sign with different keys. Which keys ever signed stands in the ledger (apps/audits/keys.py).
Private keys never enter the database, the ledger or a log.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.conf import settings

from apps.core import clock
from apps.core.errors import Blocked, Conflict

LEDGER: Final = "ledger"
DOCUMENTS: Final = "documents"
FILES: Final = {LEDGER: "ledger.pem", DOCUMENTS: "documents.pem"}
ENDORSES: Final = b"countersign key endorsement v1\n"
_VALID: Final = dt.timedelta(days=10 * 365)


@dataclass(frozen=True, slots=True)
class LedgerKey:
    """An Ed25519 key under the site's name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        """The 32 bytes of RFC 8032."""
        return self.private.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """SHA-256 of the public key, in hexadecimal."""
        return key_id(self.public)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self.private.sign(message)


@dataclass(frozen=True, slots=True)
class DocumentKey:
    """A P-256 key, its certificate, and the certificates that lead to the one who issued it."""

    private: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    @property
    def public(self) -> bytes:
        """SubjectPublicKeyInfo in DER."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def key_id(self) -> str:
        return key_id(self.public)

    @property
    def certificate_pem(self) -> str:
        """The certificate and its chain."""
        return "".join(
            one.public_bytes(serialization.Encoding.PEM).decode("ascii")
            for one in (self.certificate, *self.chain)
        )


def key_id(public: bytes) -> str:
    """How a public key is named everywhere: SHA-256 of its bytes, in hexadecimal."""
    return hashlib.sha256(public).hexdigest()


def endorse(key: LedgerKey | DocumentKey, public: bytes) -> bytes:
    """The key's signature over another public key: who trusts the one may trust the other."""
    message = ENDORSES + public
    if isinstance(key, LedgerKey):
        return key.sign(message)
    return key.private.sign(message, ec.ECDSA(hashes.SHA256()))


def ledger_key() -> LedgerKey:
    """The key that signs now. Raises Blocked where there is none or it cannot be read."""
    return _ledger(_pem(LEDGER, settings.LEDGER_KEY))


def _ledger(pem: bytes) -> LedgerKey:
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise Blocked(f"The ledger key cannot be read: {error}.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise Blocked(f"The ledger key must be Ed25519, got {type(private).__name__}.")
    return LedgerKey(settings.SIGNING_NAME, private)


def document_key() -> DocumentKey:
    """The key that signs documents now. Raises Blocked where there is none, or key and certificate do not belong together."""
    pem = _pem(DOCUMENTS, settings.DOCUMENT_KEY)
    return _document(pem, settings.DOCUMENT_CERTIFICATE.encode() or pem)


def _document(pem: bytes, certificates: bytes) -> DocumentKey:
    try:
        private = serialization.load_pem_private_key(pem, None)
        certificate, *chain = x509.load_pem_x509_certificates(certificates)
    except (ValueError, TypeError) as error:
        raise Blocked(f"The document key or its certificate cannot be read: {error}.") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise Blocked("The document key must be an EC key on P-256.")
    key = DocumentKey(private, certificate, tuple(chain))
    certified = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    if certified != key.public:
        raise Blocked("DOCUMENT_CERTIFICATE is not the certificate of DOCUMENT_KEY.")
    return key


def create(purpose: str, *, replace: bool = False) -> Path:
    """Make a key in VAR/keys; the file. With `replace` the old one is kept beside it under its key's id.

    Raises Conflict where the key comes from the environment, or exists and is not to be replaced.
    """
    path = _own_file(purpose)
    if path.exists() and not replace:
        raise Conflict(f"There is a {purpose} key already: {path}.")
    _write_once(path if not path.exists() else _next(path), _MAKERS[purpose]())
    install(purpose)
    return path


def prepare(purpose: str) -> LedgerKey | DocumentKey:
    """The key that is to replace the present one: made beside it, unless a rotation that broke off left one.

    Raises Conflict where the key comes from the environment.
    """
    path = _next(_own_file(purpose))
    _write_once(path, _MAKERS[purpose]())
    pem = path.read_bytes()
    return _ledger(pem) if purpose == LEDGER else _document(pem, pem)


def install(purpose: str) -> None:
    """Put the prepared key in the place of the present one, which is kept under its id; nothing where none is prepared."""
    path = _file(purpose)
    if not _next(path).exists():
        return
    if path.exists():
        old = ledger_key().key_id if purpose == LEDGER else document_key().key_id
        kept = path.with_name(f"{purpose}-{old[:16]}.pem")
        kept.unlink(missing_ok=True)
        os.link(path, kept)
    _next(path).replace(path)


def _own_file(purpose: str) -> Path:
    if settings.LEDGER_KEY if purpose == LEDGER else settings.DOCUMENT_KEY:
        raise Conflict(f"The {purpose} key comes from the environment; change it there.")
    return _file(purpose)


def _next(path: Path) -> Path:
    return path.with_suffix(".next")


def _pem(purpose: str, given: str) -> bytes:
    if given:
        return given.encode()
    path = _file(purpose)
    if not path.exists():
        if not settings.KEYS_MADE_WHEN_NEEDED:
            raise Blocked(
                f"This site has no {purpose} key, so it signs nothing.",
                hint="Make one with `manage.py keys create`, or name it in the environment (docs/how-to/keep-the-keys.md).",
            )
        _write_once(path, _MAKERS[purpose]())
    return path.read_bytes()


def _file(purpose: str) -> Path:
    return Path(settings.VAR) / "keys" / FILES[purpose]


def _ledger_pem() -> bytes:
    return _private_pem(Ed25519PrivateKey.generate())


def _document_pem() -> bytes:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, settings.SIGNING_NAME[:64])])
    now = clock.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False
        )
        .sign(private, hashes.SHA256())
    )
    return _private_pem(private) + certificate.public_bytes(serialization.Encoding.PEM)


_SIGNS: Final = x509.KeyUsage(
    digital_signature=True,
    content_commitment=True,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
_MAKERS: Final[dict[str, Callable[[], bytes]]] = {LEDGER: _ledger_pem, DOCUMENTS: _document_pem}


def _private_pem(private: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_once(path: Path, content: bytes) -> None:
    """Whole, mode 0600; whoever comes second keeps the first one's key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
