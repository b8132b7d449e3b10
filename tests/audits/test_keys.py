"""The server's own keys: where they come from, who vouches for them, what a retired one may do."""

from __future__ import annotations

import base64
import datetime as dt
import stat
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from apps.audits import keys, notes, selectors
from apps.audits.models import SigningKey
from apps.core import clock, dsse, signing
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, NotFound, Tampered

pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system("test")


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.VAR = tmp_path


def test_a_key_is_made_when_first_needed_for_its_owner_only_and_stays():
    key = signing.ledger_key()
    path = Path(signing.settings.VAR) / "keys" / "ledger.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert signing.ledger_key().key_id == key.key_id


def test_a_site_with_its_own_database_invents_no_key(settings):
    settings.KEYS_MADE_WHEN_NEEDED = False
    with pytest.raises(Blocked, match="has no ledger key"):
        signing.ledger_key()
    call_command("keys", "create")
    assert signing.ledger_key().public


def test_a_key_from_the_environment_wins_and_is_not_replaced(settings):
    private = Ed25519PrivateKey.generate()
    settings.LEDGER_KEY = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    assert signing.ledger_key().public == private.public_key().public_bytes_raw()
    with pytest.raises(Conflict, match="environment"):
        signing.create(signing.LEDGER, replace=True)


