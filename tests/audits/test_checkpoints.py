"""Checkpoints: signed when the ledger grew, never in contradiction to an earlier one, kept outside, and what finds a rewritten ledger."""

from __future__ import annotations

import contextlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, connection, transaction

from apps.audits import checkpoint_selectors, checkpoints, keeping, keys, notes, selectors, tasks
from apps.audits.models import Checkpoint, CheckpointDelivery, Event
from apps.audits.reconcile_checkpoints import differences
from apps.core import signing
from apps.core.actor import Actor
from apps.core.errors import Blocked, Conflict, Invalid, NotFound, Tampered
from apps.core.models import OutboxMessage
from tests.notices import smtp
from tests.support import s3_server
from tests.support.ledger import append_some
from tests.support.races import at_once
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system("test")


@pytest.fixture(autouse=True)
def _own_key(settings, tmp_path):
    settings.VAR = tmp_path
    settings.LEDGER_ORIGIN = "example.org/ledger"
    settings.CHECKPOINT_KEPT = []


def _make():
    return checkpoints.make_checkpoint(SYSTEM)


def _deliver() -> None:
    """What the worker does with what waits; a failure stays a failure."""
    for pk in OutboxMessage.objects.filter(task=keeping.TASK, finished_at=None).values_list(
        "pk", flat=True
    ):
        OutboxMessage.objects.filter(pk=pk).update(not_before="2000-01-01T00:00Z")
        with contextlib.suppress(Exception):
            tasks.deliver_checkpoint(pk)


def test_a_checkpoint_says_the_ledgers_size_and_root_and_verifies():
    append_some(3)
    made = _make()
    note = notes.parse(made.note)
    said = notes.checkpoint(note.text)
    head = selectors.head()
    assert (said.origin, said.size, said.root.hex()) == (
        "example.org/ledger",
        head.size,
        head.root,
    )
    assert note.signed_by(checkpoint_selectors.log_key(signing.ledger_key().public))


def test_signing_does_not_make_the_ledger_grow_and_nothing_new_makes_no_new_checkpoint():
    append_some(3)
    first = _make()
    size = selectors.head().size
    assert _make() == first
    tasks.sign_checkpoint()
    assert (selectors.head().size, Checkpoint.objects.count()) == (size, 1)
    append_some(1)
    tasks.sign_checkpoint()
    assert [each.size for each in checkpoint_selectors.list_checkpoints()] == [size + 1, size]
    assert selectors.latest_checkpoint().occasion == "interval"
    assert selectors.checkpoint_at(size) == first
    with pytest.raises(NotFound):
        selectors.checkpoint_at(size + 7)


def test_two_at_once_make_one():
    append_some(3)
    keys.ledger_key(SYSTEM)
    one, other = at_once(_make, _make)
    assert one == other
    assert Checkpoint.objects.count() == 1


def test_without_a_key_nothing_is_signed_and_the_interval_goes_on(settings):
    settings.KEYS_MADE_WHEN_NEEDED = False
    append_some(1)
    with pytest.raises(Blocked):
        _make()
    tasks.sign_checkpoint()
    assert not Checkpoint.objects.exists()


def test_a_checkpoint_is_never_changed_removed_or_of_another_root():
    append_some(3)
    _make()
    key = signing.ledger_key()
    for act in (
        lambda: Checkpoint.objects.update(root=bytes(32)),
        lambda: Checkpoint.objects.all().delete(),
        lambda: Checkpoint.objects.create(
            size=2, root=bytes(32), key_id=key.key_id, note=b"", made_at="2026-01-01T00:00Z"
        ),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def _rewrite() -> None:
    """All of it, as the database's owner can: another body, and every hash above it made to fit."""
    with triggers_off("audits_event", "audits_head"), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audits_event DROP CONSTRAINT audits_event_leaf")
        cursor.execute(
            "UPDATE audits_event SET root = sha256(root), leaf_hash = sha256(body || 'x')"
        )
        cursor.execute(
            "UPDATE audits_head SET root = (SELECT root FROM audits_event ORDER BY seq DESC LIMIT 1)"
        )


@pytest.fixture
def _constraint_back():
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE audits_event ADD CONSTRAINT audits_event_leaf"
            " CHECK (leaf_hash = sha256('\\x00'::bytea || body)) NOT VALID"
        )


