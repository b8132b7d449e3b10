"""Whoever prints the document's page gets what the PDF says."""

from __future__ import annotations

import re
import subprocess
import unicodedata

from apps.compliance import selectors
from tests.compliance.conftest import Story, story
from tests.journeys.stage import Stage

__all__ = ["story"]


def words(data: bytes) -> str:
    """The text of a PDF without white space, hyphens of line ends and forms of letters."""
    done = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True)
    return squeezed(done.stdout.decode())


def squeezed(text: str) -> str:
    return re.sub(r"[\s\u00ad\u200b]+", "", unicodedata.normalize("NFKC", text))


def test_the_printed_page_and_the_pdf_say_the_same(stage: Stage, story: Story) -> None:
    story.write().submit()
    story.sign(story.vera)
    document = story.issue()
    assert document.is_ready, document.error
    page = stage.window(story.ana)
    page.goto(f"/documents/{document.uuid}/")
    printed, issued = words(page.pdf()), words(b"".join(selectors.read_pdf(document)))
    dossier = selectors.read_dossier(document)
    told = [
        cell.text
        for block in dossier.card.blocks
        for part in (block.computed.parts if block.computed else ())
        for row in getattr(part, "rows", ())
        for cell in (row if isinstance(row, tuple) else (row.value,))
        if hasattr(cell, "text")
    ]
    told += [block.prose.text for block in dossier.card.blocks if block.prose]
    told += [check.sentence for check in dossier.checks]
    told += [f"{one.meaning}" for one in dossier.decisions] + [d.signer for d in dossier.decisions]
    told += [line.leaf for line in (dossier.ledger.events if dossier.ledger else ())]
    told += [dossier.evidence_digest, dossier.status.sentence]
    assert len(told) > 60
    for where, shown in (("PDF", issued), ("print", printed)):
        missing = [t for t in told if not all(squeezed(word) in shown for word in t.split())]
        assert missing == [], where
