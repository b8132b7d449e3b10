"""The pages of batches of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from apps.compliance import batches
from apps.compliance.models import Batch, BatchItem, ItemStatus
from apps.core import outbox
from apps.core.actor import Actor
from apps.web import addresses, cells, status, words
from apps.web.parts import Action, Column, Crumb, Empty, Meter, Notice, PageHeader, Row, Table, Tone


@dataclass(frozen=True, slots=True)
class BatchesPage:
    """One's own batches."""

    table: Table


@dataclass(frozen=True, slots=True)
class BatchPage:
    """One batch: how far it is, what failed, its documents."""

    header: PageHeader
    meter: Meter
    sentence: str
    notice: Notice | None
    failed: Notice | None
    acts: Sequence[Action]
    table: Table
    live_url: str


def every(actor: Actor) -> BatchesPage:
    """The newest of one's own."""
    rows = batches.of(actor)[:50]
    return BatchesPage(
        Table(
            caption="Your batches",
            columns=[Column("Batch"), Column("Asked for"), Column("Cancelled")],
            rows=[
                Row(
                    [
                        cells.link(str(row), reverse("web:batch", args=[row.uuid])),
                        cells.when(row.created_at),
                        cells.when(row.cancelled_at, missing_reason="was not cancelled"),
                    ]
                )
                for row in rows
            ],
            empty=Empty(
                "nothing-yet",
                "No batch yet",
                "A batch makes one document of each of many versions, and gives them as one zip.",
            ),
        )
    )


def batch(actor: Actor, row: Batch) -> BatchPage:
    """How it stands now; the page follows while anything waits."""
    far = batches.progress(row)
    items = list(batches.items_of(row))
    url = reverse("web:batch", args=[row.uuid])
    tone: Tone = "bad" if far.errors else "good"
    return BatchPage(
        header=PageHeader(
            title=str(row),
            meta=[cells.when(row.created_at)],
            crumbs=[Crumb("Batches", reverse("web:batches"))],
        ),
        meter=Meter(
            far.done,
            far.total,
            f"{far.done} of {words.plural(far.total, 'document')} done",
            "neutral" if far.is_open else tone,
        ),
        sentence=_sentence(far),
        notice=_notice(far),
        failed=_failed(items),
        acts=list(_acts(row, far)),
        table=_table(items),
        live_url=url if far.is_open else "",
    )


def _sentence(far: batches.Progress) -> str:
    told = [f"{words.thousands(far.ready)} ready"]
    if far.errors:
        told.append(f"{words.thousands(far.errors)} could not be made")
    if far.cancelled:
        told.append(f"{words.thousands(far.cancelled)} cancelled")
    if far.working:
        told.append(f"{words.thousands(far.working)} being made")
    if far.left is not None:
        told.append(f"about {words.duration(max(far.left.total_seconds(), 1))} left")
    return ", ".join(told) + "."


def _notice(far: batches.Progress) -> Notice | None:
    if not far.is_open or outbox.worker_alive():
        return None
    text = "No worker is running. The rest is made as soon as one does; nothing is lost."
    return Notice(text, "warn", "Waiting for a worker", url="/system/", url_label="System")


def _failed(items: Sequence[BatchItem]) -> Notice | None:
    failed = [row for row in items if row.status == ItemStatus.ERROR]
    if not failed:
        return None
    reasons = [f"{row.version}: {row.error}" for row in failed[:20]]
    more = f" The first 20 of {len(failed)}." if len(failed) > 20 else ""
    return Notice(
        f"{words.plural(len(failed), 'document')} could not be made.{more}", "bad", reasons=reasons
    )


def _acts(row: Batch, far: batches.Progress) -> Sequence[Action]:
    found = []
    if far.ready:
        label = "Download all as zip" if not far.is_open else "Download what is ready as zip"
        url = reverse("web:batch-zip", args=[row.uuid])
        found.append(Action(label, url, "primary", "download", download=True))
    if far.done + far.working < far.total:
        url = reverse("web:batch-cancel", args=[row.uuid])
        found.append(Action("Cancel the rest", url, "danger", "stop", post=True))
    return found


def _table(items: Sequence[BatchItem]) -> Table:
    return Table(
        caption="Documents of this batch",
        columns=[
            Column("Version"),
            Column("State"),
            Column("SHA-256"),
            Column("File", hidden_label=True),
        ],
        rows=[_row(item) for item in items],
    )


def _row(item: BatchItem) -> Row:
    version, made = item.version, item.document
    ready = made is not None and item.status == ItemStatus.READY
    name = f"{version.model.name} v{version.number}"
    return Row(
        [
            cells.link(name, addresses.version(version.model.name, version.number, "documents/")),
            cells.chip(status.chip("batch_item", item.status), note=item.error),
            cells.digest(made.digest) if made and ready else cells.missing("not made"),
            cells.acts(
                Action(
                    f"PDF, {words.size(made.size)}",
                    reverse("web:document-pdf", args=[made.uuid]),
                    icon="download",
                    download=True,
                )
            )
            if made and ready
            else cells.missing("not made"),
        ]
    )
