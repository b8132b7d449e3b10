"""Issued documents: what they say, that they are made once, and that nobody has to take them on faith."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import threading
from pathlib import Path

import pypdf
import pytest
from django.core.management import call_command
from django.db import connection, connections

from apps.accounts.models import User
from apps.audits.selectors import events, replay
from apps.checks import selectors as checks
from apps.checks import services as checking
from apps.compliance import documents, selectors, services, tasks
from apps.compliance.models import Document
from apps.core import blobs
from apps.core.errors import Conflict, DomainError, Forbidden, NotFound, Tampered
from apps.core.models import OutboxMessage
from apps.modelcards.dossier import Dossier
from apps.registry import services as registry
from apps.registry.models import ModelVersion
from apps.reviews import services as reviewing
from tests import factories
from tests.compliance.conftest import Story, work
from tests.support.people import as_actor
from tests.support.triggers import triggers_off

pytestmark = pytest.mark.django_db(transaction=True)

VERIFIER = Path(__file__).resolve().parents[2] / "tools" / "verify_ledger.py"


def pdf_of(document: Document) -> bytes:
    return b"".join(selectors.read_pdf(document))


def inside(data: bytes) -> dict[str, bytes]:
    reader = pypdf.PdfReader(io.BytesIO(data))
    return {name: contents[0] for name, contents in reader.attachments.items()}


def words(data: bytes) -> str:
    reader = pypdf.PdfReader(io.BytesIO(data))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def assembled(story: Story) -> Dossier:
    version = ModelVersion.objects.select_related("model").get(pk=story.version.pk)
    return documents.assemble(version, documents.reported_round(version))


def test_an_approved_version_gets_a_document_that_verifies_offline(story: Story, tmp_path: Path):
    story.measure().write().submit()
    story.sign(story.vera)
    story.sign(story.rui)
    document = story.issue()
    assert document.status == "ready", document.error
    data = pdf_of(document)

    assert hashlib.sha256(data).hexdigest() == document.digest
    (event,) = events(scopes=[f"version:{story.version.pk}"], types=["compliance.document.issued"])
    assert event.payload["digest"] == document.digest
    assert event.payload["render_digest"] == document.render_digest
    assert event.payload["signed_by"] == document.signed_by
    files = inside(data)
    manifest = json.loads(files["evidence-manifest.json"])
    assert (
        hashlib.sha256(files["evidence-manifest.json"]).hexdigest()
        == event.payload["manifest_digest"]
    )
    decisions = json.loads(files["decisions.json"])["decisions"]
    assert [d["signer"] for d in decisions] == ["Vera Lund", "Rui Costa"]
    for decision in decisions:
        assert (
            hashlib.sha256(decision["statement"].encode()).hexdigest()
            == decision["statement_digest"]
        )
        assert decision["evidence_digest"] == event.payload["manifest_digest"]
    results = {r["kind"]: r for r in json.loads(files["check-results.json"])["results"]}
    for entry in manifest["checks"]:
        held = results[entry["kind"]]
        assert held["result_digest"] == entry["result_digest"]
        record = held["record"]
        assert entry["result_digest"] == checks.result_digest(
            record["key"], record["statistics"], record["result"]
        )
    assert hashlib.sha256(files["card.json"]).hexdigest() == document.input_digest
    card = json.loads(files["card.json"])["card"]
    assert card["digest"] == manifest["card"]["digest"]

    extract = tmp_path / "ledger-extract.json"
    extract.write_bytes(files["ledger-extract.json"])
    done = verify(extract)
    assert done.returncode == 0, done.stdout + done.stderr
    text = words(data)
    for printed in (
        "APPROVED",
        "Vera Lund",
        "Rui Costa",
        "Approved: stage Production",
        document.version.manifest_digest,
    ):
        assert printed in text
    call_command("verify_ledger", stdout=io.StringIO())  # every app's reconciler agrees


def verify(extract: Path) -> subprocess.CompletedProcess[str]:
    """The stand-alone verifier, isolated from this project's packages."""
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), "--extract", str(extract)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_edited_extract_does_not_verify(story: Story, tmp_path: Path):
    dossier = assembled(story)
    assert dossier.ledger is not None
    extract = json.loads(dossier.ledger.extract)
    extract["events"][0]["proof"] = ["00" * 32, *extract["events"][0]["proof"][1:]]
    path = tmp_path / "extract.json"
    path.write_text(json.dumps(extract))
    assert verify(path).returncode != 0


