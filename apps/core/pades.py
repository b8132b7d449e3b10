"""A PDF signed by the site: PAdES B-B (ETSI EN 319 142-1), with a time stamp B-T where an authority is configured.

Guarantee: the original is a byte prefix of what comes out; the signature covers the whole file but its own container;
the signature forbids any later change (DocMDP, level 1). The field is invisible: a visible one would need a font
that is not embedded, and the file would no longer be PDF/A.
Refuses: a document without the time stamp that the settings ask for.
Not covered by any PDF signature: the container of the signature itself. Whoever wants every byte proven compares
the whole file's digest with the ledger.
"""

from __future__ import annotations

import http.client
import io
import ssl
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Final

from asn1crypto import keys as asn1_keys
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.conf import settings
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.timestamps.api import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from apps.core import clock
from apps.core.errors import Blocked
from apps.core.signing import DocumentKey

FIELD: Final = "Countersign"
_DIGEST: Final = "sha256"
_LONGEST_ANSWER: Final = 256 * 1024


def signed(data: bytes, key: DocumentKey, *, reason: str) -> bytes:
    """The PDF with the signature appended.

    Raises Blocked for a certificate that is not valid now, and where the time stamp that is asked for cannot be had.
    """
    _require_valid(key.certificate)
    meta = signers.PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm=_DIGEST,
        reason=reason,
        name=settings.SIGNING_NAME,
        subfilter=fields.SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    url = settings.TIMESTAMP_URL
    signer = signers.PdfSigner(
        meta, signer=_signer(key), timestamper=Authority(url) if url else None
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    try:
        # pyHanko runs an event loop, which a thread that has one already refuses: it gets a thread of its own.
        with ThreadPoolExecutor(max_workers=1) as apart:
            return bytes(apart.submit(signer.sign_pdf, writer).result().getvalue())
    except (OSError, http.client.HTTPException, ValueError) as error:
        if not url:
            raise
        raise Blocked(
            f"The time stamp authority {url} gave no time stamp: {str(error) or type(error).__name__}.",
            hint="Ask again later, or change TIMESTAMP_URL.",
        ) from error


def _require_valid(certificate: x509.Certificate) -> None:
    """Who signs with an expired certificate gets a signature that every reader calls bad."""
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not since <= clock.now() <= until:
        raise Blocked(
            f"The certificate of the document key is valid from {since:%Y-%m-%d} to {until:%Y-%m-%d}, not now.",
            hint="Make a new key with `manage.py keys create --replace`, or bring another DOCUMENT_CERTIFICATE.",
        )


def _signer(key: DocumentKey) -> signers.SimpleSigner:
    private = key.private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    chain.register_multiple([_certificate(one) for one in key.chain])
    return signers.SimpleSigner(
        signing_cert=_certificate(key.certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=chain,
    )


def _certificate(certificate: x509.Certificate) -> Any:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


class Authority(TimeStamper):
    """A time stamp authority (RFC 3161) over HTTP: one POST, no redirect, no proxy, a bounded answer."""

    def __init__(self, url: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.url = url

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> Any:
        """As pyHanko does it, and the stamp must be about what was asked: only the nonce is compared there."""
        token = await super().async_timestamp(message_digest, md_algorithm)
        said = token["content"]["encap_content_info"]["content"].parsed
        if said["message_imprint"]["hashed_message"].native != message_digest:
            raise OSError("its stamp is about something else")
        return token

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Ask for one time stamp; OSError or HTTPException where none came, ValueError for what is no answer."""
        link = _link(self.url)
        parts = urllib.parse.urlsplit(self.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            link.request("POST", path, req.dump(), {"Content-Type": "application/timestamp-query"})
            answer = link.getresponse()
            body = answer.read(_LONGEST_ANSWER)
        finally:
            link.close()
        if answer.status != 200:
            raise OSError(f"it answered {answer.status}")
        return tsp.TimeStampResp.load(body, strict=True)


def _link(url: str) -> http.client.HTTPConnection:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("it has no http or https address")
    if parts.scheme == "http":
        return http.client.HTTPConnection(
            parts.hostname, parts.port, timeout=settings.TIMESTAMP_TIMEOUT_SECONDS
        )
    return http.client.HTTPSConnection(
        parts.hostname,
        parts.port,
        timeout=settings.TIMESTAMP_TIMEOUT_SECONDS,
        context=_tls(),
    )


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
