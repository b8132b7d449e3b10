"""Stored checkpoints against the ledger: one that was rewritten is found by what it signed before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from apps.audits import notes
from apps.audits.checkpoint_selectors import log_key
from apps.audits.models import Checkpoint, Cosignature, Event
from apps.audits.reconcile import Difference
from apps.core.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1000


def differences() -> Iterator[Difference]:
    """Each checkpoint against its own note, the key it names, and the ledger's root at its size; each cosignature against both.

    In flat memory. The roots beside the events are not computed again here: `verification` does that before.
    """
    rows = Checkpoint.objects.select_related("key").prefetch_related("cosignatures")
    after = 0
    while chunk := list(rows.filter(pk__gt=after).order_by("pk")[:_CHUNK]):
        sizes = {row.size for row in chunk}
        found = Event.objects.filter(seq__in=sizes).values_list("seq", "root")
        roots = {seq: bytes(root) for seq, root in found}
        for row in chunk:
            yield from _checkpoint(row, roots.get(row.size))
        after = chunk[-1].pk


def _checkpoint(row: Checkpoint, root: bytes | None) -> Iterator[Difference]:
    subject = f"checkpoint:{row.size}"
    try:
        note = notes.parse(bytes(row.note))
        said = notes.checkpoint(note.text)
        signed = note.signed_by(log_key(bytes(row.key.public), said.origin))
        cosigned = [_cosignature(note, each) for each in row.cosignatures.all()]
    except DomainError as error:
        yield Difference(subject, f"the stored checkpoint does not verify: {error.message}")
        return
    if signed is None or not all(cosigned):
        yield Difference(subject, "the stored checkpoint is not signed by the key it names")
    if (said.size, said.root) != (row.size, bytes(row.root)):
        yield Difference(subject, "its columns are not what its note says")
    if root is None:
        yield Difference(subject, f"the ledger was {said.size} events long and is shorter now")
    elif root != said.root:
        yield Difference(
            subject,
            f"the ledger's root at size {said.size} is {root.hex()}, the checkpoint signed {said.root.hex()}",
        )


def _cosignature(note: notes.Note, each: Cosignature) -> bool:
    key = notes.verifier(each.witness)
    line = notes.signature(each.line)
    return notes.Note(note.text, (line,)).signed_by(key) is not None
