"""What the browser prints of a document's page says what the document says."""

from __future__ import annotations

import io
import re
import unicodedata

import pypdf
import pytest

from apps.compliance import selectors
from apps.core.parts import Table
from tests.compliance.conftest import Story
from tests.compliance.conftest import story as story
from tests.web.test_browser import Visit
from tests.web.test_browser import chromium as chromium  # the fixtures
from tests.web.test_browser import visit as visit

pytestmark = pytest.mark.django_db(transaction=True)


def words(data: bytes) -> str:
    """Letters and figures alone: where lines and pages break is each form's own matter, and which letters are tied."""
    reader = pypdf.PdfReader(io.BytesIO(data))
    return bare(" ".join(page.extract_text() for page in reader.pages))


def bare(text: str) -> str:
    return re.sub(r"\W+", "", unicodedata.normalize("NFKC", text))


def test_the_print_preview_of_the_page_equals_the_document_in_substance(
    story: Story, visit: Visit
) -> None:
    story.measure().write(summary="It predicts **employment**.").submit()
    story.sign(story.vera)
    story.sign(story.rui)
    document = story.issue()
    dossier = selectors.read_dossier(document)
    visit.show_as(story.ana, "light")
    visit.go(f"/documents/{document.uuid}/")
    visit.page.emulate_media(media="print")
    printed = words(visit.page.pdf(format="A4"))
    issued = words(b"".join(selectors.read_pdf(document)))
    figures = {text for check in dossier.checks for text in _cells(check.rows)}
    blocks = {block.title for section in dossier.card.sections for block in section.blocks}
    people = {decision.signer for decision in dossier.decisions}
    digests = {decision.statement_digest for decision in dossier.decisions}
    facts = figures | blocks | people | digests | {dossier.evidence_digest, dossier.status.word}
    assert len(facts) > 60
    for fact in facts:
        assert bare(fact) in printed, f"{fact} is not printed"
        assert bare(fact) in issued, f"{fact} is not in the document"


def _cells(table: Table | None) -> list[str]:
    return [cell.text for row in (table.rows if table else ()) for cell in row if cell.text]