@pytest.mark.usefixtures("_constraint_back")
def test_a_rewritten_ledger_is_found_by_its_old_checkpoints_and_signed_no_more():
    append_some(5)
    made = _make()
    assert list(differences()) == []
    _rewrite()
    (found,) = differences()
    assert str(found).startswith(
        f"checkpoint:{made.size}: the ledger's root at size {made.size} is"
    )
    with triggers_off("audits_checkpoint"):
        Checkpoint.objects.all().delete()  # the forger lets it disappear, but somebody kept it
    verdict = checkpoint_selectors.check_kept(made.note)
    assert (verdict.good, verdict.proof) == (False, None)
    assert "are not those it was made of" in verdict.sentence


@pytest.mark.usefixtures("_constraint_back")
def test_what_contradicts_the_last_checkpoint_is_not_signed():
    append_some(5)
    _make()
    append_some(1)
    _rewrite()
    with pytest.raises(Tampered, match="does not continue"):
        _make()
    assert Checkpoint.objects.count() == 1


def test_a_ledger_that_lost_its_end_is_found():
    append_some(5)
    made = _make()
    with triggers_off("audits_event", "audits_head"):
        Event.objects.filter(seq=made.size).delete()
    (found,) = differences()
    assert "is shorter now" in found.message


def test_a_forged_checkpoint_row_is_found():
    append_some(5)
    _make()
    with triggers_off("audits_checkpoint"):
        other = notes.Checkpoint("example.org/ledger", 2, bytes(32)).text
        Checkpoint.objects.update(note=(other + "\n— example.org/ledger AAAAAAAA\n").encode())
    assert any("not signed by the key it names" in each.message for each in differences())


class TestWhatSomebodyKept:
    def test_an_old_one_is_proved_and_the_proof_is_handed_out(self):
        append_some(3)
        kept = _make()
        append_some(4)
        verdict = checkpoint_selectors.check_kept(kept.note)
        assert verdict.good
        assert f"begins with exactly its {kept.size} events; 4 were added" in verdict.sentence
        assert verdict.proof == checkpoint_selectors.consistency_proof(kept.size)

    def test_a_longer_one_says_that_events_are_missing(self):
        append_some(3)
        kept = _make()
        with triggers_off("audits_event", "audits_head"):
            Event.objects.filter(seq__gt=2).delete()
            with connection.cursor() as cursor:
                cursor.execute("UPDATE audits_head SET size = 2")
        assert "the rest is missing" in checkpoint_selectors.check_kept(kept.note).sentence

    def test_one_that_a_stranger_signed_is_none_of_ours(self):
        append_some(3)
        _make()
        private = Ed25519PrivateKey.generate()
        name = checkpoint_selectors.log_key(private.public_key().public_bytes_raw())
        said = notes.Checkpoint(name.name, 1, checkpoint_selectors.root_at(1))
        line = notes.Signature(name.name, name.key_hash, private.sign(said.text.encode()))
        verdict = checkpoint_selectors.check_kept(notes.Note(said.text, (line,)).dump())
        assert (verdict.good, verdict.signer) == (False, "")

    def test_one_of_a_retired_key_still_verifies(self):
        append_some(3)
        kept = _make()
        keys.rotate(SYSTEM, signing.LEDGER, reason="yearly")
        assert checkpoint_selectors.check_kept(kept.note).good
        assert _make().key_id != kept.key_id

    @pytest.mark.parametrize("data", [b"", b"hello", b"\xff", b"a\n1\nx\n\n-- a b\n"])
    def test_what_is_no_checkpoint_is_refused_in_words(self, data):
        with pytest.raises(Invalid):
            checkpoint_selectors.check_kept(data)

    def test_proofs_go_from_old_to_new_and_not_beyond(self):
        append_some(3)
        with pytest.raises(Invalid, match="larger"):
            checkpoint_selectors.consistency_proof(3, 2)
        for old, new in ((0, 2), (2, 99)):
            with pytest.raises(NotFound):
                checkpoint_selectors.consistency_proof(old, new)
        with pytest.raises(NotFound):
            checkpoint_selectors.inclusion_proof(3, 2)


