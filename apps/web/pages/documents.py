"""The pages of issued documents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.safestring import SafeString

from apps.compliance import kinds, statements
from apps.compliance import selectors as documents
from apps.compliance.kinds import Kind
from apps.compliance.models import Document, DocumentKind, DocumentStatus, DocumentStep
from apps.core import clock, outbox, pictures
from apps.core.actor import Actor
from apps.modelcards.renderers.html import document_body
from apps.registry.models import ModelVersion
from apps.web import addresses, cells, status, words
from apps.web.pages import crumbs
from apps.web.pages.using import form_rows
from apps.web.pages.version_frame import VersionFrame, frame
from apps.web.parts import Action, Chip, Column, Crumb, Empty, Meter, Notice, PageHeader, Row, Table

_FORMS_FOLLOW: Final = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class DocumentsPage:
    """What was issued about a version."""

    frame: VersionFrame
    table: Table
    offers: Table
    live_url: str


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """One document: its state, its PDF, its text."""

    header: PageHeader
    chip: Chip
    notice: Notice | None
    meter: Meter | None
    live_url: str
    again: Action | None
    body: SafeString | None
    forms: Table | None


def page(actor: Actor, version: ModelVersion) -> DocumentsPage:
    """Every document about a version, newest first."""
    rows = list(documents.documents(version)[:100])
    url = addresses.version(version.model.name, version.number, "documents/")
    top = frame(actor, version, "documents/")
    return DocumentsPage(
        frame=top,
        table=_table(rows),
        offers=_offers(version, url, may_state=statements.STATE in top.verbs),
        live_url=url if any(row.is_open for row in rows) else "",
    )


def _offers(version: ModelVersion, url: str, *, may_state: bool) -> Table:
    """Each kind with the act that makes one, or the reason why none can be made."""
    return Table(
        caption="What can be made",
        columns=[Column("Document"), Column("Acts", hidden_label=True)],
        rows=[
            Row(
                [
                    cells.text(kind.title, note=why or kind.about),
                    cells.acts(*_acts(kind, url, why, may_state)),
                ]
            )
            for kind in kinds.KINDS.values()
            for why in [kind.why_not(version)]
        ]
        + [_as_of(version), _bundle(version)],
    )


def _as_of(version: ModelVersion) -> Row:
    url = addresses.version(version.model.name, version.number, "card/")
    about = "The card with the revision, the data and the results that were in force then. Choose the day beside the card."
    return Row([cells.text("Model card as it stood on a day", note=about), cells.acts(Action("Choose the day", f"{url}#card-at"))])  # fmt: skip


def _bundle(version: ModelVersion) -> Row:
    """Everything at once; made while it is downloaded, so that it is in no table below."""
    url = reverse("web:version-bundle", args=[version.model.name, version.number])
    about = "Every record, document, key and proof in one archive, with the programs that verify it without this site."
    acts = [Action("Download the bundle", url, "", "download", post=True)]
    if version.manifest:
        label = f"With the files, {words.size(version.total_size)}"
        acts.append(Action(label, url, "", "download", post=True, fields={"with_files": "1"}))
    acts.append(Action("With a checkpoint you kept", url))
    return Row([cells.text("Bundle", note=about), cells.acts(*acts)])


def _acts(kind: Kind, url: str, why: str, may_state: bool) -> list[Action]:
    found = []
    if not why:
        first = kind.key == DocumentKind.MODEL_CARD
        fields = {"kind": kind.key}
        found.append(
            Action(kind.act, url, "primary" if first else "", "file", post=True, fields=fields)
        )
    if kind.fields and may_state:
        found.append(Action("State what it needs", f"{url}{kind.key}/statement/", icon="edit"))
    return found


def _table(rows: Sequence[Document]) -> Table:
    return Table(
        caption="Documents",
        columns=[
            Column("Document"),
            Column("State"),
            Column("Asked for"),
            Column("SHA-256"),
            Column("File", hidden_label=True),
        ],
        rows=[_row(row) for row in rows],
        empty=Empty(
            "nothing-yet",
            "No document was made yet",
            "A document is the card, the evidence, the signatures and the ledger's proofs in one PDF.",
        ),
    )


def _row(row: Document) -> Row:
    pdf = reverse("web:document-pdf", args=[row.uuid])
    size = words.size(row.size)
    return Row(
        [
            cells.link(row.title, reverse("web:document", args=[row.uuid])),
            cells.chip(status.chip("document", row.status), note=row.error),
            cells.when(row.created_at),
            cells.digest(row.digest) if row.digest else cells.missing("not made yet"),
            cells.acts(Action(f"PDF, {size}", pdf, icon="download", download=True))
            if row.is_ready
            else cells.missing("not made yet"),
        ]
    )


def document(actor: Actor, row: Document) -> DocumentPage:
    """One document. While it is being made the page follows it."""
    del actor  # what may be read was decided when it was fetched
    url = reverse("web:document", args=[row.uuid])
    version = row.version
    forms = _forms(row) if row.is_ready else None
    pdf = Action(
        "Download the PDF",
        reverse("web:document-pdf", args=[row.uuid]),
        "primary",
        "download",
        download=True,
    )
    return DocumentPage(
        header=PageHeader(
            title=f"{row.title} of {version}",
            chips=[status.chip("document", row.status)],
            meta=[cells.when(row.created_at), cells.text(words.size(row.size))]
            if row.is_ready
            else [],
            digest=row.digest,
            actions=[pdf, *_page_of(row)] if row.is_ready else [],
            crumbs=crumbs.below(
                version,
                Crumb(
                    "Documents", addresses.version(version.model.name, version.number, "documents/")
                ),
            ),
        ),
        chip=status.chip("document", row.status),
        notice=_notice(row),
        meter=_meter(row),
        live_url=url if row.is_open or (forms is None and _awaits_forms(row)) else "",
        again=_again(row),
        body=document_body(documents.read_dossier(row), draw=pictures.kept)
        if row.is_ready
        else None,
        forms=forms,
    )


def _page_of(row: Document) -> list[Action]:
    if not kinds.get(row.kind).page:
        return []
    url = reverse("web:document-page", args=[row.uuid])
    return [Action("Take the page to publish", url, icon="download", download=True)]


def _forms(row: Document) -> Table | None:
    """The forms beside the PDF; none for a document of before there were any."""
    rows = form_rows(row)
    columns = [Column("Form"), Column("SHA-256"), Column("File", hidden_label=True)]
    return Table(caption="Other forms", columns=columns, rows=rows) if rows else None


def _awaits_forms(row: Document) -> bool:
    """Whether the worker is about to make them: they follow the PDF within moments, or not at all."""
    if row.kind != DocumentKind.MODEL_CARD or row.finished_at is None:
        return False
    return clock.now() - row.finished_at < _FORMS_FOLLOW


def _notice(row: Document) -> Notice | None:
    if row.status == "error":
        return Notice(row.error, "bad", "The document could not be made")
    if not row.is_open:
        return None
    if not outbox.queue_state().workers:
        text = "Your document is queued; no worker is running. It is made as soon as one does."
        return Notice(text, "warn", "Waiting for a worker", url="/system/", url_label="System")
    return Notice("The document is being made; this page follows.", "info")


def _meter(row: Document) -> Meter | None:
    """Where the worker is; nothing while the document only waits."""
    steps = DocumentStep.values
    if row.status != DocumentStatus.RENDERING or row.step not in steps:
        return None
    at = steps.index(row.step) + 1
    return Meter(at, len(steps) + 1, f"Step {at} of {len(steps)}: {DocumentStep(row.step).label}")


def _again(row: Document) -> Action | None:
    if row.status != "error":
        return None
    url = addresses.version(row.version.model.name, row.version.number, "documents/")
    again = {"kind": row.kind} | ({"at": row.as_of.isoformat()} if row.as_of else {})
    return Action("Try again", url, "primary", "refresh", post=True, fields=again)
