"""Witnessing: what is cosigned continues what was shown before, and everything else gets the status of the specification."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, connection, transaction

from apps.audits import checkpoint_selectors, checkpoints, keeping, keys, notes, selectors, tree
from apps.audits.checks import check_ledger
from apps.audits.models import CheckpointDelivery, Cosignature, WitnessedCheckpoint, WitnessedLog
from apps.audits.reconcile_checkpoints import differences
from apps.core import signing
from apps.core.actor import Actor
from tests.support.ledger import append_some
from tests.support.races import at_once
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system("test")
ORIGIN = "log.example/one"
DOOR = "/witness/add-checkpoint"
LEAVES = [tree.leaf_hash(b"leaf %d" % number) for number in range(40)]


class Log:
    """Another log, with a key of its own."""

    def __init__(self, origin: str = ORIGIN) -> None:
        self.origin = origin
        self.private = Ed25519PrivateKey.generate()
        public = self.private.public_key().public_bytes_raw()
        self.key = notes.Verifier(origin, notes.PLAIN, public)
        self.leaves = list(LEAVES)

    def note(self, size: int, origin: str = "") -> bytes:
        said = notes.Checkpoint(origin or self.origin, size, tree.root_of(self.leaves[:size]))
        value = self.private.sign(said.text.encode())
        line = notes.Signature(self.key.name, self.key.key_hash, value)
        return notes.Note(said.text, (line,)).dump()

    def proof(self, old: int, new: int) -> list[str]:
        if not 0 < old < new:
            return []
        spans = tree.consistency_ranges(old, new)
        hashes = [tree.root_of(self.leaves[start:end]) for start, end in spans]
        return [base64.b64encode(each).decode() for each in hashes]

    def request(self, old: int, new: int, proof: list[str] | None = None) -> bytes:
        lines = [f"old {old}", *(self.proof(old, new) if proof is None else proof)]
        return ("\n".join(lines) + "\n\n").encode() + self.note(new)


@pytest.fixture(autouse=True)
def _site(settings, tmp_path):
    settings.VAR = tmp_path
    settings.WITNESS_NAME = "witness.example/w"
    settings.CHECKPOINT_KEPT = []


@pytest.fixture
def other(settings) -> Log:
    log = Log()
    settings.WITNESS_FOR = [str(log.key)]
    return log


def _ask(client, body: bytes):
    return client.post(DOOR, body, content_type="application/octet-stream")


def test_it_cosigns_what_continues_and_others_can_verify_that(client, other):
    for old, new in ((0, 5), (5, 12), (12, 12), (12, 40)):
        answer = _ask(client, other.request(old, new))
        assert answer.status_code == 200, answer.content
        line = notes.signature(answer.content.decode())
        witness = checkpoint_selectors.witness_key(signing.ledger_key().public)
        note = notes.parse(other.note(new) + answer.content)
        assert note.signed_by(witness) == line
        assert note.signed_by(other.key)
    assert [row.size for row in WitnessedCheckpoint.objects.order_by("pk")] == [5, 12, 40]
    # nobody who asks makes our own ledger grow: only the key was admitted
    assert selectors.head().size == 1


def test_another_size_than_the_last_is_answered_with_the_last(client, other):
    _ask(client, other.request(0, 5))
    for old, new in ((0, 9), (4, 9), (7, 9)):
        answer = _ask(client, other.request(old, new))
        assert (answer.status_code, answer.content) == (409, b"5\n")
        assert answer["Content-Type"] == "text/x.tlog.size"
    assert WitnessedLog.objects.get().size == 5


def test_a_fork_a_rollback_and_a_wrong_proof_are_refused(client, other):
    _ask(client, other.request(0, 5))
    forked = Log()
    forked.private, forked.key = other.private, other.key
    forked.leaves[2] = bytes(32)
    assert _ask(client, forked.request(5, 9)).status_code == 422
    assert _ask(client, forked.request(5, 5)).status_code == 409
    assert _ask(client, other.request(4, 3)).status_code == 400
    assert _ask(client, other.request(5, 9, other.proof(4, 9))).status_code == 422
    assert _ask(client, other.request(5, 9, [])).status_code == 422
    assert _ask(client, other.request(5, 5, other.proof(4, 9))).status_code == 422
    assert (WitnessedLog.objects.get().size, WitnessedCheckpoint.objects.count()) == (5, 1)
    assert _ask(client, other.request(5, 9)).status_code == 200


def test_a_first_checkpoint_has_no_proof(client, other):
    assert _ask(client, other.request(0, 5, other.proof(2, 5))).status_code == 422


def test_an_unknown_log_is_not_found_and_an_unknown_key_forbidden(client, other, settings):
    assert _ask(client, Log("other.example").request(0, 5)).status_code == 404
    assert _ask(client, Log().request(0, 5)).status_code == 403  # the origin, by another key
    settings.WITNESS_FOR = []
    assert _ask(client, other.request(0, 5)).status_code == 404
    assert not WitnessedLog.objects.exists()
    assert selectors.head().size == 0  # strangers do not even admit a key


@pytest.mark.parametrize(
    "body",
    [
        b"", b"old 0", b"old 0\n\n", b"old -1\n\nx", b"old 00\n\nx", b"new 0\n\nx", b"old 0\nnot base64\n\n", b"\xff\n\n",
        b"old 0\nAAAA\n\n",
    ],
)  # fmt: skip
def test_what_is_malformed_is_a_bad_request(client, other, body):
    assert _ask(client, body).status_code == 400
    whole = other.request(0, 5)
    if body:
        assert _ask(client, body + whole).status_code == 400


def test_too_many_hashes_or_bytes_are_refused(client, other):
    hashed = base64.b64encode(bytes(32)).decode()
    assert _ask(client, other.request(1, 5, [hashed] * 64)).status_code == 400
    assert _ask(client, other.request(0, 5) + b" " * notes.LONGEST).status_code == 413
    assert client.get(DOOR).status_code == 405


def test_without_a_key_the_witness_says_so(client, other, settings):
    settings.KEYS_MADE_WHEN_NEEDED = False
    assert _ask(client, other.request(0, 5)).status_code == 503


def test_two_at_once_cannot_both_continue_the_same_size(client, other):
    """One of the two is cosigned; the other finds the row moved, also where it is the shorter one."""
    _ask(client, other.request(0, 5))
    from django.test import Client

    one, two = at_once(
        lambda: _ask(Client(), other.request(5, 9)).status_code,
        lambda: _ask(Client(), other.request(5, 20)).status_code,
    )
    assert sorted([one, two]) == [200, 409]


def test_the_database_lets_no_witnessed_log_go_back(other, client):
    _ask(client, other.request(0, 5))
    for change in ({"size": 4}, {"root": bytes(32)}, {"origin": "else"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            WitnessedLog.objects.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        WitnessedLog.objects.all().delete()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WITNESS_FOR", ["nonsense"]),
        ("WITNESS_FOR", [str(notes.Verifier("w", notes.WITNESS, bytes(32)))]),
        ("CHECKPOINT_WITNESSES", ["https://w.example"]),
        ("CHECKPOINT_WITNESSES", [f"https://w.example {notes.Verifier('w', notes.PLAIN, bytes(32))}"]),
        ("CHECKPOINT_WITNESSES", [f"ftp://w.example {notes.Verifier('w', notes.WITNESS, bytes(32))}"]),
        ("LEDGER_ORIGIN", "two words"),
        ("WITNESS_NAME", "a+b"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used_stop_the_start(settings, name, value):
    setattr(settings, name, value)
    assert "audits.E004" in {each.id for each in check_ledger()}


class TestAsking:
    """This site asks a witness over HTTP: itself, at another door, under the name and the key of a witness."""

    @pytest.fixture
    def url(self, live_server, settings) -> str:
        key = keys.ledger_key(SYSTEM)
        url = f"{live_server.url}/witness"
        settings.LEDGER_ORIGIN = "own.example/ledger"
        settings.CHECKPOINT_WITNESSES = [f"{url} {checkpoint_selectors.witness_key(key.public)}"]
        settings.WITNESS_FOR = [str(checkpoint_selectors.log_key(key.public))]
        return url

    def _deliver(self) -> CheckpointDelivery:
        row = CheckpointDelivery.objects.latest("pk")
        keeping.deliver(row.pk)
        row.refresh_from_db()
        return row

    def test_each_checkpoint_comes_back_cosigned(self, url):
        for _ in range(3):
            append_some(3)
            made = checkpoints.make_checkpoint(SYSTEM)
            assert self._deliver().said == "cosigned by witness.example/w"
        whole = selectors.checkpoint_at(made.size)
        assert whole.witnesses == ("witness.example/w",)
        witness = checkpoint_selectors.witness_key(signing.ledger_key().public)
        assert notes.parse(whole.note).signed_by(witness)
        assert list(differences()) == []
        assert Cosignature.objects.count() == 3

    def test_a_size_we_do_not_remember_is_learned_from_the_witness(self, url):
        append_some(3)
        checkpoints.make_checkpoint(SYSTEM)
        self._deliver()
        with triggers_off("audits_cosignature"):
            Cosignature.objects.all().delete()
        append_some(2)
        checkpoints.make_checkpoint(SYSTEM)
        assert self._deliver().said == "cosigned by witness.example/w"

    def test_an_older_one_needs_nothing_once_a_newer_is_cosigned(self, url):
        append_some(3)
        checkpoints.make_checkpoint(SYSTEM)
        older = CheckpointDelivery.objects.get()
        append_some(2)
        checkpoints.make_checkpoint(SYSTEM)
        self._deliver()
        keeping.deliver(older.pk)
        older.refresh_from_db()
        assert older.delivered_at
        assert "already" in older.said

    def test_a_witness_that_saw_more_than_there_is_is_an_alarm(self, url):
        """As after a backup was put back, or events were cut off."""
        append_some(3)
        checkpoints.make_checkpoint(SYSTEM)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO audits_witnessed_log VALUES ('own.example/ledger', 99, '\\x00')"
            )
        with pytest.raises(Exception, match="events are missing"):
            self._deliver()
        assert "events are missing" in keeping.states()[0].error

    def test_a_witness_that_saw_another_root_is_an_alarm(self, url):
        append_some(3)
        made = checkpoints.make_checkpoint(SYSTEM)
        WitnessedLog.objects.create(origin="own.example/ledger", size=made.size - 1, root=bytes(32))
        with pytest.raises(Exception, match="saw another ledger"):
            self._deliver()

    def test_an_answer_by_another_key_is_not_stored(self, url, settings):
        stranger = notes.Verifier("witness.example/w", notes.WITNESS, bytes(32))
        settings.CHECKPOINT_WITNESSES = [f"{url} {stranger}"]
        append_some(3)
        checkpoints.make_checkpoint(SYSTEM)
        with pytest.raises(Exception, match="not signed by the key"):
            self._deliver()
        assert not Cosignature.objects.exists()

    def test_a_witness_that_does_not_know_us_or_is_away_is_told(self, url, settings):
        append_some(3)
        checkpoints.make_checkpoint(SYSTEM)
        settings.WITNESS_FOR = []
        with pytest.raises(Exception, match="answered 404"):
            self._deliver()
        key = settings.CHECKPOINT_WITNESSES[0].partition(" ")[2]
        settings.CHECKPOINT_WITNESSES = [f"http://127.0.0.1:9/w {key}"]
        checkpoints.keeping.send_again()
        with pytest.raises(Exception, match="cannot be reached"):
            self._deliver()
