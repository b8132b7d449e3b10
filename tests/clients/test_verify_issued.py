"""A document that the site issued, verified by a program that knows nothing of the site, against the ledger and online."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from apps.audits import exporting
from apps.compliance import documents, selectors, services
from apps.core import signing
from tests.api.conftest import Server
from tests.clients.conftest import Run
from tests.compliance.conftest import Story, story, work
from tests.impact.samples import moderate, save, sign
from tests.support.people import as_actor, token_for

__all__ = ["story"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_an_approved_versions_document_is_proven_to_the_last_byte(
    story: Story, run: Run, tmp_path: Path
):
    story.measure().write().submit()
    story.sign(story.vera)
    story.sign(story.rui)
    document = story.issue()
    assert document.is_ready, document.error
    (tmp_path / "card.pdf").write_bytes(b"".join(selectors.read_pdf(document)))
    (tmp_path / "site.pem").write_text(signing.document_key().certificate_pem)
    with (tmp_path / "ledger.jsonl").open("wb") as file:
        file.writelines(exporting.export_lines())
    said = run(
        "verify",
        str(tmp_path / "card.pdf"),
        "--ledger",
        str(tmp_path / "ledger.jsonl"),
        "--certificate",
        str(tmp_path / "site.pem"),
    )
    assert said.code == 0, said.out
    assert said.out.splitlines()[-1] == "VERIFIED"
    assert "[ok] decisions: 2 decisions, 0 of them void" in said.out
    assert "[ok] envelopes: 2 of 2 decisions are signed" in said.out
    assert "[ok] check results: 3 of 3 have a result; recomputed" in said.out
    assert "(enclosed, recomputed)" in said.out
    lost = [line for line in said.out.splitlines() if "not found on the pages" in line]
    assert lost == []


def test_an_impact_assessment_is_proven_and_an_edited_answer_is_named(
    story: Story, run: Run, tmp_path: Path
):
    row = save(as_actor(story.ana), story.version.model, moderate())
    sign(as_actor(story.rui), row)
    document = services.request_document(as_actor(story.ana), story.version, "impact_report")
    work("compliance", lambda message: services.make(message.payload["document"]))
    document.refresh_from_db()
    (tmp_path / "impact.pdf").write_bytes(b"".join(selectors.read_pdf(document)))
    (tmp_path / "site.pem").write_text(signing.document_key().certificate_pem)
    with (tmp_path / "ledger.jsonl").open("wb") as file:
        file.writelines(exporting.export_lines())
    proofs = ("--ledger", str(tmp_path / "ledger.jsonl"), "--certificate", str(tmp_path / "site.pem"))  # fmt: skip
    said = run("verify", str(tmp_path / "impact.pdf"), *proofs)
    assert said.code == 0, said.out
    assert said.out.splitlines()[-1] == "VERIFIED"
    assert "[ok] assessment: revision 1 answers the enclosed questionnaire, and the enclosed statement is about it" in said.out  # fmt: skip
    assert f"digest, {row.digest}" in said.out
    dossier = selectors.read_dossier(document)
    assert dossier.report is not None
    false = [
        msgspec.structs.replace(each, text=each.text.replace("About purpose.", "About another."))
        for each in dossier.report.enclosed
    ]
    report = msgspec.structs.replace(dossier.report, enclosed=tuple(false))
    data = documents.render_pdf(msgspec.structs.replace(dossier, report=report))
    forged = documents.signed(data, signing.document_key())
    (tmp_path / "forged.pdf").write_bytes(forged.data)
    said = run("verify", str(tmp_path / "forged.pdf"), "--certificate", str(tmp_path / "site.pem"))
    assert said.code == 1
    assert "the margins print" in said.out
    assert "assessment: the statement's digest is" in said.out


def test_the_site_itself_is_asked_whether_a_file_is_its_own(
    story: Story, run: Run, server: Server, tmp_path: Path
):
    document = story.issue()
    data = b"".join(selectors.read_pdf(document))
    (tmp_path / "card.pdf").write_bytes(data)
    asked = ("verify", str(tmp_path / "card.pdf"), "--brief", "--url", server.url)
    said = run(*asked, token=token_for(story.ana, "read"))
    assert said.code == 0, said.out
    assert "the site issued it as the model_card of income v1" in said.out
    (tmp_path / "card.pdf").write_bytes(data[:-1] + b" ")
    assert run(*asked, token=token_for(story.ana, "read")).code == 1
    assert run(*asked, token="cs_nothing").code == 3
