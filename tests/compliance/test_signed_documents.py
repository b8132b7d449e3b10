"""The signature of an issued document: by whose key, over what, and what happens where it cannot be made."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from apps.audits import keys
from apps.audits.selectors import replay
from apps.compliance import documents, selectors, services
from apps.compliance.models import Document
from apps.core import clock, pades, signing
from apps.core.actor import Actor
from apps.core.errors import Blocked
from apps.modelcards import dossier as dossiers
from apps.modelcards.renderers import pdf
from tests import pdfa
from tests.compliance.conftest import Story
from tests.modelcards import samples
from tests.support import tsa_server

pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system("test")


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.VAR = tmp_path


@pytest.fixture(scope="module")
def rendered() -> bytes:
    return pdf.render_pdf(samples.dossier())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A time stamp authority: its address, and its certificate."""
    folder = tmp_path_factory.mktemp("tsa")
    process = subprocess.Popen(
        [sys.executable, tsa_server.__file__, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}", folder / "tsa.pem"
    finally:
        process.terminate()
        process.wait(20)


def checked(data: bytes, key: signing.DocumentKey, *also: x509.Certificate):
    """What pyHanko's validator, which knows nothing of ours, finds."""
    roots = [
        asn1_x509.Certificate.load(one.public_bytes(serialization.Encoding.DER))
        for one in (key.certificate, *also)
    ]
    (found,) = PdfFileReader(io.BytesIO(data)).embedded_signatures
    return validate_pdf_signature(found, ValidationContext(trust_roots=roots))


def of(document: Document) -> bytes:
    return b"".join(selectors.read_pdf(document))


def made(story: Story) -> Document:
    document = story.request()
    services.make(document.pk)
    document.refresh_from_db()
    return document


def test_an_issued_document_is_signed_by_the_sites_key_over_all_of_it(story: Story, tmp_path: Path):
    document = story.issue()
    data, key = of(document), signing.document_key()
    status = checked(data, key)
    assert (status.valid, status.intact, status.trusted) == (True, True, True)
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.modification_level is ModificationLevel.NONE
    assert document.signed_by == key.key_id
    (tmp_path / "card.pdf").write_bytes(data)
    command = ["pdfsig", tmp_path / "card.pdf"]  # another library's opinion
    told = subprocess.run(command, capture_output=True, check=False).stdout
    assert b"Signature is Valid" in told
    assert b"Total document signed" in told
    (event,) = replay("compliance.document.issued")
    assert event.payload["digest"] == hashlib.sha256(data).hexdigest()
    assert event.payload["signed_by"] == key.key_id
    before = data[: data.index(b"%%EOF\n") + len(b"%%EOF\n")]
    assert hashlib.sha256(before).hexdigest() == event.payload["render_digest"]


def test_signing_appends_and_leaves_an_archival_file_with_an_invisible_field(rendered: bytes):
    data = pades.signed(rendered, signing.document_key(), reason="Model card")
    assert data.startswith(rendered)
    before, after = (pypdf.PdfReader(io.BytesIO(each)) for each in (rendered, data))
    root = after.trailer["/Root"]
    assert after.pdf_header == "%PDF-2.0"
    assert root.get("/Version", "/2.0") == "/2.0"
    assert 'pdfaid:part="4"' in root["/Metadata"].get_data().decode()
    assert root["/Perms"]["/DocMDP"]["/SubFilter"] == "/ETSI.CAdES.detached"
    (field,) = root["/AcroForm"]["/Fields"]
    assert list(field.get_object()["/Rect"]) == [0, 0, 0, 0]
    assert "/DR" not in root["/AcroForm"]  # no font for a text that nobody sees
    assert set(after.attachments) == set(before.attachments)
    assert [p.extract_text() for p in after.pages] == [p.extract_text() for p in before.pages]
    assert pdfa.problems({"signed": data}) == {"signed": []}


def test_a_document_encloses_the_public_key_it_is_signed_with(story: Story):
    document = story.issue()
    (attached,) = pypdf.PdfReader(io.BytesIO(of(document))).attachments["keys.json"]
    (key,) = [k for k in json.loads(attached)["keys"] if k["key_id"] == document.signed_by]
    certificate = x509.load_pem_x509_certificate(key["certificate"].encode())
    assert certificate == signing.document_key().certificate
    assert hashlib.sha256(bytes.fromhex(key["public"])).hexdigest() == document.signed_by


def test_the_bytes_before_the_signature_are_the_same_in_two_processes(story: Story):
    document = story.issue()
    dossier = selectors.read_dossier(document)
    program = (
        "import django, hashlib, sys; django.setup();"
        "from apps.modelcards import dossier; from apps.modelcards.renderers import pdf;"
        "d = dossier.from_json(sys.stdin.buffer.read());"
        "print(hashlib.sha256(pdf.render_pdf(d)).hexdigest())"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=dossiers.to_json(dossier),
            capture_output=True,
            check=True,
            env=environment() | {"PYTHONHASHSEED": seed},
        )
        assert done.stdout.decode().strip() == document.render_digest


def environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}


def refused(story: Story, *sentences: str) -> Document:
    """Made, and in error with these sentences; nothing of it is in the ledger."""
    document = made(story)
    assert document.status == "error"
    for sentence in sentences:
        assert sentence in document.error
    assert "Blocked" not in document.error
    assert list(replay("compliance.document.issued")) == []
    return document


