"""The page that says whether a file was issued here."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from apps.audits import selectors as audits
from apps.compliance.models import Document
from apps.web import addresses, cells, words
from apps.web.parts import Cell, Fact, Notice, PageHeader

_HEADER = PageHeader(
    title="Verify a document",
    lead="Drop a PDF here: this site says whether it issued that very file, byte for byte. It is hashed while it arrives and kept nowhere.",
)


@dataclass(frozen=True, slots=True)
class VerifyPage:
    """The form, what was wrong with what was sent, the answer, and what is known of the file."""

    header: PageHeader
    problem: str = ""
    notice: Notice | None = None
    facts: tuple[Fact, ...] = ()


def empty() -> VerifyPage:
    """Nothing was sent yet."""
    return VerifyPage(_HEADER)


def refused(name: str, *, too_large: bool, most: int) -> VerifyPage:
    """What was sent is no file to hash."""
    if too_large:
        problem = f"{name} is larger than {words.size(most)}: no document is."
    else:
        problem = f"{name} is empty." if name else "Choose a file."
    return VerifyPage(_HEADER, problem)


def answer(name: str, size: int, digest: str, found: Document | None) -> VerifyPage:
    """Issued here, according to the ledger, or not."""
    file = (Fact("File", cells.text(name)), Fact("Size", cells.text(words.size(size))))
    known = (*file, Fact("SHA-256", cells.digest(digest)))
    seq = _event(found, digest) if found is not None else None
    if found is None or seq is None:
        return VerifyPage(_HEADER, notice=_unknown(), facts=known)
    version = found.version
    label = f"{version.model.name} v{version.number}"
    facts = (
        *known,
        Fact("Issued as", cells.link(str(found), reverse("web:document", args=[found.uuid]))),
        Fact("About", cells.link(label, addresses.version(version.model.name, version.number))),
        Fact("Issued", cells.when(found.finished_at)),
        Fact("Ledger event", cells.text(str(seq))),
        Fact("Signed by key", _key(found)),
    )
    return VerifyPage(_HEADER, notice=_issued(label), facts=facts)


def _event(found: Document, digest: str) -> int | None:
    """The event that issued this file: a row alone is not believed."""
    events = audits.events(scopes=[f"document:{found.uuid}"], types=["compliance.document.issued"])
    return next((event.seq for event in events if event.payload["digest"] == digest), None)


def _key(found: Document) -> Cell:
    if found.signed_by:
        return cells.digest(found.signed_by)
    return cells.missing("it was issued before documents were signed")


def _issued(label: str) -> Notice:
    text = f"It is, to the last byte, what was issued about {label}, and the ledger says so."
    return Notice(text, "good", "This file was issued here")


def _unknown() -> Notice:
    return Notice(
        "It was changed, comes from another site, or is about a model that you may not see. "
        "The program countersign verify names what is wrong with a changed file.",
        "bad",
        "No document that you may see is this file",
    )