def test_the_record_tells_the_story_in_sentences(story: Story):
    story.write().submit()
    ledger = assembled(story).ledger
    assert ledger is not None
    told = [f"{line.actor}: {line.sentence}" for line in ledger.events]
    assert any("Ana Silva: created model" in line for line in told)
    assert any("Ana Silva: saved revision 1 of the model card" in line for line in told)
    assert all("<" not in line and "&" not in line for line in told)
    assert [line.seq for line in ledger.events] == sorted(line.seq for line in ledger.events)


def test_a_version_nobody_reviewed_says_so_and_is_not_called_approved(story: Story):
    document = story.issue()
    text = words(pdf_of(document))
    assert "NOT REVIEWED" in text
    assert "Nobody has signed anything about it" in text
    assert "10 required blocks of the card are not answered" in text
    assert "evidence-manifest.json" not in inside(pdf_of(document))


def test_a_sandbox_model_is_called_ungoverned(story: Story):
    model = story.version.model
    model.governance = "sandbox"
    dossier = documents.assemble(story.version, None)
    assert dossier.status.word == "Ungoverned"
    assert dossier.gates == ()
    assert "sandbox" in dossier.notes[0]


def test_the_same_facts_are_the_same_document_whoever_asks(story: Story):
    first = story.issue()
    again = story.request(story.vera)
    assert again.pk == first.pk
    assert Document.objects.count() == 1
    assert len(list(replay("compliance.document.issued"))) == 1


def test_a_new_fact_is_a_new_document_and_the_old_one_stays(story: Story):
    first = story.issue()
    story.write()
    second = story.issue()
    assert second.pk != first.pk
    first.refresh_from_db()
    assert first.is_ready
    assert pdf_of(first) != pdf_of(second)


def test_events_about_other_things_do_not_make_another_document(story: Story):
    first = story.issue()
    factories.model(as_actor(story.ana), name="another")
    assert story.request().pk == first.pk


def test_a_doubled_message_and_a_second_worker_issue_it_once(story: Story):
    document = story.request()
    services.make(document.pk)
    services.make(document.pk)
    message = OutboxMessage.objects.get(task=services.TASK)
    tasks.render_document(message.pk)
    tasks.render_document(message.pk)
    assert len(list(replay("compliance.document.issued"))) == 1


def test_two_workers_at_the_same_moment_issue_it_once(story: Story):
    document = story.request()
    start = threading.Barrier(2)

    def make() -> None:
        try:
            start.wait()
            services.make(document.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    document.refresh_from_db()
    assert document.is_ready
    assert len(list(replay("compliance.document.issued"))) == 1


def test_a_worker_killed_in_the_middle_leaves_work_that_the_next_one_finishes(story: Story):
    document = story.request()
    Document.objects.filter(pk=document.pk).update(status="rendering")
    services.make(document.pk)
    document.refresh_from_db()
    assert document.is_ready


def test_made_again_from_its_stored_facts_it_has_the_same_bytes(story: Story):
    document = story.issue()
    again = documents.render_pdf(selectors.read_dossier(document))
    assert hashlib.sha256(again).hexdigest() == document.render_digest
    assert pdf_of(document).startswith(again)


def test_a_document_that_cannot_be_made_says_why_and_can_be_tried_again(story: Story, settings):
    document = story.request()
    path = blobs.path(document.dossier_id)
    path.chmod(0o600)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"!")
    services.make(document.pk)
    document.refresh_from_db()
    assert document.status == "error"
    assert "Tampered" in document.error
    with pytest.raises(Conflict, match="could not be made"):
        selectors.read_pdf(document)
    assert list(replay("compliance.document.issued")) == []
    path.write_bytes(whole)
    again = story.request()
    assert (again.pk, again.status, again.error) == (document.pk, "queued", "")
    assert story.issue().is_ready


def test_the_card_shown_is_the_one_that_was_signed_for_not_the_latest(story: Story):
    story.write(summary="What the signers read.").submit()
    story.write(summary="What was written afterwards.")
    dossier = assembled(story)
    assert dossier.card.texts()["summary"] == "What the signers read."
    assert dossier.card.revision == 1
    text = words(pdf_of(story.issue()))
    assert "What the signers read." in text
    assert "What was written afterwards." not in text


