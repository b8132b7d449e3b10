"""Checkpoints on their way to where the owner of the database does not reach: folders, mail, object stores, witnesses.

A checkpoint leaves one row per place (`CheckpointDelivery`) and one message in the outbox for it. A delivery that fails is tried
again by the outbox; one that the outbox gave up is taken up again by the next interval, as long as it is about the newest
checkpoint. Each place is written at most once per size and not over something else; in a bucket that is looked at first, and held
to only by a bucket that keeps its versions.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F

from apps.audits import asking, notes
from apps.audits.models import Checkpoint, CheckpointDelivery
from apps.core import clock, objects, outbox
from apps.core.errors import Blocked, Conflict, Invalid

if TYPE_CHECKING:
    from collections.abc import Callable

TASK: Final = "apps.audits.tasks.deliver_checkpoint"
_LONGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class PlaceState:
    """How one place stands: what arrived there last, and what went wrong since."""

    target: str
    arrived: int
    arrived_at: dt.datetime | None
    behind: int
    tries: int
    error: str


def places() -> list[str]:
    """Every place of the settings, as deliveries name it."""
    witnesses = [f"witness:{each.partition(' ')[0]}" for each in settings.CHECKPOINT_WITNESSES]
    return [*settings.CHECKPOINT_KEPT, *witnesses]


def send(checkpoint: Checkpoint) -> None:
    """A row and a message for each place. In the transaction that writes the checkpoint."""
    for target in places():
        row = CheckpointDelivery.objects.create(checkpoint=checkpoint, target=target)
        outbox.enqueue(TASK, {"delivery": row.pk})


def deliver(delivery_id: int) -> None:
    """Bring one checkpoint to one place; one that is there already is left alone.

    Raises what the place raises, noted in the row: the outbox tries again.
    """
    row = CheckpointDelivery.objects.select_related("checkpoint").get(pk=delivery_id)
    if row.delivered_at:
        return
    try:
        said = _sink(row.target)(row.checkpoint, row.target)
    except Exception as error:
        _note(row, f"{type(error).__name__}: {error}")
        raise
    _note(row, said, arrived=True)


def send_again() -> int:
    """Queue what the outbox gave up of the newest checkpoint, and what never went to a place that is new; how many."""
    newest = Checkpoint.objects.order_by("-size", "-pk").first()
    if newest is None:
        return 0
    longest = settings.OUTBOX_BACKOFF_SECONDS * 2**settings.OUTBOX_MAX_ATTEMPTS
    rows = [
        CheckpointDelivery.objects.get_or_create(checkpoint=newest, target=target)
        for target in places()
    ]
    given_up = clock.now() - dt.timedelta(seconds=longest)
    due = [row.pk for row, new in rows if new or _stuck(row, given_up)]
    with transaction.atomic():
        for pk in due:
            outbox.enqueue(TASK, {"delivery": pk})
    return len(due)


def _stuck(row: CheckpointDelivery, since: dt.datetime) -> bool:
    return row.delivered_at is None and row.tried_at is not None and row.tried_at < since


def states() -> list[PlaceState]:
    """How each place of the settings stands against the newest checkpoint; two queries for each place."""
    newest = Checkpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    return [_state(target, newest) for target in places()]


def mistakes() -> list[str]:
    """What is wrong with the settings, in sentences (system check audits.E004)."""
    found = [_mistake(_sink, target) for target in settings.CHECKPOINT_KEPT]
    found += [_mistake(asking.witness, entry) for entry in settings.CHECKPOINT_WITNESSES]
    return [each for each in found if each]


def _mistake(read: Callable[[str], object], text: str) -> str:
    try:
        read(text)
    except Invalid as error:
        return error.message
    return ""


def _state(target: str, newest: int) -> PlaceState:
    rows = CheckpointDelivery.objects.filter(target=target).order_by("-checkpoint__size", "-pk")
    last = rows.select_related("checkpoint").first()
    there = rows.exclude(delivered_at=None).select_related("checkpoint").first()
    failed = last is not None and last.delivered_at is None
    return PlaceState(
        target=target,
        arrived=there.checkpoint.size if there else 0,
        arrived_at=there.delivered_at if there else None,
        behind=newest - (there.checkpoint.size if there else 0),
        tries=last.tries if last else 0,
        error=last.said if last and failed else "",
    )


def _note(row: CheckpointDelivery, said: str, *, arrived: bool = False) -> None:
    now = clock.now()
    CheckpointDelivery.objects.filter(pk=row.pk).update(
        tries=F("tries") + 1,
        tried_at=now,
        delivered_at=now if arrived else None,
        said=said[:_LONGEST],
    )


def _sink(target: str) -> Callable[[Checkpoint, str], str]:
    kind, _, rest = target.partition(":")
    found = _SINKS.get(kind)
    well_formed = rest.startswith("/") if kind in {"file", "s3"} else bool(rest)
    if found is None or not well_formed or (kind == "mailto" and not _ADDRESS.fullmatch(rest)):
        raise Invalid(
            f"Checkpoints cannot be kept at {target!r}: expected file:/folder, mailto:address or s3://bucket/prefix."
        )
    return found


_ADDRESS: Final = re.compile(r"[^\s@,;:]+@[^\s@,;:]+")


def file_name(row: Checkpoint) -> str:
    """Sorted by size, one per key."""
    return f"{row.size:012d}-{row.key_id[:8]}.checkpoint"


def _to_folder(row: Checkpoint, target: str) -> str:
    """Whole or not at all; what is there already must be the same."""
    folder = Path(target.removeprefix("file:"))
    if not folder.is_dir():
        raise Blocked(f"There is no folder {folder}.")
    path = folder / file_name(row)
    draft = folder / f".{path.name}-{os.getpid()}"
    try:
        with draft.open("wb") as file:
            file.write(bytes(row.note))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, it never replaces
    except FileExistsError:
        _require_same(path.read_bytes(), row, str(path))
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
    return f"written to {path}"


def _to_mail(row: Checkpoint, target: str) -> str:
    address = target.removeprefix("mailto:")
    message = EmailMessage(
        subject=f"Checkpoint of {settings.LEDGER_ORIGIN} at {row.size} events",
        body=f"{_MAIL}\n{bytes(row.note).decode()}",
        to=[address],
        headers={
            "Message-ID": f"<checkpoint-{row.size}-{row.key_id[:16]}@{settings.LEDGER_ORIGIN.partition('/')[0].partition(':')[0]}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach(file_name(row), bytes(row.note), "application/octet-stream")
    message.send()
    return f"mailed to {address}"


_MAIL: Final = (
    "Keep this message where nobody at the sender's can reach it. It says how long the record was and what it held;"
    " a record that is rewritten later will not agree with it. How to compare: docs/how-to/check-the-log.md.\n"
)


def _to_bucket(row: Checkpoint, target: str) -> str:
    if not objects.has_credentials():
        raise Blocked("There are no credentials for S3 (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY).")
    from pyarrow.fs import FileType

    path = f"{target.removeprefix('s3://').rstrip('/')}/{file_name(row)}"
    store = objects.connected()
    if store.get_file_info(path).type != FileType.NotFound:
        with store.open_input_stream(path) as found:
            _require_same(found.read(), row, f"s3://{path}")
        return f"found at s3://{path}"
    with store.open_output_stream(path, metadata={"Content-Type": "text/plain"}) as stream:
        stream.write(bytes(row.note))
    return f"written to s3://{path}"


def _require_same(found: bytes, row: Checkpoint, where: str) -> None:
    """What lies there may have cosignatures below it; its text must be the same."""
    try:
        same = notes.parse(found).text == notes.parse(bytes(row.note)).text
    except Invalid:
        same = False
    if not same:
        raise Conflict(
            f"{where} holds another checkpoint of {row.size} events: one of the two ledgers is forged."
        )


_SINKS: Final[dict[str, Callable[[Checkpoint, str], str]]] = {
    "file": _to_folder,
    "mailto": _to_mail,
    "s3": _to_bucket,
    "witness": asking.ask,
}
