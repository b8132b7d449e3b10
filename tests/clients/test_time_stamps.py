"""Time stamps in documents: of a real authority (OpenSSL), with keys of the kinds that authorities have."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from apps.core import pades, signing
from tests.clients import provable
from tests.clients.conftest import Run
from tests.clients.test_verify import states
from tests.compliance.test_signed_documents import authority
from tests.support import tsa_server

__all__ = ["authority"]


def test_a_pinned_authority_proves_the_time_and_any_other_does_not(
    run: Run, settings, authority: tuple[str, Path], tmp_path: Path
):
    settings.TIMESTAMP_URL, certificate = authority
    key = signing.document_key()
    (tmp_path / "site.pem").write_text(key.certificate_pem)
    place = tmp_path / "card.pdf"
    place.write_bytes(pades.signed(provable.issued().rendered, key, reason="Model card"))
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    known = ("--certificate", str(tmp_path / "site.pem"), "--digest", digest)
    said = run("verify", str(place), "--json", *known)
    assert (said.code, states(said)["time stamp"]) == (3, "unproven")
    said = run("verify", str(place), "--tsa-cert", str(certificate), *known)
    assert said.code == 0, said.out
    assert 'by "Time stamps for tests"' in said.out
    other = run("verify", str(place), "--json", "--tsa-cert", str(tmp_path / "site.pem"), *known)
    assert (other.code, states(other)["time stamp"]) == (1, "wrong")


PROGRAM = """
import sys
from pathlib import Path
from countersign.offline import timestamp
from countersign.offline.problems import Unread, Wrong
token, signature, pinned = (Path(name).read_bytes() for name in sys.argv[1:4])
try:
    print("ok", timestamp.verified(token, signature, pinned).at)
except (Wrong, Unread) as error:
    print(type(error).__name__, error)
"""

KEYS = {
    "rsa": "-newkey rsa:3072",
    "p256": "-newkey ec -pkeyopt ec_paramgen_curve:P-256",
    "p384": "-newkey ec -pkeyopt ec_paramgen_curve:P-384",
}


def stamped(
    folder: Path, *, key: str = "rsa", digest: str = "sha256", config: str = tsa_server.CONFIG
) -> bytes:
    """The token of an authority with such a key about `signature`."""
    (folder / "tsa.cnf").write_text(
        config.replace("signer_digest = sha256", f"signer_digest = {digest}")
    )
    (folder / "serial").write_text("01\n")
    (folder / "signature").write_bytes(b"a signature")
    for command in (
        f"openssl req -x509 {KEYS[key]} -nodes -keyout tsa.key -out tsa.pem -days 2 -config tsa.cnf",
        "openssl x509 -in tsa.pem -outform DER -out tsa.der",
        "openssl ts -query -data signature -sha256 -cert -out query",
        "openssl ts -reply -config tsa.cnf -queryfile query -token_out -out token",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return (folder / "token").read_bytes()


def judged(installed: Path, folder: Path, token: bytes, signature: bytes = b"a signature") -> str:
    (folder / "token").write_bytes(token)
    (folder / "signature").write_bytes(signature)
    command = [installed / "python", "-c", PROGRAM, "token", "signature", "tsa.der"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("key", "digest"),
    [("rsa", "sha256"), ("rsa", "sha512"), ("p256", "sha256"), ("p384", "sha384")],
)
def test_keys_of_the_kinds_that_authorities_have(
    installed: Path, tmp_path: Path, key: str, digest: str
):
    token = stamped(tmp_path, key=key, digest=digest)
    told = judged(installed, tmp_path, token)
    assert told.startswith("ok 20")
    assert (
        judged(installed, tmp_path, token, b"another")
        == "Wrong the time stamp is about another signature"
    )
    for place in range(
        8, len(token), 97
    ):  # the enclosed copy of a pinned certificate is not signed
        edited = token[:place] + bytes([token[place] ^ 1]) + token[place + 1 :]
        said = _judged_quietly(installed, tmp_path, edited)
        assert said == told or not said.startswith("ok"), place


def _judged_quietly(installed: Path, folder: Path, token: bytes) -> str:
    try:
        return judged(installed, folder, token)
    except subprocess.CalledProcessError:
        return "unreadable"  # a crash here is a wrong item in the report (countersign/verify.py)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("extendedKeyUsage = critical,timeStamping", "extendedKeyUsage = timeStamping", "may do other things"),
        ("extendedKeyUsage = critical,timeStamping", "extendedKeyUsage = critical,timeStamping,codeSigning", "may do other things"),
        ("extendedKeyUsage = critical,timeStamping", "", "not one for stamping times"),
    ],
)  # fmt: skip
def test_a_certificate_for_other_things_stamps_no_time(
    installed: Path, tmp_path: Path, old: str, new: str, words: str
):
    """OpenSSL refuses to stamp with such a one, so the stamp is by a good certificate of the same key, and the attributes name it."""
    token = stamped(tmp_path)
    command = "openssl req -x509 -new -key tsa.key -out bad.pem -days 2 -config bad.cnf"
    (tmp_path / "bad.cnf").write_text(tsa_server.CONFIG.replace(old, new))
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    made = subprocess.run(
        ["openssl", "x509", "-in", "bad.pem", "-outform", "DER"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    program = """
import sys
from pathlib import Path
from countersign.offline import timestamp
from countersign.offline.problems import Wrong
try:
    timestamp._require_for_stamps(timestamp.authority(Path("bad.der").read_bytes()), "20991231000000")
except Wrong as wrong:
    print(wrong)
"""
    (tmp_path / "bad.der").write_bytes(made.stdout)
    done = subprocess.run(
        [installed / "python", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert token
    assert words in done.stdout


def test_ecdsa_on_p384_agrees_with_cryptography(installed: Path):
    key = ec.generate_private_key(ec.SECP384R1())
    signature = key.sign(b"words", ec.ECDSA(hashes.SHA384()))
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    r, s = utils.decode_dss_signature(signature)
    digest = hashlib.sha384(b"words").hexdigest()
    program = f"""
from countersign.offline.curves import P384, ecdsa_verifies
point, digest = bytes.fromhex("{point.hex()}"), bytes.fromhex("{digest}")
print(ecdsa_verifies(P384, point, digest, {r}, {s}), ecdsa_verifies(P384, point, digest, {r}, {s} ^ 1), ecdsa_verifies(P384, point, digest[::-1], {r}, {s}))
"""
    done = subprocess.run(
        [installed / "python", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False", "False"]