def test_a_recalled_measurement_voids_the_signatures_visibly(story: Story):
    story.measure().write().submit()
    story.sign(story.vera)
    measured = checks.latest(story.version, "fairness")
    assert measured is not None
    checking.recall_measurement(as_actor(story.vera), measured, reason="the labels were wrong")
    work("reviews", lambda message: reviewing.void_if_lost(as_actor(story.ana), story.asked))
    dossier = assembled(story)
    assert dossier.status.word == "Evidence void"
    assert all("void" in decision.void for decision in dossier.decisions)
    fairness = next(check for check in dossier.checks if check.kind == "fairness")
    assert (fairness.verdict, fairness.tone) == ("Recalled", "bad")
    assert "the labels were wrong" in fairness.sentence


@pytest.mark.parametrize("outcome", ["reject", "request_changes"])
def test_a_version_that_was_turned_down_is_not_called_approved(story: Story, outcome: str):
    story.write().submit()
    story.sign(story.vera, outcome)
    status = assembled(story).status
    assert status.word in {"Rejected", "Changes requested"}
    assert status.tone in {"bad", "warn"}


def test_evidence_that_does_not_match_its_digest_makes_no_document(story: Story):
    story.measure().write().submit()
    with triggers_off("checks_measurement"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE checks_measurement SET result_digest = repeat('0', 64) WHERE kind = 'drift'"
        )
    with pytest.raises(Tampered, match="the evidence names"):
        story.request()
    assert not Document.objects.exists()


def test_strangers_learn_nothing_and_readers_may_read(story: Story, otto: User, aud: User):
    document = story.issue(aud)
    with pytest.raises(DomainError) as refused:
        story.request(otto)
    assert isinstance(refused.value, Forbidden | NotFound)
    with pytest.raises(NotFound):
        selectors.get_document(as_actor(otto), document.uuid)
    assert selectors.find_by_digest(as_actor(otto), document.digest) is None
    assert selectors.get_document(as_actor(aud), str(document.uuid)) == document
    assert selectors.find_by_digest(as_actor(aud), document.digest.upper()) == document


@pytest.mark.parametrize("wrong", ["", "nonsense", "../../etc/passwd", "\x00", "7" * 5000])
def test_a_wrong_identifier_is_no_document_and_no_crash(story: Story, wrong: str):
    with pytest.raises(NotFound):
        selectors.get_document(as_actor(story.ana), wrong)


def test_a_deleted_version_gets_no_document(story: Story):
    registry.delete_version(as_actor(story.ana), story.version)
    with pytest.raises(NotFound):
        story.request()


def test_a_name_that_is_no_file_name_makes_a_plain_one(story: Story):
    document = story.request()
    document.version.model.name = '../../évil name\r\n"x"'
    assert selectors.file_name(document) == "vil-name-x-v1-model-card.pdf"


def test_assembling_takes_a_constant_number_of_queries(story: Story, django_assert_max_num_queries):
    story.write().submit()
    for number in range(5):
        story.write(summary=f"wording {number}")
    version = ModelVersion.objects.select_related("model").get(pk=story.version.pk)
    round_ = documents.reported_round(version)
    with django_assert_max_num_queries(90):
        documents.assemble(version, round_)


def test_a_document_tells_what_was_rewritten_since_the_last_approved_card(story: Story):
    """Word by word against the card that the earlier approval rests on; a first version has none to be compared with."""
    story.measure().write(summary="It predicts employment.").submit()
    story.sign(story.vera)
    story.sign(story.rui)
    assert assembled(story).changes is None
    story.write(summary="Written after the approval.")
    second = factories.version(as_actor(story.ana), story.version.model)
    later = Story(story.ana, story.vera, story.rui, second, mapping=story.mapping)
    later.measure()
    unwritten = assembled(later).changes
    assert unwritten is not None
    assert (unwritten.version, unwritten.written) == (story.version.number, False)
    later.write(summary="It predicts income.").submit()
    document = later.issue()
    changes = selectors.read_dossier(document).changes
    assert changes is not None
    assert (changes.revision, changes.review) == (1, f"REV-{story.asked.pk}")
    [block] = changes.blocks
    told = [(piece.op, piece.text) for piece in block.pieces if piece.op != "same"]
    assert told == [("removed", "employment"), ("added", "income")]
    assert "Changes since the last approved card" in words(pdf_of(document))