@pytest.mark.parametrize(
    "text", ["nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_key_is_refused_in_words(settings, text):
    settings.LEDGER_KEY = settings.DOCUMENT_KEY = text
    with pytest.raises(Blocked, match="cannot be read"):
        signing.ledger_key()
    with pytest.raises(Blocked, match="cannot be read"):
        signing.document_key()


def test_the_certificate_must_belong_to_the_key(settings, tmp_path):
    one = signing.document_key()
    settings.VAR = tmp_path / "other"
    signing.document_key()
    settings.DOCUMENT_CERTIFICATE = one.certificate_pem
    with pytest.raises(Blocked, match="not the certificate"):
        signing.document_key()


def test_a_key_enters_the_ledger_once_before_it_signs():
    before = len(list(selectors.replay("audits.key.added")))
    first, second = keys.ledger_key(SYSTEM), keys.ledger_key(SYSTEM)
    assert first.key_id == second.key_id
    events = list(selectors.replay("audits.key.added"))
    assert len(events) == before + 1
    assert keys.public_keys()[first.key_id] == first.public


def test_a_rotated_key_is_endorsed_by_the_old_one_which_signs_nothing_more_and_still_verifies(
    settings,
):
    old = keys.ledger_key(SYSTEM)
    sealed = dsse.envelope(b"{}", old)
    new_id = keys.rotate(SYSTEM, signing.LEDGER, reason="yearly")
    new = keys.ledger_key(SYSTEM)
    assert new.key_id == new_id != old.key_id
    said = list(selectors.replay("audits.key.added"))[-1].payload
    assert said["endorsed_by"] == old.key_id
    Ed25519PublicKey.from_public_bytes(old.public).verify(
        bytes.fromhex(said["endorsement"]), signing.ENDORSES + new.public
    )
    assert dsse.opened(sealed, keys.public_keys()) == (b"{}", old.key_id)
    settings.LEDGER_KEY = (
        Path(settings.VAR) / "keys" / f"ledger-{old.key_id[:16]}.pem"
    ).read_text()
    with pytest.raises(Blocked, match="retired"):
        keys.ledger_key(SYSTEM)


@pytest.mark.parametrize("purpose", [signing.LEDGER, signing.DOCUMENTS])
def test_a_rotation_that_broke_off_is_ended_by_the_next_one(purpose, monkeypatch):
    """Killed after the ledger named the new key and before it was put in place."""
    first = keys.rotate(SYSTEM, purpose, reason="yearly")
    with monkeypatch.context() as patch:
        patch.setattr(signing, "install", lambda _purpose: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            keys.rotate(SYSTEM, purpose, reason="yearly")
    use = keys.ledger_key if purpose == signing.LEDGER else keys.document_key
    with pytest.raises(Blocked, match="retired"):
        use(SYSTEM)
    second = keys.rotate(SYSTEM, purpose, reason="yearly")
    assert use(SYSTEM).key_id == second
    third = keys.rotate(SYSTEM, purpose, reason="yearly")
    said = [event.payload for event in selectors.replay("audits.key.added")][-3:]
    assert [each["key"] for each in said] == [first, second, third]
    assert [each["endorsed_by"] for each in said[1:]] == [first, second]


def test_a_document_key_rotates_too():
    old = keys.document_key(SYSTEM)
    assert keys.rotate(SYSTEM, signing.DOCUMENTS, reason="expired") != old.key_id
    assert len(keys.public_keys(signing.DOCUMENTS)) >= 2


def test_a_lost_key_is_replaced_without_endorsement(settings):
    old = keys.ledger_key(SYSTEM)
    (Path(settings.VAR) / "keys" / "ledger.pem").unlink()
    keys.retire(SYSTEM, old.key_id, reason="the disk died", compromised_since=clock.now())
    new = keys.ledger_key(SYSTEM)
    said = list(selectors.replay("audits.key.added"))[-1].payload
    assert (said["key"], said["endorsed_by"]) == (new.key_id, "")
    (gone,) = [key for key in keys.known() if key.key_id == old.key_id]
    assert gone.compromised_since is not None


def test_retiring_twice_or_a_stranger_is_refused():
    key = keys.ledger_key(SYSTEM)
    keys.retire(SYSTEM, key.key_id, reason="test")
    with pytest.raises(Conflict):
        keys.retire(SYSTEM, key.key_id, reason="test")
    with pytest.raises(NotFound):
        keys.retire(SYSTEM, "0" * 64, reason="test")
    with pytest.raises(CommandError):
        call_command("keys", "retire", "0" * 64, "--reason", "test")


def test_public_keys_never_change():
    key = keys.ledger_key(SYSTEM)
    with pytest.raises(DatabaseError), transaction.atomic():
        SigningKey.objects.filter(key_id=key.key_id).update(public=b"x" * 32)
    with pytest.raises(DatabaseError), transaction.atomic():
        SigningKey.objects.filter(key_id=key.key_id).delete()


def test_the_default_certificate_names_the_site_and_lives_ten_years(settings):
    certificate = signing.document_key().certificate
    assert settings.SIGNING_NAME in certificate.subject.rfc4514_string()
    assert certificate.not_valid_after_utc - clock.now() > dt.timedelta(days=3600)


def test_an_envelope_covers_type_and_payload():
    key = signing.ledger_key()
    known = {key.key_id: key.public}
    made = dsse.statement({"model.pkl": "ab" * 32}, "https://example.org/x/v1", {"n": 1})
    sealed = dsse.envelope(made, key)
    assert dsse.envelope(made, key) == sealed
    assert dsse.opened(sealed, known)[0] == made
    found = msgspec.json.decode(sealed)
    for part, value in (
        ("payload", base64.b64encode(made.replace(b'"n":1', b'"n":2')).decode()),
        ("payloadType", "application/json"),
    ):
        with pytest.raises(Tampered, match="does not verify"):
            dsse.opened(msgspec.json.encode(found | {part: value}), known)
    with pytest.raises(Tampered, match="no key"):
        dsse.opened(sealed, {})


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"payload": "?", "payloadType": "x", "signatures": []}', b"\xff"]
)
def test_what_is_no_envelope_is_refused(data):
    with pytest.raises(Tampered):
        dsse.opened(data, {})


def test_the_pre_authentication_encoding_is_that_of_the_specification():
    # The example of the DSSE protocol's text (secure-systems-lab/dsse, protocol.md, "Test vectors").
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_signature_of_another_key_under_this_id_is_refused():
    key, other = signing.ledger_key(), Ed25519PrivateKey.generate()
    forged = dsse.envelope(b"{}", signing.LedgerKey("x", other))
    claimed = msgspec.json.decode(forged)
    claimed["signatures"][0]["keyid"] = key.key_id
    with pytest.raises(Tampered):
        dsse.opened(msgspec.json.encode(claimed), {key.key_id: key.public})
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(key.public).verify(other.sign(b"x"), b"x")


def test_the_list_tells_what_verifiers_and_witnesses_take(capsys):
    key = keys.ledger_key(SYSTEM)
    call_command("keys", "list")
    printed = capsys.readouterr().out
    told = [line.split()[-1] for line in printed.splitlines() if line.startswith("    ")]
    kinds = {
        notes.verifier(each).kind for each in told if notes.verifier(each).public == key.public
    }
    assert kinds == {notes.PLAIN, notes.WITNESS}