def test_a_site_without_a_key_says_so_and_can_try_again(story: Story, settings):
    settings.KEYS_MADE_WHEN_NEEDED = False
    refused(story, "This site has no documents key, so it signs nothing.", "manage.py keys create")
    signing.create(signing.DOCUMENTS)
    assert story.issue().is_ready


def test_a_key_that_vanished_between_asking_and_making(story: Story, settings):
    document = story.request()
    settings.KEYS_MADE_WHEN_NEEDED = False
    (settings.VAR / "keys" / "documents.pem").unlink()
    services.make(document.pk)
    document.refresh_from_db()
    assert document.status == "error"
    assert "has no documents key" in document.error


def test_a_key_that_was_replaced_between_asking_and_making_signs_and_is_admitted(story: Story):
    document = story.request()
    new = keys.rotate(SYSTEM, signing.DOCUMENTS, reason="yearly")
    services.make(document.pk)
    document.refresh_from_db()
    assert (document.status, document.signed_by) == ("ready", new)


def test_a_retired_key_signs_nothing(story: Story):
    key = keys.document_key(SYSTEM)
    keys.retire(SYSTEM, key.key_id, reason="the laptop was stolen")
    refused(story, "is retired: it signs nothing more")


def test_an_unreadable_key_is_an_error_of_the_document(story: Story, settings):
    settings.DOCUMENT_KEY = "-----BEGIN PRIVATE KEY-----\nnonsense\n-----END PRIVATE KEY-----\n"
    refused(story, "cannot be read")


USAGES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
]


def certificate(private: ec.EllipticCurvePrivateKey, *, days: tuple[int, int]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Example Bank, documents")])
    since, until = (clock.now() + dt.timedelta(days=day) for day in days)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(
            x509.KeyUsage(**dict.fromkeys(USAGES, False) | {"content_commitment": True}),
            critical=True,
        )
        .sign(private, hashes.SHA256())
    )


def pem(private: ec.EllipticCurvePrivateKey, with_: x509.Certificate) -> str:
    key = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (key + with_.public_bytes(serialization.Encoding.PEM)).decode()


@pytest.mark.parametrize("days", [(-30, -1), (1, 30)])
def test_a_certificate_out_of_its_time_signs_nothing(story: Story, settings, days):
    private = ec.generate_private_key(ec.SECP256R1())
    settings.DOCUMENT_KEY = pem(private, certificate(private, days=days))
    refused(story, "The certificate of the document key is valid from", "not now")


def test_your_own_certificate_signs_by_configuration(story: Story, settings):
    private = ec.generate_private_key(ec.SECP256R1())
    settings.DOCUMENT_KEY = pem(private, own := certificate(private, days=(-1, 30)))
    document = story.issue()
    status = checked(of(document), signing.document_key())
    assert status.valid
    assert status.signing_cert.dump() == own.public_bytes(serialization.Encoding.DER)


def test_a_time_stamp_authority_stamps_the_signature(
    rendered: bytes, settings, authority: tuple[str, Path]
):
    settings.TIMESTAMP_URL, certificate_file = authority
    stamped_by = x509.load_pem_x509_certificate(certificate_file.read_bytes())
    key = signing.document_key()
    data = pades.signed(rendered, key, reason="Model card")
    status = checked(data, key, stamped_by)
    assert status.valid
    assert status.timestamp_validity.valid
    assert status.timestamp_validity.intact
    assert abs(status.timestamp_validity.timestamp - clock.now()) < dt.timedelta(minutes=5)
    assert data.startswith(rendered)
    assert pdfa.problems({"stamped": data}) == {"stamped": []}


@pytest.mark.parametrize(
    ("path", "said"), [("/refuse", "it answered 503"), ("/page", "gave no time stamp")]
)
def test_an_authority_that_gives_no_stamp_leaves_the_document_in_error(
    story: Story, settings, authority: tuple[str, Path], path: str, said: str
):
    settings.TIMESTAMP_URL = authority[0] + path
    refused(story, "The time stamp authority", said, "Ask again later")
    settings.TIMESTAMP_URL = authority[0]
    assert story.issue().is_ready


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "ftp://example.org/", "nonsense"])
def test_an_address_where_nobody_answers_is_an_error_with_its_reason(
    rendered: bytes, settings, url: str
):
    settings.TIMESTAMP_URL = url
    with pytest.raises(Blocked, match="gave no time stamp"):
        pades.signed(rendered, signing.document_key(), reason="Model card")


def test_a_worker_killed_between_signing_and_issuing_leaves_work_that_is_issued_once(story: Story):
    document = story.request()
    dossier = selectors.read_dossier(document)
    Document.objects.filter(pk=document.pk).update(status="rendering")
    lost = documents.signed(documents.render_pdf(dossier), keys.document_key(services.WORKER))
    services.make(document.pk)  # the queue gives the message to the next worker
    services.make(document.pk)
    document.refresh_from_db()
    assert document.is_ready
    assert document.render_digest == lost.render_digest
    assert document.digest != hashlib.sha256(lost.data).hexdigest()
    assert len(list(replay("compliance.document.issued"))) == 1
