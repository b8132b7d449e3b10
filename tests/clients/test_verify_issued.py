"""A document that the site issued, verified by a program that knows nothing of the site, against the ledger and online."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.audits import exporting
from apps.compliance import selectors
from apps.core import signing
from tests.api.conftest import Server
from tests.clients.conftest import Run
from tests.compliance.conftest import Story, story
from tests.support.people import token_for

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