class TestKeptOutside:
    def test_a_folder_gets_each_once(self, settings, tmp_path):
        folder = tmp_path / "outside"
        folder.mkdir()
        settings.CHECKPOINT_KEPT = [f"file:{folder}"]
        append_some(3)
        made = _make()
        _deliver()
        (path,) = folder.iterdir()
        assert path.read_bytes() == made.note
        (state,) = keeping.states()
        assert (state.arrived, state.behind, state.error) == (made.size, 0, "")
        _deliver()
        assert CheckpointDelivery.objects.get().tries == 1

    def test_what_lies_there_is_never_overwritten(self, settings, tmp_path):
        settings.CHECKPOINT_KEPT = [f"file:{tmp_path}"]
        append_some(3)
        _make()
        path = tmp_path / keeping.file_name(Checkpoint.objects.get())
        path.write_bytes(b"another")
        _deliver()
        assert path.read_bytes() == b"another"
        (state,) = keeping.states()
        assert "one of the two ledgers is forged" in state.error
        assert list(tmp_path.glob(".*")) == []

    def test_a_folder_that_is_gone_is_told_and_gets_it_when_it_is_back(self, settings, tmp_path):
        folder = tmp_path / "outside"
        settings.CHECKPOINT_KEPT = [f"file:{folder}"]
        settings.OUTBOX_BACKOFF_SECONDS = 0
        append_some(3)
        made = _make()
        for _ in range(settings.OUTBOX_MAX_ATTEMPTS + 1):
            _deliver()
        (state,) = keeping.states()
        assert (state.behind, state.tries) == (made.size, settings.OUTBOX_MAX_ATTEMPTS)
        assert "There is no folder" in state.error
        folder.mkdir()
        tasks.sign_checkpoint()  # nothing new, but what was given up is taken up again
        _deliver()
        assert (folder / keeping.file_name(Checkpoint.objects.get())).exists()
        assert keeping.states()[0].error == ""

    def test_a_place_that_is_added_gets_the_newest_at_the_next_interval(self, settings, tmp_path):
        append_some(3)
        _make()
        settings.CHECKPOINT_KEPT = [f"file:{tmp_path}"]
        assert keeping.send_again() == 1
        assert keeping.send_again() == 0
        _deliver()
        assert len(list(tmp_path.glob("*.checkpoint"))) == 1

    def test_mail_carries_it_as_text_and_as_a_file(self, settings):
        from config import mail as mail_settings

        with smtp.server() as server:
            for name, value in mail_settings.settings(f"smtp://127.0.0.1:{server.port}").items():
                setattr(settings, name, value)
            settings.CHECKPOINT_KEPT = ["mailto:auditor@example.org"]
            append_some(3)
            made = _make()
            server.refuse = True
            _deliver()
            assert server.mails == []
            assert "451" in keeping.states()[0].error
            server.refuse = False
            _deliver()
        (sent,) = server.mails
        assert "To: auditor@example.org" in sent
        assert made.root not in sent  # the root stands in it as base64, as in the note
        assert made.note.decode().splitlines()[2] in sent

    def test_an_object_store_gets_it_once(self, settings, monkeypatch, tmp_path):
        with s3_server.serving(tmp_path / "s3.log") as address:
            settings.CHECKS_S3_ENDPOINT = address
            for name, value in s3_server.KEYS.items():
                monkeypatch.setenv(name, value)
            store = s3_server.store(address)
            store.create_dir("kept")
            settings.CHECKPOINT_KEPT = ["s3://kept/ledger", "s3://absent/ledger"]
            append_some(3)
            made = _make()
            _deliver()
            path = f"kept/ledger/{keeping.file_name(Checkpoint.objects.get())}"
            with store.open_input_stream(path) as stream:
                assert stream.read() == made.note
            there, absent = keeping.states()
            assert (there.behind, there.error) == (0, "")
            assert absent.error
            with store.open_output_stream(path) as stream:
                stream.write(b"another")
            row = CheckpointDelivery.objects.get(target="s3://kept/ledger")
            CheckpointDelivery.objects.filter(pk=row.pk).update(delivered_at=None)
            with pytest.raises(Conflict, match="forged"):
                keeping.deliver(row.pk)

    def test_without_credentials_it_says_so(self, settings, monkeypatch):
        monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
        settings.CHECKPOINT_KEPT = ["s3://kept/ledger"]
        append_some(3)
        _make()
        _deliver()
        assert "no credentials" in keeping.states()[0].error

    @pytest.mark.parametrize(
        "target",
        [
            "ftp://x",
            "file:relative",
            "mailto:",
            "mailto:a b@c",
            "s3:bucket",
            "nonsense",
            "mailto:a@b,c@d",
        ],
    )
    def test_a_setting_that_cannot_be_used_stops_the_start(self, settings, target):
        from apps.audits.checks import check_ledger

        settings.CHECKPOINT_KEPT = [target]
        assert "audits.E004" in {each.id for each in check_ledger()}


def test_the_verifier_key_is_what_others_are_told():
    key = keys.ledger_key(SYSTEM)
    told = notes.verifier(str(checkpoint_selectors.log_key(key.public)))
    assert (told.name, told.public) == ("example.org/ledger", key.public)
