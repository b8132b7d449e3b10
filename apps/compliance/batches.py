"""Many documents at once: asked for, made one by one in the workers, followed, cancelled, taken as one file.

Each item is one message of the outbox. A worker that takes it asks for the document with the rights of whoever asked for
the batch, as they are then, and makes it; killed at any point, the next one finds item and document where they were.
A document is made once whoever asks: the same facts are the same document. An item that cannot be made says why and
keeps nobody else from being made.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, Min, QuerySet

from apps.accounts import policy
from apps.accounts.selectors import actor_for
from apps.audits.log import verb
from apps.compliance import handed_out, kinds, selectors, services
from apps.compliance.models import Batch, BatchItem, Document, ItemStatus
from apps.core import clock, outbox, zipping
from apps.core.actor import Actor
from apps.core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from apps.registry import selectors as registry
from apps.registry.models import ModelVersion

log = logging.getLogger(__name__)

TASK = "apps.compliance.tasks.make_batch_item"
MOST = 500
_LONGEST_ERROR = 1000
_OPEN = (ItemStatus.WAITING, ItemStatus.WORKING)


def in_stage(actor: Actor, stage: str) -> list[ModelVersion]:
    """Every version of a governed model in this stage that the actor may read, by name."""
    rows = registry.visible_versions(actor).filter(
        model__governance="governed", stage_slot=stage, deleted_at__isnull=True
    )
    rows = rows.select_related("model").order_by("model__name", "number")
    return [row for row in rows[: MOST + 1] if policy.can(actor, selectors.READ, row)]


def request_stage(actor: Actor, kind: str, stage: str) -> Batch:
    """`request` for all that `in_stage` finds; Invalid where it finds none."""
    versions = in_stage(actor, stage)
    if not versions:
        text = "You see no governed version in this stage."
        raise Invalid(text, fields={"stage": text})
    return request(actor, kind, versions, f"in stage {stage.capitalize()}")


def request_listed(actor: Actor, kind: str, named: Sequence[tuple[str, int]]) -> Batch:
    """`request` for versions by their model's name and their number; NotFound names the first that is none."""
    if len(named) > MOST:
        raise Invalid("Too many.", fields={"versions": f"At most {MOST} versions."})
    return request(actor, kind, _listed(actor, named), "from a list")


def _listed(actor: Actor, named: Sequence[tuple[str, int]]) -> list[ModelVersion]:
    """In one query, however many: those of the named models with one of the numbers, of which the named ones are taken."""
    names, numbers = {name for name, _ in named}, {number for _, number in named}
    rows = registry.visible_versions(actor).filter(model__name__in=names, number__in=numbers)
    known = {(row.model.name, row.number): row for row in rows}
    for name, number in named:
        if (name, number) not in known:
            raise NotFound(f"There is no version {f'{name}/{number}'[:100]!r}.")
    return [known[each] for each in named]


def request(actor: Actor, kind: str, versions: Sequence[ModelVersion], about: str) -> Batch:
    """Have one document of this kind made of each version.

    Refuses: anybody but somebody with an account; no version, too many; a kind that does not exist; a version that she
    may not read (NotFound, as if it were not there). Nothing is written then.
    """
    wanted = kinds.get(kind)
    if actor.user_id is None:
        raise Forbidden("A batch belongs to whoever asked for it; the system asks for none.")
    chosen = list({row.pk: row for row in versions}.values())
    if not chosen:
        raise Invalid(
            "There is no version to make a document of.",
            fields={"versions": "Choose at least one."},
        )
    if len(chosen) > MOST:
        raise Invalid(
            f"{len(chosen)} versions; a batch takes {MOST}.", fields={"versions": "Too many."}
        )
    for row in chosen:
        if row.deleted_at is not None or not policy.can(actor, selectors.READ, row):
            raise NotFound("One of these versions does not exist.")
    with verb(actor):
        batch = Batch.objects.create(
            kind=wanted.key,
            about=about[:200],
            requested_by_id=actor.user_id,
            created_at=clock.now(),
        )
        items = BatchItem.objects.bulk_create(
            [BatchItem(batch=batch, version=row) for row in chosen]
        )
        for item in items:
            outbox.enqueue(TASK, {"item": item.pk})
    return batch


def get(actor: Actor, batch_uuid: uuid.UUID | str) -> Batch:
    """One's own batch; NotFound for anybody else's."""
    rows = Batch.objects.filter(uuid=batch_uuid, requested_by_id=actor.user_id)
    found = rows.select_related("requested_by").first()
    if found is None:
        raise NotFound("There is no such batch.")
    return found


def of(actor: Actor) -> QuerySet[Batch]:
    """One's own batches, newest first."""
    return Batch.objects.filter(requested_by_id=actor.user_id).order_by("-pk")


def cancel(actor: Actor, batch: Batch) -> Batch:
    """Make no more of it; what is being made is finished, what is made stays. Conflict once nothing waits."""
    own = get(actor, batch.uuid)
    with verb(actor):
        now = clock.now()
        waiting = BatchItem.objects.filter(batch=own, status=ItemStatus.WAITING)
        if not waiting.update(status=ItemStatus.CANCELLED, finished_at=now):
            raise Conflict("Nothing of this batch waits any more.")
        Batch.objects.filter(pk=own.pk, cancelled_at__isnull=True).update(cancelled_at=now)
    own.refresh_from_db()
    return own


