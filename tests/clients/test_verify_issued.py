"""A document that the site issued, verified by a program that knows nothing of the site, against the ledger and online."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from apps.audits import checkpoint_selectors, exporting, keys
from apps.compliance import bundles, documents, selectors, services
from apps.core import signing
from apps.registry.models import ModelVersion
from tests.api.conftest import Server
from tests.clients.conftest import Run, Said
from tests.compliance.conftest import Story, story, work
from tests.compliance.test_bundles import rewritten
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


def test_a_bundle_proves_the_whole_file_and_lists_where_each_number_came_from(
    story: Story, run: Run, tmp_path: Path
):
    """Under the key that the auditor has, also after it was replaced; an edited file, another key, and a bundle of before are found."""
    document = story.issue()
    data = b"".join(selectors.read_pdf(document))
    first = keys.ledger_key(as_actor(story.ana)).key_id
    version = ModelVersion.objects.select_related("model").get(pk=story.version.pk)
    (tmp_path / "old.zip").write_bytes(b"".join(bundles.stream(as_actor(story.ana), version)))
    second = keys.rotate(as_actor(story.ana), signing.LEDGER, reason="yearly")
    (tmp_path / "bundle.zip").write_bytes(b"".join(bundles.stream(as_actor(story.ana), version)))
    (tmp_path / "card.pdf").write_bytes(data)
    (tmp_path / "edited.pdf").write_bytes(data.replace(b"00>\n/", b"01>\n/", 1) if b"00>\n/" in data else data[:-1] + b" ")  # fmt: skip

    def asked(name: str, *options: str) -> Said:
        return run(
            "verify", str(tmp_path / name), "--bundle", str(tmp_path / "bundle.zip"), *options
        )

    for key in (first, second, str(checkpoint_selectors.log_key(keys.public_keys()[first]))):
        said = asked("card.pdf", "--key", key)
        assert said.code == 0, said.out
        assert said.out.splitlines()[-1] == "VERIFIED"
    assert "numbers on the pages, and what each was computed from:" in said.out
    assert "the whole file is what was issued, and the certificate with it" in said.out
    said = asked("card.pdf")
    assert said.code == 3
    assert said.out.splitlines()[-1].endswith("open: certificate, bundle's key")
    said = asked("card.pdf", "--key", "f" * 64)
    assert (said.code, "WRONG: bundle's key" in said.out) == (1, True)
    said = asked("edited.pdf", "--key", first)
    assert (said.code, "[wrong] whole file" in said.out) == (1, True)
    before = run(
        "verify", str(tmp_path / "card.pdf"), "--bundle", str(tmp_path / "old.zip"), "--key", second
    )
    assert (
        before.code == 1
    )  # that bundle is signed by the first key, which the second does not vouch for


@pytest.mark.parametrize(
    "member", ["keys.json", "checkpoint.txt", "ledger-extract.json", "bundle.json"]
)
def test_a_bundle_that_was_edited_proves_nothing(
    story: Story, run: Run, tmp_path: Path, member: str
):
    version = ModelVersion.objects.select_related("model").get(pk=story.version.pk)
    key = keys.ledger_key(as_actor(story.ana)).key_id
    data = b"".join(bundles.stream(as_actor(story.ana), version))

    def edit(members: dict[str, bytes]) -> None:
        members[member] = members[member].replace(b"1", b"2", 1)

    (tmp_path / "bundle.zip").write_bytes(rewritten(data, edit))
    (tmp_path / "card.pdf").write_bytes(b"%PDF-")
    said = run(
        "verify",
        str(tmp_path / "card.pdf"),
        "--bundle",
        str(tmp_path / "bundle.zip"),
        "--key",
        key,
        "--json",
    )
    told = {item["item"]: item["told"] for item in said.json["items"]}
    assert said.code == 1
    assert "no event of the bundle" not in told["whole file"]