def make_item(item_id: int) -> None:
    """Make one item's document; run twice, it is made once.

    A refusal, or a document that could not be made, leaves the item in `error` with the reason. A database that is down
    is no such reason: the exception goes on, and the outbox tries later.
    """
    item = BatchItem.objects.select_related(
        "batch__requested_by", "version__model", "document"
    ).get(pk=item_id)
    mine = BatchItem.objects.filter(pk=item.pk, status__in=_OPEN)
    if not mine.update(status=ItemStatus.WORKING, started_at=clock.now()):
        return
    try:
        document = _made(item)
    except DomainError as error:
        _end(item, ItemStatus.ERROR, str(error)[:_LONGEST_ERROR])
        return
    ready = document.is_ready
    reason = "" if ready else document.error or "The document was not made."
    status = ItemStatus.READY if ready else ItemStatus.ERROR
    _end(item, status, reason)


def _made(item: BatchItem) -> Document:
    """The document, with the rights that whoever asked has now. Asked for once: what a killed worker asked for is what
    the next one makes, even where the facts have moved on meanwhile."""
    person = item.batch.requested_by
    if not person.is_active:
        raise Forbidden("Whoever asked for this has no account any more.")
    actor = actor_for(person, door="worker")
    policy.require(actor, selectors.READ, item.version)
    document = item.document or _asked(actor, item)
    if document.is_open:
        services.make(document.pk)
        document.refresh_from_db()
    return document


def _asked(actor: Actor, item: BatchItem) -> Document:
    """Asked for, and the item's, in one transaction."""
    with verb(actor):
        document = services.request_document(actor, item.version, item.batch.kind)
        BatchItem.objects.filter(pk=item.pk).update(document=document)
    return document


def _end(item: BatchItem, status: ItemStatus, error: str = "") -> None:
    BatchItem.objects.filter(pk=item.pk, status=ItemStatus.WORKING).update(
        status=status, error=error, finished_at=clock.now()
    )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is. `left` is how long the rest takes at the pace so far; None before there is a pace."""

    total: int
    ready: int
    errors: int
    cancelled: int
    working: int
    left: dt.timedelta | None

    @property
    def done(self) -> int:
        return self.ready + self.errors + self.cancelled

    @property
    def is_open(self) -> bool:
        return self.done < self.total


def progress(batch: Batch) -> Progress:
    """Counted in two queries, whatever the number of items."""
    items = BatchItem.objects.filter(batch=batch)
    counts = dict(items.values_list("status").annotate(n=Count("pk")).order_by())
    ended = items.filter(status__in=(ItemStatus.READY, ItemStatus.ERROR))
    span = ended.aggregate(first=Min("started_at"), last=Max("finished_at"), n=Count("pk"))
    total = sum(counts.values())
    waiting = sum(counts.get(status, 0) for status in _OPEN)
    left = None
    if span["n"] and span["first"] and waiting:
        left = (span["last"] - span["first"]) / span["n"] * waiting
    return Progress(
        total=total,
        ready=counts.get(ItemStatus.READY, 0),
        errors=counts.get(ItemStatus.ERROR, 0),
        cancelled=counts.get(ItemStatus.CANCELLED, 0),
        working=counts.get(ItemStatus.WORKING, 0),
        left=left,
    )


def items_of(batch: Batch) -> QuerySet[BatchItem]:
    """Its items with version and document, those that failed first."""
    rows = BatchItem.objects.filter(batch=batch).select_related("version__model", "document")
    return rows.order_by("version__model__name", "version__number")


def archive(actor: Actor, batch: Batch) -> Iterator[bytes]:
    """Every ready document that the actor may read now, in one zip that is written while it is sent.

    A PDF is compressed already, so it is stored as it is. Raises Conflict, before the first byte, while none is ready;
    Tampered, in the middle, where a document's bytes are damaged: the archive then has no end and no program opens it.
    """
    ready = [
        item.document
        for item in items_of(batch).filter(status=ItemStatus.READY)
        if item.document is not None and policy.can(actor, selectors.READ, item.version)
    ]
    if not ready:
        raise Conflict("No document of this batch is ready.")
    for row in ready:
        handed_out.note(actor, row, "PDF")
    return zipping.archive(
        zipping.Member(name, selectors.read_pdf(row), packed=False) for name, row in _named(ready)
    )


def archive_name(batch: Batch) -> str:
    """model-card-2026-03-02.zip."""
    return f"{batch.kind.replace('_', '-')}-{batch.created_at:%Y-%m-%d}.zip"


def _named(documents: Sequence[Document]) -> list[tuple[str, Document]]:
    """A file name each; what two models share is told apart by the document's id."""
    taken: set[str] = set()
    found = []
    for row in documents:
        name = selectors.file_name(row)
        if name in taken:
            name = f"{name.removesuffix('.pdf')}-{row.uuid.hex[:8]}.pdf"
        taken.add(name)
        found.append((name, row))
    return found
